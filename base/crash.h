/* This file ends the process at a named point, for tests that look at what is left then. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include "base/err.h"

/*
 * DESIGN. Every point where durable state is about to change, or just has, is named here. The
 * environment variable PAWL_CRASH_AT=<name>:<n> arms one: the n-th time that the process comes by
 * it gets SIGKILL, as from outside. Without the variable a point costs one comparison. The points
 * are in every build, so that what is tested is what is shipped.
 */
enum crash_point {
	CRASH_WRITE,   /* "write": before a batch is written to the journal */
	CRASH_SYNC,    /* "sync": it is written, not yet synced */
	CRASH_ANSWER,  /* "answer": it is durable, nobody has been told */
	CRASH_ROLL,    /* "roll": before the journal begins its next file */
	CRASH_APPLY,   /* "apply": before batches that were put into the view are committed there */
	CRASH_APPLIED, /* "applied": the view has them */
	CRASH_CURSOR,  /* "cursor": a cursor has been put into the next batch */
	CRASH_JOB,     /* "job": a job has been */
	CRASH_OUTCOME, /* "outcome": the end of a delivery has been */
	CRASH_WINDOW,  /* "window": windows have been, with their mark or a job */
	CRASH_EXPIRE,  /* "expire": the end of records whose time has come has been */
	CRASH_ALARM,   /* "alarm": firings of alarms have been, or their ends */
	CRASH_CRON,    /* "cron": fires of cron triggers have been */
	CRASH_POINTS
};

/* Reads PAWL_CRASH_AT; call it before there are threads. E_INVALID "invalid_crash_point". */
int crash_arm(struct err *err);
void crash_at(enum crash_point point); /* from any thread */

#endif
