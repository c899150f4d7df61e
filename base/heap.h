/* This file defines an intrusive min-heap: what is due first comes out first. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in what waits. `at` is its place in the heap plus one, 0 when it is in none. */
struct heap_node {
	int64_t rank;   /* least first */
	uint64_t order; /* equal ranks come out in the order in which they went in */
	size_t at;
};

struct heap {
	struct heap_node **nodes;
	size_t count;
	size_t cap;
	uint64_t added;
};

void heap_add(struct heap *heap, struct heap_node *node, int64_t rank);
void heap_remove(struct heap *heap, struct heap_node *node); /* harmless when it is in no heap */
void heap_close(struct heap *heap);                          /* the nodes are the caller's */
/* Costs as many steps as there are. */
size_t heap_count_below(const struct heap *heap, int64_t rank);

static inline struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count ? heap->nodes[0] : NULL;
}

static inline bool heap_holds(const struct heap_node *node)
{
	return node->at != 0;
}

#endif
