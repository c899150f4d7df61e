/* This file ties triggers to their functions, holds them back, and lets them go on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/core/dispatch_inside.h"
#include "engine/core/throttle.h"

static void function_changed(struct function_watch *watch)
{
	struct binding *binding = MEM_CONTAINER(watch, struct binding, watch);
	binding->was_bound = binding->was_bound || function_is_offered(watch->function);
	dispatch_pump(binding->dispatch, binding);
}

static void condition_changed(struct function_watch *watch)
{
	struct binding *binding = MEM_CONTAINER(watch, struct binding, condition_watch);
	dispatch_pump(binding->dispatch, binding);
}

static void target_has_opened(struct binding *binding)
{
	dispatch_pump(binding->dispatch, binding);
}

static void its_time_has_come(struct delivery *delivery)
{
	dispatch_make_ready(delivery);
	dispatch_pump(delivery->dispatch, delivery->binding);
}

static void throttle_changed(struct binding *binding)
{
	const struct dispatch_hooks *hooks = &binding->dispatch->hooks;
	hooks->owes(hooks->ctx, binding);
}

static void attach_throttle(const struct dispatch *dispatch, struct binding *binding)
{
	const struct pacing *pacing = binding->filter->pacing;
	if (pacing != NULL) {
		binding->throttle = throttle_new(binding, dispatch->alarms, pacing->interval_us);
		binding->throttle->release = its_time_has_come;
		binding->throttle->changed = throttle_changed;
	}
}

void dispatch_attach(struct dispatch *dispatch, struct binding *binding)
{
	binding->dispatch = dispatch;
	list_init(&binding->deliveries);
	list_init(&binding->ready);
	gates_init(&binding->gates);
	targets_init(&binding->targets, binding, target_has_opened);
	list_init(&binding->owed);
	list_init(&binding->done);
	list_init(&binding->held_link);
	binding->windows = windows_new(binding->filter->shaping);
	attach_throttle(dispatch, binding);
	binding->watch.changed = function_changed;
	binding->condition_watch.changed = condition_changed;
	function_watch(dispatch->functions, binding->namespace_, binding->function_id,
	               &binding->watch);
	binding->was_bound = function_find(dispatch->functions, binding->namespace_,
	                                   binding->function_id) != NULL;
	if (binding->policy.condition_function_id.len != 0) {
		function_watch(dispatch->functions, binding->namespace_,
		               binding->policy.condition_function_id, &binding->condition_watch);
	}
}

void dispatch_hold_back(struct dispatch *dispatch, struct binding *binding, uint64_t from_seq)
{
	binding->held_back_from = from_seq;
	list_remove(&binding->held_link);
	if (from_seq != 0) {
		list_push(&dispatch->held_back, &binding->held_link);
	} else {
		dispatch->hooks.has_room(dispatch->hooks.ctx, binding);
	}
	dispatch_pump(dispatch, binding);
}

const struct list *dispatch_held_back(const struct dispatch *dispatch)
{
	return &dispatch->held_back;
}

void dispatch_trace(struct dispatch *dispatch, struct tracer *tracer)
{
	attempts_trace(dispatch->attempts, tracer);
}

const struct attempt_figures *dispatch_attempts(const struct dispatch *dispatch)
{
	return attempts_figures(dispatch->attempts);
}

const struct figures *dispatch_gone(const struct dispatch *dispatch)
{
	return &dispatch->gone;
}

void dispatch_go_on(struct dispatch *dispatch, struct binding *binding)
{
	dispatch_pump(dispatch, binding);
}

static uint64_t group_of(const struct grouping *key, struct matching *matching,
                         struct span metadata)
{
	return key != NULL ? grouping_of(key, matching, metadata) : 0;
}

struct delivery_groups dispatch_groups(const struct filter *filter, struct matching *matching)
{
	const struct grouping *throttle = filter->pacing != NULL ? filter->pacing->key : NULL;
	return (struct delivery_groups){
	        .concurrency = group_of(filter->concurrency_key, matching, filter->metadata),
	        .throttle = group_of(throttle, matching, filter->metadata),
	};
}
