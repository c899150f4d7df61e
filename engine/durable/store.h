/* This file is the one door to durable data: what goes in is answered for, or refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_H
#define ENGINE_DURABLE_STORE_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Everything here is called on the loop's thread and never blocks.
 *
 * The loop fills one open batch, the *group*. When the loop has nothing more to read and the writer
 * is idle, the group goes to the writer thread and a new one is opened: whatever queued up while
 * the last one was being written is the next one. A group is all or nothing, so whatever is put
 * between two returns to the loop is atomic too. When the group is durable, its waiters are called
 * in the order in which they were added, then its entries go to the follower (`on_durable`).
 *
 * Reads look in one table of hot records. A record in it is *queued* (its group is not durable
 * yet), *ahead* (durable, not yet applied to the view) or *clean* (may be evicted). What is not
 * there is fetched by the reader thread. The view thread applies durable groups behind the journal.
 *
 * Three rules:
 * 1. An answer leaves only when all that it was computed from is durable. A look that saw a queued
 *    record tells so (store_look.group); the answer then waits with store_wait for that group.
 * 2. A failed group fails itself and the open one behind it. The adapter is closed, opened and
 * recovered; records, next seq and the table go back to what is really there. Until then writes are
 * refused
 *    (`store_refuses`), reads of clean records go on.
 * 3. Decide before you put: whoever finds a conflict puts nothing.
 *
 *      open --put--> group --writer--> durable --view--> applied
 *                      |
 *                      +--failed--> recovering --> open (outcome of the lost groups: unknown)
 */
struct store;
struct uv_loop_s;

struct store_options {
	const struct adapter_type *adapter;
	struct adapter_open how;   /* copied */
	size_t cache_max_bytes;    /* clean records kept in memory */
	size_t recent_max_bytes;   /* durable groups kept in memory for followers and replays */
	size_t view_lag_max_bytes; /* the view may be this far behind before writers wait for it */
};

/* Called once for each durable group that has entries, in order, on the loop. The batch is
 * borrowed: look entries up again later by seq (store_recent, store_read). */
typedef void store_follower_fn(void *ctx, const struct batch *batch);

/* Opens the adapter (blocking: the daemon is starting) and loads what the view has not seen yet. */
int store_open(struct uv_loop_s *loop, const struct store_options *options, struct store **out,
               struct err *err);
void store_follow(struct store *store, store_follower_fn *follower, void *ctx);
/* Writes what is queued, calls every waiter, stops the threads, closes the adapter, then calls
 * `closed`; the store is freed behind it. No put after this. */
void store_close(struct store *store, void (*closed)(void *ctx), void *ctx);

/* As of the last durable group, and as of the next entry to be put. */
void store_head(const struct store *store, struct adapter_head *out);
uint64_t store_durable_seq(const struct store *store); /* the last durable entry; 0 = none yet */
uint64_t store_next_seq(const struct store *store);
/* Wall clock, never before the time of the last committed event: what events and expiry are
 * stamped with. store_stamp remembers the time as used. */
int64_t store_time_ms(const struct store *store);

/* 0, or why writes are refused now: E_BUSY "store_recovering", E_FULL "disk_full", E_IO
 * "store_failed", E_LIMIT "journal_full", E_CANCELED "shutting_down". */
int store_refuses(const struct store *store, struct err *err);
void store_set_journal_full(struct store *store, bool full);
/* True while so much is queued that readers of sockets should pause; `resume` (set once by the
 * engine) is called when that ends. */
bool store_is_crowded(const struct store *store);
void store_on_relief(struct store *store, void (*relieved)(void *ctx), void *ctx);

/* ---- looking ---- */

enum store_state { STORE_ABSENT, STORE_FOUND, STORE_UNKNOWN };

struct store_look {
	struct record record; /* borrowed: valid until the next put, delete or return to the loop */
	uint64_t group;       /* what an answer computed from this must store_wait for */
};

/* STORE_UNKNOWN: not in memory; fetch it, then look again. `out` is filled for ABSENT too (group).
 */
enum store_state store_look(struct store *store, struct record_key key, struct store_look *out);

struct store_fetch {
	struct list link; /* the store's while it is out */
	void (*done)(struct store_fetch *fetch, int status, const struct err *err);
	/* filled by store_fetch_start */
	struct buf bytes;
	size_t count;
	void *rows;
};
/* Brings records into memory. done is called later, exactly once; store_look then knows all of the
 * keys until the loop is returned to. The keys are copied. */
void store_fetch_start(struct store *store, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count);

/* A row of a scan; bytes are borrowed during the call. Return false to stop. */
typedef bool store_row_fn(void *ctx, struct span key, const struct record *record);

struct store_scan {
	struct list link;
	/* set by the caller */
	struct adapter_range range; /* spans are copied by store_scan_start */
	bool reverse;
	store_row_fn
	        *row; /* called in key order (reverse: backwards), page by page over many turns */
	void *ctx;
	/* Once, at the end. `more`: the row function stopped it. `group`: as in store_look. */
	void (*done)(struct store_scan *scan, int status, bool more, uint64_t group,
	             const struct err *err);
	void *state; /* the store's */
};
/* Walks a range over records durable or queued. At most 256 rows or 2 ms a page; writes may happen
 * between pages (not a snapshot). */
void store_scan_start(struct store *store, struct store_scan *scan);

struct store_parts {
	struct list link;
	enum space space;
	bool (*part)(void *ctx, struct span part); /* in order; every part that holds a record */
	void *ctx;
	void (*done)(struct store_parts *parts, int status, uint64_t group, const struct err *err);
	void *state;
};
void store_parts_start(struct store *store, struct store_parts *parts);

/* ---- changing ---- */

/* Where an event is written: append its bytes to the buffer between begin and end. Its seq is
 * store_next_seq at begin. Precondition for all of these: store_refuses is 0. */
struct buf *store_entry_begin(struct store *store);
/* Ends the entry. Returns the offset in the buffer where it began. */
uint32_t store_entry_end(struct store *store);

/* Visible to looks at once; durable with the group. The value is copied... */
void store_put(struct store *store, struct record_key key, const struct record *record);
/* ...or stands already in the group's buffer at `value_at` (record->value.len is its length). */
void store_put_at(struct store *store, struct record_key key, const struct record *record,
                  uint32_t value_at);
void store_delete(struct store *store, struct record_key key, uint64_t rev);
/* Every record of the part with start <= key < end (absent end: to the end of the part). */
void store_delete_range(struct store *store, enum space space, struct span part, struct span start,
                        struct span end);

/* Embedded in whoever must answer. Called exactly once, later, in the order of adding. status 0, or
 * E_UNKNOWN "outcome_unknown" / E_IO / E_FULL when the group failed. */
struct store_waiter {
	struct list link;
	void (*done)(struct store_waiter *waiter, int status, const struct err *err);
};

/* Everything that was put since the last commit asks to be made durable; the waiter (may be NULL)
 * is called when it is. */
void store_commit(struct store *store, struct store_waiter *waiter);
/* Like commit, but in no hurry: rides in the next group, or after 100 ms in one of its own that is
 * written and not synced. */
void store_commit_lazy(struct store *store);
/* For answers that only looked: called when `group` is durable. True and no call when it is
 * already. */
bool store_wait(struct store *store, uint64_t group, struct store_waiter *waiter);

/* ---- the journal ---- */

/* The bytes of a durable entry if they are still in memory. Borrowed until the loop is returned to.
 */
bool store_recent(const struct store *store, uint64_t seq, struct span *out);

struct store_read {
	struct list link;
	/* set by the caller */
	uint64_t from;    /* first seq */
	uint64_t count;   /* at most so many entries */
	size_t max_bytes; /* stop behind the entry that reaches this */
	void (*entry)(void *ctx, uint64_t seq, struct span bytes); /* on the loop, before done */
	void *ctx;
	/* status 0, or E_NOT_FOUND "compacted", or an adapter's error. Only durable entries come.
	 */
	void (*done)(struct store_read *read, int status, const struct err *err);
	void *state;
};
void store_read_start(struct store *store, struct store_read *read);

/* Entries below seq may go, once the view has them. Runs in the background. */
void store_trim(struct store *store, uint64_t seq);
uint64_t store_journal_bytes(const struct store *store);

/* Figures for /v1/status and tests. */
struct store_stats {
	uint64_t groups, syncs, entries, failed_groups, recoveries;
	uint64_t looks, fetches, scans;
	size_t cache_bytes, cache_records, ahead_bytes, queued_bytes;
	int64_t last_commit_us, worst_commit_us;
};
void store_get_stats(const struct store *store, struct store_stats *out);

#endif
