/* This file knows what cursors still answer for, and gives records to deliveries that grow old. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/dispatch_inside.h"
#include "engine/core/job_store.h"

bool dispatch_has_room(const struct dispatch *dispatch, const struct binding *binding)
{
	return binding->held + windows_count(binding->windows) < dispatch->options.job_max;
}

bool dispatch_owes_nothing(const struct binding *binding)
{
	return list_is_empty(&binding->deliveries) && windows_count(binding->windows) == 0;
}

void dispatch_leave_owed(struct dispatch *dispatch, struct delivery *delivery)
{
	list_remove(&delivery->owed);
	list_remove(&delivery->live_owed);
	dispatch->hooks.cursor_moved(dispatch->hooks.ctx, delivery->binding);
}

/* From here on its record answers for it, not the cursor. */
void dispatch_record(struct dispatch *dispatch, struct delivery *delivery)
{
	job_store_put_delivery(dispatch->store, delivery);
	store_commit(dispatch->store, NULL);
	delivery->recorded = true;
	delivery->binding->must_sweep = true;
	if (delivery->behind != NULL) {
		delivery->behind->binding->must_sweep = true; /* perhaps another version's */
	}
	dispatch_leave_owed(dispatch, delivery);
}

void dispatch_join_live(struct dispatch *dispatch, struct delivery *delivery)
{
	/* By seq: nearly always at the end. */
	struct list *before = &dispatch->live_owed;
	while (before->prev != &dispatch->live_owed &&
	       MEM_CONTAINER(before->prev, struct delivery, live_owed)->seq > delivery->seq) {
		before = before->prev;
	}
	list_insert(&delivery->live_owed, before);
}

uint64_t dispatch_first_owed(const struct dispatch *dispatch)
{
	const struct list *live = &dispatch->live_owed;
	return list_is_empty(live) ? 0 : MEM_CONTAINER(live->next, struct delivery, live_owed)->seq;
}

uint64_t dispatch_first_owed_by(const struct binding *binding)
{
	const struct list *owed = &binding->owed;
	return list_is_empty(owed) ? 0 : MEM_CONTAINER(owed->next, struct delivery, owed)->seq;
}

uint64_t dispatch_first_needed_by(const struct binding *binding)
{
	uint64_t first = windows_first_needed(binding->windows);
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		bool needs = delivery->event_json.len == 0 && delivery->state != DELIVERY_BLOCKED;
		uint64_t seq =
		        delivery->members.count != 0 ? delivery->members.seqs[0] : delivery->seq;
		if (needs && (first == 0 || seq < first)) {
			first = seq;
		}
	}
	return first;
}

void dispatch_set_lagging(struct dispatch *dispatch, struct binding *binding, bool lagging)
{
	binding->lagging = lagging;
	binding->must_sweep = true;
	LIST_EACH(&binding->owed, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, owed);
		list_remove(&delivery->live_owed);
		if (!lagging) {
			dispatch_join_live(dispatch, delivery);
		}
	}
}

/* Nothing of its lane that comes before it is without a record. */
static bool stands_behind_record(const struct dispatch *dispatch, const struct delivery *delivery)
{
	return delivery->state == DELIVERY_QUEUED &&
	       order_head(&dispatch->order, delivery)->recorded;
}

/* Whoever comes before it in its lane has a record as well: after a start those with one are there
 * before those that are matched again, and must not be older. */
static void record_lane(struct dispatch *dispatch, struct delivery *delivery)
{
	struct delivery *at = delivery->state == DELIVERY_QUEUED
	                              ? order_head(&dispatch->order, delivery)
	                              : delivery;
	for (;; at = at->behind) {
		if (!at->recorded) {
			dispatch_record(dispatch, at);
		}
		if (at == delivery) {
			return;
		}
	}
}

static void sweep_one(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	/* One that failed and merely waits for room: its record was lost, or was to be a letter. */
	bool needs_record = delivery->state == DELIVERY_BUSY ||
	                    delivery->state == DELIVERY_SLEEPING || delivery->failures != 0 ||
	                    delivery->seq < binding->done_until ||
	                    stands_behind_record(dispatch, delivery);
	if (needs_record && store_can_put(dispatch->store)) {
		record_lane(dispatch, delivery);
	} else if (needs_record) {
		binding->must_sweep = true;
	} else if (!binding->lagging) {
		dispatch->hooks.must_lag(dispatch->hooks.ctx, binding);
	}
}

/* Ten thousand deliveries that wait for a handler are not looked at again until something moves. */
static void sweep(struct dispatch *dispatch, struct binding *binding, int64_t born_until_ms)
{
	if (!binding->must_sweep) {
		return;
	}
	binding->must_sweep = false;
	LIST_EACH(&binding->owed, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, owed);
		if (delivery->born_ms > born_until_ms) {
			binding->must_sweep = true;
			break;
		}
		sweep_one(dispatch, delivery);
	}
}

bool dispatch_sweep(struct dispatch *dispatch, struct binding *binding)
{
	sweep(dispatch, binding, clock_real_ms() - DISPATCH_RECORD_AGE_MS);
	return !list_is_empty(&binding->owed);
}

void dispatch_sweep_all(struct dispatch *dispatch, struct binding *binding)
{
	binding->must_sweep = true;
	sweep(dispatch, binding, INT64_MAX);
}
