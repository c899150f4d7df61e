/* This file searches times of the day, and turns what clocks show into instants. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cron.h"

#include "base/civil.h"

enum { HOUR_SECONDS = 3600, MINUTE_SECONDS = 60, NONE = -1 };

#define YEARS_MAX_SECONDS (INT64_C(31556952) * CRON_YEARS_MAX)

/* ---- bits: 0 <= at < 64 ---- */

static int bit_from(uint64_t bits, int at)
{
	uint64_t left = bits >> at << at;
	return left != 0 ? __builtin_ctzll(left) : NONE;
}

static int bit_until(uint64_t bits, int at)
{
	uint64_t left = bits << (63 - at);
	return left != 0 ? at - __builtin_clzll(left) : NONE;
}

static int first_bit(uint64_t bits)
{
	return bit_from(bits, 0);
}

static int last_bit(uint64_t bits)
{
	return bit_until(bits, 63);
}

static bool has_bit(uint64_t bits, int at)
{
	return (bits >> at & 1) != 0;
}

/* ---- times of a day, as seconds of it ---- */

static int time_of(int hour, int minute, int second)
{
	return hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second;
}

static int first_time(const struct cron *cron)
{
	return time_of(first_bit(cron->hours), first_bit(cron->minutes), first_bit(cron->seconds));
}

static int last_time(const struct cron *cron)
{
	return time_of(last_bit(cron->hours), last_bit(cron->minutes), last_bit(cron->seconds));
}

/* The first one that is not before `time`; NONE: that is another day. */
static int time_from(const struct cron *cron, int time)
{
	int hour = time / HOUR_SECONDS;
	int minute = time / MINUTE_SECONDS % 60;
	if (has_bit(cron->hours, hour)) {
		int second = bit_from(cron->seconds, time % MINUTE_SECONDS);
		if (second != NONE && has_bit(cron->minutes, minute)) {
			return time_of(hour, minute, second);
		}
		minute = bit_from(cron->minutes, minute + 1);
		if (minute != NONE) {
			return time_of(hour, minute, first_bit(cron->seconds));
		}
	}
	hour = bit_from(cron->hours, hour + 1);
	return hour == NONE ? NONE
	                    : time_of(hour, first_bit(cron->minutes), first_bit(cron->seconds));
}

/* The last one that is not behind `time`. */
static int time_until(const struct cron *cron, int time)
{
	int hour = time / HOUR_SECONDS;
	int minute = time / MINUTE_SECONDS % 60;
	if (has_bit(cron->hours, hour)) {
		int second = bit_until(cron->seconds, time % MINUTE_SECONDS);
		if (second != NONE && has_bit(cron->minutes, minute)) {
			return time_of(hour, minute, second);
		}
		minute = minute == 0 ? NONE : bit_until(cron->minutes, minute - 1);
		if (minute != NONE) {
			return time_of(hour, minute, last_bit(cron->seconds));
		}
	}
	hour = hour == 0 ? NONE : bit_until(cron->hours, hour - 1);
	return hour == NONE ? NONE
	                    : time_of(hour, last_bit(cron->minutes), last_bit(cron->seconds));
}

/* ---- local times, as the seconds that they would be in UTC ---- */

static bool local_from(const struct cron *cron, int64_t local, int64_t *out)
{
	int second = 0;
	int64_t day = civil_split(local, &second);
	int64_t found = 0;
	if (!cron_days_from(&cron->days, day, &found)) {
		return false;
	}
	int time = found == day ? time_from(cron, second) : first_time(cron);
	if (time == NONE) {
		if (!cron_days_from(&cron->days, day + 1, &found)) {
			return false;
		}
		time = first_time(cron);
	}
	*out = found * CIVIL_DAY_SECONDS + time;
	return true;
}

static bool local_until(const struct cron *cron, int64_t local, int64_t *out)
{
	int second = 0;
	int64_t day = civil_split(local, &second);
	int64_t found = 0;
	if (!cron_days_until(&cron->days, day, &found)) {
		return false;
	}
	int time = found == day ? time_until(cron, second) : last_time(cron);
	if (time == NONE) {
		if (!cron_days_until(&cron->days, day - 1, &found)) {
			return false;
		}
		time = last_time(cron);
	}
	*out = found * CIVIL_DAY_SECONDS + time;
	return true;
}

/* ---- fixed times ---- */

/* The latest time that the clocks have shown until then, that instant included. What was shown
 * before can be later only if clocks were put back in the meantime, and not long ago. */
static int64_t latest_shown(const struct zone *zone, int64_t at)
{
	struct zone_stretch stretch = zone_stretch_at(zone, at);
	int64_t latest = at + stretch.offset;
	while (stretch.from > at - INT64_C(2) * ZONE_OFFSET_MAX) {
		int64_t end = stretch.from - 1;
		stretch = zone_stretch_at(zone, end);
		latest = end + stretch.offset > latest ? end + stretch.offset : latest;
	}
	return latest;
}

/* The first instant at which the clocks show that time or a later one. */
static int64_t first_shown(const struct zone *zone, int64_t local)
{
	struct zone_stretch stretch = zone_stretch_at(zone, local - ZONE_OFFSET_MAX);
	while (local - stretch.offset >= stretch.until) {
		stretch = zone_stretch_at(zone, stretch.until);
	}
	int64_t instant = local - stretch.offset;
	return instant > stretch.from ? instant : stretch.from;
}

static int64_t day_begin(int64_t local)
{
	int second = 0;
	return civil_split(local, &second) * CIVIL_DAY_SECONDS;
}

/* At `instant` the clocks first show `local` or a later time: is it as if that day had not been? */
static bool day_is_left_out(const struct zone *zone, int64_t local, int64_t instant)
{
	int64_t shown = instant + zone_stretch_at(zone, instant).offset;
	int64_t day = day_begin(local);
	return shown >= day + CIVIL_DAY_SECONDS && first_shown(zone, day) == instant;
}

static bool next_fixed(const struct cron *cron, const struct zone *zone, int64_t after,
                       int64_t *out)
{
	int64_t local = latest_shown(zone, after) + 1;
	while (local_from(cron, local, &local)) {
		int64_t instant = first_shown(zone, local);
		if (!day_is_left_out(zone, local, instant)) {
			*out = instant;
			return true;
		}
		local = day_begin(local) + CIVIL_DAY_SECONDS;
	}
	return false;
}

static bool previous_fixed(const struct cron *cron, const struct zone *zone, int64_t before,
                           int64_t *out)
{
	int64_t local = latest_shown(zone, before - 1);
	while (local_until(cron, local, &local)) {
		int64_t instant = first_shown(zone, local);
		if (!day_is_left_out(zone, local, instant)) {
			*out = instant;
			return true;
		}
		local = day_begin(local) - 1;
	}
	return false;
}

/* ---- intervals: in each stretch of the zone the clocks just go on ---- */

static bool next_interval(const struct cron *cron, const struct zone *zone, int64_t after,
                          int64_t *out)
{
	int64_t end = after + YEARS_MAX_SECONDS;
	int64_t local = 0;
	for (int64_t at = after + 1; at <= end;) {
		struct zone_stretch stretch = zone_stretch_at(zone, at);
		if (!local_from(cron, at + stretch.offset, &local)) {
			return false;
		}
		if (local - stretch.offset < stretch.until) {
			*out = local - stretch.offset;
			return true;
		}
		at = stretch.until;
	}
	return false;
}

static bool previous_interval(const struct cron *cron, const struct zone *zone, int64_t before,
                              int64_t *out)
{
	int64_t end = before - YEARS_MAX_SECONDS;
	int64_t local = 0;
	for (int64_t at = before - 1; at >= end;) {
		struct zone_stretch stretch = zone_stretch_at(zone, at);
		if (!local_until(cron, at + stretch.offset, &local)) {
			return false;
		}
		if (local - stretch.offset >= stretch.from) {
			*out = local - stretch.offset;
			return true;
		}
		at = stretch.from - 1;
	}
	return false;
}

/* ---- both ---- */

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after, int64_t *out)
{
	PRE(after >= -CRON_SECONDS_MAX && after <= CRON_SECONDS_MAX);
	return cron->is_fixed ? next_fixed(cron, zone, after, out)
	                      : next_interval(cron, zone, after, out);
}

bool cron_previous(const struct cron *cron, const struct zone *zone, int64_t before, int64_t *out)
{
	PRE(before >= -CRON_SECONDS_MAX && before <= CRON_SECONDS_MAX);
	return cron->is_fixed ? previous_fixed(cron, zone, before, out)
	                      : previous_interval(cron, zone, before, out);
}

uint64_t cron_count(const struct cron *cron, const struct zone *zone, int64_t after, int64_t until,
                    uint64_t most)
{
	uint64_t count = 0;
	while (count < most && cron_next(cron, zone, after, &after) && after <= until) {
		count++;
	}
	return count;
}
