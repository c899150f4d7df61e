/* This file tests the spelling of timestamps and durations. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct spelling_case {
	int64_t seconds;
	uint32_t nanos;
	const char *text;
};

typedef void write_fn(int64_t seconds, uint32_t nanos, struct buf *out);

static void check(write_fn *write, const struct spelling_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf out = {0};
		write(cases[i].seconds, cases[i].nanos, &out);
		buf_byte(&out, '\0');
		assert_string_equal(out.ptr, cases[i].text);
		buf_free(&out);
	}
}

static void timestamps_have_the_digits_they_need(void **state)
{
	(void)state;
	static const struct spelling_case cases[] = {
	        {0, 0, "1970-01-01T00:00:00Z"},
	        {1234567890, 500000000, "2009-02-13T23:31:30.5Z"},
	        {1234567890, 1, "2009-02-13T23:31:30.000000001Z"},
	        {1234567890, 123456789, "2009-02-13T23:31:30.123456789Z"},
	        {-1, 999000000, "1969-12-31T23:59:59.999Z"},
	        {951782400, 0, "2000-02-29T00:00:00Z"},
	        {-62135596800, 0, "0001-01-01T00:00:00Z"},
	        {253402300799, 999999999, "9999-12-31T23:59:59.999999999Z"},
	        {253402300800, 0, "10000-01-01T00:00:00Z"},
	};
	check(moment_write_timestamp, cases, sizeof cases / sizeof *cases);
}

static void durations_are_seconds_with_a_sign(void **state)
{
	(void)state;
	static const struct spelling_case cases[] = {
	        {0, 0, "0s"},
	        {1, 500000000, "1.5s"},
	        {-1, 500000000, "-0.5s"},
	        {-2, 750000000, "-1.25s"},
	        {-1, 0, "-1s"},
	        {-1, 1, "-0.999999999s"},
	        {0, 1, "0.000000001s"},
	        {INT64_MAX, 0, "9223372036854775807s"},
	        {INT64_MIN, 0, "-9223372036854775808s"},
	        {INT64_MIN, 1, "-9223372036854775807.999999999s"},
	};
	check(moment_write_duration, cases, sizeof cases / sizeof *cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(timestamps_have_the_digits_they_need),
	        cmocka_unit_test(durations_are_seconds_with_a_sign),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
