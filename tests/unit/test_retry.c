/* This file proves how long failed deliveries wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct retry_policy policy = {
        .max_attempts = 8,
        .initial_ms = 1000,
        .max_ms = 60000,
        .multiplier = 2,
        .jitter_percent = 25,
        .max_age_ms = 86400000,
};

static void waits_double_up_to_the_most(void **state)
{
	(void)state;
	static const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000};
	struct retry_policy exact = policy;
	exact.jitter_percent = 0;
	for (uint32_t i = 0; i < 7; i++) {
		assert_int_equal(retry_wait_ms(&exact, i + 1, 0, 77), want[i]);
	}
	assert_int_equal(retry_wait_ms(&exact, 8, 0, 77), -1);
	exact.max_attempts = UINT32_MAX;
	assert_int_equal(retry_wait_ms(&exact, 1000000, 0, 77), 60000);
}

static void jitter_goes_both_ways(void **state)
{
	(void)state;
	assert_int_equal(retry_wait_ms(&policy, 1, 0, 0), 750);
	assert_int_equal(retry_wait_ms(&policy, 1, 0, UINT32_MAX), 1250);
}

static void what_is_too_old_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(retry_wait_ms(&policy, 1, 86400000, 0), -1);
	struct retry_policy for_ever = policy;
	for_ever.max_age_ms = 0;
	assert_true(retry_wait_ms(&for_ever, 1, INT64_MAX / 2, 0) > 0);
}

static const struct trigger_retry silent = {-1, -1, -1, -1, -1, -1, 0, {0}};

static void a_schedule_says_each_wait(void **state)
{
	(void)state;
	struct retry_policy mine = policy;
	struct trigger_retry said = silent;
	said.schedule_count = 2;
	said.schedule[0] = 5000;
	said.schedule[1] = 300000;
	retry_apply(&mine, &said);
	assert_int_equal(retry_wait_ms(&mine, 1, 0, UINT32_MAX), 6250); /* jitter is as it was */
	struct trigger_retry exact = silent;
	exact.jitter_percent = 0;
	retry_apply(&mine, &exact);
	assert_int_equal(retry_wait_ms(&mine, 1, 0, 7), 5000);
	assert_int_equal(retry_wait_ms(&mine, 2, 0, 7), 300000);
	assert_int_equal(retry_wait_ms(&mine, 3, 0, 7), -1);
	struct trigger_retry longer = silent;
	longer.max_attempts = 5;
	retry_apply(&mine, &longer);
	assert_int_equal(retry_wait_ms(&mine, 4, 0, 7), 300000); /* the last one again */
	assert_int_equal(retry_wait_ms(&mine, 5, 0, 7), -1);
}

static void the_nearer_word_counts(void **state)
{
	(void)state;
	struct retry_policy mine = policy;
	struct trigger_retry function = silent;
	function.max_attempts = 3;
	function.schedule_count = 1;
	function.schedule[0] = 70;
	function.max_age_ms = 9000;
	struct trigger_retry trigger = silent;
	trigger.initial_ms = 100;
	trigger.multiplier = 1500;
	trigger.jitter_percent = 0;
	retry_apply(&mine, &function);
	retry_apply(&mine, &trigger);
	assert_int_equal(mine.max_age_ms, 9000);
	assert_int_equal(retry_wait_ms(&mine, 1, 0, 0), 100);
	assert_int_equal(retry_wait_ms(&mine, 2, 0, 0), 150);
	assert_int_equal(retry_wait_ms(&mine, 3, 0, 0), -1);
	mine.multiplier = 1;
	mine.max_attempts = UINT32_MAX;
	assert_int_equal(retry_wait_ms(&mine, UINT32_MAX - 1, 0, 0), 100); /* and at once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(waits_double_up_to_the_most),
	        cmocka_unit_test(jitter_goes_both_ways),
	        cmocka_unit_test(what_is_too_old_is_given_up),
	        cmocka_unit_test(a_schedule_says_each_wait),
	        cmocka_unit_test(the_nearer_word_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
