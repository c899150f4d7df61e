/* This file proves that records of alarms keep what they say, and that missed times are counted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_record.h"
#include "engine/core/alarm_times.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static void assert_span(struct span span, const char *text)
{
	assert_true(span_is(span, text));
}

/* ---- records ---- */

static void a_record_keeps_what_it_says(void **state)
{
	(void)state;
	const struct alarm_record record = {
	        .next_ms = 5,
	        .payload = SPAN("{\"n\":1}"),
	        .function_id = SPAN("say \"hi\""),
	        .namespace_ = SPAN("ns"),
	        .plan = {.cron = SPAN("@daily"),
	                 .zone = SPAN("Europe/Berlin"),
	                 .catch_up = CATCH_UP_ALL,
	                 .max = 7},
	        .running_seq = 9,
	        .running_ms = 3,
	        .fired_ms = 4,
	        .failure = SPAN("{\"code\":\"x\"}"),
	        .firings = 12,
	};
	struct buf bytes = {0};
	struct buf again = {0};
	struct buf texts = {0};
	struct alarm_record read;
	struct err err;
	alarm_record_encode(&record, &bytes);
	assert_int_equal(alarm_record_decode(buf_view(&bytes), &read, &texts, &err), 0);
	alarm_record_encode(&read, &again);
	assert_true(span_equal(buf_view(&bytes), buf_view(&again)));
	assert_span(read.function_id, "say \"hi\"");
	assert_int_equal(read.plan.catch_up, CATCH_UP_ALL);
	assert_int_equal(read.running_seq, 9);
	buf_free(&bytes);
	buf_free(&again);
	buf_free(&texts);
}

static void it_is_looked_at_when_it_is_due_or_runs(void **state)
{
	(void)state;
	struct alarm_record record = {.next_ms = 50};
	assert_int_equal(alarm_record_expires_ms(&record), 50);
	assert_string_equal(alarm_record_state(&record), "scheduled");
	record.running_seq = 1;
	record.fired_ms = 20;
	assert_int_equal(alarm_record_expires_ms(&record), 20);
	assert_string_equal(alarm_record_state(&record), "running");
	record = (struct alarm_record){.failure = SPAN("{}")};
	assert_int_equal(alarm_record_expires_ms(&record), 0);
	assert_string_equal(alarm_record_state(&record), "failed");
}

static void what_is_no_record_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		int status;
	} rows[] = {
	        {"", E_VERSION},
	        {"\002{}", E_VERSION},
	        {"\001{", E_INVALID},
	        {"\001[]", E_INVALID},
	        {"\001{\"next\":-1}", E_DAMAGED},
	        {"\001{\"next\":\"1\"}", E_DAMAGED},
	        {"\001{\"every_ms\":1.5}", E_DAMAGED},
	        {"\001{\"catch_up\":\"never\"}", E_DAMAGED},
	        {"\001{\"max\":4294967296}", E_DAMAGED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct alarm_record record;
		struct buf texts = {0};
		struct err err;
		assert_int_equal(alarm_record_decode(span_of(rows[i].value), &record, &texts, &err),
		                 rows[i].status);
		buf_free(&texts);
	}
}

/* ---- times ---- */

static struct alarm_firing fire(struct alarm_plan plan, int64_t next_ms, int64_t now_ms)
{
	const struct alarm_record record = {.next_ms = next_ms, .plan = plan};
	return alarm_times_fire(&record, now_ms);
}

static void assert_firing(struct alarm_firing firing, int64_t scheduled_ms, uint64_t missed,
                          int64_t next_ms)
{
	assert_false(firing.is_left_out);
	assert_int_equal(firing.scheduled_ms, scheduled_ms);
	assert_int_equal(firing.missed, missed);
	assert_int_equal(firing.next_ms, next_ms);
}

static void one_without_a_plan_fires_once(void **state)
{
	(void)state;
	assert_firing(fire((struct alarm_plan){0}, 10, 999), 10, 0, 0);
}

static void every_hour_does_not_drift(void **state)
{
	(void)state;
	const struct alarm_plan once = {.every_ms = HOUR, .max = 100};
	assert_firing(fire(once, HOUR, HOUR), HOUR, 0, 2 * HOUR);
	assert_firing(fire(once, HOUR, HOUR + 5), HOUR, 0, 2 * HOUR);
	assert_firing(fire(once, HOUR, 4 * HOUR - 1), 3 * HOUR, 2, 4 * HOUR);
	const struct alarm_plan all = {.every_ms = HOUR, .max = 2, .catch_up = CATCH_UP_ALL};
	assert_firing(fire(all, HOUR, 2 * HOUR), HOUR, 0, 2 * HOUR);
	assert_firing(fire(all, HOUR, 5 * HOUR), 4 * HOUR, 3, 5 * HOUR);
	const struct alarm_plan skip = {.every_ms = HOUR, .max = 2, .catch_up = CATCH_UP_SKIP};
	assert_firing(fire(skip, HOUR, 3 * HOUR + MINUTE), 3 * HOUR, 2, 4 * HOUR);
	const struct alarm_firing late = fire(skip, HOUR, 3 * HOUR + MINUTE + 1);
	assert_true(late.is_left_out);
	assert_int_equal(late.next_ms, 4 * HOUR);
}

static void by_cron_the_same_holds(void **state)
{
	(void)state;
	const struct alarm_plan once = {.cron = SPAN("0 * * * *"), .max = 100};
	assert_int_equal(alarm_times_first(&once, 0), HOUR);
	assert_int_equal(alarm_times_first(&once, HOUR - 1), HOUR);
	assert_firing(fire(once, HOUR, HOUR), HOUR, 0, 2 * HOUR);
	assert_firing(fire(once, HOUR, 4 * HOUR - 1), 3 * HOUR, 2, 4 * HOUR);
	const struct alarm_plan all = {
	        .cron = SPAN("0 * * * *"), .max = 2, .catch_up = CATCH_UP_ALL};
	assert_firing(fire(all, HOUR, 5 * HOUR), 4 * HOUR, 3, 5 * HOUR);
	struct err err;
	const struct alarm_plan nowhere = {.cron = SPAN("@daily"), .zone = SPAN("No/Where")};
	assert_int_not_equal(alarm_times_check(&nowhere, &err), 0);
	assert_string_equal(err.code, "unknown_zone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_keeps_what_it_says),
	        cmocka_unit_test(it_is_looked_at_when_it_is_due_or_runs),
	        cmocka_unit_test(what_is_no_record_is_refused),
	        cmocka_unit_test(one_without_a_plan_fires_once),
	        cmocka_unit_test(every_hour_does_not_drift),
	        cmocka_unit_test(by_cron_the_same_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
