/* This file keeps workers through lost connections and hands them their calls. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/worker.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

enum { SETTLE_MS = 1000 };

struct workers {
	struct functions *functions;
	struct catalog *catalog;
	struct alarms *alarms;
	struct worker_options options;
	struct list all;
	size_t count;
};

struct workers *workers_new(struct functions *functions, struct catalog *catalog,
                            struct alarms *alarms, const struct worker_options *options)
{
	struct workers *workers = MEM_NEW(struct workers);
	workers->functions = functions;
	workers->catalog = catalog;
	workers->alarms = alarms;
	workers->options = *options;
	list_init(&workers->all);
	return workers;
}

void workers_free(struct workers *workers)
{
	if (workers != NULL) {
		PRE(list_is_empty(&workers->all));
		mem_free(workers);
	}
}

/* ---- calls that it executes ---- */

static bool is_invocation(const struct map_node *node, const void *key)
{
	const struct call *call = MEM_CONTAINER(node, struct call, by_invocation);
	return memcmp(call->invocation_id, key, ID_UUID_LEN) == 0;
}

static uint64_t invocation_hash(const char *id)
{
	return hash_bytes(span_make(id, ID_UUID_LEN), 0);
}

struct call *worker_call(struct worker *worker, struct span invocation_id)
{
	if (invocation_id.len != ID_UUID_LEN) {
		return NULL;
	}
	struct map_node *node = map_get(&worker->invocations, invocation_hash(invocation_id.ptr),
	                                invocation_id.ptr, is_invocation);
	return node ? MEM_CONTAINER(node, struct call, by_invocation) : NULL;
}

static void start_call(struct executor *executor, struct provider *provider, struct call *call)
{
	(void)provider;
	struct worker *worker = worker_of(executor);
	id_uuid(call->invocation_id);
	worker->ops->invoke(worker->connection, worker, call);
	if (call->is_void) {
		const struct call_result handed_over = {.end = CALL_OK, .worker = executor->name};
		call_finish(call, &handed_over);
	} else {
		map_add(&worker->invocations, &call->by_invocation,
		        invocation_hash(call->invocation_id));
	}
}

static void forget_call(struct executor *executor, struct call *call)
{
	map_remove(&worker_of(executor)->invocations, &call->by_invocation);
}

static const struct executor_ops worker_ops = {
        .kind = "worker",
        .start = start_call,
        .forget = forget_call,
};

struct worker *worker_of(struct executor *executor)
{
	return executor->ops == &worker_ops ? MEM_CONTAINER(executor, struct worker, executor)
	                                    : NULL;
}

/* ---- how many, and none any more ---- */

static uint32_t credit_of(const struct worker *worker)
{
	uint32_t most = worker->workers->options.credit;
	return worker->max_in_flight != 0 && worker->max_in_flight < most ? worker->max_in_flight
	                                                                  : most;
}

uint32_t worker_max_in_flight(const struct worker *worker)
{
	return worker->executor.credit;
}

int worker_set_max_in_flight(struct worker *worker, struct span number, struct err *err)
{
	uint64_t count = 0;
	if (!id_parse_uint(number, &count) || count == 0 || count > WORKER_IN_FLIGHT_MOST) {
		return err_set(err, E_INVALID, "invalid_max_in_flight",
		               "max_in_flight must be a whole number from 1 to %d, not %.*s",
		               WORKER_IN_FLIGHT_MOST, (int)(number.len < 32 ? number.len : 32),
		               number.ptr);
	}
	worker->max_in_flight = (uint32_t)count;
	executor_set_credit(&worker->executor, credit_of(worker));
	return 0;
}

static void tell_drained(struct worker *worker)
{
	while (!list_is_empty(&worker->drained)) {
		struct worker_drained *drained =
		        LIST_FIRST(&worker->drained, struct worker_drained, link);
		list_remove(&drained->link);
		drained->done(drained, worker->executor.running);
	}
}

static void last_call_ended(struct executor *executor)
{
	struct worker *worker = worker_of(executor);
	if (worker->draining) {
		tell_drained(worker);
	}
}

void worker_drain(struct worker *worker, struct worker_drained *drained)
{
	worker->draining = true;
	executor_pause(&worker->executor, true);
	if (drained != NULL) {
		list_push(&worker->drained, &drained->link);
	}
	if (worker->executor.running == 0) {
		tell_drained(worker);
	}
}

void worker_resume(struct worker *worker)
{
	if (worker->draining) {
		worker->draining = false;
		tell_drained(worker);
		executor_pause(&worker->executor, worker->connection == NULL);
	}
}

/* ---- life ---- */

static void grace_is_over(struct alarm *alarm)
{
	struct worker *worker = MEM_CONTAINER(alarm, struct worker, grace);
	log_info("worker", "worker %s did not come back; its calls are given to others",
	         worker->id);
	worker_gone(worker);
}

static void registrations_settled(struct alarm *alarm)
{
	struct worker *worker = MEM_CONTAINER(alarm, struct worker, settle);
	if (!catalog_worker_settled(worker->workers->catalog, &worker->executor)) {
		worker_registers(worker);
	}
}

struct worker *worker_new(struct workers *workers, void *connection, const struct worker_link *ops)
{
	struct worker *worker = MEM_NEW(struct worker);
	id_uuid(worker->id);
	id_uuid(worker->token);
	worker->workers = workers;
	worker->connection = connection;
	worker->ops = ops;
	worker->connected_ms = clock_wall_ms();
	list_init(&worker->asked);
	list_init(&worker->holds);
	list_init(&worker->drained);
	worker->grace.fn = grace_is_over;
	worker->settle.fn = registrations_settled;
	executor_init(&worker->executor, workers->functions, &worker_ops, span_of(worker->id),
	              workers->options.credit);
	worker->executor.idle = last_call_ended;
	list_push(&workers->all, &worker->link);
	workers->count++;
	return worker;
}

/* What it has registered: without a connection its triggers are detached. */
static void release_holds(struct worker *worker)
{
	while (!list_is_empty(&worker->holds)) {
		struct trigger_hold *hold =
		        LIST_FIRST(&worker->holds, struct trigger_hold, in_session);
		catalog_release(worker->workers->catalog, hold, false);
		hold->gone(hold);
	}
}

void worker_gone(struct worker *worker)
{
	struct workers *workers = worker->workers;
	alarm_clear(workers->alarms, &worker->grace);
	alarm_clear(workers->alarms, &worker->settle);
	LIST_EACH(&worker->asked, link)
	{
		MEM_CONTAINER(link, struct worker_ask, link)->worker = NULL;
		list_remove(link);
	}
	release_holds(worker);
	tell_drained(worker);
	while (!list_is_empty(&worker->executor.calls)) {
		struct call *call = LIST_FIRST(&worker->executor.calls, struct call, link);
		map_remove(&worker->invocations, &call->by_invocation);
		const struct call_result stopped = {
		        .end = CALL_STOPPED,
		        .code = SPAN("invocation_stopped"),
		        .message = SPAN("the worker went away during the call"),
		        .worker = worker->executor.name,
		};
		worker->executor.closed_for_calls = true;
		call_finish(call, &stopped);
	}
	executor_close(&worker->executor);
	map_close(&worker->invocations);
	list_remove(&worker->link);
	workers->count--;
	mem_free((char *)worker->namespace_.ptr);
	mem_free((char *)worker->name.ptr);
	mem_free((char *)worker->metadata.ptr);
	mem_free(worker);
}

void workers_configure(struct workers *workers, const struct worker_options *options)
{
	workers->options = *options;
	LIST_EACH(&workers->all, link)
	{
		struct worker *worker = MEM_CONTAINER(link, struct worker, link);
		if (credit_of(worker) != worker->executor.credit) {
			executor_set_credit(&worker->executor, credit_of(worker));
		}
	}
}

void workers_close(struct workers *workers)
{
	while (!list_is_empty(&workers->all)) {
		worker_gone(LIST_FIRST(&workers->all, struct worker, link));
	}
}

void worker_lost(struct worker *worker)
{
	worker->connection = NULL;
	executor_pause(&worker->executor, true);
	release_holds(worker);
	bool keeps_something =
	        !list_is_empty(&worker->executor.calls) || !list_is_empty(&worker->asked);
	while (!list_is_empty(&worker->executor.providers)) {
		function_withdraw(
		        LIST_FIRST(&worker->executor.providers, struct provider, in_executor));
	}
	if (!keeps_something || worker->draining ||
	    worker->workers->options.reattach_grace_ms == 0) {
		worker_gone(worker);
		return;
	}
	alarm_set_real(worker->workers->alarms, &worker->grace,
	               worker->workers->options.reattach_grace_ms);
}

static bool same_secret(struct span a, const char *b)
{
	if (a.len != ID_UUID_LEN) {
		return false;
	}
	unsigned difference = 0;
	for (size_t i = 0; i < ID_UUID_LEN; i++) {
		difference |= (unsigned)((unsigned char)a.ptr[i] ^ (unsigned char)b[i]);
	}
	return difference == 0;
}

bool worker_reattach(struct worker *worker, struct span previous_id, struct span token)
{
	struct worker *old = workers_find(worker->workers, previous_id);
	if (old == NULL || old == worker || !same_secret(token, old->token)) {
		return false;
	}
	if (old->connection != NULL) {
		/* The engine has not seen the old link die yet. */
		void *connection = old->connection;
		old->connection = NULL;
		old->ops->retire(connection);
	}
	while (!list_is_empty(&old->executor.calls)) {
		struct call *call = LIST_FIRST(&old->executor.calls, struct call, link);
		map_remove(&old->invocations, &call->by_invocation);
		list_remove(&call->link);
		list_push(&worker->executor.calls, &call->link);
		call->executor = &worker->executor;
		old->executor.running--;
		worker->executor.running++;
		map_add(&worker->invocations, &call->by_invocation,
		        invocation_hash(call->invocation_id));
	}
	LIST_EACH(&old->asked, link)
	{
		MEM_CONTAINER(link, struct worker_ask, link)->worker = worker;
		list_remove(link);
		list_push(&worker->asked, link);
	}
	worker->engine_asks += old->engine_asks;
	old->engine_asks = 0;
	if (old->draining) {
		list_move(&old->drained, &worker->drained);
		worker_drain(worker, NULL);
	}
	worker_gone(old);
	return true;
}

int worker_register(struct worker *worker, struct span namespace_, struct span name,
                    struct span metadata, struct err *err)
{
	if (namespace_.ptr != NULL && namespace_.len == 0) {
		return err_set(err, E_INVALID, "INVALID_NAMESPACE",
		               "the namespace of a worker must not be blank; leave it out for "
		               "\"default\"");
	}
	mem_free((char *)worker->namespace_.ptr);
	mem_free((char *)worker->name.ptr);
	mem_free((char *)worker->metadata.ptr);
	worker->namespace_ = mem_span(namespace_.len ? namespace_ : SPAN("default"));
	worker->name = name.len ? mem_span(name) : SPAN_NONE;
	worker->metadata = metadata.len ? mem_span(metadata) : SPAN_NONE;
	worker->registered = true;
	return 0;
}

void worker_registers(struct worker *worker)
{
	alarm_set_real(worker->workers->alarms, &worker->settle, SETTLE_MS);
}

/* ---- looking ---- */

void workers_each(const struct workers *workers, worker_each_fn *each, void *ctx)
{
	LIST_EACH(&workers->all, link)
	{
		each(ctx, MEM_CONTAINER(link, struct worker, link));
	}
}

size_t workers_count(const struct workers *workers)
{
	return workers->count;
}

struct worker *workers_find(const struct workers *workers, struct span id)
{
	LIST_EACH(&workers->all, link)
	{
		struct worker *worker = MEM_CONTAINER(link, struct worker, link);
		if (span_equal(span_of(worker->id), id)) {
			return worker;
		}
	}
	return NULL;
}

struct worker *workers_named(const struct workers *workers, struct span namespace_,
                             struct span name)
{
	LIST_EACH(&workers->all, link)
	{
		struct worker *worker = MEM_CONTAINER(link, struct worker, link);
		if (worker->connection != NULL && span_equal(worker->name, name) &&
		    span_equal(worker->namespace_, namespace_)) {
			return worker;
		}
	}
	return NULL;
}
