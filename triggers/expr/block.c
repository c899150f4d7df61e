/* This file counts, and then cuts, the memory of one expression. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/block.h"

#include "base/err.h"

enum { RECORD_ALIGN = 8 };

void block_count(struct block *block, struct arena *scratch)
{
	*block = (struct block){.scratch = scratch};
}

void block_build(struct block *block, char *memory, size_t size)
{
	*block = (struct block){.front = memory, .back = memory + size};
}

size_t block_size(const struct block *block)
{
	return block->records + block->texts;
}

void *block_take(struct block *block, size_t size)
{
	size = (size + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
	char *piece = block->front;
	if (block->scratch != NULL) {
		piece = arena_take(block->scratch, size);
	} else {
		PRE(size <= (size_t)(block->back - block->front));
		block->front += size;
	}
	PRE(piece != NULL);
	block->records += size;
	memset(piece, 0, size);
	return piece;
}

struct span block_text(struct block *block, struct span text)
{
	size_t size = text.len + 1;
	char *piece = NULL;
	if (block->scratch != NULL) {
		piece = arena_take(block->scratch, size);
	} else {
		PRE(size <= (size_t)(block->back - block->front));
		block->back -= size;
		piece = block->back;
	}
	PRE(piece != NULL);
	block->texts += size;
	if (text.len != 0) {
		memcpy(piece, text.ptr, text.len);
	}
	piece[text.len] = '\0';
	return span_make(piece, text.len);
}

static struct value keep_list(struct block *block, struct value value)
{
	const struct value_list *from = value.as.list;
	struct value_list *list = block_take(block, sizeof *list);
	list->count = from->count;
	list->items = block_take(block, from->count * sizeof *list->items);
	for (size_t i = 0; i < from->count; i++) {
		list->items[i] = block_value(block, from->items[i]);
	}
	value.as.list = list;
	return value;
}

static struct value keep_map(struct block *block, struct value value)
{
	const struct value_map *from = value.as.map;
	struct value_map *map = block_take(block, sizeof *map);
	*map = *from;
	map->pairs = block_take(block, from->count * sizeof *map->pairs);
	for (size_t i = 0; i < from->count; i++) {
		map->pairs[i].key = block_value(block, from->pairs[i].key);
		map->pairs[i].value = block_value(block, from->pairs[i].value);
	}
	if (from->table != NULL) {
		size_t size = ((size_t)from->table_mask + 1) * sizeof *from->table;
		map->table = block_take(block, size);
		memcpy(map->table, from->table, size);
	}
	value.as.map = map;
	return value;
}

struct value block_value(struct block *block, struct value value)
{
	switch (value.tag) {
	case VALUE_STRING:
	case VALUE_BYTES:
	case VALUE_TYPE:
		value.as.text = block_text(block, value_text(value)).ptr;
		return value;
	case VALUE_LIST:
		PRE((value.flags & VALUE_TEXT) == 0);
		return keep_list(block, value);
	case VALUE_MAP:
		PRE((value.flags & VALUE_TEXT) == 0);
		return keep_map(block, value);
	case VALUE_OPTIONAL:
		if (value.as.inner != NULL) {
			struct value *inner = block_take(block, sizeof *inner);
			*inner = block_value(block, *value.as.inner);
			value.as.inner = inner;
		}
		return value;
	default:
		return value;
	}
}
