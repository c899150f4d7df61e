/* This file is the executor of the engine's own functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_BUILTIN_H
#define ENGINE_WORK_BUILTIN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/call.h"
#include "engine/core/core.h"
#include "engine/core/function.h"
#include "engine/durable/store.h"

/*
 * DESIGN. One table of functions for each noun (builtin_*.c); everything else follows from it: what
 * is offered, what is listed, what the HTTP API calls. A function gets a `work`, which it answers
 * once, at once or later; the caller may have gone by then, which it need not know.
 */
struct builtins;
struct work;

typedef void builtin_fn(struct work *work, struct span data);

struct builtin_row {
	const char *name; /* "engine::jobs::list" */
	builtin_fn *run;
	const char *help;
};

/* The tables, each ending with a row of NULLs. */
extern const struct builtin_row builtin_state_rows[];
extern const struct builtin_row builtin_engine_rows[];
extern const struct builtin_row builtin_worker_rows[];
extern const struct builtin_row builtin_config_rows[];
extern const struct builtin_row builtin_trigger_rows[];
extern const struct builtin_row builtin_delivery_rows[];
extern const struct builtin_row builtin_job_rows[];
extern const struct builtin_row builtin_letter_rows[];
extern const struct builtin_row builtin_replay_rows[];
extern const struct builtin_row builtin_explain_rows[];
extern const struct builtin_row builtin_trial_rows[];
extern const struct builtin_row builtin_publish_rows[];
extern const struct builtin_row builtin_alarm_rows[];
extern const struct builtin_row builtin_alarm_list_rows[];
extern const struct builtin_row builtin_clock_rows[];
extern const struct builtin_row builtin_message_rows[];
extern const struct builtin_row builtin_queue_rows[];
extern const struct builtin_row builtin_metric_rows[];
extern const struct builtin_row builtin_scheduled_rows[];
extern const struct builtin_row builtin_topic_rows[];
extern const struct builtin_row builtin_token_rows[];

struct builtins *builtins_new(struct core *core);
void builtins_open(struct builtins *builtins); /* what was owed is loaded: all may be called */
void builtins_free(struct builtins *builtins);

/* One call of a built-in function. */
struct work {
	struct core *core;
	struct call *call; /* NULL: the caller has gone */
	struct buf given;  /* the call's data, if it had to be written out for us */
	struct buf data;   /* a copy of the call's data, when the function needs it for longer */
	struct buf out;    /* where a result may be composed */
	void *own;         /* the function's, freed by it */
	bool replayed;     /* the answer is that of an earlier call, see once.h */
};

/* The answer; the work is gone after it. An absent result is "nothing". */
void work_reply(struct work *work, struct span result);
void work_reply_out(struct work *work); /* work->out */
void work_fail(struct work *work, const struct err *err);
/* Shorthand for an error known here. */
void work_refuse(struct work *work, const char *code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A waiter for a group, which answers with work->out when that is durable, or fails. It is either
 * given to store_commit or ended by work_waiter_fail. */
struct store_waiter *work_waiter(struct work *work);
void work_waiter_fail(struct store_waiter *waiter, const struct err *err);
/* Answers with work->out, or with nothing, when that group is durable: nothing was put. */
void work_reply_behind(struct work *work, uint64_t group);
void work_reply_nothing_behind(struct work *work, uint64_t group);

/* Reads a text member of data, unescaped into `scratch`; absent when it is not there or no string.
 */
struct span work_text(struct span data, const char *name, struct buf *scratch);
/* Reads a count; `otherwise` when it is absent or not one. */
uint64_t work_uint(struct span data, const char *name, uint64_t otherwise);
/* The member `limit` of a list: 1 to 1000, 100 when it is absent. */
uint64_t work_limit(struct span data);
/* The member `rate`, so many a second: 50 or "50/s"; *out stays when it is absent. */
int work_rate(struct span data, int64_t *out, struct err *err);
bool work_bool(struct span data, const char *name);

#endif
