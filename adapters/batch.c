/* This file builds batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/batch.h"

#include "base/err.h"
#include "base/mem.h"

_Static_assert(sizeof(struct batch_entry) == 16, "batch_entry is on disk as it is");
_Static_assert(sizeof(struct batch_op) == 48, "batch_op is on disk as it is");

const char *space_name(enum space space)
{
	switch (space) {
#define X(name, number, text)                                                                      \
	case name:                                                                                 \
		return text;
		SPACES(X)
#undef X
	case SPACE_END:
		break;
	}
	return NULL;
}

void batch_clear(struct batch *batch)
{
	buf_clear(&batch->bytes);
	batch->entry_count = 0;
	batch->op_count = 0;
	batch->lazy = false;
}

void batch_close(struct batch *batch)
{
	buf_free(&batch->bytes);
	mem_free(batch->entries);
	mem_free(batch->ops);
	*batch = (struct batch){0};
}

bool batch_is_empty(const struct batch *batch)
{
	return batch->entry_count == 0 && batch->op_count == 0;
}

size_t batch_size(const struct batch *batch)
{
	return batch->bytes.len + batch->entry_count * sizeof(struct batch_entry) +
	       batch->op_count * sizeof(struct batch_op);
}

/* Offsets are 32 bits wide: whoever fills a batch keeps it far below that. */
static uint32_t offset_of_end(const struct batch *batch)
{
	PRE(batch->bytes.len <= UINT32_MAX);
	return (uint32_t)batch->bytes.len;
}

uint32_t batch_entry_begin(struct batch *batch)
{
	return offset_of_end(batch);
}

void batch_entry_end(struct batch *batch, uint32_t began_at, uint64_t seq)
{
	(void)buf_reserve(&batch->bytes, 1); /* an empty entry has an address too */
	uint32_t end = offset_of_end(batch);
	PRE(began_at <= end);
	PRE(batch->entry_count == 0 || batch->entries[batch->entry_count - 1].seq + 1 == seq);
	if (batch->entry_count == batch->entry_cap) {
		batch->entry_cap = batch->entry_cap ? batch->entry_cap * 2 : 16;
		batch->entries =
		        mem_grow(batch->entries, batch->entry_cap * sizeof *batch->entries);
	}
	batch->entries[batch->entry_count++] = (struct batch_entry){seq, began_at, end - began_at};
}

static uint32_t add_bytes(struct batch *batch, struct span bytes)
{
	uint32_t at = offset_of_end(batch);
	(void)buf_reserve(&batch->bytes, bytes.len + 1); /* an empty span has an address too */
	buf_span(&batch->bytes, bytes);
	(void)offset_of_end(batch);
	return at;
}

/* A new last operation with its names. Neighbours of one part share the part's bytes. */
static struct batch_op *add_op(struct batch *batch, enum batch_op_kind kind, struct record_key key)
{
	PRE(space_name(key.space) != NULL);
	PRE(key.part.len <= UINT16_MAX && key.key.len <= UINT16_MAX);
	if (batch->op_count == batch->op_cap) {
		batch->op_cap = batch->op_cap ? batch->op_cap * 2 : 16;
		batch->ops = mem_grow(batch->ops, batch->op_cap * sizeof *batch->ops);
	}
	const struct batch_op *last = batch->op_count ? &batch->ops[batch->op_count - 1] : NULL;
	uint32_t part_at = last != NULL && span_equal(batch_op_key(batch, last).part, key.part)
	                           ? last->part_at
	                           : add_bytes(batch, key.part);
	struct batch_op *op = &batch->ops[batch->op_count++];
	*op = (struct batch_op){
	        .kind = (uint8_t)kind,
	        .space = (uint8_t)key.space,
	        .part_at = part_at,
	        .part_len = (uint16_t)key.part.len,
	        .key_at = add_bytes(batch, key.key),
	        .key_len = (uint16_t)key.key.len,
	};
	return op;
}

void batch_put(struct batch *batch, struct record_key key, const struct record *record)
{
	uint32_t value_at = add_bytes(batch, record->value);
	batch_put_at(batch, key, record, value_at);
}

void batch_put_at(struct batch *batch, struct record_key key, const struct record *record,
                  uint32_t value_at)
{
	PRE(value_at <= batch->bytes.len && record->value.len <= batch->bytes.len - value_at);
	struct batch_op *op = add_op(batch, BATCH_PUT, key);
	op->rev = record->rev;
	op->expires_at_ms = record->expires_at_ms;
	op->flags = record->flags;
	op->value_at = value_at;
	op->value_len = (uint32_t)record->value.len;
}

void batch_delete(struct batch *batch, struct record_key key, uint64_t rev)
{
	add_op(batch, BATCH_DELETE, key)->rev = rev;
}

void batch_delete_range(struct batch *batch, enum space space, struct span part, struct span start,
                        struct span end)
{
	uint32_t end_at = add_bytes(batch, end);
	struct batch_op *op =
	        add_op(batch, BATCH_DELETE_RANGE, (struct record_key){space, part, start});
	op->value_at = end_at;
	op->value_len = (uint32_t)end.len;
}
