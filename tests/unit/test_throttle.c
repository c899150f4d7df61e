/* This file tests that deliveries start no faster than a throttle says, in their order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/throttle.h"
#include "tests/unit/core_world.h"

static const char two_a_second[] =
        "{\"order\":\"none\",\"concurrency\":100,\"throttle\":{\"rate\":2,\"per\":\"1s\"}}";
static const char by_user[] = "{\"order\":\"none\",\"throttle\":{\"rate\":1,\"per_ms\":1000,"
                              "\"key\":\"new_value.user\"}}";
static const char one_a_minute[] = "{\"throttle\":{\"rate\":1,\"per\":\"1m\"}}";

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static uint64_t of_user(const char *key, int user)
{
	char value[32];
	(void)snprintf(value, sizeof value, "{\"user\":%d}", user);
	return change(key, "{}", value);
}

static const struct delivery *delivery_of(uint64_t seq)
{
	return dispatch_find(trigger("t"), seq, 0);
}

static void starts_are_spread_and_in_order(void **state)
{
	(void)state;
	begin(two_a_second);
	uint64_t seqs[6];
	for (int i = 0; i < 6; i++) {
		seqs[i] = event("a");
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(world->started_count, i + 1);
		assert_true(is_running(seqs[i]));
		if (i < 5) {
			assert_string_equal(dispatch_waits_for(delivery_of(seqs[i + 1])),
			                    "throttle");
			assert_int_equal(trigger("t")->throttle->waiting, 5 - i);
		}
		pass(450);
		assert_int_equal(world->started_count, i + 1);
		pass(50);
	}
}

static void one_that_comes_later_stands_behind(void **state)
{
	(void)state;
	begin(two_a_second);
	(void)event("a");
	uint64_t second = event("a");
	pass(450);
	uint64_t third = event("a");
	pass(50);
	assert_true(is_running(second));
	uint64_t fourth = event("a");
	pass(500);
	assert_true(is_running(third));
	pass(500);
	assert_true(is_running(fourth));
}

static void each_value_has_its_own_pace(void **state)
{
	(void)state;
	begin(by_user);
	uint64_t a = of_user("a", 1);
	uint64_t b = of_user("b", 2);
	uint64_t again = of_user("c", 1);
	assert_true(is_running(a) && is_running(b));
	assert_false(is_running(again));
	pass(1000);
	assert_true(is_running(again));
	answer(a);
	answer(b);
	answer(again);
	pass(1500);
	assert_int_equal(trigger("t")->throttle->paces.count, 0); /* forgotten */
}

static void a_retry_is_a_start_too(void **state)
{
	(void)state;
	begin("{\"order\":\"none\",\"throttle\":{\"rate\":1,\"per\":\"2s\"},"
	      "\"retry\":{\"initial_ms\":100}}");
	uint64_t a = event("a");
	uint64_t b = event("b");
	fails(a);
	pass(1950);
	assert_int_equal(starts_of(a) + starts_of(b), 1);
	pass(50);
	assert_true(is_running(b)); /* it waited before the retry did */
	pass(2000);
	assert_int_equal(starts_of(a), 2);
}

static void no_slot_passes_while_nobody_could_take_it(void **state)
{
	(void)state;
	struct err err;
	begin(two_a_second);
	withdraw("f");
	uint64_t seqs[4];
	for (int i = 0; i < 4; i++) {
		seqs[i] = event("a");
	}
	pass(10000);
	offer("f");
	assert_true(is_running(seqs[0]));
	assert_int_equal(world->started_count, 1); /* no burst */
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), NULL, SPAN(""), NULL, &err), 0);
	pass(10000);
	assert_int_equal(world->started_count, 1);
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	turn();
	assert_int_equal(world->started_count, 2);
	pass(500);
	assert_int_equal(world->started_count, 3);
}

static void cancelled_ones_give_their_place_away(void **state)
{
	(void)state;
	struct err err;
	begin(two_a_second);
	uint64_t seqs[4];
	for (int i = 0; i < 4; i++) {
		seqs[i] = event("a");
	}
	dispatch_cancel(world->dispatch, dispatch_find(trigger("t"), seqs[1], 0)); /* waits */
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), NULL, SPAN(""), NULL, &err), 0);
	pass(500); /* the next one is released and cannot start */
	assert_int_equal(delivery_of(seqs[2])->throttled, THROTTLE_RELEASED);
	dispatch_cancel(world->dispatch, dispatch_find(trigger("t"), seqs[2], 0));
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	pass(100);
	assert_true(is_running(seqs[3]));
	assert_int_equal(trigger("t")->throttle->waiting, 0);
}

static void a_high_rate_is_kept_though_the_clock_is_coarse(void **state)
{
	(void)state;
	begin("{\"order\":\"none\",\"concurrency\":10000,\"throttle\":{\"rate\":5000,\"per\":"
	      "\"1s\"}}");
	for (int i = 0; i < 900; i++) {
		(void)put_event("a");
	}
	turn();
	pass(100);
	assert_in_range(world->started_count, 490, 501);
	pass(50);
	assert_in_range(world->started_count, 740, 752);
}

static void a_restart_allows_no_burst(void **state)
{
	(void)state;
	begin(one_a_minute);
	uint64_t a = event("a");
	uint64_t b = event("b");
	pass(200);
	answer(a);
	for (int crash = 0; crash < 2; crash++) {
		restart(crash != 0);
		offer("f");
		pass(20000);
		assert_false(is_running(b));
		assert_int_equal(starts_of(a), 1);
	}
	pass(19700);
	assert_false(is_running(b));
	pass(200);
	assert_true(is_running(b));
	answer(b);
	pass(61000);
	struct space_key room;
	assert_false(fault_has(world->disk, space_pace(&room, SPAN("t"), 1, 0)));
	uint64_t c = event("c");
	assert_true(is_running(c));
}

static void a_failed_write_puts_it_again(void **state)
{
	(void)state;
	struct space_key room;
	begin(one_a_minute);
	uint64_t a = event("a");
	lose_writes(1);
	pass(2000);
	assert_true(fault_has(world->disk, space_pace(&room, SPAN("t"), 1, 0)));
	answer(a);
	uint64_t b = event("b");
	lose_writes(1);
	pass(2000);
	restart(true);
	offer("f");
	pass(50000);
	assert_false(is_running(b));
	pass(7000);
	assert_true(is_running(b));
}

static void a_clock_that_is_set_back_does_not_stop_it(void **state)
{
	(void)state;
	begin(two_a_second);
	(void)event("a");
	uint64_t b = event("b");
	MAP_EACH(&trigger("t")->throttle->paces, node)
	{
		MEM_CONTAINER(node, struct pace, node)->next_us += INT64_C(3600000000);
	}
	pass(1100);
	assert_true(is_running(b));
}

static void a_removed_trigger_leaves_no_pace(void **state)
{
	(void)state;
	struct err err;
	struct space_key room;
	declare("t", "f", one_a_minute);
	world->specs[0].origin = BINDING_API;
	world_up();
	offer("f");
	(void)event("a");
	(void)event("b");
	pass(300);
	assert_true(fault_has(world->disk, space_pace(&room, SPAN("t"), 1, 0)));
	assert_int_equal(catalog_remove(world->catalog, SPAN("t"), NULL, &err), 0);
	pass(100);
	assert_false(fault_has(world->disk, space_pace(&room, SPAN("t"), 1, 0)));
}

/* Both of a trigger: windows close, then wait for their time; with gates too. */
static void windows_and_gates_stand_beside_it(void **state)
{
	(void)state;
	begin("{\"order\":\"none\",\"concurrency\":1,\"concurrency_key\":\"new_value.user\","
	      "\"batch\":{\"max_size\":2,\"max_wait\":\"10s\",\"key\":\"new_value.user\"},"
	      "\"throttle\":{\"rate\":1,\"per\":\"1s\"}}");
	for (int i = 0; i < 8; i++) {
		(void)of_user("a", 1 + i / 4);
	}
	assert_int_equal(world->started_count, 1);
	pass(1000);
	assert_int_equal(world->started_count, 2); /* of the other user: the first has no room */
	for (size_t i = 0; i < 2; i++) {
		end_call(&world->started[i], CALL_OK, "null");
	}
	pass(1000);
	assert_int_equal(world->started_count, 3);
	pass(1000);
	assert_int_equal(world->started_count, 4);
	restart(true);
	offer("f");
	pass(1500);
	assert_int_equal(world->started_count, 6);
}

static void what_has_no_place_in_memory_waits_in_the_journal(void **state)
{
	(void)state;
	world->job_max = 4;
	begin("{\"throttle\":{\"rate\":10,\"per\":\"1s\"}}");
	uint64_t seqs[20];
	for (int i = 0; i < 20; i++) {
		char key[8];
		(void)snprintf(key, sizeof key, "k%d", i);
		seqs[i] = event(key);
	}
	assert_true(trigger("t")->lagging);
	for (int i = 0; i < 20; i++) {
		for (int tries = 0; tries < 200 && !is_running(seqs[i]); tries++) {
			pass(50);
		}
		assert_int_equal(world->started_count, i + 1);
		assert_false(has_job("t", seqs[i]));
		answer(seqs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(starts_are_spread_and_in_order),
	        WORLD_TEST(one_that_comes_later_stands_behind),
	        WORLD_TEST(each_value_has_its_own_pace),
	        WORLD_TEST(a_retry_is_a_start_too),
	        WORLD_TEST(no_slot_passes_while_nobody_could_take_it),
	        WORLD_TEST(cancelled_ones_give_their_place_away),
	        WORLD_TEST(a_high_rate_is_kept_though_the_clock_is_coarse),
	        WORLD_TEST(a_restart_allows_no_burst),
	        WORLD_TEST(a_failed_write_puts_it_again),
	        WORLD_TEST(a_clock_that_is_set_back_does_not_stop_it),
	        WORLD_TEST(a_removed_trigger_leaves_no_pace),
	        WORLD_TEST(windows_and_gates_stand_beside_it),
	        WORLD_TEST(what_has_no_place_in_memory_waits_in_the_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
