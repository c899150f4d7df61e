/* This file reckons with the times of recurring alarms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_times.h"

#include "base/clock.h"
#include "base/cron.h"
#include "base/cron_read.h"
#include "base/log.h"

/* A plan by cron, read. */
struct timetable {
	struct cron cron;
	const struct zone *zone;
};

static int read_timetable(const struct alarm_plan *plan, struct timetable *out, struct err *err)
{
	int status = cron_read(plan->cron, &out->cron, err);
	return status == 0
	               ? zone_get(plan->zone.len != 0 ? plan->zone : SPAN("UTC"), &out->zone, err)
	               : status;
}

int alarm_times_check(const struct alarm_plan *plan, struct err *err)
{
	struct timetable timetable;
	return plan->cron.len != 0 ? read_timetable(plan, &timetable, err) : 0;
}

static int64_t floor_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

static int64_t cron_after(const struct timetable *timetable, int64_t ms)
{
	int64_t seconds;
	return cron_next(&timetable->cron, timetable->zone, floor_seconds(ms), &seconds) &&
	                       seconds < CLOCK_MOST_MS / 1000
	               ? seconds * 1000
	               : 0;
}

int64_t alarm_times_first(const struct alarm_plan *plan, int64_t now_ms)
{
	struct timetable timetable;
	if (plan->cron.len == 0) {
		return now_ms + plan->every_ms;
	}
	return read_timetable(plan, &timetable, NULL) == 0 ? cron_after(&timetable, now_ms) : 0;
}

/* ---- the times that have come ---- */

struct overdue {
	int64_t last_ms; /* the latest of them */
	uint64_t count;  /* at least 1 */
};

static struct overdue overdue_of(const struct alarm_record *record,
                                 const struct timetable *timetable, int64_t now_ms)
{
	struct overdue overdue = {record->next_ms, 1};
	int64_t every = record->plan.every_ms;
	int64_t seconds;
	if (timetable == NULL) {
		overdue.count = (uint64_t)((now_ms - record->next_ms) / every) + 1;
		overdue.last_ms = record->next_ms + (int64_t)(overdue.count - 1) * every;
	} else if (cron_previous(&timetable->cron, timetable->zone, floor_seconds(now_ms) + 1,
	                         &seconds) &&
	           seconds * 1000 > record->next_ms) {
		overdue.last_ms = seconds * 1000;
		overdue.count = 1 + cron_count(&timetable->cron, timetable->zone,
		                               floor_seconds(record->next_ms), seconds, UINT32_MAX);
	}
	return overdue;
}

/* The first of the last `max` ones. */
static int64_t first_of_last(const struct alarm_record *record, const struct timetable *timetable,
                             const struct overdue *overdue)
{
	uint32_t max = record->plan.max;
	if (overdue->count <= max) {
		return record->next_ms;
	}
	if (timetable == NULL) {
		return overdue->last_ms - (int64_t)(max - 1) * record->plan.every_ms;
	}
	int64_t seconds = overdue->last_ms / 1000;
	for (uint32_t i = 1; i < max; i++) {
		(void)cron_previous(&timetable->cron, timetable->zone, seconds, &seconds);
	}
	return seconds * 1000;
}

static struct alarm_firing fire(const struct alarm_record *record,
                                const struct timetable *timetable, int64_t now_ms)
{
	const struct overdue overdue = overdue_of(record, timetable, now_ms);
	struct alarm_firing firing = {.scheduled_ms = overdue.last_ms, .missed = overdue.count - 1};
	if (record->plan.catch_up == CATCH_UP_ALL) {
		firing.scheduled_ms = first_of_last(record, timetable, &overdue);
		firing.missed =
		        overdue.count > record->plan.max ? overdue.count - record->plan.max : 0;
	}
	firing.is_left_out =
	        record->plan.catch_up == CATCH_UP_SKIP && now_ms - overdue.last_ms > ALARM_LATE_MS;
	firing.next_ms = timetable == NULL ? firing.scheduled_ms + record->plan.every_ms
	                                   : cron_after(timetable, firing.scheduled_ms);
	return firing;
}

struct alarm_firing alarm_times_fire(const struct alarm_record *record, int64_t now_ms)
{
	const struct alarm_firing once = {.scheduled_ms = record->next_ms};
	struct timetable timetable;
	struct err err;
	if (!alarm_plan_recurs(&record->plan)) {
		return once;
	}
	if (record->plan.cron.len == 0) {
		return fire(record, NULL, now_ms);
	}
	if (read_timetable(&record->plan, &timetable, &err) != 0) {
		/* The zone's file has gone since: this time is told of, and then no other. */
		log_error("alarm", "a recurring alarm ends: %s", err.text);
		return once;
	}
	return fire(record, &timetable, now_ms);
}
