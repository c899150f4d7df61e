/* This file is a store over the fault adapter, with short words for what tests do to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STORE_LIFE_H
#define TESTS_UNIT_STORE_LIFE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/durable/store.h"
#include "tests/adapters/fault_adapter.h"
#include <stdio.h>
#include <uv.h>

enum { TOLD_MAX = 8192 };

struct life {
	uv_loop_t loop;
	struct fault_disk *disk;
	struct store *store;
	struct store_options options;
	uint64_t told[TOLD_MAX]; /* what the follower got */
	size_t told_count;
	bool is_closed;
	int relieved;
	int crowded;
	int order; /* counts calls of waiters */
};

/* Waits for something that an event of the loop will make true; ctest has the deadline. */
#define UNTIL(claim)                                                                               \
	while (!(claim)) {                                                                         \
		(void)uv_run(&life->loop, UV_RUN_ONCE);                                            \
	}

static inline void on_durable(void *ctx, const struct batch *batch)
{
	struct life *life = ctx;
	for (size_t i = 0; i < batch->entry_count; i++) {
		assert_true(life->told_count < TOLD_MAX);
		life->told[life->told_count++] = batch->entries[i].seq;
	}
}

static inline void on_closed(void *ctx)
{
	((struct life *)ctx)->is_closed = true;
}

enum { FUTURE_S = 2000000000 };

/* An entry that begins with '@' was made in the future. */
static inline int64_t time_of_entry(struct span bytes)
{
	return bytes.len > 2 && bytes.ptr[2] == '@' ? (int64_t)FUTURE_S * 1000 * 1000 : 0;
}

static inline void life_open(struct life *life)
{
	struct err err = {0};
	int status = store_open(&life->loop, &life->options, &life->store, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(status, 0);
	store_follow(life->store, on_durable, life);
	life->is_closed = false;
}

static inline struct life *life_new(const struct adapter_type *type)
{
	struct life *life = MEM_NEW(struct life);
	assert_int_equal(uv_loop_init(&life->loop), 0);
	life->disk = fault_disk_new();
	life->options = (struct store_options){
	        .adapter = type,
	        .how = {.dir = "/nowhere", .config = fault_config(life->disk)},
	        .cache_max_bytes = 1024 * 1024,
	        .recent_max_bytes = 1024 * 1024,
	        .view_lag_max_bytes = 16 * 1024 * 1024,
	        .time_of_entry = time_of_entry,
	};
	return life;
}

static inline struct life *life_start(const struct adapter_type *type)
{
	struct life *life = life_new(type);
	life_open(life);
	return life;
}

/* Everything that is ready now, without waiting. */
static inline void turn(struct life *life)
{
	(void)uv_run(&life->loop, UV_RUN_NOWAIT);
}

static inline void life_close(struct life *life)
{
	store_close(life->store, on_closed, life);
	assert_false(life->is_closed);
	UNTIL(life->is_closed);
	life->store = NULL;
}

static inline void life_end(struct life *life)
{
	if (life->store != NULL) {
		life_close(life);
	}
	assert_int_equal(uv_run(&life->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&life->loop), 0);
	fault_disk_free(life->disk);
	mem_free(life);
}

static inline struct record_key key_of(const char *part, const char *key)
{
	return (struct record_key){SPACE_STATE, span_of(part), span_of(key)};
}

/* ---- putting ---- */

static inline uint64_t put(struct life *life, const char *part, const char *key, const char *value)
{
	uint64_t seq = store_next_seq(life->store);
	struct buf *buf = store_entry_begin(life->store);
	uint32_t value_at = (uint32_t)buf->len + 2;
	BUF_LITERAL(buf, "e:");
	buf_span(buf, span_of(value));
	(void)store_entry_end(life->store);
	const struct record record = {.value = span_of(value), .rev = seq};
	store_put_at(life->store, key_of(part, key), &record, value_at);
	return seq;
}

static inline uint64_t delete_key(struct life *life, const char *part, const char *key)
{
	uint64_t seq = store_next_seq(life->store);
	buf_span(store_entry_begin(life->store), SPAN("d:"));
	(void)store_entry_end(life->store);
	store_delete(life->store, key_of(part, key), seq);
	return seq;
}

struct answer {
	struct store_waiter waiter;
	struct life *life;
	int calls;
	int status;
	int order;
	char code[32];
};

static inline void answered(struct store_waiter *waiter, int status, const struct err *err)
{
	struct answer *answer = MEM_CONTAINER(waiter, struct answer, waiter);
	answer->calls++;
	answer->status = status;
	answer->order = ++answer->life->order;
	(void)snprintf(answer->code, sizeof answer->code, "%s", err != NULL ? err->code : "");
}

static inline struct store_waiter *asking(struct life *life, struct answer *answer)
{
	*answer = (struct answer){.waiter = {.done = answered}, .life = life};
	list_init(&answer->waiter.link);
	return &answer->waiter;
}

static inline void commit(struct life *life, struct answer *answer)
{
	store_commit(life->store, asking(life, answer));
	assert_int_equal(answer->calls, 0);
}

static inline void commit_now(struct life *life)
{
	struct answer answer;
	commit(life, &answer);
	UNTIL(answer.calls == 1);
	assert_int_equal(answer.status, 0);
}

static inline uint64_t put_now(struct life *life, const char *part, const char *key,
                               const char *value)
{
	uint64_t seq = put(life, part, key, value);
	commit_now(life);
	return seq;
}

/* ---- looking ---- */

static inline enum store_state look(struct life *life, const char *part, const char *key,
                                    struct store_look *out)
{
	return store_look(life->store, key_of(part, key), out);
}

struct getting {
	struct store_fetch fetch;
	int calls;
	int status;
};

static inline void got(struct store_fetch *fetch, int status, const struct err *err)
{
	(void)err;
	struct getting *getting = MEM_CONTAINER(fetch, struct getting, fetch);
	getting->calls++;
	getting->status = status;
}

static inline void get(struct life *life, struct getting *getting, const char *part,
                       const char *key)
{
	*getting = (struct getting){.fetch = {.done = got}};
	struct record_key wanted = key_of(part, key);
	store_fetch_start(life->store, &getting->fetch, &wanted, 1);
	assert_int_equal(getting->calls, 0);
}

/* The value, "-" when there is none, "?" when it is not in memory. */
static inline const char *known(struct life *life, const char *part, const char *key)
{
	static char text[256];
	struct store_look out;
	switch (look(life, part, key, &out)) {
	case STORE_ABSENT:
		return "-";
	case STORE_UNKNOWN:
		return "?";
	case STORE_FOUND:
		break;
	}
	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(out.record.value));
	return text;
}

/* The same after a fetch; "error" when that fails. */
static inline const char *value_of(struct life *life, const char *part, const char *key)
{
	struct getting getting;
	get(life, &getting, part, key);
	UNTIL(getting.calls == 1);
	return getting.status != 0 ? "error" : known(life, part, key);
}

/* ---- listing ---- */

struct listing {
	struct store_scan scan;
	struct store_parts parts;
	int calls;
	int status;
	bool more;
	uint64_t group;
	size_t rows;
	size_t most; /* stop behind so many; 0 = never */
	char text[65536];
};

static inline void note_row(struct listing *listing, struct span name, struct span value)
{
	size_t len = strlen(listing->text);
	listing->rows++;
	(void)snprintf(listing->text + len, sizeof listing->text - len, "%.*s%s%.*s ",
	               SPAN_ARG(name), value.ptr != NULL ? "=" : "", SPAN_ARG(value));
}

static inline bool listed(void *ctx, struct span key, const struct record *record)
{
	struct listing *listing = ctx;
	note_row(listing, key, record->value);
	return listing->rows != listing->most;
}

static inline bool listed_part(void *ctx, struct span part)
{
	note_row(ctx, part, SPAN_NONE);
	return true;
}

static inline void list_done(struct store_scan *scan, int status, bool more, uint64_t group,
                             const struct err *err)
{
	(void)err;
	struct listing *listing = MEM_CONTAINER(scan, struct listing, scan);
	listing->calls++;
	listing->status = status;
	listing->more = more;
	listing->group = group;
}

static inline void parts_done(struct store_parts *parts, int status, uint64_t group,
                              const struct err *err)
{
	(void)err;
	struct listing *listing = MEM_CONTAINER(parts, struct listing, parts);
	listing->calls++;
	listing->status = status;
	listing->group = group;
}

static inline void scan_start(struct life *life, struct listing *listing, const char *part,
                              const char *start, const char *end, bool reverse)
{
	listing->text[0] = '\0';
	listing->calls = 0;
	listing->rows = 0;
	listing->scan = (struct store_scan){
	        .range = {SPACE_STATE, span_of(part), span_of(start), span_of(end)},
	        .reverse = reverse,
	        .row = listed,
	        .ctx = listing,
	        .done = list_done,
	};
	store_scan_start(life->store, &listing->scan);
	assert_int_equal(listing->calls, 0);
}

static inline void parts_start_at(struct life *life, struct listing *listing, const char *start)
{
	listing->text[0] = '\0';
	listing->calls = 0;
	listing->rows = 0;
	listing->parts = (struct store_parts){
	        .space = SPACE_STATE, .part = listed_part, .ctx = listing, .done = parts_done};
	listing->parts.start = span_of(start);
	store_parts_start(life->store, &listing->parts);
	assert_int_equal(listing->calls, 0);
}

static inline void parts_start(struct life *life, struct listing *listing)
{
	parts_start_at(life, listing, "");
}

static inline const char *list_of(struct life *life, const char *part)
{
	static struct listing listing;
	scan_start(life, &listing, part, NULL, NULL, false);
	UNTIL(listing.calls == 1);
	assert_int_equal(listing.status, 0);
	return listing.text;
}

static inline const char *parts_of(struct life *life)
{
	static struct listing listing;
	parts_start(life, &listing);
	UNTIL(listing.calls == 1);
	assert_int_equal(listing.status, 0);
	return listing.text;
}

static inline struct store_stats stats_of(struct life *life)
{
	struct store_stats stats;
	store_get_stats(life->store, &stats);
	return stats;
}

static inline void apply_all(struct life *life)
{
	UNTIL(stats_of(life).ahead_bytes == 0);
}

#endif
