/* This file proves that the config's triggers change between two events, wholly or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static int sync_now(struct store_waiter *waiter, struct err *err)
{
	return catalog_sync_config(world->catalog, world->specs, world->spec_count, waiter, err);
}

static struct store_waiter told;
static int told_times, told_status;

static void is_told(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)waiter;
	(void)err;
	told_times++;
	told_status = status;
}

/* Events that are queued in the same group are on the one side or the other, too. */
static void every_event_is_judged_by_one_version(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	offer("f");
	uint64_t old_a = put_event("a");
	uint64_t old_b = put_event("b");
	declare("t", "f", "{\"key\":\"b\"}");
	assert_int_equal(sync_now(NULL, &err), 0);
	uint64_t new_a = put_event("a");
	uint64_t new_b = put_event("b");
	turn();
	assert_true(is_running(old_a));
	assert_false(is_running(old_b));
	assert_false(is_running(new_a));
	assert_int_equal(trigger("t")->version, 2);
	assert_int_equal(starts_of(new_b), 1);
	answer(old_a);
	answer(new_b);
	assert_int_equal(starts_of(old_a) + starts_of(new_b), 2);
	pass(1000);
	pass(1000); /* the cursor is durable: the old version goes */
	assert_int_equal(catalog_count(world->catalog), 1);
}

static void what_is_removed_owes_what_it_owed(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{}");
	world_up();
	offer("f");
	uint64_t before = put_event("a");
	world->spec_count = 0;
	assert_int_equal(sync_now(NULL, &err), 0);
	uint64_t behind = event("a");
	fails(before);
	pass(1500);
	answer(before);
	pass(1000);
	assert_int_equal(starts_of(before), 2);
	assert_int_equal(starts_of(behind), 0);
	assert_int_equal(catalog_count(world->catalog), 0);
}

static void what_is_the_same_stays_as_it_is(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	const struct binding *before = trigger("t");
	declare("t", "f", "{ \"key\" : \"a\" }");
	assert_int_equal(sync_now(NULL, &err), 0);
	assert_ptr_equal(trigger("t"), before);
	assert_int_equal(before->version, 1);
}

static void one_bad_trigger_changes_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{\"key\":\"a\"}");
	declare("u", "f", "{\"key\":\"u\"}");
	world_up();
	declare("t", "f", "{\"key\":\"b\"}");
	declare("u", "f", "{\"nonsense\":1}");
	assert_int_equal(
	        catalog_judge_config(world->catalog, world->specs, world->spec_count, &err),
	        E_INVALID);
	assert_int_equal(sync_now(NULL, &err), E_INVALID);
	assert_non_null(strstr(err.text, "\"u\""));
	turn();
	assert_int_equal(trigger("t")->version, 1);
	assert_string_equal(trigger("t")->config.ptr, "{\"key\":\"a\"}");
}

static void a_store_that_refuses_changes_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	lose_writes(1);
	(void)put_event("x"); /* it fails, and the store recovers by and by */
	while (store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	declare("t", "f", "{\"key\":\"b\"}");
	assert_int_equal(sync_now(&told, &err), E_BUSY);
	assert_string_equal(err.code, "store_recovering");
	assert_int_equal(trigger("t")->version, 1);
	pass(5000);
	assert_int_equal(told_times, 0);
	assert_int_equal(trigger("t")->version, 1);
	assert_int_equal(sync_now(NULL, &err), 0);
	assert_int_equal(trigger("t")->version, 2);
}

/* The write is lost behind the decision: what was taken is in force and is written again. */
static void a_lost_write_is_written_again(void **state)
{
	(void)state;
	struct err err = {0};
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	offer("f");
	declare("t", "f", "{\"key\":\"b\"}");
	lose_writes(1);
	told.done = is_told;
	told_times = 0;
	assert_int_equal(sync_now(&told, &err), 0);
	assert_int_equal(told_times, 0);
	pass(5000);
	assert_int_equal(told_times, 1);
	assert_int_equal(told_status, E_UNKNOWN);
	uint64_t seq = event("b");
	assert_true(is_running(seq));
	answer(seq);
	restart(true);
	assert_string_equal(trigger("t")->config.ptr, "{\"key\":\"b\"}");
	assert_int_equal(trigger("t")->version, 2);
}

/* Killed before the group is written: the file that the next start reads counts. */
static void after_a_crash_the_declared_state_holds(void **state)
{
	(void)state;
	struct err err = {0};
	declare("gone", "f", "{}");
	declare("t", "f", "{\"key\":\"a\"}");
	world_up();
	world->specs[0] = world->specs[1];
	world->spec_count = 1;
	declare("t", "f", "{\"key\":\"b\"}");
	assert_int_equal(sync_now(NULL, &err), 0);
	restart(true);
	assert_null(trigger("gone"));
	assert_string_equal(trigger("t")->config.ptr, "{\"key\":\"b\"}");
	offer("f");
	uint64_t seq = event("b");
	assert_int_equal(starts_of(seq), 1);
	answer(seq);
}

static void defaults_are_for_those_that_are_there(void **state)
{
	(void)state;
	declare("silent", "f", "{}");
	declare("own", "f",
	        "{\"concurrency\":2,\"timeout_ms\":5000,\"retry\":{\"max_attempts\":2}}");
	world_up();
	const struct catalog_options options = {
	        .conditions = world->conditions,
	        .detach_grace_ms = 60000,
	        .defaults = {.concurrency = 77,
	                     .timeout_ms = 9000,
	                     .retry = {.max_attempts = 9, .initial_ms = 50, .multiplier = 3}},
	};
	catalog_configure(world->catalog, &options);
	assert_int_equal(trigger("silent")->policy.concurrency, 77);
	assert_int_equal(trigger("silent")->policy.timeout_ms, 9000);
	assert_int_equal(trigger("silent")->retry.max_attempts, 9);
	assert_int_equal(trigger("own")->policy.concurrency, 2);
	assert_int_equal(trigger("own")->policy.timeout_ms, 5000);
	assert_int_equal(trigger("own")->policy.retry.max_attempts, 2);
	assert_int_equal(trigger("own")->retry.initial_ms, 50);
	assert_int_equal(trigger("own")->version, 1);
}

/* What waited for room starts at once. */
static void more_concurrency_is_used(void **state)
{
	(void)state;
	declare("t", "f", "{}");
	world_up();
	struct catalog_options options = {
	        .conditions = world->conditions,
	        .defaults = {.concurrency = 1, .timeout_ms = 30000, .retry = {.max_attempts = 3}},
	};
	catalog_configure(world->catalog, &options);
	offer("f");
	uint64_t first = event("a");
	uint64_t second = event("b");
	assert_true(is_running(first));
	assert_false(is_running(second));
	options.defaults.concurrency = 2;
	catalog_configure(world->catalog, &options);
	assert_true(is_running(second));
	answer(first);
	answer(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(every_event_is_judged_by_one_version),
	        WORLD_TEST(what_is_removed_owes_what_it_owed),
	        WORLD_TEST(what_is_the_same_stays_as_it_is),
	        WORLD_TEST(one_bad_trigger_changes_nothing),
	        WORLD_TEST(a_store_that_refuses_changes_nothing),
	        WORLD_TEST(a_lost_write_is_written_again),
	        WORLD_TEST(after_a_crash_the_declared_state_holds),
	        WORLD_TEST(defaults_are_for_those_that_are_there),
	        WORLD_TEST(more_concurrency_is_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
