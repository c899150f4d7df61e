/* This file is the one door to durable data: what goes in is answered for, or refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_H
#define ENGINE_DURABLE_STORE_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include "engine/durable/store_due.h"
#include "engine/durable/store_fetch.h"
#include "engine/durable/store_options.h"
#include "engine/durable/store_read.h"
#include "engine/durable/store_scan.h"
#include "engine/durable/store_table.h"
#include "engine/durable/store_waiter.h"
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
 *    recovered; records, next seq and the table go back to what is really there. Until then writes
 *    are refused (`store_refuses`), reads of records that are in memory and durable go on.
 * 3. Decide before you put: whoever finds a conflict puts nothing.
 *
 *      open --put--> group --writer--> durable --view--> applied
 *                      |
 *                      +--failed--> recovering --> open (outcome of the lost groups: unknown)
 */
struct store;
struct uv_loop_s;

/* Opens the adapter (blocking: the daemon is starting) and loads what the view has not seen yet. */
int store_open(struct uv_loop_s *loop, const struct store_options *options, struct store **out,
               struct err *err);
void store_follow(struct store *store, store_follower_fn *follower, void *ctx);
/* The same for a second one, who is told behind the first. */
void store_watch(struct store *store, store_follower_fn *watcher, void *ctx);
/* Writes what is queued, calls every waiter, stops the threads, closes the adapter, then calls
 * `closed`; the store is freed behind it. No put after this. */
void store_close(struct store *store, void (*closed)(void *ctx), void *ctx);
/* Called when the store is open again after a failure, before anything else is told: what was put
 * into the lost groups is gone (or, rarely, durable), and may be put again. */
void store_on_recovery(struct store *store, void (*recovered)(void *ctx), void *ctx);

/* As of the last durable group, and as of the next entry to be put. */
void store_head(const struct store *store, struct adapter_head *out);
uint64_t store_durable_seq(const struct store *store); /* the last durable entry; 0 = none yet */
uint64_t store_next_seq(const struct store *store);
/* Wall clock, never before the time of the last committed event nor before what this returned
 * earlier: what events and expiry are stamped with. */
int64_t store_time_ms(struct store *store);

/* 0, or why writes are refused now: E_BUSY "store_recovering", E_FULL "disk_full", E_IO
 * "store_failed", E_LIMIT "journal_full", E_CANCELED "shutting_down". */
int store_refuses(const struct store *store, struct err *err);
/* The same for what makes no event: a full journal does not refuse it, as it may free it. */
int store_refuses_records(const struct store *store, struct err *err);
/* Bookkeeping may be put: the store is open and does not close. Also while the journal is
 * full. */
bool store_can_put(const struct store *store);
/* Nobody waits for it: what was asked to be made durable is, and no reading is under way. What is
 * put without hurry does not count. */
bool store_is_at_rest(const struct store *store);
void store_set_journal_full(struct store *store, bool full);
void store_set_cache(struct store *store, size_t max_bytes); /* clean records kept in memory */
/* True while so much is queued that readers of sockets should pause; `crowded` (set once by the
 * engine) is called when that begins, perhaps from inside a commit, and when it ends. */
bool store_is_crowded(const struct store *store);
void store_on_crowd(struct store *store, void (*crowded)(void *ctx, bool is), void *ctx);

/* ---- looking ---- */

/* STORE_UNKNOWN: not in memory; fetch it, then look again. `out` is filled for ABSENT too (group).
 */
enum store_state store_look(struct store *store, struct record_key key, struct store_look *out);

/* Brings records into memory. done is called later, exactly once; store_look then knows all of the
 * keys until the loop is returned to. The keys are copied. */
void store_fetch_start(struct store *store, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count);

/* Walks a range over records durable or queued. At most 256 rows or 2 ms a page; writes may happen
 * between pages (not a snapshot). */
void store_scan_start(struct store *store, struct store_scan *scan);

/* Lists the parts of a space. Waits until the view has what was put before. */
void store_parts_start(struct store *store, struct store_parts *parts);

/* Whether the adapter can be asked what is due; if not, all its records have to be walked. */
bool store_can_tell_due(const struct store *store);
/* Asks which records expire next. */
void store_due_start(struct store *store, struct store_due *due);

/* ---- changing ---- */

/* Where an event is written: append its bytes to the buffer between begin and end. Its seq is
 * store_next_seq at begin. Precondition for all of these: store_refuses is 0 (a full journal or the
 * shut-down refuse users only: bookkeeping that frees the journal goes on). */
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

/* Everything that was put since the last commit asks to be made durable; the waiter (may be NULL)
 * is called when it is. */
void store_commit(struct store *store, struct store_waiter *waiter);
/* Like commit, but in no hurry: rides in the next group, or after 100 ms in one of its own that is
 * written and not synced. */
void store_commit_lazy(struct store *store);
/* Whether the group that a look told of is durable. */
bool store_has_written(const struct store *store, uint64_t group);
/* For answers that only looked: called when `group` is durable. True and no call when it is
 * already. */
bool store_wait(struct store *store, uint64_t group, struct store_waiter *waiter);

/* ---- the journal ---- */

/* The bytes of a durable entry if they are still in memory. Borrowed until the loop is returned to.
 */
bool store_recent(const struct store *store, uint64_t seq, struct span *out);

void store_read_start(struct store *store, struct store_read *read);

/* Entries below seq may go, once the view has them. Runs in the background. */
void store_trim(struct store *store, uint64_t seq);
uint64_t store_journal_bytes(const struct store *store);

void store_get_stats(const struct store *store, struct store_stats *out);

#endif
