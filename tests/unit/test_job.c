/* This file proves that job records come back as they were written, and that damage is said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "engine/core/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_record_comes_back(void **state)
{
	(void)state;
	const struct job job = {
	        .version = 3,
	        .seq = 7,
	        .scope = SPAN("a \"scope\""),
	        .key = SPAN("k\n\xc3\xa4"),
	        .failures = 2,
	        .first_ms = 1,
	        .due_ms = 2,
	        .asked = true,
	        .doomed = true,
	        .replay = 4,
	        .attempts = SPAN("[{\"code\":\"x\"}]"),
	        .event = SPAN("{\"id\":\"e\"}"),
	};
	struct buf value = {0};
	struct buf scratch = {0};
	struct job back;
	struct err err;
	job_encode(&job, &value);
	assert_int_equal(job_decode(7, buf_view(&value), &back, &scratch, &err), 0);
	assert_int_equal(back.version, 3);
	assert_int_equal(back.seq, 7);
	assert_true(span_equal(back.scope, job.scope));
	assert_true(span_equal(back.key, job.key));
	assert_int_equal(back.failures, 2);
	assert_int_equal(back.first_ms, 1);
	assert_int_equal(back.due_ms, 2);
	assert_true(back.asked && back.doomed && !back.done);
	assert_int_equal(back.replay, 4);
	assert_true(span_equal(back.attempts, job.attempts));
	assert_true(span_equal(back.event, job.event));
	buf_free(&value);
	buf_free(&scratch);
}

static void damage_is_said(void **state)
{
	(void)state;
	static const struct {
		struct span value;
		int status;
	} rows[] = {
	        {{"", 0}, E_VERSION},
	        {{"\2{}", 3}, E_VERSION},
	        {{"\1{}", 3}, E_DAMAGED},
	        {{"\1{\"version\":1", 13}, E_DAMAGED},
	};
	struct buf scratch = {0};
	struct job job;
	struct err err;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(job_decode(1, rows[i].value, &job, &scratch, &err),
		                 rows[i].status);
	}
	buf_free(&scratch);
}

static void attempts_are_one_array(void **state)
{
	(void)state;
	struct buf attempts = {0};
	struct err err;
	buf_span(&attempts, SPAN("[]")); /* of a dead letter that was never tried */
	for (int i = 0; i < 3; i++) {
		job_add_attempt(&attempts, 0, 5, SPAN("w"), SPAN("code"), SPAN("it \"broke\""));
		assert_int_equal(json_check(buf_view(&attempts), NULL, &err), 0);
	}
	assert_int_equal(json_kind(buf_view(&attempts)), JSON_ARRAY);
	buf_free(&attempts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_comes_back),
	        cmocka_unit_test(damage_is_said),
	        cmocka_unit_test(attempts_are_one_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
