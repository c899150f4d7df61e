/* This file runs one operating system process: pipes to it, its end, and its forced end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_CHILD_H
#define ENGINE_WORK_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A child leads a session and a process group of its own. It has ended when it has exited
 * and both its outputs are at their end; outputs that somebody else holds open are given 1 s more.
 *
 *      running --exit--> exited --ends of output, or 1 s--> ended, freed
 *         |                 ^
 *         +--child_stop: TERM, 2 s later KILL, to the whole group
 */
struct uv_loop_s;
struct alarms;
struct child;

struct child_spec {
	const char *const *command;     /* NULL-terminated; the first is looked up in PATH */
	const char *const *environment; /* all of it, NULL-terminated */
	const char *directory;          /* NULL: ours */
};

struct child_end {
	int64_t exit_code;
	int signal; /* 0: it exited by itself */
};

struct child_ops {
	void (*output)(void *owner, struct span bytes);
	void (*errors)(void *owner, struct span bytes);
	/* The last call; the child is gone after it. Never from inside a function of this file. */
	void (*ended)(void *owner, const struct child_end *end);
};

/* E_NOT_FOUND "process_start_failed" when there is no such command, else E_IO of that code. */
int child_start(struct uv_loop_s *loop, struct alarms *alarms, const struct child_spec *spec,
                const struct child_ops *ops, void *owner, struct child **out, struct err *err);
/* Takes the bytes of `input`, which is empty then. A child that does not read is not an error. */
void child_write_give(struct child *child, struct buf *input);
void child_end_input(struct child *child); /* behind what was written */
void child_stop(struct child *child);      /* again is harmless */

/* "exit code 3" or "killed by signal 9 (Killed)", and the last line of its errors. */
void child_describe_end(const struct child_end *end, struct span errors, struct buf *out);

#endif
