/* This file keeps the records that are in memory: what is not applied yet, and a bounded cache. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_TABLE_H
#define ENGINE_DURABLE_STORE_TABLE_H

#include "adapters/batch.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A record is one block of memory: header, key, value. It belongs to its part, where those
 * that the view has not seen yet (dirty) stand before the clean ones, so that a scan finds them
 * without looking at the rest. All dirty records also stand in one list in the order of their
 * groups: when a group is applied or lost, exactly its records are at one end of it.
 *
 * A deleted record stays as one that does not exist. A deleted range is a row of its own; records
 * inside it that are put again stand in the table and come before it.
 *
 *              put, delete                    applied
 *   unknown ----------------> dirty (group) ----------> clean --> evicted
 *      |  ^                        |                      ^
 *      |  +--------- lost ---------+                      |
 *      +------------------- read from the adapter --------+
 *
 * Unknown records are there only while somebody pins them. What is pinned is never evicted.
 */
enum store_state { STORE_ABSENT, STORE_FOUND, STORE_UNKNOWN };

struct store_look {
	struct record record; /* borrowed: valid until the next put, delete or return to the loop */
	uint64_t group;       /* what an answer computed from this must store_wait for; 0 = nothing
	                       */
};

struct hot_part {
	struct map_node node;
	struct list hots;    /* hot.in_part, dirty ones first */
	struct list ranges;  /* hot_range.in_part, oldest first */
	struct list changed; /* in store_table.changed while it has dirty records or ranges */
	size_t dirty_count;
	uint16_t len;
	uint8_t space;
	char bytes[];
};

enum hot_read { HOT_READ_NONE, HOT_READ_ASKED, HOT_READ_OUT };

struct hot {
	struct map_node node;
	struct list in_part;
	struct list link; /* in store_table.dirty or .clean, or in none while unknown */
	struct hot_part *part;
	uint64_t rev;
	uint64_t group; /* that wrote it last; 0 = came from the adapter */
	int64_t expires_at_ms;
	uint32_t flags;
	uint32_t value_len;
	uint32_t value_cap;
	uint32_t pins;
	uint16_t key_len;
	uint8_t state; /* enum store_state */
	uint8_t read;  /* enum hot_read: the fetches' */
	bool is_dirty;
	bool was_used; /* since the clock's hand passed */
	char bytes[];  /* key, value */
};

struct hot_range {
	struct list link; /* in store_table.ranges */
	struct list in_part;
	struct hot_part *part;
	uint64_t group;
	uint32_t start_len;
	uint32_t end_len; /* 0 = to the end of the part */
	char bytes[];
};

struct store_table {
	struct map hots;
	struct map parts;
	struct hot_part *last_part; /* the last one that was looked up; NULL = none */
	struct list dirty;          /* in the order of groups */
	struct list clean;          /* the clock: its hand is at the front */
	struct list ranges;         /* in the order of groups */
	struct list changed;        /* hot_part.changed */
	size_t clean_bytes;
	size_t clean_count;
	size_t max_bytes; /* of clean records */
};

void store_table_init(struct store_table *table, size_t max_bytes);
void store_table_close(struct store_table *table);

enum store_state store_table_look(struct store_table *table, struct record_key key,
                                  struct store_look *out);
struct hot *store_table_get(struct store_table *table, struct record_key key);
/* NULL when nothing of it is in memory. */
struct hot_part *store_table_part(struct store_table *table, enum space space, struct span part);

/* The operation of `batch`, which is group number `group`. */
void store_table_apply(struct store_table *table, const struct batch *batch,
                       const struct batch_op *op, uint64_t group);

/* The record in the table, unknown if it was not there; not evicted until it is unpinned. */
struct hot *store_table_pin(struct store_table *table, struct record_key key);
void store_table_unpin(struct store_table *table, struct record_key key);
/* What the adapter said; NULL = there is none. No effect unless the record is unknown or not in the
 * table. */
void store_table_fill(struct store_table *table, struct record_key key,
                      const struct record *record);

/* The view has everything up to this group. */
void store_table_clean(struct store_table *table, uint64_t group);
/* Everything behind this group is not known to be there: it turns unknown. */
void store_table_lose(struct store_table *table, uint64_t group);
void store_table_reset(struct store_table *table); /* everything turns unknown */
void store_table_evict(struct store_table *table); /* down to max_bytes */

static inline struct span hot_key(const struct hot *hot)
{
	return span_make(hot->bytes, hot->key_len);
}

static inline struct record hot_record(const struct hot *hot)
{
	return (struct record){span_make(hot->bytes + hot->key_len, hot->value_len), hot->rev,
	                       hot->expires_at_ms, hot->flags};
}

static inline struct span hot_range_start(const struct hot_range *range)
{
	return span_make(range->bytes, range->start_len);
}

static inline struct span hot_range_end(const struct hot_range *range)
{
	return span_make(range->bytes + range->start_len, range->end_len);
}

#endif
