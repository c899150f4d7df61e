/* This file tests the functions of timestamps and durations. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "triggers/expr/moment.h"
#include "triggers/expr/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct allowance allowance;

static int start(void **state)
{
	(void)state;
	allowance = (struct allowance){.arena = {.limit = 1 << 20}, .budget = 100000};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(&allowance.arena);
	return 0;
}

/* As the evaluation does: the first row that takes these types. */
static struct value call(const char *name, size_t count, struct value a, struct value b)
{
	struct value args[2] = {a, b};
	for (const struct overload *row = overload_time; row->name != NULL; row++) {
		bool takes = strcmp(row->name, name) == 0 && row->count == count &&
		             row->takes[0] & (1u << a.tag) &&
		             (count == 1 || row->takes[1] & (1u << b.tag));
		if (takes) {
			struct value result = row->fn(&allowance, args, count);
			assert_true(value_is_error(result) || row->gives == 1u << result.tag);
			return result;
		}
	}
	return value_error(ERROR_NO_SUCH_OVERLOAD, NULL);
}

static struct value text_value(const char *text)
{
	return value_string(span_of(text));
}

static struct value make(const char *kind, const char *text)
{
	return call(kind, 1, text_value(text), value_null());
}

static struct value timestamp(const char *text)
{
	return make("timestamp", text);
}

static struct value duration(const char *text)
{
	return make("duration", text);
}

static const char *const error_words[] = {"none",
#define X(name, word, text) word,
                                          VALUE_ERRORS(X)
#undef X
};

/* Its text, or the word of its error: until the next call. */
static const char *shown(struct value value)
{
	static char text[64];
	struct buf out = {0};
	if (value_is_error(value)) {
		return error_words[value.code];
	}
	if (value.tag == VALUE_TIMESTAMP) {
		moment_write_timestamp(value.as.i, value.len, &out);
	} else if (value.tag == VALUE_DURATION) {
		moment_write_duration(value.as.i, value.len, &out);
	} else {
		assert_int_equal(value.tag, VALUE_INT);
		buf_int(&out, value.as.i);
	}
	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(buf_view(&out)));
	buf_free(&out);
	return text;
}

struct spelling {
	const char *from;
	const char *to;
};

static void check(const char *kind, const struct spelling *spellings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *to = shown(make(kind, spellings[i].from));
		if (strcmp(to, spellings[i].to) != 0) {
			fail_msg("%s(\"%s\") is %s, not %s", kind, spellings[i].from, to,
			         spellings[i].to);
		}
	}
}

static void timestamps_are_read(void **state)
{
	(void)state;
	static const struct spelling spellings[] = {
	        {"2009-02-13T23:31:30Z", "2009-02-13T23:31:30Z"},
	        {"2009-02-13t23:31:30z", "2009-02-13T23:31:30Z"},
	        {"2009-02-13T23:31:30.5Z", "2009-02-13T23:31:30.5Z"},
	        {"2009-02-13T23:31:30.000000001Z", "2009-02-13T23:31:30.000000001Z"},
	        {"2023-02-03T23:31:20+00:00", "2023-02-03T23:31:20Z"},
	        {"2009-02-13T23:31:30+05:30", "2009-02-13T18:01:30Z"},
	        {"2009-02-13T23:31:30-08:00", "2009-02-14T07:31:30Z"},
	        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
	        {"1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.9Z"},
	        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	        {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"},
	        {"0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00Z"},
	        {"0000-12-31T23:59:59Z", "overflow"},
	        {"0001-01-01T00:00:00+00:01", "overflow"},
	        {"9999-12-31T23:59:59-00:01", "overflow"},
	        {"0000-01-01T00:00:00Z", "overflow"},
	};
	check("timestamp", spellings, sizeof spellings / sizeof *spellings);
	static const char *const bad[] = {
	        "",
	        "2009-02-13",
	        "2009-02-13 23:31:30Z",
	        "2009-02-13T23:31:30",
	        "2009-02-13T23:31Z",
	        "2009-2-13T23:31:30Z",
	        "2009-02-13T23:31:30.Z",
	        "2009-02-13T23:31:30.1234567890Z",
	        "2009-02-13T23:31:30,5Z",
	        "2009-02-13T23:31:30ZZ",
	        "2009-02-13T23:31:30Z ",
	        " 2009-02-13T23:31:30Z",
	        "2009-02-13T24:00:00Z",
	        "2009-02-13T23:60:30Z",
	        "2009-02-13T23:31:60Z",
	        "2009-02-29T00:00:00Z",
	        "2009-00-13T23:31:30Z",
	        "2009-13-13T23:31:30Z",
	        "2009-02-00T23:31:30Z",
	        "10000-01-01T00:00:00Z",
	        "-2009-02-13T23:31:30Z",
	        "2009-02-13T23:31:30+5:30",
	        "2009-02-13T23:31:30+0530",
	        "2009-02-13T23:31:30+24:00",
	        "2009-02-13T23:31:30+05:60",
	        "2009-02-13T23:31:30+05",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct spelling spelling = {bad[i], "invalid_argument"};
		check("timestamp", &spelling, 1);
	}
}

static void timestamps_are_made_of_seconds(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
	        {0, "1970-01-01T00:00:00Z"},
	        {1234567890, "2009-02-13T23:31:30Z"},
	        {-62135596800, "0001-01-01T00:00:00Z"},
	        {253402300799, "9999-12-31T23:59:59Z"},
	        {-62135596801, "overflow"},
	        {253402300800, "overflow"},
	        {INT64_MIN, "overflow"},
	        {INT64_MAX, "overflow"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct value value =
		        call("timestamp", 1, value_int(cases[i].seconds), value_null());
		assert_string_equal(shown(value), cases[i].text);
	}
	struct value same = call("timestamp", 1, timestamp("2009-02-13T23:31:30.5Z"), value_null());
	assert_string_equal(shown(same), "2009-02-13T23:31:30.5Z");
	same = call("duration", 1, duration("-1.5s"), value_null());
	assert_string_equal(shown(same), "-1.5s");
}

static void durations_are_read(void **state)
{
	(void)state;
	static const struct spelling spellings[] = {
	        {"0", "0s"},
	        {"-0", "0s"},
	        {"0s", "0s"},
	        {"1h30m", "5400s"},
	        {"-1.5s", "-1.5s"},
	        {"+1.5s", "1.5s"},
	        {"100ms", "0.1s"},
	        {"-100ms", "-0.1s"},
	        {"1us", "0.000001s"},
	        {"1\xc2\xb5s", "0.000001s"},
	        {"1\xce\xbcs", "0.000001s"},
	        {"7ns", "0.000000007s"},
	        {"-999999999ns", "-0.999999999s"},
	        {"1.h", "3600s"},
	        {".5h", "1800s"},
	        {"1.0000000000000000001h", "3600s"},
	        {"0.3333333333333333333333h", "1199.999999999s"},
	        {"1.9999999999ns", "0.000000001s"},
	        {"1s1s1s", "3s"},
	        {"1ms1h1ns1m", "3660.001000001s"},
	        {"9223372036854775000ns", "9223372036.854775s"},
	        {"00000000000000000000000000001s", "1s"},
	        {"315576000000s", "315576000000s"},
	        {"-315576000000s", "-315576000000s"},
	        {"87660000h", "315576000000s"},
	        {"315576000000s1ns", "overflow"},
	        {"-315576000000.000000001s", "overflow"},
	        {"320000000000s", "overflow"},
	        {"-320000000000s", "overflow"},
	        {"9223372036854775807h", "overflow"},
	        {"99999999999999999999999999ns", "overflow"},
	        {"300000000000s300000000000s-", "invalid_argument"},
	};
	check("duration", spellings, sizeof spellings / sizeof *spellings);
	static const char *const bad[] = {
	        "",      "s",      ".",    ".s",   "-",   "-.s",   "1",     "1.5",
	        "1d",    "1S",     "1 s",  " 1s",  "1s ", "--1s",  "1h-5m", "1hs",
	        "1..5s", "1.5.5s", "0x1s", "1e3s", "00",  "\xc2s", "1m\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct spelling spelling = {bad[i], "invalid_argument"};
		check("duration", &spelling, 1);
	}
}

static void a_long_text_costs_its_length(void **state)
{
	(void)state;
	char text[20001];
	memset(text, '0', sizeof text - 1);
	memcpy(text + sizeof text - 3, "1s", 3);
	allowance.budget = 1999;
	assert_string_equal(shown(duration(text)), "budget");
	allowance.budget = 2000;
	assert_string_equal(shown(duration(text)), "1s");
}

static void sums_and_differences_stay_in_range(void **state)
{
	(void)state;
	enum { SUM, DIFFERENCE };
	static const struct {
		const char *left;
		int operation;
		const char *right;
		const char *result;
	} cases[] = {
	        {"2009-02-13T23:00:00Z", SUM, "240s", "2009-02-13T23:04:00Z"},
	        {"240s", SUM, "2009-02-13T23:00:00Z", "2009-02-13T23:04:00Z"},
	        {"600s", SUM, "50s", "650s"},
	        {"1.6s", SUM, "1.6s", "3.2s"},
	        {"-1.6s", SUM, "1.6s", "0s"},
	        {"-0.5s", SUM, "-0.5s", "-1s"},
	        {"0001-01-01T00:00:01.000000001Z", SUM, "-999999999ns",
	         "0001-01-01T00:00:00.000000002Z"},
	        {"0001-01-01T00:00:01.999999999Z", SUM, "999999999ns",
	         "0001-01-01T00:00:02.999999998Z"},
	        {"2009-02-13T23:10:00Z", DIFFERENCE, "600s", "2009-02-13T23:00:00Z"},
	        {"2009-02-13T23:10:00Z", DIFFERENCE, "-1.5s", "2009-02-13T23:10:01.5Z"},
	        {"2009-02-13T23:31:00Z", DIFFERENCE, "2009-02-13T23:29:00Z", "120s"},
	        {"2009-02-13T23:29:00.1Z", DIFFERENCE, "2009-02-13T23:29:00.3Z", "-0.2s"},
	        {"1s", DIFFERENCE, "1.5s", "-0.5s"},
	        {"0001-01-01T00:00:00Z", SUM, "-1s", "overflow"},
	        {"0001-01-01T00:00:00Z", DIFFERENCE, "1ns", "overflow"},
	        {"9999-12-31T23:59:59Z", SUM, "1s", "overflow"},
	        {"9999-12-31T23:59:59.999999999Z", SUM, "1ns", "overflow"},
	        {"9999-12-31T23:59:59Z", DIFFERENCE, "0001-01-01T00:00:00Z", "overflow"},
	        {"0001-01-01T00:00:00Z", DIFFERENCE, "9999-12-31T23:59:59Z", "overflow"},
	        {"2262-04-11T23:47:16.854775807Z", DIFFERENCE, "1970-01-01T00:00:00Z",
	         "9223372036.854775807s"},
	        {"2262-04-11T23:47:16.854775808Z", DIFFERENCE, "1970-01-01T00:00:00Z", "overflow"},
	        {"1970-01-01T00:00:00Z", DIFFERENCE, "2262-04-11T23:47:16.854775808Z",
	         "-9223372036.854775808s"},
	        {"1970-01-01T00:00:00Z", DIFFERENCE, "2262-04-11T23:47:16.854775809Z", "overflow"},
	        {"200000000000s", SUM, "200000000000s", "overflow"},
	        {"-200000000000s", DIFFERENCE, "200000000000s", "overflow"},
	        {"315575999999.5s", SUM, "0.5s", "315576000000s"},
	        {"315575999999.5s", SUM, "0.500000001s", "overflow"},
	        {"1s", DIFFERENCE, "2009-02-13T23:29:00Z", "no_such_overload"},
	        {"2009-02-13T23:29:00Z", SUM, "2009-02-13T23:29:00Z", "no_such_overload"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct value operands[2];
		for (size_t j = 0; j < 2; j++) {
			const char *text = j == 0 ? cases[i].left : cases[i].right;
			operands[j] = strchr(text, 'T') ? timestamp(text) : duration(text);
			assert_false(value_is_error(operands[j]));
		}
		const char *name = cases[i].operation == SUM ? "_+_" : "_-_";
		const char *result = shown(call(name, 2, operands[0], operands[1]));
		if (strcmp(result, cases[i].result) != 0) {
			fail_msg("%s %s %s is %s, not %s", cases[i].left, name, cases[i].right,
			         result, cases[i].result);
		}
	}
}

static void parts_are_those_that_the_zone_shows(void **state)
{
	(void)state;
	static const struct {
		const char *time;
		const char *part;
		const char *zone; /* NULL: not told */
		const char *result;
	} cases[] = {
	        {"2009-02-13T23:31:20.123456789Z", "getFullYear", NULL, "2009"},
	        {"2009-02-13T23:31:20.123456789Z", "getMonth", NULL, "1"},
	        {"2009-02-13T23:31:20.123456789Z", "getDate", NULL, "13"},
	        {"2009-02-13T23:31:20.123456789Z", "getDayOfMonth", NULL, "12"},
	        {"2009-02-13T23:31:20.123456789Z", "getDayOfWeek", NULL, "5"},
	        {"2009-02-15T23:31:20.123456789Z", "getDayOfWeek", NULL, "0"},
	        {"2009-02-13T23:31:20.123456789Z", "getDayOfYear", NULL, "43"},
	        {"2009-02-13T23:31:20.123456789Z", "getHours", NULL, "23"},
	        {"2009-02-13T23:31:20.123456789Z", "getMinutes", NULL, "31"},
	        {"2009-02-13T23:31:20.123456789Z", "getSeconds", NULL, "20"},
	        {"2009-02-13T23:31:20.123456789Z", "getMilliseconds", NULL, "123"},
	        {"1969-12-31T23:59:59.25Z", "getSeconds", NULL, "59"},
	        {"1969-12-31T23:59:59.25Z", "getMilliseconds", NULL, "250"},
	        {"2009-02-13T23:31:30Z", "getDate", "Australia/Sydney", "14"},
	        {"2009-02-13T02:00:00Z", "getDayOfMonth", "-02:30", "11"},
	        {"2009-02-13T02:00:00Z", "getDayOfMonth", "America/St_Johns", "11"},
	        {"2009-02-13T23:31:30Z", "getDayOfWeek", "UTC", "5"},
	        {"2009-02-13T23:31:30Z", "getDayOfYear", "US/Central", "43"},
	        {"2009-02-13T23:31:30Z", "getFullYear", "-09:30", "2009"},
	        {"2009-02-13T23:31:30Z", "getHours", "02:00", "1"},
	        {"2009-02-13T23:31:30Z", "getMinutes", "Asia/Kathmandu", "16"},
	        {"2009-02-13T23:31:30Z", "getSeconds", "-00:00", "30"},
	        {"2009-02-13T23:31:30Z", "getHours", "+05:30", "5"},
	        {"2025-07-01T12:00:00Z", "getHours", "Europe/Berlin", "14"},
	        {"2025-12-01T12:00:00Z", "getHours", "Europe/Berlin", "13"},
	        {"2024-12-31T23:30:00Z", "getDayOfYear", NULL, "365"},
	        {"2024-12-31T23:30:00Z", "getDayOfYear", "+01:00", "0"},
	        {"0001-01-01T00:00:00Z", "getFullYear", "-23:59", "0"},
	        {"9999-12-31T23:59:59Z", "getFullYear", "Pacific/Kiritimati", "10000"},
	        {"2009-02-13T23:31:30Z", "getHours", "", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "Mars/Olympus", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "../UTC", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+24:00", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+01:60", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+1:00", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+01.00", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "+01:0a", "invalid_argument"},
	        {"2009-02-13T23:31:30Z", "getHours", "-/1:00", "invalid_argument"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool has_zone = cases[i].zone != NULL;
		struct value zone = has_zone ? text_value(cases[i].zone) : value_null();
		struct value got =
		        call(cases[i].part, has_zone ? 2 : 1, timestamp(cases[i].time), zone);
		if (strcmp(shown(got), cases[i].result) != 0) {
			fail_msg("%s %s %s is %s", cases[i].time, cases[i].part,
			         has_zone ? cases[i].zone : "", shown(got));
		}
	}
}

static void an_unknown_zone_is_named(void **state)
{
	(void)state;
	static const char *const zones[] = {"Mars/Olympus", "+99:00"};
	for (size_t i = 0; i < 2; i++) {
		struct value error = call("getHours", 2, timestamp("2009-02-13T23:31:30Z"),
		                          text_value(zones[i]));
		assert_true(value_is_error(error));
		assert_non_null(strstr(error.as.text, zones[i]));
	}
	arena_close(&allowance.arena);
	allowance.arena.limit = 8;
	struct value error =
	        call("getHours", 2, timestamp("2009-02-13T23:31:30Z"), text_value("Mars/Olympus"));
	assert_string_equal(shown(error), "too_big");
}

static void a_zone_costs_as_if_it_were_read_each_time(void **state)
{
	(void)state;
	struct value time = timestamp("2009-02-13T23:31:30Z");
	allowance.budget = 120;
	for (int i = 0; i < 2; i++) {
		assert_string_equal(shown(call("getHours", 2, time, text_value("UTC"))), "23");
	}
	assert_string_equal(shown(call("getHours", 2, time, text_value("UTC"))), "budget");
	allowance.budget = 0;
	assert_string_equal(shown(call("getHours", 1, time, value_null())), "23");
}

static void a_timestamp_beyond_the_range_has_no_parts(void **state)
{
	(void)state;
	struct value beyond = {.tag = VALUE_TIMESTAMP, .as.i = INT64_MAX};
	assert_string_equal(shown(call("getHours", 1, beyond, value_null())), "overflow");
	assert_string_equal(shown(call("getHours", 2, beyond, text_value("Europe/Berlin"))),
	                    "overflow");
}

static void durations_are_told_in_whole_units(void **state)
{
	(void)state;
	static const struct {
		const char *duration;
		const char *part;
		const char *result;
	} cases[] = {
	        {"10000s", "getHours", "2"},
	        {"3730s", "getMinutes", "62"},
	        {"123.321456789s", "getSeconds", "123"},
	        {"123.321456789s", "getMilliseconds", "321"},
	        {"-10000s", "getHours", "-2"},
	        {"-3730s", "getMinutes", "-62"},
	        {"-123.321456789s", "getSeconds", "-123"},
	        {"-123.321456789s", "getMilliseconds", "-321"},
	        {"-0.5s", "getSeconds", "0"},
	        {"-3600.5s", "getHours", "-1"},
	        {"-2s", "getMilliseconds", "0"},
	        {"1s", "getFullYear", "no_such_overload"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct value got =
		        call(cases[i].part, 1, duration(cases[i].duration), value_null());
		if (strcmp(shown(got), cases[i].result) != 0) {
			fail_msg("%s %s is %s", cases[i].duration, cases[i].part, shown(got));
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(timestamps_are_read),
	        TEST(timestamps_are_made_of_seconds),
	        TEST(durations_are_read),
	        TEST(a_long_text_costs_its_length),
	        TEST(sums_and_differences_stay_in_range),
	        TEST(parts_are_those_that_the_zone_shows),
	        TEST(an_unknown_zone_is_named),
	        TEST(a_zone_costs_as_if_it_were_read_each_time),
	        TEST(a_timestamp_beyond_the_range_has_no_parts),
	        TEST(durations_are_told_in_whole_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
