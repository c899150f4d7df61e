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

void job_store_put_delivery(struct store *store, const struct delivery *delivery)
{
	const struct job job = {
	        .version = delivery->binding->version,
	        .seq = delivery->seq,
	        .scope = delivery->scope,
	        .key = delivery->key,
	        .failures = delivery->failures,
	        .first_ms = delivery->first_ms,
	        .due_ms = delivery->state == DELIVERY_SLEEPING ? delivery->due_ms : 0,
	        .asked = delivery->asked,
	        .replay = delivery->replay,
	        .attempts = buf_view(&delivery->history),
	        .event = buf_view(&delivery->event_json),
	};
	job_store_put(store, delivery->binding, &job);
	crash_at(CRASH_JOB);
}

void job_store_delete(struct store *store, const struct binding *binding, uint64_t seq)
{
	struct space_key room;
	store_delete(store, space_job(&room, binding->id, seq), 0);
}

static void put_done(struct store *store, const struct binding *binding, uint64_t seq)
{
	const struct job job = {.version = binding->version,
	                        .seq = seq,
	                        .scope = SPAN(""),
	                        .key = SPAN(""),
	                        .done = true};
	job_store_put(store, binding, &job);
}

void job_store_adopt_done(struct binding *binding, uint64_t seq)
{
	struct tombstone *tombstone = MEM_NEW(struct tombstone);
	tombstone->seq = seq;
	list_push(&binding->done, &tombstone->link);
}

void job_store_settle(struct store *store, const struct delivery *delivery, uint64_t cursor)
{
	if (delivery->seq <= cursor) {
		job_store_delete(store, delivery->binding, delivery->seq);
	} else {
		put_done(store, delivery->binding, delivery->seq);
		job_store_adopt_done(delivery->binding, delivery->seq);
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

void job_store_forget_done(struct store *store, struct binding *binding, uint64_t cursor)
{
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (tombstone->seq <= cursor) {
			job_store_delete(store, binding, tombstone->seq);
			drop(tombstone);
		}
	}
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

void job_store_put_all(struct store *store, const struct binding *binding)
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
		put_done(store, binding, MEM_CONTAINER(done_link, struct tombstone, link)->seq);
	}
}
