/* This file says when a recurring alarm is due next, and what of its times is made up for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_TIMES_H
#define ENGINE_CORE_ALARM_TIMES_H

#include "base/err.h"
#include "engine/core/alarm_record.h"
#include <stdbool.h>
#include <stdint.h>

enum { ALARM_LATE_MS = 60000 }; /* catch_up skip: what is later than this is left out */

/* A plan that can be followed? E_INVALID "invalid_cron", "unknown_zone". */
int alarm_times_check(const struct alarm_plan *plan, struct err *err);
/* Its first time behind now; 0: there is none. */
int64_t alarm_times_first(const struct alarm_plan *plan, int64_t now_ms);

struct alarm_firing {
	bool is_left_out;     /* nothing is to be fired; next_ms is to be put */
	int64_t scheduled_ms; /* the time that is fired for */
	uint64_t missed;      /* times before it that nobody will be told of */
	int64_t next_ms;      /* the time behind it; 0 = none */
};

/* The record is due (next_ms has come). */
struct alarm_firing alarm_times_fire(const struct alarm_record *record, int64_t now_ms);

#endif
