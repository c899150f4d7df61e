/* This file proves the order, the retries and the burials of deliveries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static void one_key_is_first_in_first_out(void **state)
{
	(void)state;
	begin("{}");
	uint64_t first = put_event("a");
	uint64_t second = put_event("a");
	uint64_t other = event("b");
	assert_true(is_running(first));
	assert_false(is_running(second));
	assert_true(is_running(other));
	answer(first);
	assert_true(is_running(second));
	answer(second);
	answer(other);
	assert_int_equal(trigger("t")->delivered, 3);
	assert_int_equal(trigger("t")->held, 0);
}

static void a_failed_delivery_keeps_its_place(void **state)
{
	(void)state;
	begin("{}");
	uint64_t first = event("a");
	uint64_t second = event("a");
	fails(first);
	assert_false(is_running(second));
	pass(900);
	assert_false(is_running(first));
	pass(200);
	assert_true(is_running(first));
	assert_int_equal(open_call(first)->attempt, 2);
	assert_false(is_running(second));
	answer(first);
	assert_true(is_running(second));
}

static void order_none_starts_all(void **state)
{
	(void)state;
	begin("{\"order\":\"none\"}");
	uint64_t first = event("a");
	uint64_t second = event("a");
	assert_true(is_running(first));
	assert_true(is_running(second));
}

static void order_trigger_is_one_lane(void **state)
{
	(void)state;
	begin("{\"order\":\"trigger\"}");
	uint64_t first = event("a");
	uint64_t second = event("b");
	assert_true(is_running(first));
	assert_false(is_running(second));
	answer(first);
	assert_true(is_running(second));
}

static void concurrency_is_a_bound(void **state)
{
	(void)state;
	begin("{\"concurrency\":2}");
	uint64_t first = event("a");
	uint64_t second = event("b");
	uint64_t third = event("c");
	assert_true(is_running(first) && is_running(second));
	assert_false(is_running(third));
	answer(second);
	assert_true(is_running(third));
}

static void waits_grow_and_the_last_failure_buries(void **state)
{
	(void)state;
	begin("{\"retry\":{\"max_attempts\":3,\"initial_ms\":1000,\"jitter\":0}}");
	uint64_t seq = event("a");
	uint64_t behind = event("a");
	fails(seq);
	pass(1000);
	assert_int_equal(starts_of(seq), 2);
	fails(seq);
	pass(1900);
	assert_int_equal(starts_of(seq), 2);
	pass(100);
	assert_int_equal(starts_of(seq), 3);
	fails(seq);
	size_t count;
	const char *text = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "\"reason\":\"invocation_failed\""));
	assert_non_null(strstr(text, "it broke"));
	assert_int_equal(trigger("t")->buried, 1);
	assert_true(is_running(behind));
	answer(behind);
	pass(1000);
	assert_false(has_job("t", seq));
}

static void a_handler_says_when(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_OK, "{\"$pawl\":{\"retry_after_ms\":7000}}");
	pass(6900);
	assert_int_equal(starts_of(seq), 1);
	pass(200);
	assert_int_equal(starts_of(seq), 2);
	end_call(open_call(seq), CALL_OK, "{\"$pawl\":{\"retry_after_ms\":9223372036854775807}}");
	pass(100);
	assert_int_equal(trigger("t")->held, 1);
}

static void a_handler_says_never(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_OK,
	         "{\"$pawl\":{\"fail\":true,\"reason\":\"no such user\"}}");
	size_t count;
	assert_non_null(strstr(dead_letters(&count), "no such user"));
	assert_int_equal(starts_of(seq), 1);
	assert_int_equal(trigger("t")->held, 0);
}

static void a_burial_that_fails_is_tried_again(void **state)
{
	(void)state;
	begin("{\"retry\":{\"max_attempts\":1}}");
	uint64_t seq = event("a");
	lose_writes(1);
	fails(seq);
	pass(100);
	assert_int_equal(dead_letter_count(), 0);
	assert_int_equal(dead_count(world->dead), 0);
	/* A crash now must not take the delivery for settled. */
	assert_false(job_store_is_done(trigger("t"), seq));
	pass(2000);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(dead_count(world->dead), 1);
	assert_int_equal(trigger("t")->held, 0);
	assert_int_equal(starts_of(seq), 1);
}

static void full_dead_letters_hold(void **state)
{
	(void)state;
	world->dead_max = 1;
	begin("{\"retry\":{\"max_attempts\":1}}");
	uint64_t first = event("a");
	uint64_t second = event("b");
	fails(first);
	fails(second);
	pass(2000);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(trigger("t")->held, 1);
	world->dead_max = 1024 * 1024;
	restart(true);
	offer("f");
	pass(61000);
	assert_int_equal(dead_letter_count(), 2);
	/* It was given up before: its handler is not asked again. */
	assert_int_equal(starts_of(second), 1);
}

static void a_late_result_is_nobodys(void **state)
{
	(void)state;
	begin("{\"timeout_ms\":5000}");
	uint64_t seq = event("a");
	pass(5000);
	assert_false(is_running(seq));
	assert_int_equal(trigger("t")->failed, 1);
	pass(1100);
	assert_true(is_running(seq));
	assert_int_equal(open_call(seq)->attempt, 2);
}

static void a_lost_worker_uses_no_attempt(void **state)
{
	(void)state;
	begin("{\"retry\":{\"max_attempts\":2}}");
	uint64_t seq = event("a");
	for (int i = 0; i < 12; i++) {
		end_call(open_call(seq), CALL_STOPPED, "gone");
		pass(6000);
		assert_true(is_running(seq));
		assert_int_equal(open_call(seq)->attempt, 1);
	}
	assert_int_equal(trigger("t")->failed, 0);
	answer(seq);
	assert_int_equal(trigger("t")->delivered, 1);
}

static void an_absent_function_is_waited_for(void **state)
{
	(void)state;
	declare("t", "f", "{}");
	world_up();
	uint64_t seq = event("a");
	pass(10000);
	assert_int_equal(starts_of(seq), 0);
	offer("f");
	assert_true(is_running(seq));
	assert_int_equal(open_call(seq)->attempt, 1);
}

/* ---- conditions ---- */

static void begin_asking(void)
{
	declare("t", "f", "{\"condition_function_id\":\"c\"}");
	world_up();
	offer("f");
	offer("c");
}

static void a_condition_decides(void **state)
{
	(void)state;
	static const char *const no[] = {"false", "null", "0", "\"\""};
	begin_asking();
	for (size_t i = 0; i < 4; i++) {
		uint64_t seq = event("a");
		assert_string_equal(open_call(seq)->function, "c");
		end_call(open_call(seq), CALL_OK, no[i]);
		assert_false(is_running(seq));
	}
	assert_int_equal(trigger("t")->condition_no, 4);
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_OK, "true");
	assert_string_equal(open_call(seq)->function, "f");
	answer(seq);
	assert_int_equal(trigger("t")->delivered, 1);
}

static void a_yes_is_remembered(void **state)
{
	(void)state;
	begin_asking();
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_OK, "true");
	fails(seq);
	pass(1100);
	assert_string_equal(open_call(seq)->function, "f");
	fails(seq);
	restart(true);
	offer("c");
	offer("f");
	pass(3000);
	assert_string_equal(open_call(seq)->function, "f");
	assert_int_equal(open_call(seq)->attempt, 3);
}

static void a_failed_condition_is_a_failed_attempt(void **state)
{
	(void)state;
	begin_asking();
	uint64_t seq = event("a");
	fails(seq);
	assert_int_equal(trigger("t")->failed, 1);
	pass(1100);
	assert_string_equal(open_call(seq)->function, "c");
	assert_int_equal(open_call(seq)->attempt, 2);
}

static void an_absent_condition_is_waited_for(void **state)
{
	(void)state;
	begin_asking();
	withdraw("c");
	uint64_t seq = event("a");
	assert_false(is_running(seq));
	offer("c");
	assert_string_equal(open_call(seq)->function, "c");
}

/* The condition says yes, and the handler has no room: what the event was read from goes. */
static void a_call_that_waits_for_room_keeps_its_event(void **state)
{
	(void)state;
	enum { LARGE = 100000 };
	begin_asking();
	struct provider *provider = function_offered_by(&world->worker, SPAN("default"), SPAN("f"));
	uint64_t seq = event("a");
	provider_pause(provider, true);
	end_call(open_call(seq), CALL_OK, "true");
	char *large = mem_new(LARGE);
	memset(large, '7', LARGE - 1);
	for (size_t i = 0; i < 40; i++) {
		(void)put_change("b", "1", large);
		turn();
	}
	mem_free(large);
	provider_pause(provider, false);
	assert_string_equal(open_call(seq)->function, "f");
	assert_string_equal(open_call(seq)->key, "a");
}

/* ---- causes ---- */

static int cause_of(const char *delivery, int attempt, struct event_cause *out)
{
	char baggage[256];
	struct binding *by;
	struct err err;
	*out = (struct event_cause){0};
	(void)snprintf(baggage, sizeof baggage, "pawl.delivery=%s,pawl.attempt=%d", delivery,
	               attempt);
	return causes_find(dispatch_causes(world->dispatch), span_of(baggage), out, &by, &err);
}

static void a_write_knows_its_cause(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = put_event_at("a", 3);
	turn();
	char id[160];
	(void)snprintf(id, sizeof id, "%s", open_call(seq)->delivery_id);
	struct event_cause cause;
	assert_int_equal(cause_of(id, 1, &cause), 0);
	assert_int_equal(cause.depth, 4);
	assert_true(span_is(cause.path, "t"));
	assert_true(span_is(cause.delivery, id));
	fails(seq);
	assert_int_equal(cause_of(id, 1, &cause), E_CONFLICT); /* stale_delivery */
	pass(1100);
	assert_int_equal(cause_of(id, 1, &cause), E_CONFLICT);
	assert_int_equal(cause_of(id, 2, &cause), 0);
	assert_int_equal(cause.depth, 4);
	answer(seq);
	assert_int_equal(cause_of(id, 2, &cause), 0);
	assert_int_equal(cause.depth, 0);
}

static void a_loop_is_buried(void **state)
{
	(void)state;
	begin("{}");
	uint64_t fine = put_event_at("a", 15);
	uint64_t looped = put_event_at("b", 16);
	turn();
	assert_true(is_running(fine));
	assert_int_equal(starts_of(looped), 0);
	size_t count;
	assert_non_null(strstr(dead_letters(&count), "loop_detected"));
	assert_int_equal(count, 1);
}

/* ---- policies of functions ---- */

static void set_policy(const char *function, struct function_policy policy)
{
	functions_begin_policies(world->functions);
	function_set_policy(world->functions, SPAN("default"), span_of(function), &policy);
	functions_end_policies(world->functions);
	turn();
}

static const struct trigger_retry silent = {-1, -1, -1, -1, -1, -1, 0, {0}};

static void a_function_is_shared_by_its_triggers(void **state)
{
	(void)state;
	declare("u", "f", "{}");
	begin("{}");
	set_policy("f", (struct function_policy){.concurrency = 2, .retry = silent});
	uint64_t seqs[6];
	for (int i = 0; i < 6; i++) {
		char key[2] = {(char)('a' + i), '\0'};
		seqs[i] = event(key);
	}
	/* 12 deliveries; 2 run at a time, and no trigger waits until the other one has none. */
	bool ran[2] = {false, false};
	for (int done = 0; done < 12; done++) {
		size_t running = 0;
		struct started *last = NULL;
		for (size_t i = 0; i < world->started_count; i++) {
			running += world->started[i].call != NULL;
			last = world->started[i].call != NULL ? &world->started[i] : last;
		}
		assert_int_equal(running, done < 11 ? 2 : 1);
		ran[strstr(last->delivery_id, "/u") != NULL] = true;
		assert_true(done < 4 || (ran[0] && ran[1]));
		end_call(last, CALL_OK, "null");
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(starts_of(seqs[i]), 2);
	}
}

static void a_bound_that_goes_lets_all_start(void **state)
{
	(void)state;
	begin("{}");
	set_policy("f", (struct function_policy){.concurrency = 1, .retry = silent});
	uint64_t first = event("a");
	uint64_t second = event("b");
	assert_false(is_running(second));
	functions_begin_policies(world->functions);
	functions_end_policies(world->functions);
	assert_true(is_running(second));
	answer(first);
	answer(second);
}

static void a_function_says_how_its_triggers_retry(void **state)
{
	(void)state;
	declare("own", "f", "{\"key\":\"a\",\"retry\":{\"schedule\":[\"3s\"]}}");
	begin("{\"key\":\"b\"}");
	struct trigger_retry retry = silent;
	retry.max_attempts = 2;
	retry.initial_ms = 200;
	set_policy("f", (struct function_policy){.retry = retry});
	uint64_t own = event("a");
	uint64_t shared = event("b");
	fails(own);
	fails(shared);
	pass(250);
	assert_int_equal(starts_of(shared), 2);
	assert_int_equal(starts_of(own), 1);
	fails(shared);
	assert_int_equal(dead_letter_count(), 1);
	pass(2800);
	fails(own);
	assert_int_equal(starts_of(own), 2);
	assert_int_equal(dead_letter_count(), 2);
}

/* Two counters: whoever is to blame. */
static void only_the_handlers_failures_use_attempts(void **state)
{
	(void)state;
	begin("{\"retry\":{\"max_attempts\":2,\"initial_ms\":10}}");
	uint64_t seq = event("a");
	for (int i = 0; i < 20; i++) {
		end_call(open_call(seq), CALL_STOPPED, "it went");
		pass(6000);
		assert_int_equal(open_call(seq)->attempt, 1);
	}
	restart(true);
	offer("f");
	pass(100);
	fails(seq);
	pass(100);
	end_call(open_call(seq), CALL_STOPPED, "it went");
	pass(6000);
	assert_int_equal(open_call(seq)->attempt, 2);
	assert_int_equal(dead_letter_count(), 0);
	fails(seq);
	assert_int_equal(dead_letter_count(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(one_key_is_first_in_first_out),
	        WORLD_TEST(a_failed_delivery_keeps_its_place),
	        WORLD_TEST(order_none_starts_all),
	        WORLD_TEST(order_trigger_is_one_lane),
	        WORLD_TEST(concurrency_is_a_bound),
	        WORLD_TEST(waits_grow_and_the_last_failure_buries),
	        WORLD_TEST(a_handler_says_when),
	        WORLD_TEST(a_handler_says_never),
	        WORLD_TEST(a_burial_that_fails_is_tried_again),
	        WORLD_TEST(full_dead_letters_hold),
	        WORLD_TEST(a_late_result_is_nobodys),
	        WORLD_TEST(a_lost_worker_uses_no_attempt),
	        WORLD_TEST(an_absent_function_is_waited_for),
	        WORLD_TEST(a_condition_decides),
	        WORLD_TEST(a_yes_is_remembered),
	        WORLD_TEST(a_failed_condition_is_a_failed_attempt),
	        WORLD_TEST(an_absent_condition_is_waited_for),
	        WORLD_TEST(a_call_that_waits_for_room_keeps_its_event),
	        WORLD_TEST(a_write_knows_its_cause),
	        WORLD_TEST(a_loop_is_buried),
	        WORLD_TEST(a_function_is_shared_by_its_triggers),
	        WORLD_TEST(a_bound_that_goes_lets_all_start),
	        WORLD_TEST(a_function_says_how_its_triggers_retry),
	        WORLD_TEST(only_the_handlers_failures_use_attempts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
