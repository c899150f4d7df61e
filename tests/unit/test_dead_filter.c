/* This file tests which dead letters a filter lets through. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dead_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char letter[] =
        "{\"trigger\":\"t\",\"function_id\":\"f\",\"died_at\":\"2026-11-26T20:13:05.120Z\","
        "\"reason\":\"TIMEOUT\",\"event\":{\"scope\":\"s\",\"key\":\"user_1\"}}";
static const char range[] =
        "{\"trigger\":\"t\",\"function_id\":\"f\",\"died_at\":\"2026-11-26T20:13:05.120Z\","
        "\"reason\":\"journal_full\",\"event\":null}";

static bool fits(const char *asked, const char *json)
{
	struct dead_filter filter = {0};
	struct err err = {0};
	assert_int_equal(dead_filter_read(&filter, span_of(asked), &err), 0);
	bool answer = dead_filter_fits(&filter, span_of(json));
	dead_filter_close(&filter);
	return answer;
}

static void all_that_is_said_must_fit(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "{}",
	        "{\"trigger\":null}",
	        "{\"trigger\":\"t\",\"function\":\"f\",\"reason\":\"TIMEOUT\"}",
	        "{\"scope\":\"s\",\"prefix\":\"user_\"}",
	        "{\"prefix\":\"\"}",
	        "{\"since\":\"2026-11-26\",\"until\":\"2026-11-27\"}",
	        "{\"since\":\"2026-11-26T20:13:05.120Z\"}",
	        "{\"until\":\"2026-11-26T20:13:05.121Z\"}",
	};
	static const char *const bad[] = {
	        "{\"trigger\":\"u\"}",        "{\"trigger\":\"t\",\"function\":\"g\"}",
	        "{\"reason\":\"timeout\"}",   "{\"scope\":\"\"}",
	        "{\"prefix\":\"user_12\"}",   "{\"since\":\"2026-11-27\"}",
	        "{\"until\":\"2026-11-26\"}", "{\"until\":\"2026-11-26T20:13:05.120Z\"}",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(fits(good[i], letter));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(fits(bad[i], letter));
	}
	assert_true(fits("{\"trigger\":\"t\"}", range));
	assert_false(fits("{\"prefix\":\"\"}", range)); /* it holds no event */
}

static void what_is_no_filter_is_refused(void **state)
{
	(void)state;
	static const char *const odd[] = {"{\"trigger\":5}", "{\"since\":\"yesterday\"}",
	                                  "{\"since\":\"26\"}", "{\"until\":\"2026-1-1\"}",
	                                  "{\"until\":\"2026-11-26T20:13:05.120ZZ\"}"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct dead_filter filter = {0};
		struct err err = {0};
		assert_int_equal(dead_filter_read(&filter, span_of(odd[i]), &err), E_INVALID);
		assert_string_equal(err.code, "invalid_data");
		dead_filter_close(&filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_that_is_said_must_fit),
	        cmocka_unit_test(what_is_no_filter_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
