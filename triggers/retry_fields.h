/* This file is the table of what a trigger or a function may say of retries. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_RETRY_FIELDS_H
#define TRIGGERS_RETRY_FIELDS_H

#include "base/err.h"
#include "base/field.h"
#include <stddef.h>
#include <stdint.h>

enum { RETRY_SCHEDULE_MAX = 32 };

/* -1, or no schedule, where nothing is said. */
struct trigger_retry {
	int64_t max_attempts;
	int64_t initial_ms;
	int64_t max_ms;
	int64_t multiplier; /* thousandths */
	int64_t jitter_percent;
	int64_t max_age_ms;
	size_t schedule_count;
	int64_t schedule[RETRY_SCHEDULE_MAX]; /* ms; the waits one after the other */
};

/* The section as it is written; begins as RETRY_UNSAID. */
struct retry_text {
	struct trigger_retry said;
	struct field_strings schedule;
};

#define RETRY_UNSAID                                                                               \
	{                                                                                          \
		.said = { -1, -1, -1, -1, -1, -1, 0, {0} }                                         \
	}

extern const struct field retry_fields[]; /* struct retry_text */

/* Durations, each from 1 ms to 365 days. E_INVALID with `code`. */
int retry_read_schedule(const struct field_strings *texts, const char *code, int64_t out[],
                        size_t *out_count, struct err *err);

/* Puts the schedule of a section that has been read where the rest of it stands. E_INVALID. */
int retry_finish(struct retry_text *text, const char *code, struct err *err);

#endif
