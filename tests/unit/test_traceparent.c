/* This file tests what is a traceparent, and what goes on where none is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "wire/traceparent.h"
#include <string.h>

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void a_good_one_is_read_and_written_again(void **state)
{
	(void)state;
	struct traceparent read;
	char text[TRACEPARENT_ROOM];
	assert_true(traceparent_read(SPAN("00-" TRACE "-" PARENT "-01"), &read));
	assert_true(read.is_sampled);
	assert_int_equal(read.trace[0], 0x0a);
	assert_int_equal(read.span[7], 0x31);
	traceparent_write(&read, text);
	assert_string_equal(text, "00-" TRACE "-" PARENT "-01");
	assert_true(traceparent_read(SPAN("00-" TRACE "-" PARENT "-fe"), &read));
	assert_false(read.is_sampled);
	traceparent_write(&read, text);
	assert_string_equal(text, "00-" TRACE "-" PARENT "-00");
	assert_true(traceparent_read(SPAN("42-" TRACE "-" PARENT "-01-more"), &read));
}

static void others_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "",
	        "00",
	        "00-" TRACE "-" PARENT "-0",
	        "00-" TRACE "-" PARENT "-01-more",
	        "01-" TRACE "-" PARENT "-01more",
	        "ff-" TRACE "-" PARENT "-01",
	        "00_" TRACE "-" PARENT "-01",
	        "00-" TRACE "_" PARENT "-01",
	        "00-" TRACE "-" PARENT "_01",
	        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
	        "00-00000000000000000000000000000000-" PARENT "-01",
	        "00-" TRACE "-0000000000000000-01",
	        "00-" TRACE "-" PARENT "-0g",
	        "00-" TRACE "-" PARENT "-x1",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct traceparent read;
		char text[TRACEPARENT_ROOM];
		assert_false(traceparent_read(span_of(bad[i]), &read));
		traceparent_continue(span_of(bad[i]), text);
		assert_true(traceparent_read(span_of(text), &read));
		assert_null(strstr(text, TRACE));
	}
	struct traceparent read;
	assert_false(traceparent_read(SPAN_NONE, &read));
}

static void a_good_one_goes_on_as_it_is(void **state)
{
	(void)state;
	char text[TRACEPARENT_ROOM];
	traceparent_continue(SPAN("00-" TRACE "-" PARENT "-03"), text);
	assert_string_equal(text, "00-" TRACE "-" PARENT "-03");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_good_one_is_read_and_written_again),
	        cmocka_unit_test(others_are_none),
	        cmocka_unit_test(a_good_one_goes_on_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
