/* This file tests cron expressions: how they are read, what is refused, looking ahead and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "base/cron_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE = 60, HOUR = 3600 };

/* 2026-01-01 00:00:00, a Thursday. */
#define NEW_YEAR INT64_C(1767225600)

static struct cron cron_of(const char *text)
{
	struct cron cron;
	struct err err = {0};
	if (cron_read(span_of(text), &cron, &err) != 0) {
		fail_msg("%s: %s", text, err.text);
	}
	return cron;
}

static const struct zone *zone_of(const char *name)
{
	const struct zone *zone = NULL;
	struct err err = {0};
	if (zone_get(span_of(name), &zone, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return zone;
}

static int64_t next_of(const char *text, const char *zone, int64_t after)
{
	struct cron cron = cron_of(text);
	int64_t at = 0;
	if (!cron_next(&cron, zone_of(zone), after, &at)) {
		fail_msg("%s never fires", text);
	}
	return at;
}

static uint64_t bits_of(const char *values)
{
	uint64_t bits = 0;
	for (char *rest = (char *)values; *rest != '\0';) {
		bits |= UINT64_C(1) << strtol(rest, &rest, 10);
		rest += *rest == ' ';
	}
	return bits;
}

static void a_field_is_a_set_of_values(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *minutes;
	} cases[] = {
	        {"0 * * * *", "0"},
	        {"59 * * * *", "59"},
	        {"05 * * * *", "5"},
	        {"1,2,3 * * * *", "1 2 3"},
	        {"3,1,3 * * * *", "1 3"},
	        {"10-13 * * * *", "10 11 12 13"},
	        {"7-7 * * * *", "7"},
	        {"*/20 * * * *", "0 20 40"},
	        {"*/60 * * * *", "0"},
	        {"*/59 * * * *", "0 59"},
	        {"3-30/7 * * * *", "3 10 17 24"},
	        {"50/3 * * * *", "50 53 56 59"},
	        {"59/2 * * * *", "59"},
	        {"0-10/5,20,*/30 * * * *", "0 5 10 20 30"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cron cron = cron_of(cases[i].text);
		assert_int_equal(cron.minutes, bits_of(cases[i].minutes));
		assert_int_equal(cron.seconds, 1);
		assert_int_equal(cron.hours, (1 << 24) - 1);
	}
}

static void days_and_months_have_names(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *same;
	} cases[] = {
	        {"0 0 * JAN *", "0 0 * 1 *"},
	        {"0 0 * jan-Mar,DEC *", "0 0 * 1-3,12 *"},
	        {"0 0 * FEB-DEC/3 *", "0 0 * 2,5,8,11 *"},
	        {"0 0 * * MON-FRI", "0 0 * * 1-5"},
	        {"0 0 * * SUN", "0 0 * * 0"},
	        {"0 0 * * 7", "0 0 * * 0"},
	        {"0 0 * * 0,7", "0 0 * * 0"},
	        {"0 0 * * FRI-SUN", "0 0 * * 0,5,6"},
	        {"0 0 * * 5-7", "0 0 * * 0,5,6"},
	        {"0 0 * * 5-0", "0 0 * * 0,5,6"},
	        {"0 0 * * SUN-TUE", "0 0 * * 0-2"},
	        {"0 0 * * */2", "0 0 * * 0,2,4,6"},
	        {"0 0 * * 1/3", "0 0 * * 1,4"},
	        {"0 0 * * FRIL", "0 0 * * 5#L"},
	        {"0 0 * * fri#l", "0 0 * * 5L"},
	        {"0 0 * * 7#2", "0 0 * * SUN#2"},
	        {"0 0 ? * MON", "0 0 * * MON"},
	        {"0 0 15 * ?", "0 0 15 * *"},
	        {"0 0 */1 * MON", "0 0 * * MON"},
	        {"0 0 l,lw * *", "0 0 L,LW * *"},
	        {"0 0 * * *", "0 0 0 * * *"},
	        {"\t0   0 * * *  ", "0 0 * * *"},
	        {"@yearly", "0 0 1 1 *"},
	        {"@annually", "0 0 1 1 *"},
	        {"@Monthly", "0 0 1 * *"},
	        {"@weekly", "0 0 * * 0"},
	        {" @daily ", "0 0 * * *"},
	        {"@midnight", "0 0 * * *"},
	        {"@hourly", "0 * * * *"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t at = NEW_YEAR;
		int64_t same = NEW_YEAR;
		for (int times = 0; times < 20; times++) {
			at = next_of(cases[i].text, "UTC", at);
			same = next_of(cases[i].same, "UTC", same);
			if (at != same) {
				fail_msg("%s is not %s", cases[i].text, cases[i].same);
			}
		}
	}
}

static void what_is_refused_says_why(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	        {"", "this one has 0"},
	        {"* * * *", "this one has 4"},
	        {"0 0 0 * * * 2030", "this one has 7 (there is none for the year)"},
	        {"60 * * * *", "the minute '60': 60 is not within 0 to 59"},
	        {"0 24 * * *", "the hour '24': 24 is not within 0 to 23"},
	        {"0 0 0 * *", "the day of the month '0': 0 is not within 1 to 31"},
	        {"0 0 32 * *", "32 is not within 1 to 31"},
	        {"0 0 * 13 *", "the month '13': 13 is not within 1 to 12"},
	        {"0 0 * 0 *", "the month '0': 0 is not within 1 to 12"},
	        {"0 0 * * 8", "the weekday '8': 8 is not within 0 to 7"},
	        {"99 * * * * *", "the second '99': 99 is not within 0 to 59"},
	        {"12345 * * * *", "the minute '12345' is not 0 to 59"},
	        {"-5 * * * *", "the minute '-5' is not 0 to 59"},
	        {"H * * * *", "the minute 'H' is not 0 to 59"},
	        {"? * * * *", "the minute '?' is not 0 to 59"},
	        {"5- * * * *", "the minute '5-' is not 0 to 59"},
	        {"1-2-3 * * * *", "the minute '1-2-3' is not understood from its '-3' on"},
	        {"1,,2 * * * *", "the minute '1,,2' has an empty place in its list"},
	        {"1, * * * *", "the minute '1,' has an empty place in its list"},
	        {"0 22-2 * * *", "the hour '22-2' runs backwards; write 22-23,0-2"},
	        {"0 0 * * FRI-MON", "the weekday 'FRI-MON' runs backwards; write 5-6,0-1"},
	        {"*/0 * * * *", "the minute '*/0' needs a step of 1 to 60 behind its '/'"},
	        {"*/61 * * * *", "the minute '*/61' needs a step of 1 to 60"},
	        {"0 */25 * * *", "the hour '*/25' needs a step of 1 to 24"},
	        {"0 0 * * */8", "the weekday '*/8' needs a step of 1 to 7"},
	        {"*/ * * * *", "needs a step of 1 to 60"},
	        {"/5 * * * *", "the minute '/5' is not 0 to 59"},
	        {"*/5/2 * * * *", "is not understood from its '/2' on"},
	        {"*5 * * * *", "the minute '*5' is not understood from its '5' on"},
	        {"0 0 * January *",
	         "the month 'January' is not 1 to 12 or JAN to DEC; do you mean JAN?"},
	        {"0 0 * JANL *", "do you mean JAN?"},
	        {"0 0 * * monday", "do you mean MON?"},
	        {"0 0 * MON *", "the month 'MON' is not 1 to 12 or JAN to DEC"},
	        {"0 0 L-3 * *", "the day of the month 'L-3' is not understood from its '-3' on"},
	        {"0 0 32W * *", "32 is not within 1 to 31"},
	        {"0 0 1-5W * *", "is not understood from its 'W' on"},
	        {"0 0 W * *", "the day of the month 'W' is not 1 to 31, L, LW"},
	        {"0 0 1#2 * *", "the day of the month '1#2' is not understood from its '#2' on"},
	        {"0 0 * * L", "the weekday 'L' is not 0 to 7 or SUN to SAT"},
	        {"0 0 * * 5#0", "the weekday '5#0' needs 1 to 5 or L behind its '#'"},
	        {"0 0 * * 5#6", "the weekday '5#6' needs 1 to 5 or L behind its '#'"},
	        {"0 0 * * 5#", "the weekday '5#' needs 1 to 5 or L behind its '#'"},
	        {"0 0 * * *#2", "the weekday '*#2' is not understood from its '#2' on"},
	        {"0 0 * * 5LL", "is not understood from its 'L' on"},
	        {"0 0 * * +", "the weekday '+' has an empty place in its list"},
	        {"0 0 30 2 *", "never fires"},
	        {"0 0 31 4,6,9,11 *", "never fires"},
	        {"0 0 31W FEB *", "never fires"},
	        {"0 0 8 * +MON#1", "never fires"},
	        {"@reboot", "'@reboot' is not supported"},
	        {"@every 5m", "there is no schedule '@every'; write @yearly,"},
	        {"@", "there is no schedule '@'"},
	        {"@daily 5", "'@daily' stands alone"},
	        {"TZ=UTC 0 0 * * *", "write that beside it, and leave 'TZ=UTC' out"},
	        {"0 0 * *\n*", "byte 8 of the cron expression"},
	        {"0 0 * * \xc3\xa9", "byte 9 of the cron expression"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cron cron = {.seconds = 77};
		struct err err = {0};
		int status = cron_read(span_of(cases[i].text), &cron, &err);
		if (status != E_INVALID && status != E_UNSUPPORTED) {
			fail_msg("%s is not refused", cases[i].text);
		}
		assert_string_equal(err.code, "invalid_cron");
		if (strstr(err.text, cases[i].why) == NULL) {
			fail_msg("%s: %s", cases[i].text, err.text);
		}
		assert_int_equal(cron.seconds, 77);
	}
}

static void a_text_has_a_most_length(void **state)
{
	(void)state;
	char text[CRON_TEXT_MAX + 2];
	memset(text, ' ', sizeof text);
	memcpy(text, "0 0 * * *", 9);
	struct cron cron;
	struct err err = {0};
	assert_int_equal(cron_read(span_make(text, CRON_TEXT_MAX), &cron, &err), 0);
	assert_int_equal(cron_read(span_make(text, CRON_TEXT_MAX + 1), &cron, &err), E_LIMIT);
	memset(text, '1', CRON_TEXT_MAX);
	assert_int_equal(cron_read(span_make(text, CRON_TEXT_MAX), &cron, &err), E_INVALID);
}

static void days_are_alternatives_or_both(void **state)
{
	(void)state;
	/* From Thursday, 1 January 2026 on. */
	assert_int_equal(next_of("0 0 13 * FRI", "UTC", NEW_YEAR), NEW_YEAR + CIVIL_DAY_SECONDS);
	assert_int_equal(next_of("0 0 13 * +FRI", "UTC", NEW_YEAR),
	                 NEW_YEAR + (31 + 12) * CIVIL_DAY_SECONDS);
	assert_int_equal(next_of("0 0 13 * +*", "UTC", NEW_YEAR),
	                 NEW_YEAR + 12 * CIVIL_DAY_SECONDS);
	/* A day field with a star and a step restricts: every odd day, and Mondays. */
	assert_int_equal(next_of("0 0 */2 * MON", "UTC", NEW_YEAR),
	                 NEW_YEAR + 2 * CIVIL_DAY_SECONDS);
}

static void rare_days_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct civil_date after;
		struct civil_date next;
	} cases[] = {
	        {"0 0 29 2 *", {2096, 2, 29}, {2104, 2, 29}},
	        {"0 0 29 2 +MON", {2096, 1, 1}, {2112, 2, 29}},
	        {"0 0 * 2 MON#5", {1880, 3, 1}, {1892, 2, 29}},
	        {"0 0 * 2 FRI#5", {1884, 2, 29}, {1924, 2, 29}},
	        {"0 0 29 2 +SAT", {1896, 2, 29}, {1908, 2, 29}},
	        {"0 0 1W 8 *", {2026, 1, 1}, {2026, 8, 3}},
	        {"0 0 31W 5 *", {2026, 1, 1}, {2026, 5, 29}},
	        {"0 0 LW 5 *", {2026, 1, 1}, {2026, 5, 29}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t at = next_of(cases[i].text, "UTC",
		                     civil_days(cases[i].after) * CIVIL_DAY_SECONDS);
		int second = 0;
		struct civil_date date = civil_date_of(civil_split(at, &second));
		if (date.year != cases[i].next.year || date.month != cases[i].next.month ||
		    date.day != cases[i].next.day) {
			fail_msg("%s: %lld-%d-%d", cases[i].text, (long long)date.year, date.month,
			         date.day);
		}
	}
}

/* The clocks of Berlin go from 02:00 to 03:00 on the last Sunday of March. */
static void intervals_in_a_gap_never_fire(void **state)
{
	(void)state;
	struct cron cron = cron_of("*/5 2 * 3 SUN#L");
	int64_t at = 0;
	const struct zone *zone = zone_of("Europe/Berlin");
	assert_false(cron_next(&cron, zone, NEW_YEAR, &at));
	/* In 1980 the summer began in April: 30 March had its 02:55. */
	assert_true(cron_previous(&cron, zone, NEW_YEAR - 30 * INT64_C(31556952), &at));
	assert_int_equal(at, INT64_C(323229300));
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR, INT64_C(1) << 40, 10), 0);
}

/* What is before is what comes next, and nothing lies between. */
static void back_is_the_way_ahead(void **state)
{
	(void)state;
	static const char *const texts[] = {
	        "* * * * * *",    "*/7 * * * *",    "30 2 * * *",        "0,30 1-3 * * *",
	        "*/30 0-3 * * *", "0 0 L * *",      "0 0 1 1 *",         "15 0 13 * +FRI",
	        "0 12 * * *",     "59 59 23 * * *", "30 23 * * SAT,SUN", "45 1 29 2 *",
	};
	static const char *const zones[] = {
	        "UTC",          "Europe/Berlin", "Australia/Lord_Howe", "America/Havana",
	        "Pacific/Apia", "America/Nuuk"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct cron cron = cron_of(texts[i]);
		for (size_t j = 0; j < sizeof zones / sizeof *zones; j++) {
			const struct zone *zone = zone_of(zones[j]);
			int64_t at =
			        INT64_C(1324900000); /* a few days before Apia leaves one out */
			for (int times = 0; times < 500; times++) {
				int64_t next = 0;
				int64_t back = 0;
				int64_t again = 0;
				assert_true(cron_next(&cron, zone, at, &next));
				assert_true(next > at);
				assert_true(cron_previous(&cron, zone, next + 1, &back));
				assert_int_equal(back, next);
				if (times > 0) {
					assert_true(cron_previous(&cron, zone, next, &back));
					assert_int_equal(back, at);
				}
				assert_true(cron_next(&cron, zone, next - 1, &again));
				assert_int_equal(again, next);
				at = next;
			}
		}
	}
}

static void times_are_counted_up_to_a_limit(void **state)
{
	(void)state;
	const struct zone *zone = zone_of("UTC");
	struct cron cron = cron_of("*/10 * * * *");
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR, NEW_YEAR, 100), 0);
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR, NEW_YEAR + 10 * MINUTE - 1, 100), 0);
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR, NEW_YEAR + 10 * MINUTE, 100), 1);
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR - 1, NEW_YEAR + HOUR, 100), 7);
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR, NEW_YEAR + HOUR, 5), 5);
	assert_int_equal(cron_count(&cron, zone, NEW_YEAR + HOUR, NEW_YEAR, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_field_is_a_set_of_values),
	        cmocka_unit_test(days_and_months_have_names),
	        cmocka_unit_test(what_is_refused_says_why),
	        cmocka_unit_test(a_text_has_a_most_length),
	        cmocka_unit_test(days_are_alternatives_or_both),
	        cmocka_unit_test(rare_days_are_found),
	        cmocka_unit_test(intervals_in_a_gap_never_fire),
	        cmocka_unit_test(back_is_the_way_ahead),
	        cmocka_unit_test(times_are_counted_up_to_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
