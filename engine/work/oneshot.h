/* This file answers each call with a process of its own: input, output, exit code. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_ONESHOT_H
#define ENGINE_WORK_ONESHOT_H

#include "base/list.h"
#include "engine/core/call.h"
#include "engine/work/child.h"
#include <stddef.h>

/* What the processes of one function share. Filled by its owner; `running` is private. */
struct oneshots {
	struct uv_loop_s *loop;
	struct alarms *alarms;
	const struct child_spec *spec; /* its environment is that of every process */
	size_t max_output;
	void (*drained)(struct oneshots *set); /* after close: no process is left */
	struct list running;                   /* oneshot.link */
	bool closing;
};

void oneshots_init(struct oneshots *set);
/* Ends in call_finish: later, or at once when the process cannot be started. */
void oneshots_start(struct oneshots *set, struct call *call);
void oneshots_forget(struct oneshots *set, struct call *call); /* stops its process */
/* The calls are finished or forgotten. Stops what runs, then calls drained (maybe at once). */
void oneshots_close(struct oneshots *set);

#endif
