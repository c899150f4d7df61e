/* This file takes deliveries away that are not to be made: of a range, or all of a binding. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/burial.h"
#include "engine/core/dispatch_inside.h"
#include "engine/core/job_store.h"
#include "engine/core/throttle_store.h"
#include "engine/core/window_store.h"

/* Out of everything, without an outcome. */
static void discard(struct dispatch *dispatch, struct delivery *delivery)
{
	if (delivery->attempt != NULL) {
		dispatch_has_ended(dispatch, delivery);
		attempt_drop(dispatch->attempts, delivery);
	}
	burial_drop(delivery);
	dispatch_leave_lane(dispatch, delivery);
	dispatch_free_delivery(dispatch, delivery);
}

/* Its record goes as well; one that is to be buried may have put its tombstone, in a group of which
 * it is not known whether it was written. */
static void discard_whole(struct dispatch *dispatch, struct delivery *delivery)
{
	bool is_doomed = delivery->doom.len != 0;
	if (delivery->binding->filter->alarm != NULL && !is_doomed) {
		dispatch_doom(delivery, SPAN("trigger_gone"),
		              SPAN("the trigger was removed, or gave up the range of its event"));
	}
	struct alarm_farewell farewell = dispatch_part(delivery);
	if (delivery->recorded || is_doomed) {
		job_store_delete(dispatch->store, delivery->binding, delivery->seq);
	}
	discard(dispatch, delivery);
	dispatch_tell_parted(dispatch, &farewell);
}

static uint64_t last_of(const struct delivery *delivery)
{
	const struct members *members = &delivery->members;
	return members->count != 0 ? members->seqs[members->count - 1] : delivery->seq;
}

/* The youngest that it owes of this range, NULL if there is none. */
static struct delivery *youngest(const struct binding *binding, uint64_t from_seq, uint64_t to_seq)
{
	struct list *at = binding->deliveries.prev;
	while (at != &binding->deliveries) {
		struct delivery *delivery = MEM_CONTAINER(at, struct delivery, in_binding);
		if (delivery->seq >= from_seq && last_of(delivery) <= to_seq) {
			return delivery;
		}
		at = at->prev;
	}
	return NULL;
}

/* The youngest first, so that no place in a lane is given to one that goes too. Dropping a call may
 * end others: the list is looked at anew each time. */
static void discard_between(struct dispatch *dispatch, struct binding *binding, uint64_t from_seq,
                            uint64_t to_seq)
{
	bool pumping = binding->pumping;
	binding->pumping = true;
	struct delivery *delivery;
	while ((delivery = youngest(binding, from_seq, to_seq)) != NULL) {
		discard_whole(dispatch, delivery);
	}
	binding->pumping = pumping;
	dispatch_pump(dispatch, binding);
}

static void discard_all(struct dispatch *dispatch, struct binding *binding, bool keep_records)
{
	binding->pumping = true; /* nothing of it starts any more */
	while (!list_is_empty(&binding->deliveries)) {
		struct delivery *last =
		        MEM_CONTAINER(binding->deliveries.prev, struct delivery, in_binding);
		if (keep_records) {
			discard(dispatch, last);
		} else {
			discard_whole(dispatch, last);
		}
	}
}

void dispatch_detach(struct dispatch *dispatch, struct binding *binding, bool keep_records)
{
	range_letters_forget(&dispatch->ranges, binding);
	figures_add_binding(&dispatch->gone, binding);
	discard_all(dispatch, binding, keep_records);
	throttle_store_drop_all(dispatch->store, binding, keep_records);
	window_store_drop_all(dispatch->store, dispatch->alarms, binding, keep_records);
	job_store_drop_done(dispatch->store, binding, keep_records);
	gates_close(&binding->gates);
	targets_close(&binding->targets);
	list_remove(&binding->held_link);
	function_unwatch(&binding->watch);
	function_unwatch(&binding->condition_watch);
}

static void target_is_absent(struct target *target)
{
	while (!list_is_empty(&target->waiting)) {
		struct delivery *delivery = LIST_FIRST(&target->waiting, struct delivery, in_queue);
		list_remove(&delivery->in_queue);
		delivery->target = NULL;
		dispatch_doom(delivery, SPAN("function_absent"),
		              SPAN("nobody served the function for longer than "
		                   "delivery.park_max"));
		dispatch_make_ready(delivery);
	}
}

int64_t dispatch_give_up_absent(struct dispatch *dispatch, struct binding *binding, int64_t max_ms)
{
	if (binding->targets.by_function.count == 0 || binding->pause.is_on) {
		return INT64_MAX;
	}
	int64_t left_ms =
	        targets_sweep(&binding->targets, clock_mono_ms(), max_ms, target_is_absent);
	dispatch_pump(dispatch, binding);
	return left_ms;
}

/* A batch goes on with those of its events that are behind the range. */
static void keep_behind(struct dispatch *dispatch, struct delivery *delivery, uint64_t to_seq)
{
	if (delivery->members.count != 0 && delivery->members.seqs[0] <= to_seq &&
	    last_of(delivery) > to_seq) {
		members_cut(&delivery->members, to_seq);
		job_store_put_delivery(dispatch->store, delivery);
	}
}

void dispatch_bury_all(struct dispatch *dispatch, struct binding *binding, uint64_t to_seq,
                       const char *code, const char *message)
{
	uint64_t from_seq = binding->lagging ? binding->next_seq : to_seq;
	binding->pumping = true;
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->event_json.len != 0) {
			/* A replayed one holds its event itself, and is no part of the range. */
			const struct dead_words words = {.code = span_of(code),
			                                 .message = span_of(message)};
			dead_put(dispatch->dead, delivery, &words);
			discard_whole(dispatch, delivery);
			continue;
		}
		if (delivery->seq < from_seq) {
			from_seq = delivery->seq;
		}
		keep_behind(dispatch, delivery, to_seq);
	}
	window_store_drop_until(dispatch->store, dispatch->alarms, binding, to_seq, &from_seq);
	range_letter_put(&dispatch->ranges, binding, from_seq, to_seq, code, message);
	binding->pumping = false;
	discard_between(dispatch, binding, from_seq, to_seq);
}

void dispatch_letter_written(void *ctx, struct binding *binding)
{
	dispatch_pump(ctx, binding);
}

void dispatch_put_again(struct dispatch *dispatch)
{
	range_letters_put_again(&dispatch->ranges);
}

void dispatch_drop_from(struct dispatch *dispatch, struct binding *binding, uint64_t seq)
{
	discard_between(dispatch, binding, seq, UINT64_MAX);
}
