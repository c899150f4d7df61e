/* This file computes with days and dates by eras of 400 years, which all have the same days. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

/* The year is counted from March, so that the leap day is its last (Hinnant, "chrono-compatible
 * low-level date algorithms"). */
enum {
	ERA_YEARS = 400,
	ERA_DAYS = 146097,
	DAYS_TO_1970 = 719468 /* from the first of March of year 0 */
};

static int64_t divide_down(int64_t number, int64_t by)
{
	return (number < 0 ? number - by + 1 : number) / by;
}

/* Days from the first of March to the first of the month; March is 0. */
static int64_t days_before_month(int64_t month_from_march)
{
	return (153 * month_from_march + 2) / 5;
}

int64_t civil_days(struct civil_date date)
{
	int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t year = date.year - (date.month <= 2);
	int64_t era = divide_down(year, ERA_YEARS);
	int64_t year_of_era = year - era * ERA_YEARS;
	int64_t day_of_year = days_before_month(month) + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * ERA_DAYS + day_of_era - DAYS_TO_1970;
}

struct civil_date civil_date_of(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = divide_down(shifted, ERA_DAYS);
	int64_t day_of_era = shifted - era * ERA_DAYS;
	/* Without the leap days that came before it, every year has 365. */
	int64_t leap_days = day_of_era / 1460 - day_of_era / 36524 + day_of_era / 146096;
	int64_t year_of_era = (day_of_era - leap_days) / 365;
	int64_t day_of_year =
	        day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	return (struct civil_date){
	        .year = era * ERA_YEARS + year_of_era + (month >= 10),
	        .month = (int)(month < 10 ? month + 3 : month - 9),
	        .day = (int)(day_of_year - days_before_month(month) + 1),
	};
}

bool civil_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int64_t year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && civil_is_leap(year));
}

int civil_weekday(int64_t days)
{
	int64_t from_thursday = days - divide_down(days, 7) * 7;
	return (int)((from_thursday + 4) % 7);
}

int civil_day_of_year(struct civil_date date)
{
	struct civil_date first = {date.year, 1, 1};
	return (int)(civil_days(date) - civil_days(first));
}

bool civil_date_is_valid(struct civil_date date)
{
	return date.month >= 1 && date.month <= 12 && date.day >= 1 &&
	       date.day <= civil_month_days(date.year, date.month);
}

int64_t civil_split(int64_t unix_seconds, int *out_second)
{
	int64_t days = divide_down(unix_seconds, CIVIL_DAY_SECONDS);
	*out_second = (int)(unix_seconds - days * CIVIL_DAY_SECONDS);
	return days;
}
