/* This file is the table of state functions, and the way in and out of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state.h"

#include "base/mem.h"
#include "engine/core/argument.h"
#include "engine/core/state_clear.h"
#include "engine/core/state_groups.h"
#include "engine/core/state_list.h"
#include "engine/core/state_read.h"
#include "engine/core/state_transact.h"
#include "engine/core/state_write.h"
#include "engine/core/task.h"
#include "engine/durable/store.h"

struct state {
	struct tasks tasks;
	struct scope_rule *scopes; /* tasks.scopes */
};

#define NAME(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
#define LIFETIME ARG_TTL_MS, ARG_TTL, ARG_EXPIRES_AT

/* Name, how many of the arguments are required, how many there are, and which. */
static const struct state_function {
	struct argument_form form;
	task_step_fn *run;
} functions[] = {
        {{NAME("state::set"),
          2,
          11,
          {ARG_SCOPE, ARG_KEY, ARG_VALUE, ARG_DATA, ARG_ENCODING, ARG_IF_REV, ARG_EVENT_ON_NOOP,
           LIFETIME, ARG_IDEMPOTENCY_KEY}},
         state_set},
        {{NAME("state::get"), 2, 4, {ARG_SCOPE, ARG_KEY, ARG_WITH_REV, ARG_WITH_ENCODING}},
         state_get},
        {{NAME("state::update"),
          3,
          10,
          {ARG_SCOPE, ARG_KEY, ARG_OPS, ARG_ATOMIC, ARG_IF_REV, ARG_EVENT_ON_NOOP, LIFETIME,
           ARG_IDEMPOTENCY_KEY}},
         state_update},
        {{NAME("state::delete"),
          2,
          5,
          {ARG_SCOPE, ARG_KEY, ARG_IF_REV, ARG_KEEP_ALARMS, ARG_IDEMPOTENCY_KEY}},
         state_delete},
        {{NAME("state::list"),
          1,
          9,
          {ARG_SCOPE, ARG_PREFIX, ARG_START, ARG_END, ARG_LIMIT, ARG_CURSOR, ARG_REVERSE,
           ARG_WITH_KEYS, ARG_KEYS_ONLY}},
         state_list},
        {{NAME("state::list_groups"), 0, 3, {ARG_PREFIX, ARG_LIMIT, ARG_CURSOR}},
         state_list_groups},
        {{NAME("state::list_objects"), 1, 4, {ARG_NAMESPACE, ARG_PREFIX, ARG_LIMIT, ARG_CURSOR}},
         state_list_objects},
        {{NAME("state::list_namespaces"), 0, 3, {ARG_PREFIX, ARG_LIMIT, ARG_CURSOR}},
         state_list_namespaces},
        {{NAME("state::get_many"), 0, 3, {ARG_SCOPE, ARG_KEYS, ARG_ITEMS}}, state_get_many},
        {{NAME("state::transact"), 1, 2, {ARG_OPS, ARG_IDEMPOTENCY_KEY}}, state_transact},
        {{NAME("state::clear"),
          1,
          6,
          {ARG_SCOPE, ARG_PREFIX, ARG_LIMIT, ARG_CURSOR, ARG_KEEP_ALARMS, ARG_IDEMPOTENCY_KEY}},
         state_clear},
};

static const struct state_function *find(struct span name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		if (span_equal(functions[i].form.name, name)) {
			return &functions[i];
		}
	}
	return NULL;
}

bool state_knows(struct span name)
{
	return find(name) != NULL;
}

static void ended(struct task *task, int status, struct span result, const struct err *err)
{
	struct state_request *request = task->owner;
	request->replayed = task->replayed;
	request->done(request, status, result, status != 0 ? err : NULL);
}

struct state *state_new(struct store *store, const struct state_limits *limits)
{
	struct state *state = MEM_NEW(struct state);
	tasks_init(&state->tasks, store, ended);
	state_configure(state, limits);
	return state;
}

void state_configure(struct state *state, const struct state_limits *limits)
{
	state->tasks.value_bytes = limits->value_bytes;
	state->tasks.reply_bytes = limits->reply_bytes;
	state->tasks.transact_keys = limits->transact_keys;
	state->tasks.transact_bytes = limits->transact_bytes;
}

static void drop_scopes(struct state *state)
{
	for (size_t i = 0; i < state->tasks.scopes.count; i++) {
		mem_free((char *)state->scopes[i].match.ptr);
	}
	mem_free(state->scopes);
}

void state_free(struct state *state)
{
	if (state != NULL) {
		tasks_close(&state->tasks);
		drop_scopes(state);
		mem_free(state);
	}
}

void state_set_scopes(struct state *state, const struct scope_rules *rules)
{
	drop_scopes(state);
	state->scopes = MEM_ARRAY(struct scope_rule, rules->count + 1);
	for (size_t i = 0; i < rules->count; i++) {
		state->scopes[i] = rules->list[i];
		state->scopes[i].match = mem_span(rules->list[i].match);
	}
	state->tasks.scopes = (struct scope_rules){state->scopes, rules->count};
}

void state_drop_alarms(struct state *state, const struct alarm_traces *traces)
{
	state->tasks.traces = traces;
}

void state_on_expiring(struct state *state, state_expiring_fn *fn, void *ctx)
{
	state->tasks.expiring = fn;
	state->tasks.expiring_ctx = ctx;
}

void state_set_cause(struct state *state, state_cause_fn *fn, void *ctx)
{
	state->tasks.cause = fn;
	state->tasks.cause_ctx = ctx;
}

void state_set_feedback(struct state *state, struct feedback *feedback)
{
	state->tasks.feedback = feedback;
}

void state_set_idem(struct state *state, struct idem *idem)
{
	state->tasks.idem = idem;
}

/* The last argument of a form that has it. */
static struct span idempotency_key(const struct task *task)
{
	const struct argument_form *form = task->form;
	bool has = form->count != 0 && form->list[form->count - 1] == ARG_IDEMPOTENCY_KEY;
	return has ? task->args[ARG_IDEMPOTENCY_KEY] : SPAN_NONE;
}

static int prepare(struct task *task)
{
	int status = arguments_read(task->form, task->data, task->args, &task->err);
	struct span key = status == 0 ? idempotency_key(task) : SPAN_NONE;
	return key.ptr != NULL ? task_set_idempotency_key(task, key, &task->err) : status;
}

void state_run(struct state *state, struct state_request *request)
{
	const struct state_function *function = find(request->name);
	PRE(function != NULL); /* whoever asks has asked state_knows */
	struct task *task = task_new(&state->tasks, request);
	task->form = &function->form;
	task->data = request->data;
	task->traceparent = request->traceparent;
	task->baggage = request->baggage;
	task->caller = request->caller;
	request->private_ = task;
	if (prepare(task) != 0) {
		task_fail(task, 0);
	} else {
		function->run(task);
	}
}
