/* This file tests the calendar. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_day_of_eight_hundred_years_follows_the_one_before(void **state)
{
	(void)state;
	struct civil_date date = {-401, 12, 31};
	int64_t day = civil_days(date);
	int weekday = civil_weekday(day);
	int of_year = 364;
	while (date.year < 401) {
		bool is_last = date.day == civil_month_days(date.year, date.month);
		bool is_new_year = is_last && date.month == 12;
		struct civil_date next = {date.year, date.month, date.day + 1};
		if (is_last) {
			next = (struct civil_date){date.year + is_new_year,
			                           is_new_year ? 1 : date.month + 1, 1};
		}
		weekday = (weekday + 1) % 7;
		of_year = is_new_year ? 0 : of_year + 1;
		date = next;
		day++;
		struct civil_date found = civil_date_of(day);
		assert_int_equal(found.year, date.year);
		assert_int_equal(found.month, date.month);
		assert_int_equal(found.day, date.day);
		assert_int_equal(civil_days(date), day);
		assert_int_equal(civil_weekday(day), weekday);
		assert_int_equal(civil_day_of_year(date), of_year);
		assert_true(civil_date_is_valid(date));
	}
}

static void days_that_everybody_knows(void **state)
{
	(void)state;
	static const struct {
		struct civil_date date;
		int64_t day;
		int weekday;
		int of_year;
	} days[] = {
	        {{1970, 1, 1}, 0, 4, 0},       {{1969, 12, 31}, -1, 3, 364},
	        {{2000, 2, 29}, 11016, 2, 59}, {{2026, 1, 2}, 20455, 5, 1},
	        {{1, 1, 1}, -719162, 1, 0},    {{9999, 12, 31}, 2932896, 5, 364},
	        {{1900, 3, 1}, -25508, 4, 59}, {{2024, 12, 31}, 20088, 2, 365},
	        {{-1, 3, 1}, -719834, 1, 59},
	};
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		assert_int_equal(civil_days(days[i].date), days[i].day);
		assert_int_equal(civil_weekday(days[i].day), days[i].weekday);
		assert_int_equal(civil_day_of_year(days[i].date), days[i].of_year);
	}
}

static void a_date_that_no_calendar_has_is_told(void **state)
{
	(void)state;
	static const struct civil_date dates[] = {
	        {2025, 2, 29}, {1900, 2, 29}, {2025, 4, 31}, {2025, 0, 1},
	        {2025, 13, 1}, {2025, 1, 0},  {2025, 1, 32},
	};
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		assert_false(civil_date_is_valid(dates[i]));
	}
	assert_true(civil_date_is_valid((struct civil_date){2000, 2, 29}));
}

static void seconds_before_1970_are_rounded_down(void **state)
{
	(void)state;
	int second = 0;
	assert_int_equal(civil_split(0, &second), 0);
	assert_int_equal(second, 0);
	assert_int_equal(civil_split(-1, &second), -1);
	assert_int_equal(second, 86399);
	assert_int_equal(civil_split(-86400, &second), -1);
	assert_int_equal(second, 0);
	assert_int_equal(civil_split(86401, &second), 1);
	assert_int_equal(second, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_day_of_eight_hundred_years_follows_the_one_before),
	        cmocka_unit_test(days_that_everybody_knows),
	        cmocka_unit_test(a_date_that_no_calendar_has_is_told),
	        cmocka_unit_test(seconds_before_1970_are_rounded_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
