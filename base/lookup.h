/* This file defines a table of pointers that are found by their 64-bit hash alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOOKUP_H
#define BASE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Open addressing, linear probing, at most three quarters full; a removal closes its gap.
 * The hash stands beside the pointer, so that a look-up that finds nothing reads one line of memory
 * and follows no pointer. Nothing is compared but the hash: for whoever makes do with a mistake of
 * one in 2^64, or checks what he found. A hash stands in the table once.
 */
struct lookup_cell {
	uint64_t hash;
	void *item; /* NULL: empty */
};

struct lookup {
	struct lookup_cell *cells; /* a power of two of them, or NULL while empty */
	size_t mask;
	size_t count;
};

void lookup_add(struct lookup *lookup, uint64_t hash, void *item); /* it is not there yet */
void lookup_remove(struct lookup *lookup, uint64_t hash);          /* it is there */
void lookup_close(struct lookup *lookup);                          /* the items are the caller's */

/* Where the search begins: to be fetched ahead of it. */
static inline const struct lookup_cell *lookup_home(const struct lookup *lookup, uint64_t hash)
{
	return &lookup->cells[(hash ^ hash >> 32) & lookup->mask];
}

static inline void *lookup_get(const struct lookup *lookup, uint64_t hash) /* NULL if absent */
{
	if (lookup->cells == NULL) {
		return NULL;
	}
	const struct lookup_cell *last = &lookup->cells[lookup->mask];
	const struct lookup_cell *cell = lookup_home(lookup, hash);
	while (cell->item != NULL && cell->hash != hash) {
		cell = cell == last ? lookup->cells : cell + 1;
	}
	return cell->item;
}

#endif
