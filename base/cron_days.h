/* This file finds the days of the calendar that a cron expression names. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRON_DAYS_H
#define BASE_CRON_DAYS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. What the day fields of one month mean depends on its length and on its first weekday
 * only: cron_days_in works that out as one bit for each day, and everything else looks at these
 * bits. A year is one of fourteen kinds (the weekday that it begins with, leap or not), so that
 * years in which nothing matches are passed over by one bit each, and days that never come are
 * known.
 *
 * Days of the month and weekdays are alternatives when both are restricted: the 13th, and every
 * Friday. With `needs_both` a day must be both: Friday the 13th.
 */

/* After so many years without a day there is none any more: 29 February on one weekday comes back
 * after 28 years, and after 40 where a century has no leap day. */
enum { CRON_YEARS_MAX = 40 };

enum {
	CRON_WEEK_LAST = 5, /* the bits before it: the first to the fifth such day of the month */
	CRON_WEEK_EVERY = 0x3f
};

struct cron_days {
	uint32_t in_month;   /* bits 1 to 31 */
	uint32_t nearest;    /* bits 1 to 31: the weekday, Monday to Friday, nearest to that day */
	uint16_t months;     /* bits 1 to 12 */
	uint16_t year_kinds; /* set by cron_days_finish */
	uint8_t weeks_of[7]; /* from Sunday: in which weeks of the month, 0 = not that weekday */
	bool last;           /* of the month */
	bool last_working;   /* the last Monday to Friday of the month */
	bool any_in_month;   /* the day of the month is not restricted */
	bool any_weekday;
	bool needs_both;
};

/* To be called when all else is set. False: no year has such a day. */
bool cron_days_finish(struct cron_days *days);

/* Bits 1 to 31; the month is one of `months` or not, that is not looked at. */
uint32_t cron_days_in(const struct cron_days *days, int64_t year, int month);

/* Days since 1970; false: none within CRON_YEARS_MAX years. */
bool cron_days_from(const struct cron_days *days, int64_t first, int64_t *out); /* >= first */
bool cron_days_until(const struct cron_days *days, int64_t last, int64_t *out); /* <= last */

#endif
