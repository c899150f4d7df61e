/* This file tests what a dead delivery stops: nothing, its key, or its trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static const char by_key[] = "{\"on_exhausted\":\"pause_key\",\"retry\":{\"max_attempts\":1}}";

static void release(const char *key)
{
	struct err err = {0};
	assert_int_equal(
	        catalog_release_key(world->catalog, SPAN("t"), SPAN("s"), span_of(key), NULL, &err),
	        0);
	flush();
}

static void a_dead_one_holds_its_key(bool crash)
{
	begin(by_key);
	uint64_t dead = event("a");
	uint64_t behind = event("a");
	uint64_t other = event("b");
	fails(dead);
	answer(other);
	pass(1500);
	restart(crash);
	offer("f");
	pass(3000);
	uint64_t later = event("a");
	assert_int_equal(trigger("t")->blocked, 1);
	assert_int_equal(starts_of(behind) + starts_of(later), 0);
	assert_int_equal(starts_of(other), 1);
	assert_int_equal(starts_of(dead), 1);
	assert_int_equal(dead_letter_count(), 1);
	const struct delivery *holder = dispatch_find(trigger("t"), dead, 0);
	assert_string_equal(delivery_state_name(holder), "blocked");
	assert_string_equal(dispatch_waits_for(holder), "person");

	release("a");
	answer(behind);
	answer(later);
	assert_int_equal(dead_letter_count(), 1); /* it stays, for a person to look at */
	pass(1500);
	restart(crash);
	offer("f");
	pass(1500);
	assert_int_equal(trigger("t")->held, 0);
	assert_int_equal(starts_of(dead), 1);
}

static void its_key_waits_over_a_restart(void **state)
{
	(void)state;
	a_dead_one_holds_its_key(false);
}

static void its_key_waits_over_a_crash(void **state)
{
	(void)state;
	a_dead_one_holds_its_key(true);
}

static void a_replayed_one_goes_before_those_behind_it(void **state)
{
	(void)state;
	begin(by_key);
	uint64_t dead = event("a");
	uint64_t behind = event("a");
	fails(dead);
	const struct job job = {.version = 1,
	                        .seq = dead,
	                        .scope = SPAN("s"),
	                        .key = SPAN("a"),
	                        .asked = true,
	                        .attempts = SPAN("[]"),
	                        .event = SPAN("{\"id\":\"x-1-1\",\"key\":\"a\",\"seq\":1}")};
	job_store_put(world->store, trigger("t"), &job);
	dispatch_adopt(world->dispatch, trigger("t"), &job);
	flush();
	assert_int_equal(starts_of(behind), 0);
	assert_int_equal(trigger("t")->blocked, 0);
	struct started *again = &world->started[world->started_count - 1];
	assert_string_equal(again->key, "a");
	end_call(again, CALL_OK, "null");
	answer(behind);
	assert_int_equal(trigger("t")->held, 0);
}

/* The dead letter and the hold are written together, or neither is. */
static void a_hold_that_is_lost_is_made_again(void **state)
{
	(void)state;
	begin(by_key);
	uint64_t dead = event("a");
	uint64_t behind = event("a");
	lose_writes(1);
	fails(dead);
	pass(5000);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(trigger("t")->blocked, 1);
	assert_int_equal(starts_of(behind), 0);
	release("a");
	answer(behind);
}

static void nobody_releases_what_is_not_held(void **state)
{
	(void)state;
	struct err err = {0};
	begin(by_key);
	assert_int_equal(
	        catalog_release_key(world->catalog, SPAN("t"), SPAN_NONE, SPAN("a"), NULL, &err),
	        E_NOT_FOUND);
	assert_string_equal(err.code, "key_not_paused");
	assert_int_equal(
	        catalog_release_key(world->catalog, SPAN("x"), SPAN_NONE, SPAN("a"), NULL, &err),
	        E_NOT_FOUND);
}

static void a_dead_one_pauses_its_trigger(void **state)
{
	(void)state;
	begin("{\"on_exhausted\":\"pause_trigger\",\"retry\":{\"max_attempts\":1}}");
	uint64_t dead = event("a");
	fails(dead);
	uint64_t held = event("b");
	restart(true);
	offer("f");
	pass(1000);
	assert_int_equal(starts_of(held), 0);
	assert_int_equal(dead_letter_count(), 1);
	assert_true(pause_holds(&trigger("t")->pause));
	assert_non_null(strstr(trigger("t")->pause.reason, "it broke"));
	struct err err;
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	pass(100);
	answer(held);
}

static void without_an_order_there_is_no_key_to_pause(void **state)
{
	(void)state;
	struct err err = {0};
	world_up();
	const struct trigger_spec spec = {
	        .type = SPAN("state"),
	        .function_id = SPAN("f"),
	        .config = SPAN("{\"on_exhausted\":\"pause_key\",\"order\":\"none\"}")};
	assert_int_equal(catalog_check(world->catalog, &spec, &err), E_INVALID);
}

/* Its letter is lost, and it cannot have another at once: that it has failed is recorded. */
static void what_waits_for_its_letter_is_not_called_again(void **state)
{
	(void)state;
	begin("{\"concurrency\":1,\"retry\":{\"max_attempts\":1}}");
	uint64_t dead = event("a");
	uint64_t other = event("b");
	lose_writes(1);
	fails(dead);
	assert_true(is_running(other)); /* for long */
	pass(3000);
	restart(true);
	offer("f");
	pass(3000);
	answer(other);
	pass(2000);
	assert_int_equal(starts_of(dead), 1);
	assert_int_equal(dead_letter_count(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(its_key_waits_over_a_restart),
	        WORLD_TEST(its_key_waits_over_a_crash),
	        WORLD_TEST(a_replayed_one_goes_before_those_behind_it),
	        WORLD_TEST(a_hold_that_is_lost_is_made_again),
	        WORLD_TEST(nobody_releases_what_is_not_held),
	        WORLD_TEST(a_dead_one_pauses_its_trigger),
	        WORLD_TEST(without_an_order_there_is_no_key_to_pause),
	        WORLD_TEST(what_waits_for_its_letter_is_not_called_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
