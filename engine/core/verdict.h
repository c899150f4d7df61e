/* This file says how an attempt ended, by what its handler answered. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_VERDICT_H
#define ENGINE_CORE_VERDICT_H

#include "base/buf.h"
#include "base/span.h"
#include "engine/core/addressee.h"
#include "engine/core/parcel.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
	VERDICT_DONE,     /* the handler has it */
	VERDICT_UNWANTED, /* the condition function said no */
	VERDICT_OBSOLETE, /* the alarm is not there any more: nobody was called */
	VERDICT_RETRY,    /* the handler failed: uses up an attempt */
	VERDICT_AGAIN,    /* nobody's fault: worker gone, engine stopping */
	VERDICT_WAIT,     /* the function that a queued message names has no room, or is absent */
	VERDICT_BURY      /* the handler said: never again; or the event is gone */
};

/* Borrowed during the call. */
struct attempt_end {
	enum verdict verdict;
	struct span code;
	struct span message;
	struct span worker;
	int64_t retry_after_ms; /* -1: as the policy says */
	int64_t started_ms;     /* wall clock */
	int64_t duration_ms;
	const struct addressee *to; /* of a queued message; NULL: the binding says the function */
};

/* Reads the reserved member `$pawl` by which a handler steers its delivery, if there is one: "done"
 * becomes what it says. The texts point into the result, or into `text`, which must not be moved
 * while they are used. */
void verdict_read(struct span result, struct attempt_end *end, struct buf *text);

/* The same of a batch, whose handler may name the events that failed. True: some of its events have
 * failed and the others are done; failed[i] (parcel->count of them, all false before) says which.
 */
bool verdict_read_batch(struct span result, const struct parcel *parcel, struct attempt_end *end,
                        struct buf *text, bool failed[]);

#endif
