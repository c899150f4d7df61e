/* This file carries one state operation from its request to its answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TASK_H
#define ENGINE_CORE_TASK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include "engine/core/argument.h"
#include "engine/core/lane.h"
#include "engine/core/lifetime.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include <stdint.h>

/*
 * DESIGN. A task knows its keys, gets them into memory, runs one step that looks and puts without
 * returning to the loop, and answers when all that the step saw or put is durable.
 *
 *   task_new --> task_with_keys --all in memory, nobody before it--> step
 *                     |                                               ^
 *                     +--> lanes --first in all--> fetch -------------+
 *   step: task_commit (it put) or task_answer / task_fail (it only looked)
 *         --durable--> end(task) --> back in the pool
 *   A failed group, a failed fetch: end(task) with that error instead.
 *
 *
 * A task with an idempotency key has the record of that among its keys. Its step does not run when
 * the key has been used: the task gets the answer of then, or is refused. The answer of a step that
 * did well is kept under the key, whether it put anything or not.
 *
 * A step never ends its task before it returns: the answer comes in a later call of the store.
 */
struct alarm_traces;
struct binding;
struct feedback;
struct idem;
struct idem_name;
struct task;
typedef void task_step_fn(struct task *task);
/* The answer: status 0 with a result (absent: nothing to return), or an error. */
typedef void task_end_fn(struct task *task, int status, struct span result, const struct err *err);

/* What all tasks share. */
struct tasks {
	struct store *store;
	uint64_t value_bytes; /* limits, see struct state_limits */
	uint64_t reply_bytes;
	uint32_t transact_keys;
	uint64_t transact_bytes;
	int (*cause)(void *ctx, struct span baggage, struct event_cause *cause,
	             struct binding **out_by, struct err *err);
	void *cause_ctx;
	struct feedback *feedback; /* NULL: nobody wants to know */
	struct scope_rules scopes;
	void (*expiring)(void *ctx, struct record_key key, int64_t at_ms); /* may be NULL */
	void *expiring_ctx;
	const struct alarm_traces *traces; /* of the objects that have alarms; NULL: none has */
	struct idem *idem;
	task_end_fn *end;
	struct lanes lanes;
	struct list idle; /* task.link: the pool */
	size_t idle_count;
	struct list ready;        /* task.link: answered at the end of this turn */
	struct store_waiter turn; /* ends it */
};

struct task {
	struct list link;
	struct tasks *tasks;
	void *owner; /* whose request it is */
	const struct argument_form *form;
	struct span data;
	struct span traceparent;
	struct span baggage;
	struct span caller;
	struct span args[ARG_COUNT]; /* only those of the form are set */

	const struct record_key *keys; /* &key, or an array that lives as long as the task */
	size_t key_count;
	struct record_key key;
	enum store_state presence; /* of a single key, when the step runs; never STORE_UNKNOWN */
	struct store_look look;
	struct lifetime lifetime; /* of what is written */
	uint32_t encoding;        /* the same */

	struct buf scratch; /* unescaped arguments */
	struct buf answer;
	struct buf value; /* a new value on its way */
	struct buf errors;
	struct err err;
	bool replayed; /* it is the answer of an earlier request */
	void *more;    /* what some operations need besides; given to free_more before the end */
	void (*free_more)(void *more);

	/* task.c's */
	struct idem_name *name;      /* NULL: it has no idempotency key */
	struct record_key *all_keys; /* the keys and the one of the name */
	task_step_fn *step;
	int status;
	struct span result;
	struct store_waiter waiter;
	struct store_fetch fetch;
	struct lane_holder holder;
	struct lane_place place;
	struct lane_place *places; /* &place, or as many as keys */
};

void tasks_init(struct tasks *tasks, struct store *store, task_end_fn *end);
void tasks_close(struct tasks *tasks); /* all tasks have ended */

struct task *task_new(struct tasks *tasks, void *owner);
/* `key` is a JSON string; form and data are set. E_INVALID "invalid_idempotency_key". */
int task_set_idempotency_key(struct task *task, struct span key, struct err *err);

/* Runs `step` once all keys are in memory and nobody is before it: often at once. keys and
 * key_count (or key, with keys left as task_new set it) are set. */
void task_with_keys(struct task *task, task_step_fn *step);

/* Is the answer within the limit of replies? If not, what was added behind `before` is taken off
 * again, and unless a page `may_end` here task->err says what to do. */
bool task_answer_fits(struct task *task, size_t before, bool may_end);

/* What ends a step, each at most once for a task. `result` is borrowed until the end (task->answer,
 * mostly). `group` is what was looked at; of several, the greatest. */
void task_commit(struct task *task, struct span result);
void task_answer(struct task *task, struct span result, uint64_t group);
void task_fail(struct task *task, uint64_t group); /* task->err says why */

#endif
