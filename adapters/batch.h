/* This file defines a batch: journal entries and record changes that become durable together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_BATCH_H
#define ADAPTERS_BATCH_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. All bytes of a batch stand in one buffer; entries and operations are rows of offsets into
 * it, so that a batch can grow without moving anybody's pointers and can go to disk as it is. A
 * value that is part of an entry's bytes (an event's new value) is not stored a second time: its
 * row points into the entry.
 *
 * The rows are written to disk in the byte order of the machine; adapters/segment.c refuses others.
 */

/* Where a record lives. The number is on disk: never renumber, add at the end. */
#define SPACES(X)                                                                                  \
	X(SPACE_STATE, 1, "state")                                                                 \
	X(SPACE_JOB, 2, "job")                                                                     \
	X(SPACE_ALARM, 3, "alarm")                                                                 \
	X(SPACE_TRIGGER, 4, "trigger")                                                             \
	X(SPACE_FUNCTION, 5, "function")                                                           \
	X(SPACE_DEAD, 6, "dead")                                                                   \
	X(SPACE_WINDOW, 7, "window")                                                               \
	X(SPACE_IDEM, 8, "idem")                                                                   \
	X(SPACE_FLOW, 9, "flow")                                                                   \
	X(SPACE_RUN, 10, "run")                                                                    \
	X(SPACE_STEP, 11, "step")                                                                  \
	X(SPACE_USAGE, 12, "usage")                                                                \
	X(SPACE_SECRET, 13, "secret")                                                              \
	X(SPACE_LEASE, 14, "lease")                                                                \
	X(SPACE_META, 15, "meta")

enum space {
#define X(name, number, text) name = (number),
	SPACES(X)
#undef X
	        SPACE_END
};

const char *space_name(enum space space); /* "state"; NULL for a number that is none */

/* The name of a record. Ordered by (space, part, key), bytes compared. */
struct record_key {
	enum space space;
	struct span part; /* state: the scope. 1 to 512 bytes for state; may be empty elsewhere */
	struct span key;  /* state: 1 to 1,024 bytes; at most 2,048 elsewhere */
};

struct record {
	struct span value;
	uint64_t rev;          /* seq of the event that wrote it; 0 where nobody counts */
	int64_t expires_at_ms; /* wall clock; 0 = never */
	uint32_t flags;        /* encoding; adapters keep it and do not look at it */
};

enum batch_op_kind { BATCH_PUT = 1, BATCH_DELETE = 2, BATCH_DELETE_RANGE = 3 };

/* On disk as it is: fixed size, no padding bytes left unset. */
struct batch_entry {
	uint64_t seq;
	uint32_t at; /* offset of the entry's bytes */
	uint32_t len;
};

struct batch_op {
	uint64_t rev;
	int64_t expires_at_ms;
	uint32_t flags;
	uint32_t part_at;
	uint32_t key_at;   /* for a range: the first key (included) */
	uint32_t value_at; /* for a range: the end key (excluded; length 0 = to the end of the part)
	                    */
	uint32_t value_len;
	uint16_t part_len;
	uint16_t key_len;
	uint8_t kind;  /* enum batch_op_kind */
	uint8_t space; /* enum space */
	uint8_t reserved[6];
};

struct batch {
	struct buf bytes;
	struct batch_entry *entries; /* seqs grow by one */
	size_t entry_count, entry_cap;
	struct batch_op *ops; /* in order: a later one on the same record wins */
	size_t op_count, op_cap;
	bool lazy; /* need not be synced on its own; a later batch's sync covers it */
};

void batch_clear(struct batch *batch); /* keeps the memory */
void batch_close(struct batch *batch); /* frees the memory */
bool batch_is_empty(const struct batch *batch);
size_t batch_size(const struct batch *batch); /* bytes that it will take in a journal, about */

/* Begin an entry, append its bytes to batch->bytes, end it. */
uint32_t batch_entry_begin(struct batch *batch);
void batch_entry_end(struct batch *batch, uint32_t began_at, uint64_t seq);

/* Keys and values given here must not point into the batch's own bytes. The value is copied... */
void batch_put(struct batch *batch, struct record_key key, const struct record *record);
/* ...or is already in it: record->value.ptr is ignored, `value_at` is its offset. */
void batch_put_at(struct batch *batch, struct record_key key, const struct record *record,
                  uint32_t value_at);
void batch_delete(struct batch *batch, struct record_key key, uint64_t rev);
void batch_delete_range(struct batch *batch, enum space space, struct span part, struct span start,
                        struct span end);

static inline struct span batch_entry_bytes(const struct batch *batch, const struct batch_entry *e)
{
	return span_make(batch->bytes.ptr + e->at, e->len);
}

static inline struct record_key batch_op_key(const struct batch *batch, const struct batch_op *op)
{
	return (struct record_key){(enum space)op->space,
	                           span_make(batch->bytes.ptr + op->part_at, op->part_len),
	                           span_make(batch->bytes.ptr + op->key_at, op->key_len)};
}

static inline struct span batch_op_value(const struct batch *batch, const struct batch_op *op)
{
	return span_make(batch->bytes.ptr + op->value_at, op->value_len);
}

#endif
