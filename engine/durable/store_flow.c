/* This file turns the store with the loop: it feeds the threads, reopens and closes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_flow.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/durable/store_commit.h"
#include "engine/durable/store_inside.h"

enum {
	VIEW_BYTES = 10 * 1024 * 1024, /* the view is not bothered with less before STORE_VIEW_MS */
	READER_TURNS = 5, /* every second one is a fetch's, as long as somebody else asks */
	RETRY_MS = 100,
	RETRY_MAX_MS = 5000,
	READS_WAIT = 4, /* failures to open again; after more of them nobody is kept waiting */
	TURNS_MAX = 16, /* rounds of call-backs before sockets get their turn */
};

/* ---- the reader and the view ---- */

static struct store_job *job_for_reader(struct store *store, unsigned turn)
{
	switch (turn % READER_TURNS) {
	case 1:
		return store_scans_next(&store->scans, store->adapter, store->applied_number);
	case 4:
		return store_dues_next(&store->dues, store->adapter, store->applied_number);
	case 3:
		return store_reads_next(&store->reads, store->adapter,
		                        store_inside_durable_seq(store));
	default:
		return store_fetches_next(&store->fetches, store->adapter);
	}
}

static void feed_reader(struct store *store)
{
	if (store->is_closing || store_thread_is_busy(&store->threads, STORE_READER)) {
		return;
	}
	for (unsigned i = 0; i < READER_TURNS; i++) {
		unsigned turn = store->reader_turn + i;
		struct store_job *job = job_for_reader(store, turn);
		if (job != NULL) {
			store->reader_turn = turn + 1;
			store_thread_give(&store->threads, STORE_READER, job);
			return;
		}
	}
}

static bool view_is_wanted(const struct store *store)
{
	return store->backlog.bytes > VIEW_BYTES || !store_commit_may_write(store) ||
	       store->timers[TIMER_VIEW].is_due || store->is_closing || store->trim_seq != 0 ||
	       store->scans.wants_view ||
	       store_scans_wait_for_view(&store->scans, store->applied_number) ||
	       store_dues_wait_for_view(&store->dues, store->applied_number);
}

static void feed_view(struct store *store)
{
	if (!store_backlog_is_empty(&store->backlog) && view_is_wanted(store) &&
	    !store_thread_is_busy(&store->threads, STORE_VIEW)) {
		store_timer_stop(&store->timers[TIMER_VIEW]);
		store->scans.wants_view = false;
		store_thread_give(&store->threads, STORE_VIEW,
		                  store_backlog_next(&store->backlog, store->adapter));
	}
}

static void on_applied(struct store_backlog *backlog, int status, uint64_t number,
                       const struct err *err)
{
	struct store *store = MEM_CONTAINER(backlog, struct store, backlog);
	if (status != 0) {
		store_commit_fail(store, NULL, err);
		return;
	}
	bool is_all = store_backlog_is_empty(backlog);
	store_commit_note_applied(store, is_all ? store->durable_number : number);
	if (!is_all && store->phase == PHASE_OPEN) {
		store_timer_start(&store->timers[TIMER_VIEW], STORE_VIEW_MS);
	}
}

/* ---- opening, again and again ---- */

/* Groups written before the adapter was opened last get new numbers, so that nobody takes them for
 * those that were lost. */
static void install(struct store *store)
{
	struct store_recovery *recovery = &store->recovery;
	uint64_t number = store->open->number;
	store->adapter = recovery->adapter;
	store->type = store->adapter->type;
	store->head = recovery->head;
	store->next_seq = store->head.next_seq;
	store->journal_bytes = recovery->journal_bytes;
	store->serial = recovery->applied;
	if (recovery->last_time_ms > store->last_time_ms) {
		store->last_time_ms = recovery->last_time_ms;
	}
	store_table_reset(&store->table);
	store_backlog_clear(&store->backlog);
	store->applied_number = number - 1;
	while (!list_is_empty(&recovery->replayed)) {
		struct store_group *group =
		        LIST_FIRST(&recovery->replayed, struct store_group, link);
		list_remove(&group->link);
		group->number = number++;
		group->serial = ++store->serial;
		for (size_t i = 0; i < group->batch.op_count; i++) {
			store_table_apply(&store->table, &group->batch, &group->batch.ops[i],
			                  group->number);
		}
		store_backlog_add(&store->backlog, group);
		store_group_drop(&store->groups, group);
	}
	store->durable_number = store->synced_number = number - 1;
	store->open->number = number;
	store->phase = PHASE_OPEN;
	if (!store_backlog_is_empty(&store->backlog)) {
		store_timer_start(&store->timers[TIMER_VIEW], STORE_VIEW_MS);
	}
}

static void reopen_work(struct store_job *job)
{
	store_recovery_run(MEM_CONTAINER(job, struct store_recovery, job));
}

static void wait_to_reopen(struct store *store)
{
	int64_t wait_ms = store->failures == 0 ? 0 : RETRY_MS;
	for (unsigned i = 1; i < store->failures && wait_ms < RETRY_MAX_MS; i++) {
		wait_ms *= 2;
	}
	store->phase = PHASE_WAITING;
	store->failures++;
	store_timer_start(&store->timers[TIMER_RETRY],
	                  wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
}

/* Who waits for what only the adapter knows is told why he cannot have it. */
static void let_readers_go(struct store *store)
{
	const struct err *why = &store->cause;
	store_fetches_cancel(&store->fetches, why->number, why);
	store_scans_cancel(&store->scans, why->number, why);
}

static void reopen_done(struct store_job *job)
{
	struct store_recovery *recovery = MEM_CONTAINER(job, struct store_recovery, job);
	struct store *store = MEM_CONTAINER(recovery, struct store, recovery);
	if (recovery->status != 0) {
		log_error("store", "it cannot be opened again: %s", recovery->err.text);
		store->cause = recovery->err;
		store->has_failed_to_open = true;
		wait_to_reopen(store);
		if (store->failures > READS_WAIT) {
			let_readers_go(store);
		}
		return;
	}
	install(store);
	store->stats.recoveries++;
	log_info("store", "open again, at entry %llu",
	         (unsigned long long)store_inside_durable_seq(store));
	store_fetches_again(&store->fetches);
	if (store->recovered != NULL && !store->is_closing) {
		store->recovered(store->recovered_ctx);
	}
	struct store_group *untold = recovery->untold;
	if (untold != NULL) {
		recovery->untold = NULL;
		store_groups_keep(&store->groups, untold);
		store_commit_tell_follower(store, untold);
		store_group_drop(&store->groups, untold);
	}
}

static void reopen(struct store *store)
{
	store_timer_stop(&store->timers[TIMER_RETRY]);
	store->phase = PHASE_REOPENING;
	store->recovery.adapter = store->adapter;
	store->recovery.known_seq = store_inside_durable_seq(store);
	store->adapter = NULL;
	store->recovery.job.work = reopen_work;
	store->recovery.job.done = reopen_done;
	store_thread_give(&store->threads, STORE_WRITER, &store->recovery.job);
}

/* ---- closing ---- */

static void free_store(struct store *store)
{
	store_backlog_close(&store->backlog);
	store_group_drop(&store->groups, store->open);
	store_fetches_close(&store->fetches);
	store_table_close(&store->table);
	store_groups_close(&store->groups);
	mem_free((char *)store->options.how.dir);
	mem_free((char *)store->options.how.config.ptr);
	mem_free(store);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct store *store = handle->data;
	if (--store->open_handles == 0) {
		void (*closed)(void *ctx) = store->closed;
		void *ctx = store->closed_ctx;
		free_store(store);
		closed(ctx);
	}
}

static void cancel_reads(struct store *store)
{
	struct err err;
	int status = err_set(&err, E_CANCELED, "shutting_down", "the engine is shutting down");
	store_fetches_cancel(&store->fetches, status, &err);
	store_scans_cancel(&store->scans, status, &err);
	store_dues_cancel(&store->dues, status, &err);
	store_reads_cancel(&store->reads, status, &err);
}

static void close_done(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	store->adapter = NULL;
	cancel_reads(store);
	(void)store_waiters_call_ready(&store->waiters);
	store_waiters_call_lost(&store->waiters, &store->open->waiters);
	store->phase = PHASE_CLOSED;
	for (int i = 0; i < TIMER_COUNT; i++) {
		uv_close((uv_handle_t *)&store->timers[i].uv, on_handle_closed);
	}
	uv_close((uv_handle_t *)&store->check, on_handle_closed);
	uv_close((uv_handle_t *)&store->prepare, on_handle_closed);
	store_threads_close(&store->threads, on_handle_closed);
}

static void close_work(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	if (store->adapter != NULL) {
		store->type->close(store->adapter);
	}
}

static bool is_idle(const struct store *store)
{
	for (int i = 0; i < STORE_THREAD_COUNT; i++) {
		if (store_thread_is_busy(&store->threads, (enum store_thread_name)i)) {
			return false;
		}
	}
	return true;
}

/* Who is cancelled may still put something: it is written too. */
static void finish_closing(struct store *store)
{
	cancel_reads(store);
	bool is_flushed = batch_is_empty(&store->open->batch) &&
	                  list_is_empty(&store->open->waiters) &&
	                  store_backlog_is_empty(&store->backlog);
	if (store->phase != PHASE_OPEN || is_flushed) {
		store->phase = PHASE_CLOSING;
		store->side_job.work = close_work;
		store->side_job.done = close_done;
		store_thread_give(&store->threads, STORE_WRITER, &store->side_job);
	}
}

/* ---- one tick ---- */

static void relieve(struct store *store)
{
	if (store->is_crowded && store->open->batch.bytes.len < STORE_QUEUE_BYTES / 2 &&
	    store->backlog.bytes <= store->options.view_lag_max_bytes) {
		store->is_crowded = false;
		if (store->crowded != NULL) {
			store->crowded(store->crowded_ctx, false);
		}
	}
}

static void advance(struct store *store)
{
	switch (store->phase) {
	case PHASE_OPEN:
		store_commit_feed_writer(store);
		feed_reader(store);
		feed_view(store);
		break;
	case PHASE_DRAINING:
		if (is_idle(store)) {
			wait_to_reopen(store);
		}
		break;
	case PHASE_WAITING:
		if (store->timers[TIMER_RETRY].is_due && !store->is_closing) {
			reopen(store);
		}
		break;
	case PHASE_REOPENING:
	case PHASE_CLOSING:
	case PHASE_CLOSED:
		return;
	}
	if (store->is_closing && is_idle(store)) {
		finish_closing(store);
	}
	if (store->phase == PHASE_OPEN) {
		relieve(store);
		store_table_evict(&store->table);
	}
}

/* Returns whether anybody was called. */
static bool turn(struct store *store)
{
	bool any = false;
	for (int i = 0; i < TURNS_MAX; i++) {
		bool is_called = store_fetches_call_ready(&store->fetches);
		is_called |= store_waiters_call_ready(&store->waiters);
		if (store->phase == PHASE_OPEN && !store->is_closing) {
			is_called |= store_reads_from_memory(&store->reads, &store->groups,
			                                     store_inside_durable_seq(store));
		}
		advance(store);
		is_called |= store->is_inline && store_threads_drain(&store->threads);
		any |= is_called;
		if (!is_called || store->phase == PHASE_CLOSED) {
			return any;
		}
	}
	store_threads_wake(&store->threads);
	return any;
}

static void on_check(uv_check_t *check)
{
	(void)turn(check->data);
}

/* Who writes what he was told in a prepare handle of his own may have done so already: the loop
 * must not sleep on it. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct store *store = prepare->data;
	if (turn(store) && store->phase != PHASE_CLOSED) {
		store_threads_wake(&store->threads);
	}
}

static void on_wake(struct store_threads *threads)
{
	struct store *store = MEM_CONTAINER(threads, struct store, threads);
	(void)store_threads_drain(threads);
	if (store->phase != PHASE_CLOSED) {
		(void)turn(store);
	}
}

/* ---- for the store ---- */

static void start_handles(struct store *store)
{
	int failed = uv_check_init(store->loop, &store->check);
	failed |= uv_prepare_init(store->loop, &store->prepare);
	store->check.data = store;
	store->prepare.data = store;
	store->threads.comes_back.data = store;
	failed |= uv_check_start(&store->check, on_check);
	failed |= uv_prepare_start(&store->prepare, on_prepare);
	PRE(failed == 0); /* these only fill in structs */
	for (int i = 0; i < TIMER_COUNT; i++) {
		store_timer_init(&store->timers[i], store->loop);
		store->timers[i].uv.data = store;
	}
	store->open_handles = TIMER_COUNT + 3;
}

int store_flow_open(struct store *store, struct err *err)
{
	struct store_recovery *recovery = &store->recovery;
	recovery->type = store->options.adapter;
	recovery->how = store->options.how;
	recovery->time_of_entry = store->options.time_of_entry;
	recovery->known_seq = UINT64_MAX;
	store_table_init(&store->table, store->options.cache_max_bytes);
	store_groups_init(&store->groups, store->options.recent_max_bytes);
	store_fetches_init(&store->fetches, &store->table);
	store_scans_init(&store->scans, &store->table);
	store_dues_init(&store->dues);
	store_reads_init(&store->reads);
	store_backlog_init(&store->backlog, &store->groups);
	store->backlog.applied = on_applied;
	store_waiters_init(&store->waiters);
	store_commit_open_group(store, 1);
	store_recovery_run(recovery);
	if (recovery->status != 0) {
		int status = err_set(err, recovery->status, recovery->err.code, "%s",
		                     recovery->err.text);
		free_store(store);
		return status;
	}
	store->is_inline = (recovery->adapter->type->flags & ADAPTER_INLINE) != 0;
	int failed = store_threads_open(&store->threads, store->loop, on_wake, !store->is_inline);
	if (failed != 0) {
		store_recovery_forget(recovery);
		free_store(store);
		return err_set(err, E_LIMIT, "no_threads", "the store's threads cannot start: %s",
		               uv_strerror(failed));
	}
	start_handles(store);
	install(store);
	if (store->head.cut_bytes != 0) {
		log_warn("store", "the last write before the stop was torn: %llu bytes dropped",
		         (unsigned long long)store->head.cut_bytes);
	}
	return 0;
}

void store_flow_close(struct store *store)
{
	store->is_closing = true;
}
