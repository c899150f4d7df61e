/* This file tests that each time of a cron trigger fires once, whatever the disk and the clock do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

#include "engine/core/timetable.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* The world begins at 00:16:40; the triggers fire every ten seconds. */
static void declare_cron(const char *id, const char *config)
{
	declare(id, "f", config);
	world->specs[world->spec_count - 1].type = SPAN("cron");
}

static void begin(const char *config)
{
	declare_cron("t", config);
	world_up();
	offer("f");
}

static struct timetable_view view(void)
{
	struct timetable_view out;
	assert_true(timetable_show(trigger("t"), &out));
	return out;
}

static void assert_last(uint64_t fired, int64_t after_ms)
{
	assert_int_equal(view().fired, fired);
	assert_int_equal(view().last_ms, fired == 0 ? 0 : WORLD_EPOCH_MS + after_ms);
}

static size_t alarms_pending(void)
{
	struct alarm_stats stats;
	alarms_stats(world->alarms, &stats);
	return stats.pending;
}

/* The event of the last fire: nothing else is put. */
static uint64_t last_seq(void)
{
	return store_durable_seq(world->store);
}

static bool has_record(void)
{
	struct space_key room;
	return fault_has(world->disk, space_cron(&room, SPAN("t")));
}

#define EVERY_TEN "\"expression\":\"*/10 * * * * *\""

static void each_time_fires_once_and_is_remembered(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	assert_true(has_record());
	assert_last(0, 0);
	assert_int_equal(view().next_ms, WORLD_EPOCH_MS + 10 * SECOND);
	pass(9950);
	assert_int_equal(world->started_count, 0);
	pass(50);
	assert_last(1, 10 * SECOND);
	answer(last_seq());
	pass(9 * SECOND);
	assert_int_equal(world->started_count, 1);
	restart(true);
	offer("f");
	assert_last(1, 10 * SECOND);
	assert_int_equal(view().next_ms, WORLD_EPOCH_MS + 20 * SECOND);
	pass(1000);
	assert_last(2, 20 * SECOND);
	assert_true(is_running(last_seq()));
}

static void a_fire_that_is_lost_with_its_group_fires_again(void **state)
{
	(void)state;
	begin("{" EVERY_TEN ",\"overlap\":\"allow\"}");
	pass(9900);
	lose_writes(1);
	pass(200);
	pass(3000);
	assert_last(1, 10 * SECOND);
	assert_int_equal(last_seq(), 1);
	assert_int_equal(world->started_count, 1);
	assert_true(is_running(1));
	assert_int_equal(view().next_ms, WORLD_EPOCH_MS + 20 * SECOND);
}

static void one_that_was_durable_after_all_does_not(void **state)
{
	(void)state;
	begin("{" EVERY_TEN ",\"overlap\":\"allow\"}");
	pass(9900);
	fault_plan(world->disk, FAULT_WRITE, FAULT_HAPPENS_AND_FAILS, 1, E_IO);
	pass(200);
	pass(3000);
	assert_last(1, 10 * SECOND);
	assert_int_equal(last_seq(), 1);
	assert_int_equal(world->started_count, 1);
}

static void one_that_came_in_a_lost_group_begins_all_the_same(void **state)
{
	(void)state;
	world_up();
	offer("f");
	declare_cron("t", "{" EVERY_TEN "}");
	lose_writes(1);
	world_sync();
	pass(2000);
	assert_true(has_record());
	pass(8000);
	assert_last(1, 10 * SECOND);
}

static void what_the_store_refuses_fires_when_it_is_back(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	fault_plan(world->disk, FAULT_OPEN, FAULT_FAILS, 1, E_IO);
	lose_writes(1);
	(void)put_event("a");
	turn();
	jump(10 * SECOND);
	assert_false(store_can_put(world->store));
	assert_last(0, 0);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	pass(2000);
	assert_last(1, 10 * SECOND);
	assert_int_equal(world->started_count, 1);
}

static void a_clock_put_forward_is_downtime(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	jump(95 * SECOND);
	turn();
	assert_last(1, 90 * SECOND);
	assert_int_equal(view().missed, 8);
	assert_int_equal(view().next_ms, WORLD_EPOCH_MS + 100 * SECOND);
}

static void a_clock_put_back_fires_nothing_again(void **state)
{
	(void)state;
	begin("{" EVERY_TEN ",\"overlap\":\"allow\"}");
	pass(20 * SECOND);
	assert_last(2, 20 * SECOND);
	clock_set_manual(WORLD_EPOCH_MS + 5 * SECOND);
	pass(20 * SECOND);
	assert_last(2, 20 * SECOND);
	pass(5 * SECOND);
	assert_last(3, 30 * SECOND);
}

static void skip_is_on_time_for_a_minute(void **state)
{
	(void)state;
	begin("{\"expression\":\"@hourly\",\"catch_up\":\"skip\"}");
	int64_t hour = 3600 * (int64_t)SECOND;
	jump(hour - WORLD_EPOCH_MS + 60 * SECOND);
	assert_int_equal(view().fired, 1);
	jump(hour + SECOND);
	assert_int_equal(view().fired, 1);
	assert_int_equal(view().missed, 1);
	assert_int_equal(view().next_ms, 3 * hour);
}

static void all_is_bounded(void **state)
{
	(void)state;
	begin("{" EVERY_TEN ",\"catch_up\":\"all\",\"overlap\":\"allow\",\"max\":3}");
	jump(65 * SECOND);
	turn();
	assert_last(3, 60 * SECOND);
	assert_int_equal(view().missed, 3);
	assert_int_equal(world->started_count, 3);
}

static void what_runs_keeps_others_away_over_versions_and_restarts(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	pass(10 * SECOND);
	uint64_t seq = last_seq();
	assert_true(is_running(seq));
	world->specs[0].config = SPAN("{" EVERY_TEN ",\"timeout_ms\":60000}");
	world_sync();
	pass(10 * SECOND);
	assert_int_equal(trigger("t")->version, 2);
	assert_int_equal(view().skipped, 1);
	assert_int_equal(view().fired, 1);
	restart(true);
	offer("f");
	pass(10 * SECOND);
	assert_int_equal(view().skipped, 2);
	assert_true(is_running(seq));
	answer(seq);
	pass(10 * SECOND);
	assert_last(2, 40 * SECOND);
}

static void a_cancelled_one_leaves_a_tombstone(void **state)
{
	(void)state;
	begin("{" EVERY_TEN ",\"overlap\":\"cancel\"}");
	pass(10 * SECOND);
	uint64_t first = last_seq();
	pass(10 * SECOND);
	uint64_t second = last_seq();
	assert_false(is_running(first));
	assert_true(is_running(second));
	assert_int_equal(trigger("t")->cancelled, 1);
	restart(true);
	offer("f");
	pass(1000);
	assert_int_equal(starts_of(first), 1);
	assert_int_equal(starts_of(second), 2);
}

/* Whose time it is may be settled only when the new worker has said what it wants. */
static void a_redeploy_holds_it_back_and_loses_nothing(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	dispatch_hold_back(world->dispatch, trigger("t"), store_next_seq(world->store));
	pass(12 * SECOND);
	assert_last(0, 0);
	dispatch_hold_back(world->dispatch, trigger("t"), 0);
	pass(100);
	assert_last(1, 10 * SECOND);
	assert_int_equal(world->started_count, 1);
	assert_int_equal(view().next_ms, WORLD_EPOCH_MS + 20 * SECOND);
}

static void without_a_worker_one_waits(void **state)
{
	(void)state;
	declare_cron("t", "{" EVERY_TEN "}");
	world_up();
	pass(3 * MINUTE);
	assert_last(1, 10 * SECOND);
	assert_int_equal(view().skipped, 17);
	offer("f");
	pass(50);
	assert_true(is_running(1));
}

static void one_alarm_is_enough_for_all(void **state)
{
	(void)state;
	static const char *const ids[] = {"a", "b", "c", "d", "e", "g", "h"};
	world_up();
	size_t none = alarms_pending();
	declare_cron("t", "{" EVERY_TEN "}");
	world_sync();
	pass(1000);
	size_t one = alarms_pending();
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		declare_cron(ids[i], "{\"expression\":\"@daily\"}");
	}
	world_sync();
	pass(1000);
	assert_int_equal(alarms_pending(), one);
	assert_true(one <= none + 2); /* that of triggers nobody serves is the other */
}

static void one_that_ends_leaves_no_record(void **state)
{
	(void)state;
	begin("{" EVERY_TEN "}");
	assert_true(has_record());
	world->spec_count = 0;
	world_sync();
	flush();
	assert_false(has_record());
	pass(30 * SECOND);
	assert_int_equal(world->started_count, 0);
}

static void a_newer_record_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	begin("{" EVERY_TEN "}");
	assert_int_equal(timetable_read(trigger("t"), SPAN("\x02rest"), &err), E_VERSION);
	assert_int_equal(timetable_read(trigger("t"), SPAN("\x01rest"), &err), E_DAMAGED);
	assert_last(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(each_time_fires_once_and_is_remembered),
	        WORLD_TEST(a_fire_that_is_lost_with_its_group_fires_again),
	        WORLD_TEST(one_that_was_durable_after_all_does_not),
	        WORLD_TEST(one_that_came_in_a_lost_group_begins_all_the_same),
	        WORLD_TEST(what_the_store_refuses_fires_when_it_is_back),
	        WORLD_TEST(a_clock_put_forward_is_downtime),
	        WORLD_TEST(a_clock_put_back_fires_nothing_again),
	        WORLD_TEST(skip_is_on_time_for_a_minute),
	        WORLD_TEST(all_is_bounded),
	        WORLD_TEST(what_runs_keeps_others_away_over_versions_and_restarts),
	        WORLD_TEST(a_cancelled_one_leaves_a_tombstone),
	        WORLD_TEST(a_redeploy_holds_it_back_and_loses_nothing),
	        WORLD_TEST(without_a_worker_one_waits),
	        WORLD_TEST(one_alarm_is_enough_for_all),
	        WORLD_TEST(one_that_ends_leaves_no_record),
	        WORLD_TEST(a_newer_record_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
