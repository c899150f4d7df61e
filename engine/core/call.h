/* This file defines a call: one invocation of a function, whoever asks and whoever executes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CALL_H
#define ENGINE_CORE_CALL_H

#include "base/buf.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/durable/alarm.h"
#include <stdbool.h>
#include <stdint.h>

/* How a call ended. Only FAILED and TIMEOUT are the handler's own fault and use up an attempt. */
enum call_end {
	CALL_OK,      /* the handler answered */
	CALL_FAILED,  /* the handler answered with an error */
	CALL_TIMEOUT, /* the handler did not answer in time */
	CALL_STOPPED, /* who executed it went away, or the engine stops */
	CALL_REFUSED  /* it cannot be called so (bad input, not allowed) */
};

/* Borrowed during `done`. */
struct call_result {
	enum call_end end;
	struct span result;     /* JSON; absent when the handler returned nothing */
	struct span code;       /* "invocation_failed", "TIMEOUT", ...; absent when OK */
	struct span message;    /* for people */
	struct span stacktrace; /* may be absent */
	struct span worker;     /* who executed it (worker id, "process", "http", "builtin"); may be
	                           absent */
	bool replayed;          /* the answer of an earlier call with the same idempotency key */
	bool not_before;        /* retry_after_ms was given by the far side (HTTP Retry-After) */
	int64_t retry_after_ms;
};

struct executor;
struct function;
struct call;
typedef void call_done_fn(struct call *call, const struct call_result *result);
/* Appends the JSON that the handler gets, straight into the executor's output buffer. */
typedef void call_write_fn(struct call *call, struct buf *out);

/*
 * Embedded in who makes it; borrowed from function_call until `done`, which comes exactly once (and
 * may come from inside function_call). All zero but for what the caller sets. The spans too stay
 * valid until then.
 */
struct call {
	struct span namespace_; /* where to look the function up; absent = "default" */
	struct span function_id;
	struct span data;          /* JSON; ignored when write_data is set */
	call_write_fn *write_data; /* may be called again for another try */
	/* The event that the data is a selection of; NULL: the data is the event, or there is none.
	 */
	call_write_fn *write_event;
	struct span metadata; /* JSON; may be absent */
	struct span traceparent;
	struct span baggage;
	/* The worker that asks, if it brings no baggage back: it may do so in a handler. Absent:
	 * another one. */
	struct span caller;
	int64_t timeout_ms; /* 0 = none: whoever asked takes the time himself */
	bool by_real_time;  /* a peer waits for it: no turn of the clock makes it late */
	bool is_void;       /* nobody waits for the result: done comes when it was handed over */
	call_done_fn *done;

	/* the registry's and the executor's from here on */
	struct list link;
	struct executor *executor;  /* who executes it; NULL while it waits for one */
	struct function *function;  /* that it runs on, once it was started */
	struct function *waits_for; /* NULL once it was started */
	void *work;                 /* the executor's own */
	struct map_node by_invocation;
	char invocation_id[ID_UUID_LEN + 1];
	struct alarm timeout;
	int64_t started_us; /* clock_mono_us */
};

#endif
