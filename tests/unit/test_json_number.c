/* This file tests that JSON numbers have their exact value or none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The text of a buffer, which is emptied. */
static void assert_text(struct buf *buf, const char *expected)
{
	if (!span_is(buf_view(buf), expected)) {
		fail_msg("'%.*s' is not '%s'", SPAN_ARG(buf_view(buf)), expected);
	}
	buf_free(buf);
}

static void integers_are_exact_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_int64;
		int64_t int64;
		bool is_uint64;
		uint64_t uint64;
	} cases[] = {
	        {"0", true, 0, true, 0},
	        {"-0", true, 0, true, 0},
	        {"-0.0e5", true, 0, true, 0},
	        {"0e999999999999999999999999", true, 0, true, 0},
	        {"1.0", true, 1, true, 1},
	        {"1e2", true, 100, true, 100},
	        {"1E+2", true, 100, true, 100},
	        {"120e-1", true, 12, true, 12},
	        {"0.00012e5", true, 12, true, 12},
	        {"1.5", false, 0, false, 0},
	        {"1e-1", false, 0, false, 0},
	        {"-1", true, -1, false, 0},
	        {"9007199254740993", true, 9007199254740993, true, 9007199254740993},
	        {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
	        {"9223372036854775808", false, 0, true, UINT64_C(9223372036854775808)},
	        {"-9223372036854775808", true, INT64_MIN, false, 0},
	        {"-9223372036854775809", false, 0, false, 0},
	        {"-9223372036854775808.000", true, INT64_MIN, false, 0},
	        {"18446744073709551615", false, 0, true, UINT64_MAX},
	        {"18446744073709551616", false, 0, false, 0},
	        {"1e19", false, 0, true, UINT64_C(10000000000000000000)},
	        {"1e20", false, 0, false, 0},
	        {"1e99999999999999999999999999", false, 0, false, 0},
	        {"1e-99999999999999999999999999", false, 0, false, 0},
	        {"\"1\"", false, 0, false, 0},
	        {"null", false, 0, false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span value = span_of(cases[i].text);
		int64_t int64 = 77;
		uint64_t uint64 = 77;
		assert_int_equal(json_int64(value, &int64), cases[i].is_int64);
		assert_int_equal(int64, cases[i].is_int64 ? cases[i].int64 : 77);
		assert_int_equal(json_uint64(value, &uint64), cases[i].is_uint64);
		assert_true(uint64 == (cases[i].is_uint64 ? cases[i].uint64 : 77));
	}
	int64_t none;
	assert_false(json_int64(SPAN_NONE, &none));
	assert_true(json_is_integer_text(SPAN("-12")));
	assert_false(json_is_integer_text(SPAN("1.0")));
	assert_false(json_is_integer_text(SPAN("1E2")));
	assert_false(json_is_integer_text(SPAN("\"1\"")));
}

/* A point moved by a million zeros and back by an exponent. */
static void long_texts_are_still_exact(void **state)
{
	(void)state;
	enum { ZEROS = 1000000 };
	struct buf text = {0};
	BUF_LITERAL(&text, "0.");
	memset(buf_reserve(&text, ZEROS), '0', ZEROS);
	text.len += ZEROS;
	BUF_LITERAL(&text, "42e1000002");
	int64_t value = 0;
	assert_true(json_int64(buf_view(&text), &value));
	assert_int_equal(value, 42);
	assert_true(json_number_equal(buf_view(&text), SPAN("4.2e1")));
	double real = 0;
	assert_true(json_double(buf_view(&text), &real));
	assert_true(real >= 42 && real <= 42);
	buf_free(&text);
}

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

static void doubles_are_the_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} cases[] = {
	        {"0", 0.0},
	        {"-0", -0.0},
	        {"-0.0e9", -0.0},
	        {"1.5", 1.5},
	        {"-2.5e3", -2500.0},
	        {"0.1", 0.1},
	        {"123456789012345", 123456789012345.0},
	        {"1e22", 1e22},
	        {"1e-22", 1e-22},
	        {"1e23", 1e23},
	        {"9007199254740993", 9007199254740992.0},
	        {"9007199254740993.0000000000000000000000000000000000000000000000000000000001",
	         9007199254740994.0},
	        {"1.7976931348623157e308", 1.7976931348623157e308},
	        {"5e-324", 5e-324},
	        {"2.2250738585072011e-308", 2.2250738585072011e-308},
	        {"1e-400", 0.0},
	        {"-1e-99999999999999999999", -0.0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double value = 77;
		assert_true(json_double(span_of(cases[i].text), &value));
		assert_true(same_bits(value, cases[i].value));
	}
	double value = 77;
	assert_false(json_double(SPAN("1e309"), &value));
	assert_false(json_double(SPAN("-1e99999999999999999999"), &value));
	assert_false(json_double(SPAN("\"1\""), &value));
	assert_true(same_bits(value, 77));
	/* Only the span is read, not the digits behind it. */
	assert_true(json_double(span_make("1.234567890123456789", 3), &value));
	assert_true(same_bits(value, 1.2));
}

static void numbers_are_equal_by_exact_value(void **state)
{
	(void)state;
	static const char *const equal[][2] = {
	        {"1", "1.0"},
	        {"1", "10e-1"},
	        {"-0", "0.00e7"},
	        {"0e99999999999999999999", "0"},
	        {"1200", "1.2E+3"},
	        {"0.0012", "12e-4"},
	        {"1e99999999999999999999", "10e99999999999999999998"},
	        {"1e-100000000000000000000", "0.1e-99999999999999999999"},
	        {"1e1", "1e+0000000000000000000000000000001"},
	        {"12345678901234567890123", "1.2345678901234567890123e22"},
	};
	static const char *const different[][2] = {
	        {"1", "-1"},
	        {"1", "2"},
	        {"1", "10"},
	        {"9007199254740992", "9007199254740993"},
	        {"0.1", "0.1000000000000000000000000000001"},
	        {"1e99999999999999999999", "1e99999999999999999998"},
	        {"1e99999999999999999999", "1e-99999999999999999999"},
	        {"1e400", "1e401"},
	        {"0", "1e-99999999999999999999"},
	};
	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
		assert_true(json_equal(span_of(equal[i][0]), span_of(equal[i][1])));
		assert_true(json_equal(span_of(equal[i][1]), span_of(equal[i][0])));
	}
	for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
		assert_false(json_equal(span_of(different[i][0]), span_of(different[i][1])));
		assert_false(json_equal(span_of(different[i][1]), span_of(different[i][0])));
	}
	assert_false(json_number_equal(SPAN("1"), SPAN("\"1\"")));
	assert_false(json_number_equal(SPAN_NONE, SPAN("1")));
}

static void doubles_are_written_short_and_read_back_the_same(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} cases[] = {
	        {0.0, "0"},
	        {-0.0, "-0"},
	        {1.0, "1"},
	        {-3.0, "-3"},
	        {0.1, "0.1"},
	        {1.5, "1.5"},
	        {0.1 + 0.2, "0.30000000000000004"},
	        {9007199254740992.0, "9007199254740992"},
	        {1e21, "1e+21"},
	        {1.7976931348623157e308, "1.7976931348623157e+308"},
	        {INFINITY, "null"},
	        {NAN, "null"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		json_write_double(&out, cases[i].value);
		assert_text(&out, cases[i].text);
	}
	uint64_t seed = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		double value;
		memcpy(&value, &seed, sizeof value);
		if (!isfinite(value)) {
			continue;
		}
		struct buf out = {0};
		json_write_double(&out, value);
		double back = 0;
		assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
		assert_true(json_double(buf_view(&out), &back));
		assert_true(same_bits(back, value));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(integers_are_exact_or_refused),
	        cmocka_unit_test(long_texts_are_still_exact),
	        cmocka_unit_test(doubles_are_the_nearest),
	        cmocka_unit_test(numbers_are_equal_by_exact_value),
	        cmocka_unit_test(doubles_are_written_short_and_read_back_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
