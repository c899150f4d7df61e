/* This file keeps the blocks that an arena cuts its pieces from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 64 * 1024 };

static const size_t alignment = alignof(max_align_t);

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
	struct arena_block *kept = NULL;
	while (block != NULL) {
		struct arena_block *older = block->older;
		if (older == NULL && block->size <= BLOCK_MOST) {
			kept = block;
		} else {
			mem_free(block);
		}
		block = older;
	}
	*arena = (struct arena){.blocks = kept, .limit = arena->limit};
	if (kept != NULL) {
		arena->used = kept->size;
		begin(arena, kept);
	}
}

void arena_close(struct arena *arena)
{
	arena_reset(arena);
	mem_free(arena->blocks);
	*arena = (struct arena){.limit = arena->limit};
}

/* What the next ordinary block holds: twice the newest, as far as the limit allows. */
static size_t next_size(const struct arena *arena)
{
	size_t size = BLOCK_FIRST;
	while (size < BLOCK_MOST && size <= arena->used) {
		size += size;
	}
	size_t left = arena->limit != 0 ? arena->limit - arena->used : size;
	return size < left ? size : left & ~(alignment - 1);
}

static void *take_from_new_block(struct arena *arena, size_t size)
{
	if (arena->limit != 0 && size > arena->limit - arena->used) {
		return NULL;
	}
	size_t next = next_size(arena);
	bool alone = size > next;
	next = alone ? size : next;
	struct arena_block *block = mem_raw(sizeof *block + next);
	block->size = next;
	arena->used += next;
	if (alone && arena->blocks != NULL) {
		block->older = arena->blocks->older;
		arena->blocks->older = block;
		return block->room;
	}
	block->older = arena->blocks;
	arena->blocks = block;
	begin(arena, block);
	arena->at += size;
	return block->room;
}

void *arena_take(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2) {
		return NULL;
	}
	/* A piece of no bytes is a place of its own too. */
	size = (size + (size == 0) + alignment - 1) & ~(alignment - 1);
	if (arena->at == NULL || (size_t)(arena->end - arena->at) < size) {
		return take_from_new_block(arena, size);
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
