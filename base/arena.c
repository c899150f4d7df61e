/* This file keeps the blocks that an arena cuts its pieces from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"
#include <stdalign.h>
#include <stdint.h>

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 64 * 1024 };

struct arena_block {
	struct arena_block *older;
	size_t size; /* of the room behind this head */
	alignas(max_align_t) char room[];
};

static void begin(struct arena *arena, struct arena_block *block)
{
	arena->at = block->room;
	arena->end = block->room + block->size;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	while (block != NULL && block->older != NULL) {
		struct arena_block *older = block->older;
		mem_free(block);
		block = older;
	}
	arena->blocks = block;
	arena->used = 0;
	if (block != NULL) {
		begin(arena, block);
	}
}

void arena_close(struct arena *arena)
{
	arena_reset(arena);
	mem_free(arena->blocks);
	*arena = (struct arena){.limit = arena->limit};
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = mem_raw(sizeof *block + size);
	block->size = size;
	block->older = arena->blocks;
	if (arena->blocks != NULL) {
		arena->used += size;
	}
	arena->blocks = block;
	begin(arena, block);
	return block;
}

void *arena_take(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2) {
		return NULL;
	}
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if ((size_t)(arena->end - arena->at) < size) {
		size_t next = BLOCK_FIRST;
		if (arena->blocks != NULL) {
			next = arena->blocks->size * 2 < BLOCK_MOST ? arena->blocks->size * 2
			                                            : BLOCK_MOST;
		}
		next = next < size ? size : next;
		if (arena->limit != 0 && arena->used + next > arena->limit) {
			return NULL;
		}
		(void)add_block(arena, next);
	}
	char *piece = arena->at;
	arena->at += size;
	return piece;
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
	char *copy = arena_take(arena, bytes.len + 1);
	if (copy == NULL) {
		return SPAN_NONE;
	}
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	copy[bytes.len] = '\0';
	return span_make(copy, bytes.len);
}
