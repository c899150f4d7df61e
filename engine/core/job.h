/* This file spells job records: deliveries that must outlive the process. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_JOB_H
#define ENGINE_CORE_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A job record exists only for a delivery that waits for a retry, has run for longer than a
 * second or stands behind such a one. Its key is (trigger id, seq), so that a delivery can never
 * have two. A finished one stays as a tombstone (`done`) until the cursor has passed its event. The
 * value is a format byte and JSON, so that `sqlite3` shows what is owed.
 */
struct job {
	uint32_t version; /* of the trigger */
	uint64_t seq;
	uint64_t epoch;    /* of the event; 0 in records that do not say it */
	uint64_t group;    /* of concurrency_key; 0 = not known */
	struct span scope; /* borrowed */
	struct span key;
	uint32_t failures;    /* of the handler */
	int64_t first_ms;     /* wall clock of the first attempt; 0 = none yet */
	int64_t due_ms;       /* wall clock of the next attempt; 0 = as soon as possible */
	bool asked;           /* its condition function has said yes */
	bool done;            /* tombstone */
	bool blocked;         /* it is dead, and its lane waits for a person */
	bool doomed;          /* it was given up and waits for its burial */
	uint32_t replay;      /* n of "/r<n>" in the delivery id; 0 = none */
	struct span attempts; /* JSON array of what happened so far; absent = [] */
	struct span event;    /* JSON of the event, for one that is replayed from a dead letter */
	struct span window;   /* name of the window that it was; absent = none */
	uint64_t debounced;   /* events that the window took, of which this is one; 0 = none */
	uint64_t throttle;    /* of throttle.key; 0 = not known, or there is none */
	struct span members;  /* of a batch: see members.h; absent = it is none, or has `event` */
};

void job_encode(const struct job *job, struct buf *out);
/* Spans point into `value`, texts are unescaped into `scratch`, which must not be cleared while
 * they are in use. E_VERSION, E_DAMAGED. */
int job_decode(uint64_t seq, struct span value, struct job *out, struct buf *scratch,
               struct err *err);

/* Appends one attempt to a JSON array (or begins it): when, how long, who, what it said. */
void job_add_attempt(struct buf *attempts, int64_t started_ms, int64_t duration_ms,
                     struct span worker, struct span code, struct span message);

#endif
