/* This file executes functions as processes: JSON on their standard input, JSON on their output. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_PROCESS_H
#define ENGINE_WORK_PROCESS_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/function.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. One executor of kind "process" serves one function with one command. Two modes:
 *
 * PROCESS_CALL: one process per call. The call's data is its standard input (then end of file); its
 * standard output must be one JSON document, or empty (the function returned nothing). Exit code 0
 * is success; any other fails the call, with the last line of standard error as the message and the
 * tail of it as the stack trace.
 *
 * PROCESS_LINES: the process is kept alive, one line is one JSON object. It reads
 *     {"id":"7","data":...,"metadata":...,"delivery":"...","attempt":1,"traceparent":"..."}
 * (absent members are left out) and writes, in any order,
 *     {"id":"7","result":...}   or   {"id":"7","error":{"code":"...","message":"..."}}
 * A line that is not such an object ends the process: who answers what is no longer known. Calls
 * that it had are CALL_FAILED when it exits, and it is started again for the next one, after 100 ms
 * at the earliest, doubling to 30 s while it keeps dying within 10 s. A process that lets a call be
 * forgotten after more than 1 s and has answered nothing meanwhile is stuck and ended too.
 *
 * Environment: that of the daemon and the configured one. In mode call also PAWL_FUNCTION,
 * PAWL_DELIVERY, PAWL_ATTEMPT, TRACEPARENT; in mode lines PAWL_FUNCTION. Each process leads a
 * process group of its own; the whole group gets TERM, and KILL 2 s later, when its call is
 * forgotten (mode call) or the executor closes. Standard error of mode lines goes to the log, a
 * line each.
 */
struct uv_loop_s;
struct alarms;
struct process;

enum process_mode { PROCESS_CALL, PROCESS_LINES };

struct process_options {
	struct span namespace_; /* absent: "default" */
	struct span function_id;
	struct span description;        /* may be absent */
	const char *const *command;     /* NULL-terminated; the first is looked up in PATH */
	const char *const *environment; /* "NAME=value", NULL-terminated; may be NULL */
	const char *directory;          /* NULL: the daemon's */
	enum process_mode mode;
	uint32_t concurrency;    /* calls at a time; 0 = 10 */
	int64_t timeout_ms;      /* no call takes longer; 0 = what the caller says */
	size_t max_output_bytes; /* of one answer; 0 = 8 MiB */
};

/* Offers the function; no process is started before the first call. The options are copied. */
struct process *process_new(struct uv_loop_s *loop, struct alarms *alarms,
                            struct functions *functions, const struct process_options *options);
/* Withdraws the function; its calls may finish, then it is freed as below. */
void process_leave(struct process *process, void (*freed)(void *ctx), void *ctx);
/* Withdraws the function, ends its calls with CALL_STOPPED, kills what runs, then calls `freed`
 * (later, once): everything is gone then. Of a process that leaves already the earlier
 * `freed` comes. */
void process_free(struct process *process, void (*freed)(void *ctx), void *ctx);
struct executor *process_executor(struct process *process);

#endif
