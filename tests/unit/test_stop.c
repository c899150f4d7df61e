/* This file proves that a clean stop loses nothing owed and repeats nothing settled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

/* A clean stop at once, and a start in which the worker is there again. */
static void stop_and_start(void)
{
	restart(false);
	offer("f");
	offer("g");
}

/* The daemon was told to stop: what runs may end. */
static void begin_to_stop(void)
{
	dispatch_stop(world->dispatch);
	turn();
}

static struct started *open_call_of(const char *function, uint64_t seq)
{
	for (size_t i = 0; i < world->started_count; i++) {
		struct started *started = &world->started[i];
		if (started->seq == seq && started->call != NULL &&
		    strcmp(started->function, function) == 0) {
			return started;
		}
	}
	return NULL;
}

static size_t starts_by(const char *function, uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		count += world->started[i].seq == seq &&
		         strcmp(world->started[i].function, function) == 0;
	}
	return count;
}

/* Though the tenth of a second that cursors wait for has not passed. */
static void the_cursor_is_put(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	answer(seq);
	assert_int_equal(react_cursor(world->react, trigger("t")), seq - 1);
	stop_and_start();
	assert_int_equal(world->cursor, seq);
	pass(2000);
	assert_int_equal(starts_of(seq), 1);
}

static void nothing_starts_any_more_and_what_runs_may_end(void **state)
{
	(void)state;
	begin("{\"concurrency\":1}");
	uint64_t running = event("a");
	uint64_t waiting = event("b");
	begin_to_stop();
	uint64_t late = event("c");
	assert_int_equal(dispatch_running(world->dispatch), 1);
	answer(running);
	assert_int_equal(dispatch_running(world->dispatch), 0);
	assert_int_equal(world->started_count, 1);
	stop_and_start();
	assert_int_equal(starts_of(running), 1);
	assert_true(is_running(waiting));
	answer(waiting);
	assert_true(is_running(late));
}

/* What was settled above something that is owed still. */
static void settled_above_the_cursor(void **state)
{
	(void)state;
	begin("{}");
	uint64_t owed = event("a");
	uint64_t settled = event("b");
	answer(settled);
	stop_and_start();
	assert_int_equal(starts_of(settled), 1);
	assert_int_equal(starts_of(owed), 2);
	assert_int_equal(open_call(owed)->attempt, 1);
	answer(owed);
	pass(2000);
	assert_false(has_job("t", owed));
	assert_int_equal(trigger("t")->held, 0);
}

static void settled_above_one_whose_worker_went(void **state)
{
	(void)state;
	begin("{}");
	uint64_t owed = event("a");
	uint64_t behind = event("a");
	uint64_t settled = event("b");
	end_call(open_call(owed), CALL_STOPPED, "gone");
	answer(settled);
	stop_and_start();
	pass(10000);
	assert_int_equal(starts_of(settled), 1);
	assert_int_equal(starts_of(owed), 2);
	assert_int_equal(starts_of(behind), 0);
	answer(owed);
	assert_true(is_running(behind));
}

/* Whoever owes does not make another one do its work again. */
static void one_trigger_owes_and_another_has_settled(void **state)
{
	(void)state;
	declare("u", "g", "{}");
	begin("{\"concurrency\":1}");
	offer("g");
	uint64_t first = event("a");
	uint64_t second = event("b");
	end_call(open_call_of("f", first), CALL_OK, "null");
	end_call(open_call_of("g", first), CALL_OK, "null");
	end_call(open_call_of("g", second), CALL_OK, "null");
	stop_and_start();
	assert_int_equal(starts_by("g", first), 1);
	assert_int_equal(starts_by("g", second), 1);
	assert_int_equal(starts_by("f", first), 1);
	assert_int_equal(starts_by("f", second), 2);
}

static void nobody_was_there_for_one_of_two(void **state)
{
	(void)state;
	declare("u", "absent", "{}");
	begin("{}");
	uint64_t first = event("a");
	uint64_t second = event("b");
	end_call(open_call_of("f", first), CALL_OK, "null");
	end_call(open_call_of("f", second), CALL_OK, "null");
	restart(false);
	offer("f");
	assert_int_equal(world->started_count, 2);
	assert_false(has_job("u", first));
	offer("absent");
	assert_int_equal(starts_by("absent", first), 1);
	assert_int_equal(starts_by("absent", second), 1);
}

static void a_lagging_one_keeps_its_place(void **state)
{
	(void)state;
	world->job_max = 2;
	begin("{\"concurrency\":1}");
	uint64_t first = store_next_seq(world->store);
	for (int i = 0; i < 10; i++) {
		(void)put_event("a");
	}
	turn();
	answer(first);
	begin_to_stop();
	answer(first + 1);
	stop_and_start();
	for (uint64_t seq = first + 2; seq < first + 10; seq++) {
		assert_true(is_running(seq));
		answer(seq);
	}
	assert_int_equal(world->started_count, 10);
	pass(3000);
	assert_false(trigger("t")->lagging);
}

static void a_wait_goes_on(void **state)
{
	(void)state;
	begin("{\"retry\":{\"jitter\":0,\"initial_ms\":5000}}");
	uint64_t seq = event("a");
	fails(seq);
	pass(2000);
	stop_and_start();
	pass(2900);
	assert_int_equal(starts_of(seq), 1);
	pass(200);
	assert_int_equal(open_call(seq)->attempt, 2);
}

/* The store recovers while the daemon stops: then what is on disk has to do. */
static void the_store_is_away(void **state)
{
	(void)state;
	begin("{}");
	uint64_t settled = event("a");
	answer(settled);
	pass(300);
	uint64_t owed = event("a");
	fault_plan(world->disk, FAULT_OPEN, FAULT_FAILS, 1, E_IO);
	lose_writes(1);
	(void)event("b");
	assert_false(store_can_put(world->store));
	stop_and_start();
	assert_int_equal(starts_of(settled), 1);
	assert_int_equal(starts_of(owed), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(the_cursor_is_put),
	        WORLD_TEST(nothing_starts_any_more_and_what_runs_may_end),
	        WORLD_TEST(settled_above_the_cursor),
	        WORLD_TEST(settled_above_one_whose_worker_went),
	        WORLD_TEST(one_trigger_owes_and_another_has_settled),
	        WORLD_TEST(nobody_was_there_for_one_of_two),
	        WORLD_TEST(a_lagging_one_keeps_its_place),
	        WORLD_TEST(a_wait_goes_on),
	        WORLD_TEST(the_store_is_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
