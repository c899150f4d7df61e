/* This file keeps the table of functions and hands each call to somebody who has room for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/function.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/core/function_absent.h"
#include <stdio.h>

struct functions {
	struct map by_name;
	struct alarms *alarms;
	uint32_t round; /* of policies: see functions_begin_policies */
	struct function_figures figures;
};

struct function_name {
	struct span namespace_;
	struct span id;
};

static bool has_name(const struct map_node *node, const void *key)
{
	const struct function *function = MEM_CONTAINER(node, struct function, node);
	const struct function_name *name = key;
	return span_equal(function->id, name->id) &&
	       span_equal(function->namespace_, name->namespace_);
}

static struct span or_default(struct span namespace_)
{
	return namespace_.len != 0 ? namespace_ : SPAN("default");
}

static uint64_t name_hash(struct function_name name)
{
	return hash_bytes(name.id, hash_bytes(name.namespace_, 1));
}

static struct function *lookup(struct functions *functions, struct function_name name)
{
	struct map_node *node = map_get(&functions->by_name, name_hash(name), &name, has_name);
	return node ? MEM_CONTAINER(node, struct function, node) : NULL;
}

static struct function *need(struct functions *functions, struct function_name name)
{
	struct function *function = lookup(functions, name);
	if (function == NULL) {
		function = MEM_NEW(struct function);
		function->namespace_ = mem_span(name.namespace_);
		function->id = mem_span(name.id);
		function->functions = functions;
		list_init(&function->providers);
		list_init(&function->waiting);
		list_init(&function->watchers);
		map_add(&functions->by_name, &function->node, name_hash(name));
	}
	return function;
}

/* Nobody offers, watches or waits for it: it may be forgotten. */
static void drop_if_unused(struct function *function)
{
	if (function->pins == 0 && function->policy == NULL && function->running == 0 &&
	    list_is_empty(&function->providers) && list_is_empty(&function->waiting) &&
	    list_is_empty(&function->watchers)) {
		map_remove(&function->functions->by_name, &function->node);
		mem_free((char *)function->namespace_.ptr);
		mem_free((char *)function->id.ptr);
		mem_free(function);
	}
}

struct functions *functions_new(struct alarms *alarms)
{
	struct functions *functions = MEM_NEW(struct functions);
	functions->alarms = alarms;
	return functions;
}

void functions_free(struct functions *functions)
{
	if (functions != NULL) {
		functions_begin_policies(functions);
		functions_end_policies(functions);
		PRE(functions->by_name.count == 0);
		map_close(&functions->by_name);
		mem_free(functions);
	}
}

void functions_each(struct functions *functions, function_each_fn *each, void *ctx)
{
	MAP_EACH(&functions->by_name, node)
	{
		struct function *function = MEM_CONTAINER(node, struct function, node);
		if (!list_is_empty(&function->providers)) {
			each(ctx, function);
		}
	}
}

const struct function_figures *functions_figures(const struct functions *functions)
{
	return &functions->figures;
}

static bool has_credit(const struct provider *provider)
{
	const struct executor *executor = provider->executor;
	return !provider->is_full && provider->disabled.ptr == NULL &&
	       !executor->closed_for_calls &&
	       (executor->credit == 0 || executor->running < executor->credit);
}

static bool has_room(const struct function *function)
{
	uint32_t most = function->policy != NULL ? function->policy->concurrency : 0;
	return most == 0 || function->running < most;
}

/* Round robin: who is asked goes to the end of the line. */
static struct provider *choose(struct function *function)
{
	if (!has_room(function)) {
		return NULL;
	}
	LIST_EACH(&function->providers, link)
	{
		struct provider *provider = MEM_CONTAINER(link, struct provider, in_function);
		if (has_credit(provider)) {
			if (link->next != &function->providers) {
				list_remove(link);
				list_push(&function->providers, link);
			}
			return provider;
		}
	}
	return NULL;
}

bool function_is_offered(const struct function *function)
{
	return function != NULL && !list_is_empty(&function->providers);
}

struct span function_disabled(const struct function *function)
{
	struct span reason = SPAN_NONE;
	LIST_EACH(&function->providers, link)
	{
		const struct provider *provider = MEM_CONTAINER(link, struct provider, in_function);
		if (provider->disabled.ptr == NULL) {
			return SPAN_NONE;
		}
		reason = reason.ptr != NULL ? reason : provider->disabled;
	}
	return reason;
}

bool function_is_ready(const struct function *function)
{
	if (function == NULL || !list_is_empty(&function->waiting) || !has_room(function)) {
		return false;
	}
	LIST_EACH(&function->providers, link)
	{
		if (has_credit(MEM_CONTAINER(link, struct provider, in_function))) {
			return true;
		}
	}
	return false;
}

struct function *function_find(struct functions *functions, struct span namespace_, struct span id)
{
	struct function_name name = {or_default(namespace_), id};
	struct function *function = lookup(functions, name);
	if (!function_is_offered(function)) {
		/* The engine's own resolve in every namespace. */
		name.namespace_ = SPAN("engine");
		function = lookup(functions, name);
	}
	return function_is_offered(function) ? function : NULL;
}

static void start(struct call *call, struct provider *provider)
{
	struct executor *executor = provider->executor;
	call->executor = executor;
	call->waits_for = NULL;
	call->function = provider->function;
	call->function->running++;
	call->started_us = clock_mono_us();
	if (provider->timeout_ms > 0 &&
	    (call->timeout_ms == 0 || provider->timeout_ms < call->timeout_ms)) {
		call->timeout_ms = provider->timeout_ms;
		(call->by_real_time ? alarm_set_real : alarm_set_in)(
		        executor->functions->alarms, &call->timeout, call->timeout_ms);
	}
	executor->running++;
	executor->functions->figures.started++;
	list_push(&executor->calls, &call->link);
	executor->ops->start(executor, provider, call);
}

/* Something changed: first those who wait are served, then those who watch are told. */
static void tell(struct function *function)
{
	function->pins++;
	struct provider *provider;
	while (!list_is_empty(&function->waiting) && (provider = choose(function)) != NULL) {
		struct call *call = LIST_FIRST(&function->waiting, struct call, link);
		list_remove(&call->link);
		start(call, provider);
	}
	if (function->policy != NULL && !list_is_empty(&function->watchers)) {
		/* Each comes first once. */
		struct list *first = function->watchers.next;
		list_remove(first);
		list_push(&function->watchers, first);
	}
	/* A watcher may unwatch itself, and only itself. */
	LIST_EACH(&function->watchers, link)
	{
		struct function_watch *watch = MEM_CONTAINER(link, struct function_watch, link);
		watch->changed(watch);
	}
	function->pins--;
	drop_if_unused(function);
}

void functions_begin_policies(struct functions *functions)
{
	functions->round++;
}

void function_set_policy(struct functions *functions, struct span namespace_, struct span id,
                         const struct function_policy *policy)
{
	struct function_name name = {or_default(namespace_), id};
	struct function *function = need(functions, name);
	if (function->policy == NULL) {
		function->policy = MEM_NEW(struct function_policy);
	}
	*function->policy = *policy;
	function->policy->round = functions->round;
	tell(function);
}

static struct function *first_of_old_round(struct functions *functions)
{
	MAP_EACH(&functions->by_name, node)
	{
		struct function *function = MEM_CONTAINER(node, struct function, node);
		if (function->policy != NULL && function->policy->round != functions->round) {
			return function;
		}
	}
	return NULL;
}

void functions_end_policies(struct functions *functions)
{
	struct function *function;
	while ((function = first_of_old_round(functions)) != NULL) {
		mem_free(function->policy);
		function->policy = NULL;
		tell(function);
	}
}

static void tell_all(struct executor *executor)
{
	LIST_EACH(&executor->providers, link)
	{
		tell(MEM_CONTAINER(link, struct provider, in_executor)->function);
	}
}

void function_watch(struct functions *functions, struct span namespace_, struct span id,
                    struct function_watch *watch)
{
	struct function_name name = {or_default(namespace_), id};
	watch->function = need(functions, name);
	list_push(&watch->function->watchers, &watch->link);
}

void function_unwatch(struct function_watch *watch)
{
	if (watch->function != NULL) {
		struct function *function = watch->function;
		watch->function = NULL;
		list_remove(&watch->link);
		drop_if_unused(function);
	}
}

/* ---- executors and their offers ---- */

void executor_init(struct executor *executor, struct functions *functions,
                   const struct executor_ops *ops, struct span name, uint32_t credit)
{
	*executor = (struct executor){
	        .ops = ops, .functions = functions, .name = name, .credit = credit};
	list_init(&executor->providers);
	list_init(&executor->calls);
}

struct provider *function_offered_by(struct executor *executor, struct span namespace_,
                                     struct span id)
{
	struct function_name name = {or_default(namespace_), id};
	struct function *function = lookup(executor->functions, name);
	if (function == NULL) {
		return NULL;
	}
	LIST_EACH(&function->providers, link)
	{
		struct provider *provider = MEM_CONTAINER(link, struct provider, in_function);
		if (provider->executor == executor) {
			return provider;
		}
	}
	return NULL;
}

/* An offer that is made again begins with no texts. */
static void drop_texts(struct provider *provider)
{
	struct span *texts[] = {&provider->description, &provider->request_format,
	                        &provider->response_format, &provider->metadata,
	                        &provider->disabled};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		mem_free((char *)texts[i]->ptr);
		*texts[i] = SPAN_NONE;
	}
}

struct provider *function_offer(struct executor *executor, struct span namespace_, struct span id)
{
	struct provider *provider = function_offered_by(executor, namespace_, id);
	if (provider != NULL) {
		drop_texts(provider);
		return provider;
	}
	return function_offer_more(executor, namespace_, id);
}

struct provider *function_offer_more(struct executor *executor, struct span namespace_,
                                     struct span id)
{
	struct function_name name = {or_default(namespace_), id};
	struct provider *provider = MEM_NEW(struct provider);
	provider->executor = executor;
	provider->function = need(executor->functions, name);
	list_push(&provider->function->providers, &provider->in_function);
	list_push(&executor->providers, &provider->in_executor);
	tell(provider->function);
	return provider;
}

/* Calls that have nothing to wait for any more. */
static void fail_waiting(struct function *function, struct span code, struct span message)
{
	const struct call_result gone = {.end = CALL_STOPPED, .code = code, .message = message};
	function->pins++;
	while (!list_is_empty(&function->waiting)) {
		call_finish(LIST_FIRST(&function->waiting, struct call, link), &gone);
	}
	function->pins--;
}

void function_withdraw(struct provider *provider)
{
	struct function *function = provider->function;
	list_remove(&provider->in_function);
	list_remove(&provider->in_executor);
	drop_texts(provider);
	mem_free(provider);
	if (list_is_empty(&function->providers)) {
		fail_waiting(function, SPAN("invocation_stopped"),
		             SPAN("the last worker that served this function went away"));
	}
	tell(function);
}

void provider_pause(struct provider *provider, bool pause)
{
	bool was_full = provider->is_full;
	provider->is_full = pause;
	if (was_full && !pause) {
		tell(provider->function);
	}
}

void provider_disable(struct provider *provider, struct span reason)
{
	struct function *function = provider->function;
	mem_free((char *)provider->disabled.ptr);
	provider->disabled = mem_span(reason);
	struct span all = function_disabled(function);
	if (all.ptr != NULL) {
		fail_waiting(function, SPAN("function_disabled"), all);
	}
}

void function_enable(struct function *function)
{
	LIST_EACH(&function->providers, link)
	{
		struct provider *provider = MEM_CONTAINER(link, struct provider, in_function);
		mem_free((char *)provider->disabled.ptr);
		provider->disabled = SPAN_NONE;
	}
	tell(function);
}

void executor_pause(struct executor *executor, bool pause)
{
	executor->closed_for_calls = pause;
	if (!pause) {
		tell_all(executor);
	}
}

void executor_set_credit(struct executor *executor, uint32_t credit)
{
	executor->credit = credit;
	tell_all(executor);
}

void executor_close(struct executor *executor)
{
	executor->closed_for_calls = true;
	while (!list_is_empty(&executor->providers)) {
		function_withdraw(LIST_FIRST(&executor->providers, struct provider, in_executor));
	}
	const struct call_result stopped = {
	        .end = CALL_STOPPED,
	        .code = SPAN("invocation_stopped"),
	        .message = SPAN("the worker that executed this call went away"),
	        .worker = executor->name,
	};
	while (!list_is_empty(&executor->calls)) {
		call_finish(LIST_FIRST(&executor->calls, struct call, link), &stopped);
	}
}

/* ---- calls ---- */

struct namespace_list {
	struct span id;
	struct buf text;
};

static void add_namespace(void *ctx, struct function *function)
{
	struct namespace_list *list = ctx;
	if (span_equal(function->id, list->id)) {
		buf_format(&list->text, "%s\"%.*s\"", list->text.len ? ", " : "",
		           SPAN_ARG(function->namespace_));
	}
}

static int refuse_absent(struct functions *functions, const struct call *call, struct err *err)
{
	struct namespace_list list = {.id = call->function_id};
	functions_each(functions, add_namespace, &list);
	int status = function_absent_say(or_default(call->namespace_), call->function_id,
	                                 buf_view(&list.text), err);
	buf_free(&list.text);
	return status;
}

static void call_timed_out(struct alarm *alarm)
{
	struct call *call = MEM_CONTAINER(alarm, struct call, timeout);
	char text[96];
	(void)snprintf(text, sizeof text, "no answer within %lld ms", (long long)call->timeout_ms);
	const struct call_result result = {
	        .end = CALL_TIMEOUT,
	        .code = SPAN("TIMEOUT"),
	        .message = span_of(text),
	        .worker = call->executor ? call->executor->name : SPAN_NONE,
	};
	if (call->executor != NULL) {
		call->executor->ops->forget(call->executor, call);
	}
	call_finish(call, &result);
}

int function_call(struct functions *functions, struct call *call, struct err *err)
{
	return function_call_found(functions,
	                           function_find(functions, call->namespace_, call->function_id),
	                           call, err);
}

int function_call_found(struct functions *functions, struct function *function, struct call *call,
                        struct err *err)
{
	if (function == NULL) {
		return refuse_absent(functions, call, err);
	}
	struct span disabled = function_disabled(function);
	if (disabled.ptr != NULL) {
		return err_set(err, E_DENIED, "function_disabled",
		               "function \"%.*s\" is disabled: %.*s", SPAN_ARG(function->id),
		               SPAN_ARG(disabled));
	}
	call->timeout.fn = call_timed_out;
	list_init(&call->link);
	call->executor = NULL;
	call->function = NULL;
	if (call->timeout_ms > 0) {
		(call->by_real_time ? alarm_set_real : alarm_set_in)(
		        functions->alarms, &call->timeout, call->timeout_ms);
	}
	struct provider *provider = list_is_empty(&function->waiting) ? choose(function) : NULL;
	if (provider != NULL) {
		start(call, provider);
	} else {
		call->waits_for = function;
		list_push(&function->waiting, &call->link);
	}
	return 0;
}

/* Where a call ran: they have room again. */
struct place {
	struct executor *executor; /* NULL: it had not been started */
	struct function *function; /* counts the call until tell_of_room: each gets his turn */
};

/* Takes the call off every list. */
static struct place detach(struct call *call)
{
	struct place place = {call->executor, call->function};
	struct functions *functions =
	        place.executor ? place.executor->functions : call->waits_for->functions;
	alarm_clear(functions->alarms, &call->timeout);
	list_remove(&call->link);
	if (call->waits_for != NULL) {
		struct function *function = call->waits_for;
		call->waits_for = NULL;
		drop_if_unused(function);
	}
	call->executor = NULL;
	call->function = NULL;
	if (place.executor != NULL) {
		place.executor->running--;
	}
	return place;
}

/* Only the step from "full" to "not full" can be news to anybody. */
static void tell_of_room(struct place place)
{
	struct executor *executor = place.executor;
	struct function *function = place.function;
	if (executor == NULL) {
		return;
	}
	bool was_full = !has_room(function);
	function->running--;
	if (was_full && has_room(function)) {
		tell(function);
	} else {
		drop_if_unused(function);
	}
	if (executor->credit != 0 && executor->running + 1 == executor->credit &&
	    !executor->closed_for_calls) {
		tell_all(executor);
	}
	if (executor->idle != NULL && executor->running == 0) {
		executor->idle(executor);
	}
}

void call_cancel(struct call *call)
{
	if (call->executor != NULL) {
		call->executor->ops->forget(call->executor, call);
	}
	tell_of_room(detach(call));
}

void call_finish(struct call *call, const struct call_result *result)
{
	struct place place = detach(call);
	if (place.executor != NULL) {
		place.executor->functions->figures.ended[result->end]++;
	}
	call->done(call, result);
	tell_of_room(place);
}
