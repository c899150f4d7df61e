/* This file reads when something is to happen: after a delay, or at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_DUE_TIME_H
#define ENGINE_WORK_DUE_TIME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/field.h"
#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

/* As it is written; embedded in what has more to say. Of the five at most one is to be said. */
struct due_time {
	int64_t delay_ms, delay_seconds, delay; /* -1: it does not say */
	struct span at, at_ms;                  /* JSON; absent: it does not say */
};

#define DUE_TIME_UNSAID                                                                            \
	{                                                                                          \
		.delay_ms = -1, .delay_seconds = -1, .delay = -1                                   \
	}
#define DUE_TIME_DAY  (INT64_C(24) * 3600 * 1000)
#define DUE_TIME_MOST (36525 * DUE_TIME_DAY) /* of a delay */

/* Its rows of a table of fields for a struct `owner` that has it as `member`. */
#define DUE_TIME_FIELDS(owner, member)                                                             \
	{.name = "delay_ms",                                                                       \
	 .kind = FIELD_INT,                                                                        \
	 .offset = offsetof(struct owner, member.delay_ms),                                        \
	 .max = DUE_TIME_MOST,                                                                     \
	 .unit = "ms",                                                                             \
	 .help = "How long from now."},                                                            \
	        {.name = "delaySeconds",                                                           \
	         .kind = FIELD_INT,                                                                \
	         .offset = offsetof(struct owner, member.delay_seconds),                           \
	         .max = DUE_TIME_MOST / 1000,                                                      \
	         .unit = "s",                                                                      \
	         .help = "The same in seconds."},                                                  \
	        {.name = "delay",                                                                  \
	         .kind = FIELD_DURATION,                                                           \
	         .offset = offsetof(struct owner, member.delay),                                   \
	         .max = DUE_TIME_MOST,                                                             \
	         .help = "The same as a duration."},                                               \
	        {.name = "at",                                                                     \
	         .kind = FIELD_JSON,                                                               \
	         .offset = offsetof(struct owner, member.at),                                      \
	         .help = "When: ms since 1970, or RFC 3339."},                                     \
	{                                                                                          \
		.name = "scheduledAtUnixMs", .kind = FIELD_JSON,                                   \
		.offset = offsetof(struct owner, member.at_ms),                                    \
		.help = "The same in ms since 1970."                                               \
	}

int due_time_count(const struct due_time *due); /* how many of the five are said */
/* What one of them means; at least 1, and none: now. E_INVALID "invalid_data". */
int due_time_find(const struct due_time *due, int64_t now_ms, int64_t *out_ms, struct err *err);
/* Reads those members of an object that has others, too; at most one of them may be there.
 * E_INVALID "invalid_data". */
int due_time_pick(struct span data, struct due_time *out, struct err *err);
/* Appends those members, as they are, to an object that is being written. */
void due_time_copy(struct span data, struct buf *out);

#endif
