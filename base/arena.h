/* This file gives out small pieces of memory that are all freed at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"
#include <stddef.h>

/*
 * DESIGN. Pieces are cut from blocks that double up to 64 KiB; a piece that is larger gets a block
 * of its own, behind the one that is being cut. A reset keeps the first block if it is no larger
 * than that, so that a steady user asks the system for nothing. `limit` bounds the blocks of one
 * life between resets: a piece that needs one over it is refused, for whoever computes with a
 * stranger's sizes.
 */
struct arena_block;

struct arena {
	char *at;
	char *end;
	struct arena_block *blocks; /* the newest first */
	size_t limit;               /* bytes; 0 = none */
	size_t used;                /* bytes in all blocks */
};

/* All zero is an empty arena without a limit. */
void arena_reset(struct arena *arena); /* every piece is gone */
void arena_close(struct arena *arena); /* the blocks too; the arena is empty again */
/* Not zeroed, aligned for everything. NULL when it would go over the limit. */
void *arena_take(struct arena *arena, size_t size);
/* A copy of the bytes with a NUL behind, which the span does not count; absent over the limit. */
struct span arena_copy(struct arena *arena, struct span bytes);

#define ARENA_NEW(arena, type)          ((type *)arena_take((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_take((arena), (count) * sizeof(type)))

#endif
