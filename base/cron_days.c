/* This file works out months as bits, one for each day. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cron_days.h"

#include "base/civil.h"

enum { SUNDAY = 0, FRIDAY = 5, SATURDAY = 6, WEEK = 7, DECEMBER = 12 };

/* Every kind of year is among the 28 from this one on. */
enum { CYCLE_FIRST = 2000, CYCLE_YEARS = 28 };

static uint32_t bit(int at)
{
	return UINT32_C(1) << at;
}

/* Bits 1 to `count`. */
static uint32_t bits_until(int count)
{
	return (uint32_t)((UINT64_C(2) << count) - 2);
}

static int lowest(uint32_t bits)
{
	return __builtin_ctz(bits);
}

static int highest(uint32_t bits)
{
	return 31 - __builtin_clz(bits);
}

static int weekday_of(int first_weekday, int day)
{
	return (first_weekday + day - 1) % WEEK;
}

/* ---- one month ---- */

/* Saturday gives way to Friday, Sunday to Monday, but never into another month. */
static int nearest_working(int day, int first_weekday, int count)
{
	int weekday = weekday_of(first_weekday, day);
	if (weekday == SATURDAY) {
		return day == 1 ? day + 2 : day - 1;
	}
	if (weekday == SUNDAY) {
		return day == count ? day - 2 : day + 1;
	}
	return day;
}

static int last_working(int first_weekday, int count)
{
	int weekday = weekday_of(first_weekday, count);
	return weekday == SUNDAY ? count - 2 : count - (weekday > FRIDAY);
}

static uint32_t by_day(const struct cron_days *days, int first_weekday, int count)
{
	uint32_t found = days->in_month;
	for (uint32_t left = days->nearest & bits_until(count); left != 0; left &= left - 1) {
		found |= bit(nearest_working(lowest(left), first_weekday, count));
	}
	if (days->last) {
		found |= bit(count);
	}
	if (days->last_working) {
		found |= bit(last_working(first_weekday, count));
	}
	return found;
}

static uint32_t by_weekday(const struct cron_days *days, int first_weekday, int count)
{
	uint32_t found = 0;
	for (int weekday = 0; weekday < WEEK; weekday++) {
		uint32_t weeks = days->weeks_of[weekday];
		int day = 1 + (weekday - first_weekday + WEEK) % WEEK;
		for (int week = 0; weeks != 0 && day <= count; week++, day += WEEK) {
			bool is_last = day + WEEK > count && (weeks & bit(CRON_WEEK_LAST)) != 0;
			if (is_last || (weeks & bit(week)) != 0) {
				found |= bit(day);
			}
		}
	}
	return found;
}

uint32_t cron_days_in(const struct cron_days *days, int64_t year, int month)
{
	int count = civil_month_days(year, month);
	uint32_t all = bits_until(count);
	int first_weekday = civil_weekday(civil_days((struct civil_date){year, month, 1}));
	uint32_t in_month = days->any_in_month ? all : by_day(days, first_weekday, count) & all;
	uint32_t in_week = days->any_weekday ? all : by_weekday(days, first_weekday, count);
	bool is_either = !days->any_in_month && !days->any_weekday && !days->needs_both;
	return is_either ? in_month | in_week : in_month & in_week;
}

/* ---- years ---- */

static int kind_of(int64_t year)
{
	int first_weekday = civil_weekday(civil_days((struct civil_date){year, 1, 1}));
	return first_weekday + (civil_is_leap(year) ? WEEK : 0);
}

static bool has_day_in(const struct cron_days *days, int64_t year)
{
	uint32_t months = days->months;
	while (months != 0 && cron_days_in(days, year, lowest(months)) == 0) {
		months &= months - 1;
	}
	return months != 0;
}

bool cron_days_finish(struct cron_days *days)
{
	uint32_t kinds = 0;
	for (int year = CYCLE_FIRST; year < CYCLE_FIRST + CYCLE_YEARS; year++) {
		kinds |= has_day_in(days, year) ? bit(kind_of(year)) : 0;
	}
	days->year_kinds = (uint16_t)kinds;
	return kinds != 0;
}

static bool year_matches(const struct cron_days *days, int64_t year)
{
	return (days->year_kinds & bit(kind_of(year))) != 0;
}

/* ---- looking ahead and back ---- */

static bool in_year_from(const struct cron_days *days, struct civil_date first, int64_t *out)
{
	uint32_t months = days->months & ~bits_until(first.month - 1);
	for (; months != 0; months &= months - 1) {
		int month = lowest(months);
		uint32_t found = cron_days_in(days, first.year, month);
		if (month == first.month) {
			found &= ~bits_until(first.day - 1);
		}
		if (found != 0) {
			*out = civil_days((struct civil_date){first.year, month, lowest(found)});
			return true;
		}
	}
	return false;
}

static bool in_year_until(const struct cron_days *days, struct civil_date last, int64_t *out)
{
	uint32_t months = days->months & bits_until(last.month);
	for (; months != 0; months &= ~bit(highest(months))) {
		int month = highest(months);
		uint32_t found = cron_days_in(days, last.year, month);
		if (month == last.month) {
			found &= bits_until(last.day);
		}
		if (found != 0) {
			*out = civil_days((struct civil_date){last.year, month, highest(found)});
			return true;
		}
	}
	return false;
}

bool cron_days_from(const struct cron_days *days, int64_t first, int64_t *out)
{
	struct civil_date date = civil_date_of(first);
	for (int64_t end = date.year + CRON_YEARS_MAX; date.year <= end; date.year++) {
		if (year_matches(days, date.year) && in_year_from(days, date, out)) {
			return true;
		}
		date.month = 1;
		date.day = 1;
	}
	return false;
}

bool cron_days_until(const struct cron_days *days, int64_t last, int64_t *out)
{
	struct civil_date date = civil_date_of(last);
	for (int64_t end = date.year - CRON_YEARS_MAX; date.year >= end; date.year--) {
		if (year_matches(days, date.year) && in_year_until(days, date, out)) {
			return true;
		}
		date.month = DECEMBER;
		date.day = 31;
	}
	return false;
}
