/* This file gives an expression's nodes one piece of memory of exactly their size. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_BLOCK_H
#define TRIGGERS_EXPR_BLOCK_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/value.h"
#include <stddef.h>

/*
 * DESIGN. An expression is built twice. The first time its pieces come from a scratch arena and are
 * only counted; the second time they are cut from one block of that size, records from its front
 * and texts, which need no alignment, from its back.
 */
struct block {
	struct arena *scratch; /* while counting, without a limit */
	char *front;           /* while building */
	char *back;
	size_t records; /* bytes so far, multiples of 8 */
	size_t texts;
};

void block_count(struct block *block, struct arena *scratch);
void block_build(struct block *block, char *memory, size_t size);
size_t block_size(const struct block *block);

void *block_take(struct block *block, size_t size);                /* zeroed, aligned to 8 */
struct span block_text(struct block *block, struct span text);     /* a copy with a NUL behind */
struct value block_value(struct block *block, struct value value); /* with all that it points to */

#endif
