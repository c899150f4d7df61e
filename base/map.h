/* This file defines an intrusive hash table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/mem.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Entries embed a map_node; the table owns only its slots. The caller hashes (hash_bytes)
 * and compares: a look-up walks the chain of one slot, and only nodes of the same 64-bit hash are
 * shown to `equal`. The table doubles when it is full and never shrinks below what it held.
 */
struct map_node {
	struct map_node *next;
	uint64_t hash;
};

struct map {
	struct map_node **slots; /* a power of two of them, or NULL while empty */
	size_t slot_count;
	size_t count;
};

typedef bool map_equal_fn(const struct map_node *node, const void *key);

struct map_node *map_get(const struct map *map, uint64_t hash, const void *key,
                         map_equal_fn *equal); /* NULL if absent */
/* Another one that is equal to the key: the one behind `node`, which map_get or this gave. */
struct map_node *map_get_next(const struct map_node *node, const void *key, map_equal_fn *equal);
void map_add(struct map *map, struct map_node *node, uint64_t hash); /* caller knows it is new */
void map_remove(struct map *map, struct map_node *node);             /* must be in the map */
void map_close(struct map *map); /* frees the slots; the entries are the caller's */

/* Walks all entries, in no order. The body may remove the node it is shown, and add none. */
struct map_node *map_first(const struct map *map, size_t *slot);
struct map_node *map_next(const struct map *map, size_t *slot, const struct map_node *node);

#define MAP_EACH(map, node)                                                                        \
	for (size_t node##_slot = 0, node##_once = 1; node##_once; node##_once = 0)                \
		for (struct map_node *node = map_first((map), &node##_slot),                       \
		                     *node##_next = node ? map_next((map), &node##_slot, node)     \
		                                         : NULL;                                   \
		     node != NULL;                                                                 \
		     node = node##_next, node##_next = node ? map_next((map), &node##_slot, node)  \
		                                            : NULL)

#endif
