/* This file writes job records when deliveries need one, and keeps tombstones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/job_store.h"

#include "base/crash.h"
#include "base/mem.h"
#include "engine/durable/space.h"

void job_store_put(struct store *store, const struct binding *binding, const struct job *job)
{
	struct space_key room;
	struct buf value = {0};
	job_encode(job, &value);
	struct record record = {.value = buf_view(&value)};
	store_put(store, space_job(&room, binding->id, job->seq), &record);
	buf_free(&value);
}

static void put_delivery(struct store *store, const struct delivery *delivery, bool blocked)
{
	struct buf members = {0};
	if (delivery->members.count != 0) {
		members_write(&delivery->members, &members);
	}
	const struct job job = {
	        .version = delivery->binding->version,
	        .seq = delivery->seq,
	        .epoch = delivery->epoch,
	        .group = delivery->group,
	        .scope = delivery->scope,
	        .key = delivery->key,
	        .failures = delivery->failures,
	        .first_ms = delivery->first_ms,
	        .due_ms = delivery->state == DELIVERY_SLEEPING || delivery->state == DELIVERY_QUEUED
	                          ? delivery->due_ms
	                          : 0,
	        .asked = delivery->asked,
	        .doomed = !blocked && delivery->doom.len != 0,
	        .blocked = blocked,
	        .replay = delivery->replay,
	        .attempts = buf_view(&delivery->history),
	        .event = buf_view(&delivery->event_json),
	        .window = delivery->window,
	        .debounced = delivery->debounced,
	        .throttle = delivery->throttle_group,
	        .members = buf_view(&members),
	};
	job_store_put(store, delivery->binding, &job);
	buf_free(&members);
	crash_at(CRASH_JOB);
}

void job_store_put_delivery(struct store *store, const struct delivery *delivery)
{
	put_delivery(store, delivery, delivery->state == DELIVERY_BLOCKED);
}

void job_store_put_blocked(struct store *store, const struct delivery *delivery)
{
	put_delivery(store, delivery, true);
}

void job_store_delete(struct store *store, const struct binding *binding, uint64_t seq)
{
	struct space_key room;
	store_delete(store, space_job(&room, binding->id, seq), 0);
}

void job_store_put_done(struct store *store, const struct binding *binding, uint64_t seq)
{
	const struct job job = {.version = binding->version,
	                        .seq = seq,
	                        .scope = SPAN(""),
	                        .key = SPAN(""),
	                        .done = true};
	job_store_put(store, binding, &job);
}

static void remember(struct binding *binding, uint64_t seq, bool deleted)
{
	struct tombstone *tombstone = MEM_NEW(struct tombstone);
	tombstone->seq = seq;
	tombstone->deleted = deleted;
	list_push(&binding->done, &tombstone->link);
}

void job_store_adopt_done(struct binding *binding, uint64_t seq)
{
	remember(binding, seq, false);
}

void job_store_settle(struct store *store, const struct delivery *delivery, uint64_t cursor)
{
	struct binding *binding = delivery->binding;
	if (!store_can_put(store)) {
		remember(binding, delivery->seq, false);
	} else if (delivery->seq <= cursor) {
		job_store_delete(store, binding, delivery->seq);
		remember(binding, delivery->seq, true);
	} else {
		job_store_put_done(store, binding, delivery->seq);
		remember(binding, delivery->seq, false);
	}
	crash_at(CRASH_OUTCOME);
}

bool job_store_is_done(const struct binding *binding, uint64_t seq)
{
	LIST_EACH(&binding->done, link)
	{
		if (MEM_CONTAINER(link, struct tombstone, link)->seq == seq) {
			return true;
		}
	}
	return false;
}

static void drop(struct tombstone *tombstone)
{
	list_remove(&tombstone->link);
	mem_free(tombstone);
}

void job_store_reopen(struct binding *binding, uint64_t seq)
{
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (tombstone->seq == seq) {
			drop(tombstone);
		}
	}
}

/* Its deletion is in a group that has not been written yet. */
static bool is_pending(struct store *store, const struct binding *binding, uint64_t seq)
{
	struct space_key room;
	struct store_look look;
	(void)store_look(store, space_job(&room, binding->id, seq), &look);
	return !store_has_written(store, look.group);
}

bool job_store_forget_done(struct store *store, struct binding *binding, uint64_t cursor)
{
	bool pending = false;
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (tombstone->deleted && !is_pending(store, binding, tombstone->seq)) {
			drop(tombstone);
			continue;
		}
		if (!tombstone->deleted && tombstone->seq <= cursor) {
			job_store_delete(store, binding, tombstone->seq);
			tombstone->deleted = true;
		}
		pending |= tombstone->deleted;
	}
	return pending;
}

void job_store_drop_done(struct store *store, struct binding *binding, bool keep_records)
{
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (!keep_records) {
			job_store_delete(store, binding, tombstone->seq);
		}
		drop(tombstone);
	}
}

void job_store_put_all(struct store *store, struct binding *binding)
{
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->recorded) {
			job_store_put_delivery(store, delivery);
		}
	}
	LIST_EACH(&binding->done, done_link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(done_link, struct tombstone, link);
		tombstone->deleted = false;
		job_store_put_done(store, binding, tombstone->seq);
	}
}
