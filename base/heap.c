/* This file keeps min-heaps in order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include "base/err.h"
#include "base/mem.h"

static bool comes_before(const struct heap_node *a, const struct heap_node *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->order < b->order;
}

static void place(struct heap *heap, struct heap_node *node, size_t index)
{
	heap->nodes[index] = node;
	node->at = index + 1;
}

static void sift_up(struct heap *heap, struct heap_node *node, size_t index)
{
	while (index != 0) {
		size_t parent = (index - 1) / 2;
		if (!comes_before(node, heap->nodes[parent])) {
			break;
		}
		place(heap, heap->nodes[parent], index);
		index = parent;
	}
	place(heap, node, index);
}

static void sift_down(struct heap *heap, struct heap_node *node, size_t index)
{
	for (;;) {
		size_t child = 2 * index + 1;
		if (child >= heap->count) {
			break;
		}
		if (child + 1 < heap->count &&
		    comes_before(heap->nodes[child + 1], heap->nodes[child])) {
			child++;
		}
		if (!comes_before(heap->nodes[child], node)) {
			break;
		}
		place(heap, heap->nodes[child], index);
		index = child;
	}
	place(heap, node, index);
}

void heap_add(struct heap *heap, struct heap_node *node, int64_t rank)
{
	PRE(!heap_holds(node));
	if (heap->count == heap->cap) {
		heap->cap = heap->cap ? heap->cap * 2 : 16;
		heap->nodes = mem_grow(heap->nodes, heap->cap * sizeof *heap->nodes);
	}
	node->rank = rank;
	node->order = heap->added++;
	heap->count++;
	sift_up(heap, node, heap->count - 1);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	if (!heap_holds(node)) {
		return;
	}
	size_t index = node->at - 1;
	PRE(index < heap->count && heap->nodes[index] == node);
	struct heap_node *last = heap->nodes[--heap->count];
	node->at = 0;
	if (last == node) {
		return;
	}
	if (index != 0 && comes_before(last, heap->nodes[(index - 1) / 2])) {
		sift_up(heap, last, index);
	} else {
		sift_down(heap, last, index);
	}
}

static size_t count_from(const struct heap *heap, size_t index, int64_t rank)
{
	if (index >= heap->count || heap->nodes[index]->rank >= rank) {
		return 0;
	}
	return 1 + count_from(heap, 2 * index + 1, rank) + count_from(heap, 2 * index + 2, rank);
}

size_t heap_count_below(const struct heap *heap, int64_t rank)
{
	return count_from(heap, 0, rank);
}

void heap_close(struct heap *heap)
{
	mem_free(heap->nodes);
	*heap = (struct heap){0};
}
