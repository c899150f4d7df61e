/* This file answers calls by one process that is kept alive: a line in, a line out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_LINES_H
#define ENGINE_WORK_LINES_H

#include "base/list.h"
#include "engine/core/call.h"
#include "engine/durable/alarm.h"
#include "engine/work/child.h"
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN.
 *      idle --call--> running --it ends--> resting --backoff over, if calls wait--> running
 *
 * Calls that a process had been given fail with it; those that came while it rested go to the next
 * one. A process that has let a forgotten call wait for over 1 s without answering anything is
 * taken for stuck and is stopped.
 */
struct lines {
	/* set by the owner */
	struct uv_loop_s *loop;
	struct alarms *alarms;
	const struct child_spec *spec;
	struct span function_id; /* for the log */
	size_t max_output;       /* of one line */
	void (*drained)(struct lines *lines);

	/* private */
	struct child *child;
	struct list asked; /* line_call.link: given to the process */
	struct list queue; /* not yet */
	struct alarm rest;
	struct buf partial; /* the beginning of a line of output */
	struct buf errors;  /* the tail of what it said */
	struct buf error_line;
	struct span broken; /* why we stopped it; absent: we did not */
	uint64_t last_id;
	int64_t started_ms;
	int64_t answered_ms;
	int64_t backoff_ms;
	bool closing;
};

void lines_init(struct lines *lines);
/* Ends in call_finish: later, or at once when the process cannot be started. */
void lines_start(struct lines *lines, struct call *call);
void lines_forget(struct lines *lines, struct call *call);
/* The calls are finished or forgotten. Stops the process, then calls drained (maybe at once). */
void lines_close(struct lines *lines);

#endif
