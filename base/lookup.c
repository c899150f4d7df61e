/* This file keeps the table of pointers that are found by their hash alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lookup.h"

#include "base/err.h"
#include "base/mem.h"

enum { CELLS_FIRST = 8 };

static size_t home_of(const struct lookup *lookup, uint64_t hash)
{
	return (size_t)(lookup_home(lookup, hash) - lookup->cells);
}

static void put(struct lookup *lookup, struct lookup_cell cell)
{
	size_t at = home_of(lookup, cell.hash);
	while (lookup->cells[at].item != NULL) {
		at = (at + 1) & lookup->mask;
	}
	lookup->cells[at] = cell;
}

static void grow(struct lookup *lookup)
{
	size_t old_size = lookup->cells != NULL ? lookup->mask + 1 : 0;
	size_t size = old_size != 0 ? old_size * 2 : CELLS_FIRST;
	struct lookup_cell *old = lookup->cells;
	lookup->cells = MEM_ARRAY(struct lookup_cell, size);
	lookup->mask = size - 1;
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].item != NULL) {
			put(lookup, old[i]);
		}
	}
	mem_free(old);
}

void lookup_add(struct lookup *lookup, uint64_t hash, void *item)
{
	PRE(item != NULL);
	if (lookup->cells == NULL || lookup->count >= (lookup->mask + 1) / 4 * 3) {
		grow(lookup);
	}
	put(lookup, (struct lookup_cell){hash, item});
	lookup->count++;
}

void lookup_remove(struct lookup *lookup, uint64_t hash)
{
	PRE(lookup->count != 0);
	size_t gap = home_of(lookup, hash);
	while (lookup->cells[gap].hash != hash || lookup->cells[gap].item == NULL) {
		PRE(lookup->cells[gap].item != NULL);
		gap = (gap + 1) & lookup->mask;
	}
	/* Who stands behind the gap, and not at its own place, would not be found across it. */
	for (size_t at = (gap + 1) & lookup->mask; lookup->cells[at].item != NULL;
	     at = (at + 1) & lookup->mask) {
		size_t home = home_of(lookup, lookup->cells[at].hash);
		if (((at - home) & lookup->mask) >= ((at - gap) & lookup->mask)) {
			lookup->cells[gap] = lookup->cells[at];
			gap = at;
		}
	}
	lookup->cells[gap] = (struct lookup_cell){0};
	lookup->count--;
}

void lookup_close(struct lookup *lookup)
{
	mem_free(lookup->cells);
	*lookup = (struct lookup){0};
}
