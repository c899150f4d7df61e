/* This file hands groups to the writer and tells everybody what became of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_commit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/durable/store_inside.h"

enum { LAZY_MS = 100 };

/* ---- failing ---- */

void store_commit_open_group(struct store *store, uint64_t number)
{
	store->open = store_group_new(&store->groups);
	store->open->number = number;
}

static void stop_work(struct store *store, const struct err *cause)
{
	log_error("store", "%s; the adapter is opened again and what it holds is read back",
	          cause->text);
	store->phase = PHASE_DRAINING;
	store->cause = *cause;
	store->has_failed_to_open = false;
	store_fetches_void(&store->fetches);
	store_scans_void(&store->scans);
	store_dues_void(&store->dues);
	store_reads_void(&store->reads);
	for (int i = 0; i < TIMER_COUNT; i++) {
		store_timer_stop(&store->timers[i]);
	}
}

/* Nothing is known any more of what is queued, except for a group that is still being written: its
 * own result will tell. `failed` is the group whose write failed, or NULL. */
void store_commit_fail(struct store *store, struct store_group *failed, const struct err *cause)
{
	const struct store_group *written = store->written;
	uint64_t kept = written != NULL ? written->number : store->synced_number;
	struct list waiters;
	list_init(&waiters);
	if (failed != NULL) {
		list_move(&failed->waiters, &waiters);
		store->stats.failed_groups++;
	}
	if (store->phase == PHASE_OPEN) {
		struct store_group *lost = store->open;
		stop_work(store, cause);
		list_move(&lost->waiters, &waiters);
		store_commit_open_group(store, lost->number + 1);
		store_group_drop(&store->groups, lost);
	}
	store->next_seq = store->head.next_seq + (written != NULL ? written->batch.entry_count : 0);
	store_table_lose(&store->table, kept);
	store_waiters_lose(&store->waiters, kept + 1, store->open->number - 1, cause);
	store_waiters_call_lost(&store->waiters, &waiters);
}

/* ---- groups that became durable ---- */

static void count_commit(struct store *store, const struct store_group *group)
{
	store->failures = 0;
	if (!batch_is_empty(&group->batch)) {
		store->stats.groups++;
		store->stats.entries += group->batch.entry_count;
	}
	if (group->asked_at_us != 0) {
		histogram_add(&store->stats.commit_us, clock_mono_us() - group->asked_at_us);
	}
}

void store_commit_note_applied(struct store *store, uint64_t number)
{
	store->applied_number = number;
	store_table_clean(&store->table, number);
}

static void note_journal(struct store *store, struct store_group *group)
{
	const struct batch *batch = &group->batch;
	store->head.next_seq += batch->entry_count;
	store->journal_bytes += batch_size(batch);
	if (!batch_is_empty(batch)) {
		group->serial = ++store->serial;
	}
	if (batch->entry_count != 0) {
		store_groups_keep(&store->groups, group);
	}
	struct adapter_head head;
	if (store->is_inline && store->type->head(store->adapter, &head, NULL) == 0) {
		store->head.first_seq = head.first_seq; /* it may trim itself */
	}
}

/* The journal's memory keeps the group before the backlog does: only then may it be cut. */
static void note_durable(struct store *store, struct store_group *group)
{
	store->durable_number = group->number;
	if (!group->batch.lazy || store->head.sync_every_ms != 0) {
		store->synced_number = group->number;
	}
	note_journal(store, group);
	if (store->type->apply != NULL && !batch_is_empty(&group->batch)) {
		store_backlog_add(&store->backlog, group);
		store_timer_start(&store->timers[TIMER_VIEW], STORE_VIEW_MS);
	} else if (store_backlog_is_empty(&store->backlog)) {
		store_commit_note_applied(store, group->number);
	}
	if (store->head.sync_every_ms != 0 && store->type->sync != NULL) {
		store_timer_start(&store->timers[TIMER_SYNC], store->head.sync_every_ms);
	}
	store_commit_note_crowd(store);
}

void store_commit_tell_follower(struct store *store, const struct store_group *group)
{
	const struct batch *batch = &group->batch;
	if (store->follower != NULL && batch->entry_count != 0) {
		store->follower(store->follower_ctx, batch);
	}
	if (store->watcher != NULL && batch->entry_count != 0) {
		store->watcher(store->watcher_ctx, batch);
	}
}

/* The next group is on its way to the disk before anybody hears of this one: what the answers and
 * the follower cost is time that the disk needs anyway. The follower hears first, for what it sends
 * makes others work; an answer is only waited for. */
static void write_done(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, write_job);
	struct store_group *group = store->written;
	store->written = NULL;
	if (store->write_status == 0) {
		count_commit(store, group);
		note_durable(store, group);
		if (store->phase == PHASE_OPEN) {
			store_commit_feed_writer(store);
		}
		store_commit_tell_follower(store, group);
		store_waiters_call(&group->waiters, 0, NULL);
	} else {
		store_commit_fail(store, group, &store->write_err);
	}
	store_group_drop(&store->groups, group);
}

static void write_work(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, write_job);
	struct adapter *adapter = store->adapter;
	const struct batch *batch = &store->written->batch;
	store->write_err = (struct err){0};
	if (!batch_is_empty(batch)) {
		store->write_status = store->type->write(adapter, batch, &store->write_err);
	} else if (store->type->sync != NULL) {
		store->write_status = store->type->sync(adapter, &store->write_err);
	} else {
		store->write_status = 0;
	}
}

bool store_commit_may_write(const struct store *store)
{
	return store->backlog.bytes <= store->options.view_lag_max_bytes;
}

/* Somebody must have asked for it. An empty one with waiters is a sync of lazy groups. */
static bool group_is_wanted(const struct store *store)
{
	const struct store_group *open = store->open;
	if (batch_is_empty(&open->batch) && list_is_empty(&open->waiters)) {
		return false;
	}
	bool is_asked =
	        open->asked_at_us != 0 || store->timers[TIMER_LAZY].is_due || store->is_closing;
	return is_asked && store_commit_may_write(store);
}

static void write_group(struct store *store)
{
	struct store_group *group = store->open;
	group->batch.lazy = group->asked_at_us == 0 && group->batch.entry_count == 0;
	store->written = group;
	store_commit_open_group(store, group->number + 1);
	store_timer_stop(&store->timers[TIMER_LAZY]);
	store->write_job.work = write_work;
	store->write_job.done = write_done;
	store_thread_give(&store->threads, STORE_WRITER, &store->write_job);
}

/* ---- what else the writer does ---- */

static void sync_work(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	store->side_err = (struct err){0};
	store->side_status = store->type->sync(store->adapter, &store->side_err);
}

static void sync_done(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	store->stats.syncs++;
	if (store->side_status != 0) {
		store_commit_fail(store, NULL, &store->side_err);
	}
}

static void trim_work(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	store->side_err = (struct err){0};
	store->side_status =
	        store->type->trim(store->adapter, store->trimming_seq, &store->trim_first,
	                          &store->trim_bytes, &store->side_err);
}

static void trim_done(struct store_job *job)
{
	struct store *store = MEM_CONTAINER(job, struct store, side_job);
	if (store->side_status == 0) {
		store->head.first_seq = store->trim_first;
		store->journal_bytes = store->trim_bytes;
	} else {
		log_warn("store", "old entries cannot be removed: %s", store->side_err.text);
	}
}

static void give_side(struct store *store, void (*work)(struct store_job *job),
                      void (*done)(struct store_job *job))
{
	store->side_job.work = work;
	store->side_job.done = done;
	store_thread_give(&store->threads, STORE_WRITER, &store->side_job);
}

void store_commit_feed_writer(struct store *store)
{
	if (store_thread_is_busy(&store->threads, STORE_WRITER)) {
		return;
	}
	if (store->timers[TIMER_SYNC].is_due) {
		store_timer_stop(&store->timers[TIMER_SYNC]);
		give_side(store, sync_work, sync_done);
	} else if (store->trim_seq != 0 &&
	           !store_backlog_has_below(&store->backlog, store->trim_seq)) {
		store->trimming_seq = store->trim_seq;
		store->trim_seq = 0;
		give_side(store, trim_work, trim_done);
	} else if (group_is_wanted(store)) {
		write_group(store);
	}
}

void store_commit_ask(struct store *store)
{
	if (store->open->asked_at_us == 0) {
		store->open->asked_at_us = clock_mono_us();
	}
}

void store_commit_ask_lazily(struct store *store)
{
	if (store->open->asked_at_us == 0) {
		store_timer_start(&store->timers[TIMER_LAZY], LAZY_MS);
	}
}

void store_commit_note_crowd(struct store *store)
{
	bool is_crowded = store->open->batch.bytes.len > STORE_QUEUE_BYTES ||
	                  store->backlog.bytes > store->options.view_lag_max_bytes;
	if (is_crowded && !store->is_crowded) {
		store->is_crowded = true;
		if (store->crowded != NULL) {
			store->crowded(store->crowded_ctx, true);
		}
	}
}
