/* This file proves that cursors, records and restarts lose nothing and repeat nothing settled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static uint64_t shared_cursor(void)
{
	struct binding *binding = trigger("t");
	assert_false(binding->lagging);
	return react_cursor(world->react, binding);
}

/* Long enough for a version that is past its end to go: first its cursor has to be on disk. */
static void let_it_go(void)
{
	pass(2000);
	pass(300);
}

/* A crash, and a start in which the worker is there again. */
static void crash(void)
{
	restart(true);
	offer("f");
}

static void the_cursor_waits_for_what_is_owed(void **state)
{
	(void)state;
	begin("{}");
	uint64_t first = event("a");
	uint64_t second = event("b");
	answer(second);
	pass(300);
	assert_int_equal(shared_cursor(), first - 1);
	answer(first);
	pass(300);
	assert_int_equal(shared_cursor(), second);
}

static void a_record_is_written_after_a_second(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	uint64_t behind = event("a");
	pass(900);
	assert_false(has_job("t", seq));
	assert_int_equal(shared_cursor(), seq - 1);
	pass(700);
	assert_true(has_job("t", seq));
	assert_true(has_job("t", behind));
	assert_int_equal(shared_cursor(), behind);
	answer(seq);
	answer(behind);
	pass(500);
	assert_false(has_job("t", seq));
	assert_false(has_job("t", behind));
}

static void who_waits_for_room_lags_and_comes_back(void **state)
{
	(void)state;
	declare("u", "g", "{}");
	begin("{\"concurrency\":1}");
	offer("g");
	uint64_t running = event("a");
	uint64_t waiting = event("b");
	answer(running);
	running = waiting;
	waiting = event("c");
	open_call(running)->function[0] == 'g' ? answer(running) : (void)0;
	pass(2000);
	assert_true(trigger("t")->lagging);
	assert_true(has_own_cursor("t", 1));
	assert_int_equal(react_cursor(world->react, trigger("u")), store_durable_seq(world->store));
	while (trigger("t")->held != 0 || trigger("u")->held != 0) {
		for (size_t i = 0; i < world->started_count; i++) {
			if (world->started[i].call != NULL) {
				end_call(&world->started[i], CALL_OK, "null");
			}
		}
		pass(100);
	}
	pass(3000);
	assert_false(trigger("t")->lagging);
	assert_false(has_own_cursor("t", 1));
	uint64_t last = event("d");
	assert_true(is_running(last));
}

static void a_full_hand_lags_and_reads_again(void **state)
{
	(void)state;
	world->job_max = 4;
	begin("{\"concurrency\":1}");
	uint64_t first = store_next_seq(world->store);
	for (int i = 0; i < 40; i++) {
		(void)put_event(i % 2 ? "a" : "b");
	}
	turn();
	assert_true(trigger("t")->lagging);
	assert_true(trigger("t")->held <= 4);
	for (uint64_t seq = first; seq < first + 40; seq++) {
		assert_true(is_running(seq));
		assert_int_equal(starts_of(seq), 1);
		answer(seq);
	}
	pass(2000);
	assert_false(trigger("t")->lagging);
	assert_int_equal(trigger("t")->delivered, 40);
}

/* A crash in the middle of everything: settled, running, waiting, recorded. */
static void a_restart_matches_what_is_owed(void **state)
{
	(void)state;
	begin("{}");
	uint64_t done = event("a");
	answer(done);
	pass(300);
	uint64_t failed = event("b");
	fails(failed);
	uint64_t behind = event("b");
	uint64_t running = event("c");
	flush();
	crash();
	assert_int_equal(starts_of(done), 1);
	assert_int_equal(starts_of(running), 2);
	assert_int_equal(starts_of(failed), 1);
	assert_int_equal(starts_of(behind), 0);
	pass(1100);
	assert_true(is_running(failed));
	assert_int_equal(open_call(failed)->attempt, 2);
	answer(failed);
	assert_true(is_running(behind));
}

static void a_tombstone_outlives_a_crash(void **state)
{
	(void)state;
	begin("{\"retry\":{\"jitter\":0}}");
	uint64_t holds = event("a");
	uint64_t seq = event("b");
	fails(seq);
	flush();
	/* The cursor stands before `holds`; the record of `seq` becomes a tombstone. */
	jump(1000);
	assert_true(is_running(seq));
	assert_int_equal(shared_cursor(), holds - 1);
	answer(seq);
	flush();
	assert_true(has_job("t", seq));
	crash();
	assert_int_equal(starts_of(holds), 2);
	assert_int_equal(starts_of(seq), 2);
	assert_false(is_running(seq));
	answer(holds);
	pass(1000);
	assert_false(has_job("t", seq));
	pass(300); /* the deletion is durable now */
	assert_true(list_is_empty(&trigger("t")->done));
}

static void a_dead_one_stays_dead(void **state)
{
	(void)state;
	begin("{\"retry\":{\"max_attempts\":1}}");
	(void)event("a");
	uint64_t seq = event("b");
	fails(seq);
	assert_int_equal(dead_letter_count(), 1);
	crash();
	assert_int_equal(starts_of(seq), 1);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(dead_count(world->dead), 1);
}

static void a_lagging_one_goes_on_where_it_was(void **state)
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
	answer(first + 1);
	pass(300);
	assert_true(has_own_cursor("t", 1));
	crash();
	assert_int_equal(starts_of(first + 1), 1);
	for (uint64_t seq = first + 2; seq < first + 10; seq++) {
		assert_true(is_running(seq));
		answer(seq);
	}
	pass(3000);
	assert_false(trigger("t")->lagging);
	assert_int_equal(world->started_count, 11);
}

/* ---- the store fails and recovers ---- */

static void lost_records_are_put_again(void **state)
{
	(void)state;
	begin("{\"retry\":{\"jitter\":0}}");
	uint64_t seq = event("a");
	lose_writes(1);
	fails(seq);
	pass(300);
	assert_true(has_job("t", seq));
	crash();
	assert_int_equal(starts_of(seq), 1);
	pass(1000);
	assert_true(is_running(seq));
	assert_int_equal(open_call(seq)->attempt, 2);
}

/* What is settled while the store is away, or in a group that is lost, does not run again. */
static void lost_outcomes_are_put_again(void **state)
{
	(void)state;
	begin("{\"retry\":{\"jitter\":0}}");
	uint64_t seq = event("a");
	fails(seq);
	pass(1100);
	assert_true(has_job("t", seq));
	lose_writes(1);
	answer(seq);
	pass(1000);
	assert_int_equal(shared_cursor(), seq);
	assert_false(has_job("t", seq));
	crash();
	pass(5000);
	assert_int_equal(starts_of(seq), 2);
}

static void a_settled_one_is_remembered_while_the_store_is_away(void **state)
{
	(void)state;
	begin("{\"retry\":{\"jitter\":0}}");
	uint64_t seq = event("a");
	fails(seq);
	pass(1100);
	fault_plan(world->disk, FAULT_OPEN, FAULT_FAILS, 1, E_IO);
	lose_writes(1);
	(void)event("b");
	assert_false(store_can_put(world->store));
	answer(seq);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	pass(1000);
	assert_false(has_job("t", seq));
	crash();
	pass(5000);
	assert_int_equal(starts_of(seq), 2);
}

static void a_lost_event_wakes_nobody(void **state)
{
	(void)state;
	begin("{}");
	uint64_t before = event("a");
	answer(before);
	lose_writes(1);
	uint64_t lost = event("a");
	assert_int_equal(starts_of(lost), 0);
	uint64_t again = event("a");
	assert_int_equal(again, lost);
	assert_true(is_running(again));
}

static void an_event_that_was_durable_after_all_is_delivered(void **state)
{
	(void)state;
	begin("{}");
	fault_plan(world->disk, FAULT_WRITE, FAULT_HAPPENS_AND_FAILS, 1, E_IO);
	uint64_t seq = event("a");
	pass(200);
	assert_true(is_running(seq));
	assert_int_equal(starts_of(seq), 1);
}

static void a_lost_trigger_is_put_again(void **state)
{
	(void)state;
	world_up();
	lose_writes(1);
	declare("t", "f", "{}");
	world_sync();
	pass(300);
	crash();
	uint64_t seq = event("a");
	assert_true(is_running(seq));
	struct space_key room;
	assert_true(fault_has(world->disk, space_trigger(&room, SPAN("t"), 1)));
}

/* ---- versions ---- */

static void each_version_judges_its_own_events(void **state)
{
	(void)state;
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	uint64_t old_a = event("a");
	(void)event("b");
	pass(100);
	declare("t", "f", "{\"key\":\"b\"}");
	world_sync();
	(void)event("a");
	uint64_t new_b = event("b");
	flush();
	restart(true);
	offer("f");
	assert_int_equal(world->started_count, 2);
	assert_true(is_running(old_a) && is_running(new_b));
	answer(old_a);
	answer(new_b);
	let_it_go();
	assert_int_equal(catalog_count(world->catalog), 1);
	assert_int_equal(trigger("t")->version, 2);
	struct space_key room;
	assert_false(fault_has(world->disk, space_trigger(&room, SPAN("t"), 1)));
	assert_false(has_own_cursor("t", 1));
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

/* The config changes while the engine is dead: one is edited, one goes, one comes. */
static void each_event_is_judged_by_the_triggers_of_its_time(void **state)
{
	(void)state;
	declare("edited", "f", "{\"key\":\"a\"}");
	declare("removed", "g", "{}");
	world_up();
	uint64_t old_a = event("a");
	uint64_t old_b = event("b");
	world_down(true);
	world->spec_count = 0;
	declare("edited", "f", "{\"key\":\"b\"}");
	declare("added", "h", "{}");
	world_up();
	uint64_t new_a = event("a");
	uint64_t new_b = event("b");
	restart(true); /* and once more, before anything is settled */
	offer("f");
	offer("g");
	offer("h");
	for (int i = 0; i < 8; i++) {
		for (size_t at = 0; at < world->started_count; at++) {
			if (world->started[at].call != NULL) {
				end_call(&world->started[at], CALL_OK, "null");
			}
		}
	}
	assert_int_equal(starts_by("f", old_a), 1);
	assert_int_equal(starts_by("f", old_b), 0);
	assert_int_equal(starts_by("f", new_a), 0);
	assert_int_equal(starts_by("f", new_b), 1);
	assert_int_equal(starts_by("g", old_a) + starts_by("g", old_b), 2);
	assert_int_equal(starts_by("g", new_a) + starts_by("g", new_b), 0);
	assert_int_equal(starts_by("h", old_a) + starts_by("h", old_b), 0);
	assert_int_equal(starts_by("h", new_a) + starts_by("h", new_b), 2);
	let_it_go();
	assert_int_equal(catalog_count(world->catalog), 2);
}

/* The lane of a key is the trigger's, whatever its version. */
static void the_next_version_goes_on_behind_the_last(void **state)
{
	(void)state;
	begin("{\"concurrency\":1}");
	uint64_t first = event("a");
	declare("t", "f", "{\"concurrency\":2}");
	world_sync();
	uint64_t second = event("a");
	assert_false(is_running(second));
	answer(first);
	assert_true(is_running(second));
	answer(second);
	let_it_go();
	assert_int_equal(catalog_count(world->catalog), 1);
}

static void an_ended_trigger_that_comes_back_is_a_new_version(void **state)
{
	(void)state;
	begin("{}");
	uint64_t old = event("a");
	struct trigger_spec kept = world->specs[0];
	world->spec_count = 0;
	world_sync();
	(void)event("a");
	world->specs[world->spec_count++] = kept;
	world_sync();
	uint64_t fresh = event("a");
	assert_int_equal(trigger("t")->version, 2);
	answer(old);
	let_it_go();
	assert_int_equal(catalog_count(world->catalog), 1);
	crash();
	assert_true(is_running(fresh));
	assert_int_equal(world->started_count, 3);
}

/* What it has done it does not do again, though the store lost the group in which it went. */
static void a_version_that_has_gone_stays_gone(void **state)
{
	(void)state;
	begin("{\"concurrency\":1}");
	uint64_t first = event("a");
	uint64_t last = event("b");
	pass(1500);
	assert_true(has_own_cursor("t", 1));
	declare("t", "f", "{}");
	world_sync();
	answer(first);
	pass(50);
	answer(last);
	assert_false(has_job("t", last));
	lose_writes(1);
	pass(100);
	pass(1000);
	restart(false);
	offer("f");
	let_it_go();
	assert_int_equal(catalog_count(world->catalog), 1);
	assert_int_equal(starts_of(first), 1);
	assert_int_equal(starts_of(last), 1);
}

/* ---- what nobody serves ---- */

static void parked_for_too_long_is_one_dead_letter(void **state)
{
	(void)state;
	world->park_max_ms = 60000;
	declare("t", "f", "{}");
	world_up();
	(void)event("a");
	(void)event("b");
	pass(59000);
	assert_int_equal(dead_letter_count(), 0);
	for (int i = 0; i < 10 && dead_letter_count() == 0; i++) {
		pass(1000);
	}
	size_t count;
	assert_non_null(strstr(dead_letters(&count), "function_absent"));
	assert_int_equal(count, 1);
	pass(3000);
	assert_false(trigger("t")->lagging);
	offer("f");
	assert_int_equal(world->started_count, 0);
	assert_true(is_running(event("a")));
}

/* Also when all that waits has a record already. */
static void recorded_ones_do_not_wait_for_ever(void **state)
{
	(void)state;
	world->park_max_ms = 60000;
	begin("{}");
	uint64_t seq = event("a");
	fails(seq);
	flush();
	restart(true);
	for (int i = 0; i < 80; i++) {
		pass(1000);
	}
	assert_int_equal(dead_letter_count(), 1);
	assert_false(has_job("t", seq));
}

static void a_needed_event_is_not_trimmed(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	fails(seq);
	for (int i = 0; i < 3; i++) {
		answer(event("b"));
	}
	pass(500);
	assert_int_equal(react_first_needed(world->react), seq);
	restart(true);
	assert_int_equal(react_first_needed(world->react), seq);
}

static void detaching_keeps_what_is_younger(void **state)
{
	(void)state;
	begin("{}");
	uint64_t old = event("a");
	uint64_t young = event("a");
	uint64_t other = event("b");
	pass(1500);
	react_detach_before(world->react, young);
	turn();
	assert_false(is_running(old));
	assert_true(is_running(young));
	assert_true(is_running(other));
	assert_int_equal(dead_letter_count(), 1);
	answer(young);
	answer(other);
	pass(1000);
	assert_false(has_job("t", old));
	assert_int_equal(trigger("t")->held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(the_cursor_waits_for_what_is_owed),
	        WORLD_TEST(a_record_is_written_after_a_second),
	        WORLD_TEST(who_waits_for_room_lags_and_comes_back),
	        WORLD_TEST(a_full_hand_lags_and_reads_again),
	        WORLD_TEST(a_restart_matches_what_is_owed),
	        WORLD_TEST(a_tombstone_outlives_a_crash),
	        WORLD_TEST(a_dead_one_stays_dead),
	        WORLD_TEST(a_lagging_one_goes_on_where_it_was),
	        WORLD_TEST(lost_records_are_put_again),
	        WORLD_TEST(lost_outcomes_are_put_again),
	        WORLD_TEST(a_settled_one_is_remembered_while_the_store_is_away),
	        WORLD_TEST(a_lost_event_wakes_nobody),
	        WORLD_TEST(an_event_that_was_durable_after_all_is_delivered),
	        WORLD_TEST(a_lost_trigger_is_put_again),
	        WORLD_TEST(each_version_judges_its_own_events),
	        WORLD_TEST(each_event_is_judged_by_the_triggers_of_its_time),
	        WORLD_TEST(the_next_version_goes_on_behind_the_last),
	        WORLD_TEST(an_ended_trigger_that_comes_back_is_a_new_version),
	        WORLD_TEST(a_version_that_has_gone_stays_gone),
	        WORLD_TEST(parked_for_too_long_is_one_dead_letter),
	        WORLD_TEST(recorded_ones_do_not_wait_for_ever),
	        WORLD_TEST(a_needed_event_is_not_trimmed),
	        WORLD_TEST(detaching_keeps_what_is_younger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
