/* This file proves that calls for later keep what they say, and that their times are read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/later.h"
#include "engine/work/due_time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_record_keeps_what_it_says(void **state)
{
	(void)state;
	const struct later later = {
	        .at_ms = 5,
	        .made_ms = 3,
	        .queue = SPAN("the \"mail\""),
	        .call = SPAN("{\"function_id\":\"f\"}"),
	        .data = SPAN("[1, 2]"),
	        .traceparent = SPAN("00-1-2-01"),
	};
	struct buf bytes = {0};
	struct buf again = {0};
	struct buf texts = {0};
	struct later read;
	struct err err;
	later_encode(&later, &bytes);
	assert_int_equal(later_decode(buf_view(&bytes), &read, &texts, &err), 0);
	later_encode(&read, &again);
	assert_true(span_equal(buf_view(&bytes), buf_view(&again)));
	assert_true(span_equal(read.queue, later.queue));
	assert_true(span_is(read.data, "[1, 2]"));
	buf_free(&bytes);
	buf_free(&again);
	buf_free(&texts);
}

static void what_is_no_record_is_refused(void **state)
{
	(void)state;
#define REST "\"made\":1,\"queue\":\"q\",\"call\":{},\"data\":null"
	static const struct {
		const char *value;
		int status;
	} rows[] = {
	        {"\001{\"at\":1," REST "}", 0},
	        {"", E_VERSION},
	        {"\002{\"at\":1," REST "}", E_VERSION},
	        {"\001{", E_INVALID},
	        {"\001{" REST "}", E_DAMAGED},
	        {"\001{\"at\":0," REST "}", E_DAMAGED},
	        {"\001{\"at\":\"1\"," REST "}", E_DAMAGED},
	        {"\001{\"at\":1,\"made\":1,\"queue\":\"\",\"call\":{},\"data\":1}", E_DAMAGED},
	        {"\001{\"at\":1,\"made\":1,\"queue\":\"q\",\"call\":[],\"data\":1}", E_DAMAGED},
	        {"\001{\"at\":1,\"made\":1,\"queue\":\"q\",\"call\":{}}", E_DAMAGED},
	};
#undef REST
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct later later;
		struct buf texts = {0};
		struct err err;
		assert_int_equal(later_decode(span_of(rows[i].value), &later, &texts, &err),
		                 rows[i].status);
		buf_free(&texts);
	}
}

static void ids_sort_by_time(void **state)
{
	(void)state;
	struct buf early = {0};
	struct buf late = {0};
	later_write_time(255, &early);
	later_write_time(INT64_C(253402300799999), &late);
	assert_true(span_is(buf_view(&early), "0000000000ff"));
	assert_int_equal(late.len, LATER_TIME_LEN);
	assert_true(span_compare(buf_view(&early), buf_view(&late)) < 0);
	buf_free(&early);
	buf_free(&late);
}

static void times_are_picked_out_of_an_object(void **state)
{
	(void)state;
	enum { NOW = 1000, NONE = -1, WRONG = -2 };
	static const struct {
		const char *data;
		int64_t at_ms;
	} rows[] = {
	        {"{\"queue\":\"q\"}", NONE},
	        {"{\"delay\":null,\"at\":null}", NONE},
	        {"{\"queue\":\"q\",\"delay_ms\":0}", NOW},
	        {"{\"delay_ms\":7}", NOW + 7},
	        {"{\"delaySeconds\":7}", NOW + 7000},
	        {"{\"delay\":\"1m30s\"}", WRONG},
	        {"{\"delay\":\"90s\"}", NOW + 90000},
	        {"{\"at\":5}", 5},
	        {"{\"at\":-5}", 1},
	        {"{\"at\":\"5\"}", 5},
	        {"{\"at\":\"1970-01-01T00:00:01.0001Z\"}", 1001},
	        {"{\"scheduledAtUnixMs\":9}", 9},
	        {"{\"at\":5,\"delay_ms\":1}", WRONG},
	        {"{\"at\":\"soon\"}", WRONG},
	        {"{\"at\":[]}", WRONG},
	        {"{\"delay_ms\":\"5\"}", WRONG},
	        {"{\"delay_ms\":-1}", WRONG},
	        {"{\"at\":253402300800000}", WRONG},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct due_time due;
		struct err err;
		int64_t at_ms = NONE;
		int status = due_time_pick(span_of(rows[i].data), &due, &err);
		if (status == 0 && due_time_count(&due) != 0) {
			status = due_time_find(&due, NOW, &at_ms, &err);
		}
		if (status != 0) {
			assert_string_equal(err.code, "invalid_data");
			at_ms = WRONG;
		}
		assert_int_equal(at_ms, rows[i].at_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_keeps_what_it_says),
	        cmocka_unit_test(what_is_no_record_is_refused),
	        cmocka_unit_test(ids_sort_by_time),
	        cmocka_unit_test(times_are_picked_out_of_an_object),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
