/* This file holds the functions of timestamps and durations: making, arithmetic, parts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "base/zone.h"
#include "triggers/expr/moment_read.h"
#include "triggers/expr/overload.h"

/* Steps of the budget: a zone that is not kept is read from its file, and who asks for ever more of
 * them must not hold up the others. The same for one that is kept: what an evaluation may take does
 * not depend on what was asked before. */
enum { ZONE_STEPS = 50 };

static struct value make(enum value_tag tag, int64_t seconds, uint32_t nanos)
{
	return (struct value){.tag = (uint8_t)tag, .len = nanos, .as.i = seconds};
}

static struct value timestamp(int64_t seconds, uint32_t nanos)
{
	if (!moment_timestamp_fits(seconds)) {
		return value_error(ERROR_OVERFLOW, "a timestamp is from 0001-01-01 to 9999-12-31");
	}
	return make(VALUE_TIMESTAMP, seconds, nanos);
}

static struct value duration(int64_t seconds, uint32_t nanos)
{
	if (!moment_duration_fits(seconds, nanos)) {
		return value_error(ERROR_OVERFLOW, "a duration has at most 315576000000 seconds");
	}
	return make(VALUE_DURATION, seconds, nanos);
}

/* ---- making ---- */

static struct value same(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[0];
}

static struct value timestamp_of_int(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return timestamp(args[0].as.i, 0);
}

static struct value timestamp_of_string(struct allowance *allowance, struct value args[],
                                        size_t count)
{
	(void)allowance;
	(void)count;
	int64_t seconds = MOMENT_TIMESTAMP_MAX + 1;
	uint32_t nanos = 0;
	if (moment_read_timestamp(value_text(args[0]), &seconds, &nanos) == E_INVALID) {
		return value_error(ERROR_INVALID_ARGUMENT,
		                   "a timestamp is written like 2026-01-02T03:04:05Z");
	}
	return timestamp(seconds, nanos);
}

static struct value duration_of_string(struct allowance *allowance, struct value args[],
                                       size_t count)
{
	(void)count;
	if (!allowance_spend(allowance, args[0].len / 10)) {
		return allowance_error(allowance);
	}
	int64_t seconds = MOMENT_DURATION_MAX + 1;
	uint32_t nanos = 0;
	if (moment_read_duration(value_text(args[0]), &seconds, &nanos) == E_INVALID) {
		return value_error(ERROR_INVALID_ARGUMENT,
		                   "a duration is written like 1h30m or 1.5s");
	}
	return duration(seconds, nanos);
}

/* ---- arithmetic: none of the sums comes near the end of 64 bits ---- */

/* As a value has them. */
struct moment {
	int64_t seconds;
	uint32_t nanos;
};

static struct moment sum_of(struct value a, struct value b)
{
	uint32_t nanos = a.len + b.len;
	uint32_t carry = nanos >= MOMENT_SECOND_NANOS;
	return (struct moment){a.as.i + b.as.i + carry, nanos - carry * MOMENT_SECOND_NANOS};
}

static struct moment difference_of(struct value a, struct value b)
{
	uint32_t borrow = a.len < b.len;
	return (struct moment){a.as.i - b.as.i - borrow,
	                       a.len + borrow * MOMENT_SECOND_NANOS - b.len};
}

/* A duration and a timestamp, in either order. */
static struct value add_to_timestamp(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	struct moment sum = sum_of(args[0], args[1]);
	return timestamp(sum.seconds, sum.nanos);
}

static struct value add_durations(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	struct moment sum = sum_of(args[0], args[1]);
	return duration(sum.seconds, sum.nanos);
}

static struct value subtract_from_timestamp(struct allowance *allowance, struct value args[],
                                            size_t count)
{
	(void)allowance;
	(void)count;
	struct moment rest = difference_of(args[0], args[1]);
	return timestamp(rest.seconds, rest.nanos);
}

static struct value subtract_durations(struct allowance *allowance, struct value args[],
                                       size_t count)
{
	(void)allowance;
	(void)count;
	struct moment rest = difference_of(args[0], args[1]);
	return duration(rest.seconds, rest.nanos);
}

/* CEL's tests want the first and the last timestamp to be too far apart, though a duration could
 * say how far: a difference must fit 64 bits of nanoseconds, 292 years. */
static struct value subtract_timestamps(struct allowance *allowance, struct value args[],
                                        size_t count)
{
	(void)allowance;
	(void)count;
	const int64_t most_seconds = INT64_MAX / MOMENT_SECOND_NANOS;
	const uint32_t most_nanos = INT64_MAX % MOMENT_SECOND_NANOS;
	struct moment rest = difference_of(args[0], args[1]);
	bool is_too_late = rest.seconds > most_seconds ||
	                   (rest.seconds == most_seconds && rest.nanos > most_nanos);
	/* -2^63 is one more than 2^63 - 1, and rounded down to a second. */
	bool is_too_early = rest.seconds < -most_seconds - 1 ||
	                    (rest.seconds == -most_seconds - 1 &&
	                     rest.nanos < (uint32_t)MOMENT_SECOND_NANOS - most_nanos - 1);
	if (is_too_late || is_too_early) {
		return value_error(ERROR_OVERFLOW, "timestamps that are more than 292 years apart");
	}
	return duration(rest.seconds, rest.nanos);
}

/* ---- parts of a timestamp ---- */

/* What calendar and clocks show. */
struct shown {
	struct civil_date date;
	int64_t days;
	int second; /* of the day */
	uint32_t nanos;
};

/* "+05:30", "-08:00", "05:30" */
static bool read_offset(struct span text, int *out)
{
	bool is_behind = text.len != 0 && *text.ptr == '-';
	if (is_behind || (text.len != 0 && *text.ptr == '+')) {
		text = span_make(text.ptr + 1, text.len - 1);
	}
	if (text.len != 5 || text.ptr[2] != ':') {
		return false;
	}
	int digits[5] = {0};
	for (size_t i = 0; i < 5; i++) {
		digits[i] = text.ptr[i] - '0';
		if (i != 2 && (digits[i] < 0 || digits[i] > 9)) {
			return false;
		}
	}
	int hours = digits[0] * 10 + digits[1];
	int minutes = digits[3] * 10 + digits[4];
	*out = (is_behind ? -60 : 60) * (hours * 60 + minutes);
	return hours < 24 && minutes < 60;
}

static bool is_offset(struct span text)
{
	return text.len != 0 &&
	       (*text.ptr == '+' || *text.ptr == '-' || (*text.ptr >= '0' && *text.ptr <= '9'));
}

/* What clocks are ahead of UTC; E_* with the reason. */
static int find_offset(struct span zone_name, int64_t seconds, int *out, struct err *err)
{
	if (is_offset(zone_name)) {
		if (read_offset(zone_name, out)) {
			return 0;
		}
		int shown = zone_name.len > 16 ? 0 : (int)zone_name.len;
		return err_set(err, E_INVALID, "unknown_zone",
		               "there is no time zone \"%.*s\"; an offset is written like "
		               "\"+05:30\"",
		               shown, zone_name.ptr);
	}
	const struct zone *zone = NULL;
	bool is_dst = false;
	int status = zone_get(zone_name, &zone, err);
	if (status == 0) {
		zone_offset_at(zone, seconds, out, &is_dst);
	}
	return status;
}

/* args: timestamp[, zone]. VALUE_UNSET when all is well. */
static struct value show(struct allowance *allowance, const struct value args[], size_t count,
                         struct shown *out)
{
	int64_t seconds = args[0].as.i;
	int offset = 0;
	struct err err;
	if (!moment_timestamp_fits(seconds)) {
		return timestamp(seconds, 0);
	}
	if (count == 2 && !allowance_spend(allowance, ZONE_STEPS)) {
		return allowance_error(allowance);
	}
	if (count == 2 && find_offset(value_text(args[1]), seconds, &offset, &err) != 0) {
		struct span detail = arena_copy(&allowance->arena, span_of(err.text));
		return detail.ptr ? value_error(ERROR_INVALID_ARGUMENT, detail.ptr)
		                  : allowance_error(allowance);
	}
	out->days = civil_split(seconds + offset, &out->second);
	out->date = civil_date_of(out->days);
	out->nanos = args[0].len;
	return (struct value){0};
}

/* Name, function, what it gives of `shown`. */
#define TIMESTAMP_PARTS(X)                                                                         \
	X("getFullYear", get_full_year, shown.date.year)                                           \
	X("getMonth", get_month, shown.date.month - 1)                                             \
	X("getDate", get_date, shown.date.day)                                                     \
	X("getDayOfMonth", get_day_of_month, shown.date.day - 1)                                   \
	X("getDayOfWeek", get_day_of_week, civil_weekday(shown.days))                              \
	X("getDayOfYear", get_day_of_year, civil_day_of_year(shown.date))                          \
	X("getHours", get_hours, shown.second / 3600)                                              \
	X("getMinutes", get_minutes, shown.second / 60 % 60)                                       \
	X("getSeconds", get_seconds, shown.second % 60)                                            \
	X("getMilliseconds", get_milliseconds, shown.nanos / 1000000)

#define X(name, fn, part)                                                                          \
	static struct value fn(struct allowance *allowance, struct value args[], size_t count)     \
	{                                                                                          \
		struct shown shown;                                                                \
		struct value error = show(allowance, args, count, &shown);                         \
		return value_is_error(error) ? error : value_int(part);                            \
	}
TIMESTAMP_PARTS(X)
#undef X

/* ---- parts of a duration: all of it in that unit, but for milliseconds; towards zero ---- */

static int64_t whole_seconds(struct value duration_value)
{
	return duration_value.as.i + (duration_value.as.i < 0 && duration_value.len != 0);
}

static int64_t milliseconds_part(struct value duration_value)
{
	int64_t nanos = duration_value.len;
	if (duration_value.as.i < 0 && nanos != 0) {
		nanos -= MOMENT_SECOND_NANOS;
	}
	return nanos / 1000000;
}

#define DURATION_PARTS(X)                                                                          \
	X("getHours", count_hours, whole_seconds(args[0]) / 3600)                                  \
	X("getMinutes", count_minutes, whole_seconds(args[0]) / 60)                                \
	X("getSeconds", count_seconds, whole_seconds(args[0]))                                     \
	X("getMilliseconds", part_milliseconds, milliseconds_part(args[0]))

#define X(name, fn, part)                                                                          \
	static struct value fn(struct allowance *allowance, struct value args[], size_t count)     \
	{                                                                                          \
		(void)allowance;                                                                   \
		(void)count;                                                                       \
		return value_int(part);                                                            \
	}
DURATION_PARTS(X)
#undef X

/* ---- the table ---- */

#define TIMESTAMP_ROWS(name, fn, part)                                                             \
	{name, true, 1, false, {TAKES_TIMESTAMP}, TAKES_INT, fn},                                  \
	        {name, true, 2, false, {TAKES_TIMESTAMP, TAKES_STRING}, TAKES_INT, fn},
#define DURATION_ROW(name, fn, part) {name, true, 1, false, {TAKES_DURATION}, TAKES_INT, fn},

enum { POINT = TAKES_TIMESTAMP, LENGTH = TAKES_DURATION };

const struct overload overload_time[] = {
        {"timestamp", false, 1, false, {TAKES_STRING}, POINT, timestamp_of_string},
        {"timestamp", false, 1, false, {TAKES_INT}, POINT, timestamp_of_int},
        {"timestamp", false, 1, false, {POINT}, POINT, same},
        {"duration", false, 1, false, {TAKES_STRING}, LENGTH, duration_of_string},
        {"duration", false, 1, false, {LENGTH}, LENGTH, same},
        {"_+_", false, 2, false, {POINT, LENGTH}, POINT, add_to_timestamp},
        {"_+_", false, 2, false, {LENGTH, POINT}, POINT, add_to_timestamp},
        {"_+_", false, 2, false, {LENGTH, LENGTH}, LENGTH, add_durations},
        {"_-_", false, 2, false, {POINT, LENGTH}, POINT, subtract_from_timestamp},
        {"_-_", false, 2, false, {POINT, POINT}, LENGTH, subtract_timestamps},
        {"_-_", false, 2, false, {LENGTH, LENGTH}, LENGTH, subtract_durations},
        TIMESTAMP_PARTS(TIMESTAMP_ROWS) DURATION_PARTS(DURATION_ROW){0},
};
