/* This file reads TZ strings and finds the days on which they change the clocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone_rule.h"

#include "base/civil.h"

enum { HOUR_SECONDS = 3600, MINUTE_SECONDS = 60, RULE_HOURS_MAX = 167, OFFSET_HOURS_MAX = 24 };

/* ---- reading: each takes what it knows off the front of `text` ---- */

static bool take(struct span *text, char wanted)
{
	if (text->len == 0 || *text->ptr != wanted) {
		return false;
	}
	*text = span_make(text->ptr + 1, text->len - 1);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_number(struct span *text, int least, int most, int *out)
{
	int number = 0;
	size_t len = 0;
	for (; len < text->len && len < 3 && is_digit(text->ptr[len]); len++) {
		number = number * 10 + (text->ptr[len] - '0');
	}
	if (len == 0 || number < least || number > most) {
		return false;
	}
	*text = span_make(text->ptr + len, text->len - len);
	*out = number;
	return true;
}

/* Three letters or more, or anything like "<-0330>". */
static bool take_name(struct span *text)
{
	size_t len = 0;
	bool is_quoted = take(text, '<');
	for (; len < text->len; len++) {
		char c = text->ptr[len];
		bool is_sign_or_digit = is_digit(c) || c == '+' || c == '-';
		if (!is_letter(c) && !(is_quoted && is_sign_or_digit)) {
			break;
		}
	}
	*text = span_make(text->ptr + len, text->len - len);
	return len >= 3 && (!is_quoted || take(text, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct span *text, int hours_max, int *out)
{
	int hours = 0;
	int minutes = 0;
	int seconds = 0;
	bool is_negative = take(text, '-');
	if (!is_negative) {
		(void)take(text, '+');
	}
	if (!take_number(text, 0, hours_max, &hours) ||
	    (take(text, ':') && (!take_number(text, 0, 59, &minutes) ||
	                         (take(text, ':') && !take_number(text, 0, 59, &seconds))))) {
		return false;
	}
	int time = hours * HOUR_SECONDS + minutes * MINUTE_SECONDS + seconds;
	*out = is_negative ? -time : time;
	return true;
}

static bool take_day(struct span *text, struct zone_day *out)
{
	struct zone_day day = {.kind = ZONE_DAY_OF_YEAR, .second = 2 * HOUR_SECONDS};
	bool is_good = false;
	if (take(text, 'M')) {
		day.kind = ZONE_DAY_OF_MONTH;
		is_good = take_number(text, 1, 12, &day.month) && take(text, '.') &&
		          take_number(text, 1, 5, &day.week) && take(text, '.') &&
		          take_number(text, 0, 6, &day.day);
	} else if (take(text, 'J')) {
		day.kind = ZONE_DAY_JULIAN;
		is_good = take_number(text, 1, 365, &day.day);
	} else {
		is_good = take_number(text, 0, 365, &day.day);
	}
	if (!is_good || (take(text, '/') && !take_time(text, RULE_HOURS_MAX, &day.second))) {
		return false;
	}
	*out = day;
	return true;
}

/* The summer half: its name, [its offset], the days. */
static bool take_dst(struct span *text, struct zone_rule *rule)
{
	rule->has_dst = true;
	rule->dst_offset = rule->offset + HOUR_SECONDS;
	if (!take_name(text)) {
		return false;
	}
	if (text->len != 0 && *text->ptr != ',') {
		int west = 0;
		if (!take_time(text, OFFSET_HOURS_MAX, &west)) {
			return false;
		}
		rule->dst_offset = -west;
	}
	return take(text, ',') && take_day(text, &rule->dst_from) && take(text, ',') &&
	       take_day(text, &rule->dst_until);
}

bool zone_rule_read(struct span text, struct zone_rule *out)
{
	struct zone_rule rule = {0};
	int west = 0;
	if (!take_name(&text) || !take_time(&text, OFFSET_HOURS_MAX, &west)) {
		return false;
	}
	rule.offset = -west;
	if (text.len != 0 && !take_dst(&text, &rule)) {
		return false;
	}
	if (text.len != 0) {
		return false;
	}
	*out = rule;
	return true;
}

/* ---- using ---- */

static int64_t day_in(const struct zone_day *day, int64_t year)
{
	if (day->kind != ZONE_DAY_OF_MONTH) {
		bool skips_leap_day =
		        day->kind == ZONE_DAY_JULIAN && day->day >= 60 && civil_is_leap(year);
		int from_first = day->day - (day->kind == ZONE_DAY_JULIAN) + skips_leap_day;
		return civil_days((struct civil_date){year, 1, 1}) + from_first;
	}
	int64_t first = civil_days((struct civil_date){year, day->month, 1});
	int in_month = (day->day - civil_weekday(first) + 7) % 7 + (day->week - 1) * 7;
	if (in_month >= civil_month_days(year, day->month)) {
		in_month -= 7;
	}
	return first + in_month;
}

/* When the clocks, which go by `offset` until then, are changed that year. */
static int64_t instant_in(const struct zone_day *day, int offset, int64_t year)
{
	return day_in(day, year) * CIVIL_DAY_SECONDS + day->second - offset;
}

/* Of the beginning and the end at one instant the beginning counts: that is how a summer time that
 * lasts the whole year is spelled. */
static void narrow(struct zone_stretch *stretch, int64_t at, int64_t unix_seconds, int offset,
                   bool is_dst)
{
	if (at > unix_seconds) {
		stretch->until = at < stretch->until ? at : stretch->until;
	} else if (at > stretch->from || (at == stretch->from && is_dst)) {
		stretch->from = at;
		stretch->offset = offset;
		stretch->is_dst = is_dst;
	}
}

/* Of the two changes of a year, how many are over. */
static int narrow_by_year(struct zone_stretch *stretch, const struct zone_rule *rule, int64_t year,
                          int64_t unix_seconds)
{
	int64_t begins = instant_in(&rule->dst_from, rule->offset, year);
	int64_t ends = instant_in(&rule->dst_until, rule->dst_offset, year);
	narrow(stretch, begins, unix_seconds, rule->dst_offset, true);
	narrow(stretch, ends, unix_seconds, rule->offset, false);
	return (begins <= unix_seconds) + (ends <= unix_seconds);
}

/* A change may lie a week outside of its year: so back to a year whose changes are over, and on to
 * one whose changes are all to come. */
struct zone_stretch zone_rule_stretch(const struct zone_rule *rule, int64_t unix_seconds)
{
	struct zone_stretch stretch = {INT64_MIN, INT64_MAX, rule->offset, false};
	if (!rule->has_dst) {
		return stretch;
	}
	int second = 0;
	int64_t year = civil_date_of(civil_split(unix_seconds + rule->offset, &second)).year;
	int64_t before = year;
	while (narrow_by_year(&stretch, rule, before, unix_seconds) < 2) {
		before--;
	}
	int64_t behind = year + 1;
	while (narrow_by_year(&stretch, rule, behind, unix_seconds) > 0) {
		behind++;
	}
	return stretch;
}
