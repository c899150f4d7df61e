/* This file tests paused triggers: what waits, what is dropped, and what a crash leaves of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

struct told {
	struct store_waiter waiter;
	int status;
	bool is_durable;
};

static void tell(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err;
	struct told *told = MEM_CONTAINER(waiter, struct told, waiter);
	told->status = status;
	told->is_durable = true;
}

static void pause_as(enum trigger_pause mode)
{
	static struct told told;
	struct err err = {0};
	told = (struct told){.waiter.done = tell};
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), &mode, SPAN("for a test"),
	                               &told.waiter, &err),
	                 0);
	assert_false(told.is_durable);
	turn();
	assert_true(told.is_durable);
	assert_int_equal(told.status, 0);
}

static void resume(void)
{
	struct err err = {0};
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	turn();
}

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static void what_comes_meanwhile_waits_and_costs_no_row(void **state)
{
	(void)state;
	begin("{}");
	uint64_t before = event("a");
	answer(before);
	pause_as(PAUSE_HOLD);
	uint64_t first = event("a");
	uint64_t second = event("a");
	uint64_t other = event("b");
	pass(5000);
	assert_int_equal(starts_of(first) + starts_of(second) + starts_of(other), 0);
	assert_false(has_job("t", first) || has_job("t", second) || has_job("t", other));
	assert_true(has_own_cursor("t", 1)); /* the shared one has moved on */
	assert_string_equal(trigger("t")->pause.reason, "for a test");

	resume();
	pass(100);
	assert_true(is_running(first));
	assert_true(is_running(other));
	assert_int_equal(starts_of(second), 0);
	answer(first);
	assert_true(is_running(second));
	answer(second);
	answer(other);
	pass(3000);
	assert_false(trigger("t")->lagging);
	assert_false(has_own_cursor("t", 1));
}

static void what_runs_ends_and_what_failed_waits(void **state)
{
	(void)state;
	begin("{}");
	uint64_t good = event("a");
	uint64_t bad = event("b");
	pause_as(PAUSE_HOLD);
	answer(good);
	fails(bad);
	pass(20000);
	assert_int_equal(trigger("t")->delivered, 1);
	assert_int_equal(starts_of(bad), 1);
	resume();
	assert_int_equal(starts_of(bad), 2);
	assert_int_equal(open_call(bad)->attempt, 2);
	answer(bad);
}

static void a_pause_outlives(bool crash)
{
	begin("{}");
	uint64_t running = event("a");
	pause_as(PAUSE_HOLD);
	uint64_t held = event("b");
	pass(300);
	restart(crash);
	offer("f");
	uint64_t later = event("c");
	pass(2000);
	assert_true(pause_holds(&trigger("t")->pause));
	assert_string_equal(trigger("t")->pause.reason, "for a test");
	assert_int_equal(starts_of(running), 1);
	assert_int_equal(starts_of(held) + starts_of(later), 0);
	resume();
	pass(100);
	answer(running);
	answer(held);
	answer(later);
	restart(crash);
	assert_false(trigger("t")->pause.is_on);
}

static void a_pause_outlives_a_restart(void **state)
{
	(void)state;
	a_pause_outlives(false);
}

static void a_pause_outlives_a_crash(void **state)
{
	(void)state;
	a_pause_outlives(true);
}

static void what_comes_meanwhile_is_dropped_and_counted(void **state)
{
	(void)state;
	begin("{\"key\":\"k\"}");
	uint64_t running = event("k");
	pause_as(PAUSE_DROP);
	uint64_t dropped = event("k");
	(void)event("other");
	pass(1000);
	assert_int_equal(trigger("t")->dropped, 1);
	answer(running);
	pass(1000);
	assert_int_equal(react_cursor(world->react, trigger("t")), store_durable_seq(world->store));
	resume();
	uint64_t later = event("k");
	assert_int_equal(starts_of(dropped), 0);
	answer(later);
}

/* The cursor has not passed them when the engine dies. */
static void what_was_dropped_stays_so_after_a_crash(void **state)
{
	(void)state;
	begin("{}");
	uint64_t running = event("a");
	pass(1500);
	pause_as(PAUSE_DROP);
	uint64_t dropped = event("b");
	resume();
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(starts_of(running), 2);
	assert_int_equal(starts_of(dropped), 0);
	answer(running);
}

static void drops_are_one_range_at_a_time(void **state)
{
	(void)state;
	world->job_max = 1;
	begin("{\"concurrency\":1}");
	uint64_t first = event("a");
	uint64_t second = event("b"); /* no room: the trigger lags from here on */
	pause_as(PAUSE_DROP);
	uint64_t dropped = event("c");
	resume();
	struct err err = {0};
	enum trigger_pause mode = PAUSE_DROP;
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), &mode, SPAN(""), NULL, &err),
	                 E_CONFLICT);
	assert_string_equal(err.code, "still_dropping");
	answer(first);
	pass(100);
	answer(second);
	pass(1500);
	pause_as(PAUSE_DROP);
	assert_int_equal(starts_of(dropped), 0);
}

static void a_config_may_begin_paused(void **state)
{
	(void)state;
	begin("{\"paused\":true}");
	uint64_t first = event("a");
	assert_int_equal(starts_of(first), 0);
	resume();
	pass(100);
	answer(first);
	pass(1500);
	restart(true);
	offer("f");
	assert_false(trigger("t")->pause.is_on); /* a person's word is the last one */

	declare("t", "f", "{\"concurrency\":2}");
	world_sync();
	declare("t", "f", "{\"concurrency\":2,\"paused\":true,\"pause\":\"drop\"}");
	world_sync();
	assert_true(trigger("t")->pause.is_on);
	assert_int_equal(trigger("t")->pause.mode, PAUSE_DROP);
	declare("t", "f", "{\"concurrency\":3}");
	world_sync();
	assert_false(trigger("t")->pause.is_on);
	answer(event("a"));
}

static void a_new_version_stays_paused(void **state)
{
	(void)state;
	begin("{}");
	uint64_t running = event("a");
	pause_as(PAUSE_HOLD);
	uint64_t held = event("a");
	declare("t", "f", "{\"concurrency\":2}");
	world_sync();
	uint64_t later = event("a");
	answer(running);
	pass(3000);
	assert_int_equal(trigger("t")->version, 2);
	assert_int_equal(starts_of(held) + starts_of(later), 0);
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(starts_of(held) + starts_of(later), 0);
	resume();
	pass(100);
	assert_true(is_running(held));
	assert_int_equal(starts_of(later), 0);
	answer(held);
	pass(300);
	answer(later);
	pass(3000);
	assert_int_equal(catalog_count(world->catalog), 1);
}

static void a_paused_trigger_is_not_parked(void **state)
{
	(void)state;
	world->park_max_ms = 1000;
	begin("{}");
	withdraw("f");
	uint64_t held = event("a");
	pause_as(PAUSE_HOLD);
	pass(20000);
	assert_int_equal(dead_letter_count(), 0);
	offer("f");
	resume();
	answer(held);
}

static void a_pause_outlives_lost_writes(void **state)
{
	(void)state;
	begin("{}");
	enum trigger_pause mode = PAUSE_HOLD;
	struct err err = {0};
	lose_writes(1);
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), &mode, SPAN("x"), NULL, &err), 0);
	pass(2000);
	uint64_t held = event("a");
	restart(true);
	offer("f");
	pass(2000);
	assert_int_equal(starts_of(held), 0);
	resume();
	pass(100);
	answer(held);
}

static uint64_t put_chain(const char *key, uint32_t depth, const char *path)
{
	return put((struct event){.key = span_of(key),
	                          .old_value = SPAN("0"),
	                          .new_value = SPAN("1"),
	                          .cause = {.root = SPAN("log-1-1"),
	                                    .depth = depth,
	                                    .path = span_of(path),
	                                    .delivery = SPAN("log-1-2/t")}});
}

static void a_loop_pauses_who_is_part_of_it(bool crash)
{
	declare("looks-on", "g", "{}");
	begin("{}");
	offer("g");
	uint64_t before = put_chain("a", 15, "other\nt");
	uint64_t end = put_chain("a", 16, "other\nt");
	uint64_t held = put_chain("b", 3, "other");
	turn();
	answer(before); /* one of the two */
	answer(before);
	pass(100);
	assert_int_equal(starts_of(end), 0);
	assert_true(trigger("t")->pause.is_on);
	assert_int_equal(trigger("t")->pause.mode, PAUSE_HOLD);
	assert_non_null(strstr(trigger("t")->pause.reason, "loop_detected"));
	assert_false(trigger("looks-on")->pause.is_on);
	size_t dead;
	assert_non_null(strstr(dead_letters(&dead), "\"reason\":\"loop_detected\""));
	assert_int_equal(dead, 2);

	restart(crash);
	offer("f");
	offer("g");
	assert_true(trigger("t")->pause.is_on);
	assert_int_equal(dead_letter_count(), 2);
	resume();
	pass(100);
	assert_false(trigger("t")->pause.is_on);
	answer(held);
	answer(held);
	assert_int_equal(starts_of(end), 0);
}

static void a_loop_pauses_its_trigger(void **state)
{
	(void)state;
	a_loop_pauses_who_is_part_of_it(false);
}

static void the_pause_of_a_loop_is_written_with_its_dead_letter(void **state)
{
	(void)state;
	a_loop_pauses_who_is_part_of_it(true);
}

static void nobody_pauses_what_is_not_there(void **state)
{
	(void)state;
	begin("{}");
	struct err err = {0};
	assert_int_equal(catalog_pause(world->catalog, SPAN("x"), NULL, SPAN(""), NULL, &err),
	                 E_NOT_FOUND);
	assert_int_equal(catalog_resume(world->catalog, SPAN("x"), NULL, &err), E_NOT_FOUND);
	assert_string_equal(err.code, "trigger_not_found");
}

static void long_reasons_are_cut_between_characters(void **state)
{
	(void)state;
	struct pause pause = {0};
	struct pause read;
	char text[PAUSE_REASON_MAX + 8];
	struct buf json = {0};
	memset(text, 'x', sizeof text);
	memcpy(text + PAUSE_REASON_MAX - 1, "\xc3\xa9", 2);
	pause_begin(&pause, PAUSE_DROP, span_make(text, sizeof text), 7);
	assert_int_equal(strlen(pause.reason), PAUSE_REASON_MAX - 1);
	pause_encode(&pause, &json);
	assert_true(pause_decode(buf_view(&json), &read));
	assert_string_equal(read.reason, pause.reason);
	assert_int_equal(read.drop_from, 7);
	assert_true(read.is_on && read.mode == PAUSE_DROP);
	assert_false(pause_decode(SPAN("{\"on\":true,\"mode\":9}"), &read));
	assert_true(pause_decode(SPAN_NONE, &read));
	assert_false(read.is_on);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(what_comes_meanwhile_waits_and_costs_no_row),
	        WORLD_TEST(what_runs_ends_and_what_failed_waits),
	        WORLD_TEST(a_pause_outlives_a_restart),
	        WORLD_TEST(a_pause_outlives_a_crash),
	        WORLD_TEST(what_comes_meanwhile_is_dropped_and_counted),
	        WORLD_TEST(what_was_dropped_stays_so_after_a_crash),
	        WORLD_TEST(drops_are_one_range_at_a_time),
	        WORLD_TEST(a_config_may_begin_paused),
	        WORLD_TEST(a_new_version_stays_paused),
	        WORLD_TEST(a_paused_trigger_is_not_parked),
	        WORLD_TEST(a_pause_outlives_lost_writes),
	        WORLD_TEST(a_loop_pauses_its_trigger),
	        WORLD_TEST(the_pause_of_a_loop_is_written_with_its_dead_letter),
	        WORLD_TEST(nobody_pauses_what_is_not_there),
	        cmocka_unit_test(long_reasons_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
