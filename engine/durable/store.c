/* This file is the door of the store: what callers put, look at and wait for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/durable/store_commit.h"
#include "engine/durable/store_flow.h"
#include "engine/durable/store_inside.h"

enum { INLINE_CACHE_BYTES = 64 * 1024 /* an INLINE adapter is in memory itself */ };

/* ---- life ---- */

int store_open(struct uv_loop_s *loop, const struct store_options *options, struct store **out,
               struct err *err)
{
	struct store *store = MEM_NEW(struct store);
	store->loop = loop;
	store->options = *options;
	store->options.how.dir = mem_text(options->how.dir);
	store->options.how.config = mem_span(options->how.config);
	int status = store_flow_open(store, err);
	if (status != 0) {
		return status;
	}
	if (store->is_inline && store->table.max_bytes > INLINE_CACHE_BYTES) {
		store->table.max_bytes = INLINE_CACHE_BYTES;
	}
	*out = store;
	return 0;
}

void store_follow(struct store *store, store_follower_fn *follower, void *ctx)
{
	store->follower = follower;
	store->follower_ctx = ctx;
}

void store_watch(struct store *store, store_follower_fn *watcher, void *ctx)
{
	store->watcher = watcher;
	store->watcher_ctx = ctx;
}

void store_close(struct store *store, void (*closed)(void *ctx), void *ctx)
{
	PRE(!store->is_closing);
	store->closed = closed;
	store->closed_ctx = ctx;
	store_flow_close(store);
}

void store_on_recovery(struct store *store, void (*recovered)(void *ctx), void *ctx)
{
	store->recovered = recovered;
	store->recovered_ctx = ctx;
}

void store_head(const struct store *store, struct adapter_head *out)
{
	*out = store->head;
}

uint64_t store_durable_seq(const struct store *store)
{
	return store_inside_durable_seq(store);
}

uint64_t store_next_seq(const struct store *store)
{
	return store->next_seq;
}

int64_t store_time_ms(struct store *store)
{
	int64_t now = clock_wall_ms();
	if (now > store->last_time_ms) {
		store->last_time_ms = now;
	}
	return store->last_time_ms;
}

int store_refuses_records(const struct store *store, struct err *err)
{
	if (store->is_closing) {
		return err_set(err, E_CANCELED, "shutting_down", "the engine is shutting down");
	}
	if (store->phase == PHASE_OPEN) {
		return 0;
	}
	if (store->cause.number == E_FULL) {
		return err_set(err, E_FULL, "disk_full", "the disk is full: %s", store->cause.text);
	}
	if (store->has_failed_to_open) {
		return err_set(err, E_IO, "store_failed", "the store cannot be opened: %s",
		               store->cause.text);
	}
	return err_set(err, E_BUSY, "store_recovering", "the store recovers from: %s",
	               store->cause.text);
}

int store_refuses(const struct store *store, struct err *err)
{
	int status = store_refuses_records(store, err);
	if (status == 0 && store->journal_is_full) {
		status = err_set(err, E_LIMIT, "journal_full",
		                 "the journal has reached journal.max_bytes, and triggers still "
		                 "need its oldest part");
	}
	return status;
}

bool store_can_put(const struct store *store)
{
	return store->phase == PHASE_OPEN && !store->is_closing;
}

static bool reads_nothing(const struct store *store)
{
	return !store_thread_is_busy(&store->threads, STORE_READER) &&
	       list_is_empty(&store->fetches.waiting[0]) &&
	       list_is_empty(&store->fetches.waiting[1]) && list_is_empty(&store->fetches.ready) &&
	       list_is_empty(&store->scans.waiting) && store->scans.out == NULL &&
	       store_reads_is_idle(&store->reads);
}

bool store_is_at_rest(const struct store *store)
{
	const struct store_group *open = store->open;
	return store->phase == PHASE_OPEN && store->written == NULL && open->asked_at_us == 0 &&
	       list_is_empty(&open->waiters) && list_is_empty(&store->waiters.ready) &&
	       list_is_empty(&store->waiters.failed) && reads_nothing(store);
}

void store_set_journal_full(struct store *store, bool full)
{
	store->journal_is_full = full;
}

void store_set_cache(struct store *store, size_t max_bytes)
{
	store->table.max_bytes = max_bytes; /* what is over goes with the next group */
}

bool store_is_crowded(const struct store *store)
{
	return store->is_crowded;
}

void store_on_crowd(struct store *store, void (*crowded)(void *ctx, bool is), void *ctx)
{
	store->crowded = crowded;
	store->crowded_ctx = ctx;
}

/* ---- looking ---- */

struct inline_get {
	struct store_table *table;
	struct record_key key;
	bool is_there;
};

static void inline_found(void *ctx, size_t index, const struct record *record)
{
	(void)index;
	struct inline_get *get = ctx;
	get->is_there = true;
	store_table_fill(get->table, get->key, record);
}

/* What an INLINE adapter holds needs no fetch. If it fails here, the fetch will say why. */
static enum store_state look_inline(struct store *store, struct record_key key,
                                    struct store_look *out)
{
	struct inline_get get = {&store->table, key, false};
	if (store->type->get(store->adapter, &key, 1, inline_found, &get, NULL) != 0) {
		return STORE_UNKNOWN;
	}
	if (!get.is_there) {
		store_table_fill(&store->table, key, NULL);
	}
	return store_table_look(&store->table, key, out);
}

enum store_state store_look(struct store *store, struct record_key key, struct store_look *out)
{
	store->stats.looks++;
	enum store_state state = store_table_look(&store->table, key, out);
	if (state == STORE_UNKNOWN && store->is_inline && store->phase == PHASE_OPEN) {
		state = look_inline(store, key, out);
	}
	if (out->group <= store->synced_number) {
		out->group = 0;
	}
	return state;
}

void store_fetch_start(struct store *store, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count)
{
	store->stats.fetches++;
	store_fetches_add(&store->fetches, fetch, keys, count);
}

void store_scan_start(struct store *store, struct store_scan *scan)
{
	store->stats.scans++;
	store_scans_add(&store->scans, scan);
}

/* The group of all that was put until now. */
static uint64_t last_group(struct store *store)
{
	if (!batch_is_empty(&store->open->batch)) {
		store_commit_ask(store);
		return store->open->number;
	}
	return store->written != NULL ? store->written->number : store->durable_number;
}

void store_parts_start(struct store *store, struct store_parts *parts)
{
	store->stats.scans++;
	store_scans_add_parts(&store->scans, parts, last_group(store));
}

bool store_can_tell_due(const struct store *store)
{
	return store->type->due != NULL;
}

void store_due_start(struct store *store, struct store_due *due)
{
	PRE(store_can_tell_due(store));
	store_dues_add(&store->dues, due, due->is_fresh ? last_group(store) : 0);
}

/* ---- changing ---- */

struct buf *store_entry_begin(struct store *store)
{
	PRE(store->phase == PHASE_OPEN);
	store->entry_at = batch_entry_begin(&store->open->batch);
	return &store->open->batch.bytes;
}

uint32_t store_entry_end(struct store *store)
{
	batch_entry_end(&store->open->batch, store->entry_at, store->next_seq++);
	return store->entry_at;
}

/* What the last operation of the open group says is visible from here on. */
static void note_op(struct store *store)
{
	struct store_group *group = store->open;
	store_table_apply(&store->table, &group->batch,
	                  &group->batch.ops[group->batch.op_count - 1], group->number);
	store_commit_note_crowd(store);
}

void store_put(struct store *store, struct record_key key, const struct record *record)
{
	PRE(store->phase == PHASE_OPEN);
	batch_put(&store->open->batch, key, record);
	note_op(store);
}

void store_put_at(struct store *store, struct record_key key, const struct record *record,
                  uint32_t value_at)
{
	PRE(store->phase == PHASE_OPEN);
	batch_put_at(&store->open->batch, key, record, value_at);
	note_op(store);
}

void store_delete(struct store *store, struct record_key key, uint64_t rev)
{
	PRE(store->phase == PHASE_OPEN);
	batch_delete(&store->open->batch, key, rev);
	note_op(store);
}

void store_delete_range(struct store *store, enum space space, struct span part, struct span start,
                        struct span end)
{
	PRE(store->phase == PHASE_OPEN);
	batch_delete_range(&store->open->batch, space, part, start, end);
	note_op(store);
}

void store_commit(struct store *store, struct store_waiter *waiter)
{
	struct store_group *open = store->open;
	bool is_empty = batch_is_empty(&open->batch);
	if (waiter != NULL) {
		list_push(is_empty ? &store->waiters.ready : &open->waiters, &waiter->link);
	}
	if (!is_empty) {
		store_commit_ask(store);
	}
}

void store_commit_lazy(struct store *store)
{
	if (!batch_is_empty(&store->open->batch)) {
		store_commit_ask_lazily(store);
	}
}

bool store_has_written(const struct store *store, uint64_t group)
{
	return group <= store->durable_number;
}

bool store_wait(struct store *store, uint64_t group, struct store_waiter *waiter)
{
	struct store_group *written = store->written;
	if (group != 0 && store_waiters_has_lost(&store->waiters, group)) {
		list_push(&store->waiters.failed, &waiter->link);
		return false;
	}
	if (group <= store->synced_number) {
		return true;
	}
	PRE(group <= store->open->number);
	if (written != NULL && group <= written->number && !written->batch.lazy) {
		list_push(&written->waiters, &waiter->link);
	} else {
		list_push(&store->open->waiters, &waiter->link);
		store_commit_ask(store);
	}
	return false;
}

/* ---- the journal ---- */

bool store_recent(const struct store *store, uint64_t seq, struct span *out)
{
	return store_groups_find(&store->groups, seq, out);
}

void store_read_start(struct store *store, struct store_read *read)
{
	store_reads_add(&store->reads, read);
}

void store_trim(struct store *store, uint64_t seq)
{
	if (seq > store->trim_seq && seq > store->head.first_seq) {
		store->trim_seq = seq;
	}
}

uint64_t store_journal_bytes(const struct store *store)
{
	return store->journal_bytes;
}

void store_get_stats(const struct store *store, struct store_stats *out)
{
	*out = store->stats;
	out->cache_bytes = store->table.clean_bytes;
	out->cache_records = store->table.clean_count;
	out->ahead_bytes = store->backlog.bytes;
	out->queued_bytes = batch_size(&store->open->batch);
	if (store->written != NULL) {
		out->queued_bytes += batch_size(&store->written->batch);
	}
}
