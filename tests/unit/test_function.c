/* This file proves who gets a call, who waits, and how calls end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static int ended[4]; /* an enum call_end, -1 while it runs */
static struct call calls[4];

static void call_ended(struct call *call, const struct call_result *result)
{
	size_t which = (size_t)(call - calls);
	assert_int_equal(ended[which], -1);
	ended[which] = (int)result->end;
}

static void write_nothing(struct call *call, struct buf *out)
{
	(void)call;
	BUF_LITERAL(out, "{}");
}

static int call_f(size_t which, int64_t timeout_ms)
{
	struct err err = {0};
	ended[which] = -1;
	calls[which] = (struct call){.function_id = SPAN("f"),
	                             .write_data = write_nothing,
	                             .timeout_ms = timeout_ms,
	                             .done = call_ended};
	return function_call(world->functions, &calls[which], &err);
}

static struct executor second;

static void two_workers_of_one(void)
{
	world_up();
	world->worker.credit = 1;
	executor_init(&second, world->functions, &fake_worker, SPAN("worker-2"), 1);
	offer("f");
	(void)function_offer(&second, SPAN("default"), SPAN("f"));
}

static void finish(size_t which)
{
	find_started(&calls[which])->call = NULL;
	const struct call_result fine = {.end = CALL_OK, .result = SPAN("1")};
	call_finish(&calls[which], &fine);
}

static void an_absent_one_is_refused(void **state)
{
	(void)state;
	world_up();
	assert_int_equal(call_f(0, 0), E_NOT_FOUND);
	assert_int_equal(ended[0], -1);
}

static void credit_goes_round_and_the_rest_waits(void **state)
{
	(void)state;
	two_workers_of_one();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(call_f(i, 0), 0);
	}
	assert_ptr_not_equal(calls[0].executor, calls[1].executor);
	assert_null(calls[2].executor);
	finish(1);
	assert_ptr_equal(calls[2].executor, &second);
	finish(0);
	finish(2);
	executor_close(&second);
}

static void a_provider_may_allow_less_time_than_the_caller(void **state)
{
	(void)state;
	world_up();
	offer("f");
	function_offered_by(&world->worker, SPAN("default"), SPAN("f"))->timeout_ms = 500;
	assert_int_equal(call_f(0, 0), 0);
	assert_int_equal(call_f(1, 1000), 0);
	assert_int_equal(call_f(2, 100), 0);
	pass(100);
	assert_int_equal(ended[2], CALL_TIMEOUT);
	assert_int_equal(ended[1], -1);
	pass(400);
	assert_int_equal(ended[0], CALL_TIMEOUT);
	assert_int_equal(ended[1], CALL_TIMEOUT);
}

static void time_runs_also_while_it_waits(void **state)
{
	(void)state;
	two_workers_of_one();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(call_f(i, 1000), 0);
	}
	finish(0);
	pass(1000);
	assert_int_equal(ended[1], CALL_TIMEOUT);
	assert_int_equal(ended[2], CALL_TIMEOUT);
	assert_int_equal(second.running, 0);
	executor_close(&second);
}

static void who_goes_stops_its_calls(void **state)
{
	(void)state;
	two_workers_of_one();
	assert_int_equal(call_f(0, 0), 0);
	assert_int_equal(call_f(1, 0), 0);
	assert_int_equal(call_f(2, 0), 0);
	bool first_is_second = calls[0].executor == &second;
	executor_close(&second);
	assert_int_equal(ended[first_is_second ? 0 : 1], CALL_STOPPED);
	assert_int_equal(ended[2], -1); /* the other one still serves it */
	finish(first_is_second ? 1 : 0);
	withdraw("f");
	assert_int_equal(ended[2], -1); /* it had begun */
	finish(2);
}

static void nobody_is_left_to_wait_for(void **state)
{
	(void)state;
	two_workers_of_one();
	executor_close(&second);
	assert_int_equal(call_f(0, 0), 0);
	assert_int_equal(call_f(1, 0), 0);
	withdraw("f");
	assert_int_equal(ended[1], CALL_STOPPED);
	finish(0);
}

static void a_cancelled_call_gives_its_room_back(void **state)
{
	(void)state;
	two_workers_of_one();
	executor_close(&second);
	assert_int_equal(call_f(0, 0), 0);
	assert_int_equal(call_f(1, 0), 0);
	call_cancel(&calls[0]);
	assert_int_equal(ended[0], -1);
	assert_ptr_equal(calls[1].executor, &world->worker);
	finish(1);
}

static void a_paused_one_gets_nothing_new(void **state)
{
	(void)state;
	two_workers_of_one();
	executor_close(&second);
	executor_pause(&world->worker, true);
	assert_int_equal(call_f(0, 0), 0);
	assert_null(calls[0].executor);
	executor_pause(&world->worker, false);
	assert_ptr_equal(calls[0].executor, &world->worker);
	finish(0);
}

static void a_full_one_gets_nothing_until_it_has_room(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct provider *provider = function_offered_by(&world->worker, SPAN("default"), SPAN("f"));
	provider_pause(provider, true);
	assert_false(function_is_ready(provider->function));
	assert_int_equal(call_f(0, 0), 0);
	assert_null(calls[0].executor);
	provider_pause(provider, false);
	assert_ptr_equal(calls[0].executor, &world->worker);
	finish(0);
}

static void a_disabled_one_says_why_until_it_is_enabled(void **state)
{
	(void)state;
	two_workers_of_one();
	struct provider *first = function_offered_by(&world->worker, SPAN("default"), SPAN("f"));
	struct function *function = first->function;
	provider_disable(first, SPAN("it is gone"));
	assert_null(function_disabled(function).ptr); /* the other one is not */
	assert_int_equal(call_f(0, 0), 0);
	assert_ptr_equal(calls[0].executor, &second);
	assert_int_equal(call_f(1, 0), 0);
	provider_disable(function_offered_by(&second, SPAN("default"), SPAN("f")), SPAN("too"));
	assert_int_equal(ended[1], CALL_STOPPED);
	assert_int_equal(call_f(2, 0), E_DENIED);
	assert_true(span_is(function_disabled(function), "it is gone"));
	finish(0);
	function_enable(function);
	assert_int_equal(call_f(3, 0), 0);
	assert_non_null(calls[3].executor);
	finish(3);
	executor_close(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(an_absent_one_is_refused),
	        WORLD_TEST(credit_goes_round_and_the_rest_waits),
	        WORLD_TEST(a_provider_may_allow_less_time_than_the_caller),
	        WORLD_TEST(time_runs_also_while_it_waits),
	        WORLD_TEST(who_goes_stops_its_calls),
	        WORLD_TEST(nobody_is_left_to_wait_for),
	        WORLD_TEST(a_cancelled_call_gives_its_room_back),
	        WORLD_TEST(a_paused_one_gets_nothing_new),
	        WORLD_TEST(a_full_one_gets_nothing_until_it_has_room),
	        WORLD_TEST(a_disabled_one_says_why_until_it_is_enabled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
