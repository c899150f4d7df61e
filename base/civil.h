/* This file turns days since 1970 into dates of the Gregorian calendar, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The calendar of today, also before it was invented; year 0 is 1 BC. Days count from
 * 1970-01-01. Nothing here knows zones or leap seconds. Right for every year from -1,000,000 to
 * 1,000,000; whoever takes dates from outside checks them first.
 */
enum { CIVIL_DAY_SECONDS = 86400 };

struct civil_date {
	int64_t year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

int64_t civil_days(struct civil_date date);
struct civil_date civil_date_of(int64_t days);

bool civil_is_leap(int64_t year);
int civil_month_days(int64_t year, int month);    /* 28 to 31 */
int civil_weekday(int64_t days);                  /* 0 is Sunday */
int civil_day_of_year(struct civil_date date);    /* 0 is the first of January */
bool civil_date_is_valid(struct civil_date date); /* the month has that day */

/* The day that holds the second, the second of the day (0 to 86399): rounded down before 1970 too.
 */
int64_t civil_split(int64_t unix_seconds, int *out_second);

#endif
