/* This file says what single deliveries wait for, begins and ends their waits, and cancels them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/mem.h"
#include "engine/core/dispatch_inside.h"
#include "engine/core/job_store.h"

/* A wait is as long as it was said to be, whatever is done to the clock meanwhile; after a restart
 * it is counted from the last event if the clock is behind that. */
void dispatch_sleep(struct dispatch *dispatch, struct delivery *delivery, int64_t wait_ms)
{
	delivery->state = DELIVERY_SLEEPING;
	delivery->binding->must_sweep = true;
	delivery->due_ms = store_time_ms(dispatch->store) + wait_ms;
	alarm_set_in(dispatch->alarms, &delivery->alarm, wait_ms);
}

void dispatch_ask_again(struct dispatch *dispatch, struct delivery *delivery, int64_t wait_ms)
{
	delivery->state = DELIVERY_SLEEPING;
	delivery->binding->must_sweep = true;
	delivery->due_ms = store_time_ms(dispatch->store);
	alarm_set_real(dispatch->alarms, &delivery->alarm, wait_ms);
}

void dispatch_line_up(struct dispatch *dispatch, struct delivery *delivery)
{
	int64_t wait_ms = delivery->due_ms - store_time_ms(dispatch->store);
	if (wait_ms > 0 && delivery->state != DELIVERY_BLOCKED) {
		dispatch_sleep(dispatch, delivery, wait_ms);
	} else {
		dispatch_make_ready(delivery);
	}
}

const char *delivery_state_name(const struct delivery *delivery)
{
	static const char *const names[] = {"queued",   "ready",   "running",
	                                    "sleeping", "burying", "blocked"};
	return names[delivery->state];
}

/* The engine's own functions serve every namespace. */
bool dispatch_function_is_served(const struct function *function)
{
	return function_find(function->functions, function->namespace_, function->id) != NULL;
}

bool dispatch_is_served(const struct binding *binding)
{
	const struct function *condition = binding->condition_watch.function;
	return dispatch_function_is_served(binding->watch.function) &&
	       (condition == NULL || dispatch_function_is_served(condition));
}

const char *dispatch_waits_for(const struct delivery *delivery)
{
	const struct binding *binding = delivery->binding;
	switch (delivery->state) {
	case DELIVERY_QUEUED:
		return "turn";
	case DELIVERY_SLEEPING:
		return "retry";
	case DELIVERY_BUSY:
	case DELIVERY_BURYING:
		return "";
	case DELIVERY_BLOCKED:
		return "person";
	case DELIVERY_READY:
		break;
	}
	if (binding->pause.is_on) {
		return "resume";
	}
	bool served = delivery->target != NULL ? target_is_served(delivery->target)
	                                       : dispatch_is_served(binding);
	if (!served) {
		return "worker";
	}
	return delivery->throttled == THROTTLE_WAITS ? "throttle" : "room";
}

struct span dispatch_function(const struct delivery *delivery)
{
	return delivery->target != NULL ? delivery->target->watch.function->id
	                                : attempt_function(delivery);
}

struct delivery *dispatch_find(const struct binding *binding, uint64_t seq, uint32_t replay)
{
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->seq == seq && delivery->replay == replay) {
			return delivery;
		}
	}
	return NULL;
}

bool dispatch_has_seq(const struct binding *binding, uint64_t seq)
{
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->seq == seq || members_have(&delivery->members, seq)) {
			return true;
		}
	}
	return windows_have(binding->windows, seq);
}

void dispatch_cancel(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	PRE(delivery->state != DELIVERY_BURYING);
	binding->cancelled++;
	if (delivery->attempt != NULL) {
		dispatch_has_ended(dispatch, delivery);
		attempt_drop(dispatch->attempts, delivery);
	}
	delivery->recorded = true; /* its tombstone */
	dispatch_settle(dispatch, delivery);
}

void dispatch_retry_now(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	PRE(delivery->state == DELIVERY_SLEEPING);
	alarm_clear(dispatch->alarms, &delivery->alarm);
	dispatch_make_ready(delivery);
	if (delivery->recorded) {
		job_store_put_delivery(dispatch->store, delivery);
	}
	dispatch_pump(dispatch, binding);
}

/* ---- keys that wait for a person ---- */

void dispatch_block(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	struct alarm_farewell farewell = dispatch_part(delivery);
	delivery->state = DELIVERY_BLOCKED;
	delivery->recorded = true;
	binding->blocked++;
	buf_clear(&delivery->doom);
	causes_remove(&dispatch->causes, delivery);
	dispatch_leave_owed(dispatch, delivery);
	dispatch_tell_parted(dispatch, &farewell);
	dispatch_pump(dispatch, binding);
}

static struct delivery *blocked_of(const struct binding *binding, uint64_t seq)
{
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->seq == seq && delivery->state == DELIVERY_BLOCKED) {
			return delivery;
		}
	}
	return NULL;
}

bool dispatch_unblock(struct dispatch *dispatch, struct binding *binding, const struct job *job)
{
	struct delivery *delivery = binding->blocked != 0 ? blocked_of(binding, job->seq) : NULL;
	if (delivery == NULL) {
		return false;
	}
	binding->blocked--;
	delivery->replay = job->replay;
	delivery->state = DELIVERY_QUEUED;
	delivery->failures = job->failures;
	delivery->stopped = 0;
	delivery->first_ms = job->first_ms;
	delivery->due_ms = job->due_ms;
	delivery->asked = job->asked;
	members_free(&delivery->members); /* the letter holds their events */
	buf_clear(&delivery->history);
	buf_clear(&delivery->event_json);
	buf_span(&delivery->history, job->attempts);
	buf_span(&delivery->event_json, job->event);
	if (order_head(&dispatch->order, delivery) == delivery) {
		dispatch_line_up(dispatch, delivery);
		dispatch_pump(dispatch, binding);
	}
	return true;
}

struct delivery *dispatch_find_blocked(const struct binding *binding, struct span scope,
                                       struct span key)
{
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		bool is_it = delivery->state == DELIVERY_BLOCKED &&
		             span_equal(delivery->key, key) &&
		             (scope.ptr == NULL || span_equal(delivery->scope, scope));
		if (is_it) {
			return delivery;
		}
	}
	return NULL;
}

void dispatch_release(struct dispatch *dispatch, struct delivery *delivery)
{
	PRE(delivery->state == DELIVERY_BLOCKED);
	dispatch_settle(dispatch, delivery);
}
