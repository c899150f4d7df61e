/* This file proves that every record that is due is told of, in time, with few of them in memory.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/durable/agenda.h"
#include "tests/adapters/fault_adapter.h"
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { BEGIN_MS = 1000000, MOST = 32, NAMES = 200 };

static struct {
	uv_loop_t loop;
	struct fault_disk *disk;
	struct store *store;
	struct alarms *alarms;
	struct agenda *agenda;
	size_t calls;
	size_t told;
	int64_t last_ms;   /* of what was told last */
	bool is_slow;      /* batches are ended by the test */
	bool ends_records; /* what is told and has expired is deleted */
	int64_t model[NAMES];
} world;

static void turn(void)
{
	for (int i = 0; i < 6; i++) {
		(void)uv_run(&world.loop, UV_RUN_NOWAIT);
	}
}

static void pass(int64_t ms)
{
	clock_advance(ms);
	for (int i = 0; i < 40; i++) {
		(void)alarms_run_due(world.alarms);
		turn();
	}
}

static struct record_key key_of(struct span name)
{
	return (struct record_key){SPACE_STATE, SPAN("s"), name};
}

static void due(void *ctx, const struct agenda_due list[], size_t count)
{
	(void)ctx;
	world.calls++;
	for (size_t i = 0; i < count; i++) {
		assert_true(list[i].at_ms <= clock_wall_ms());
		assert_true(list[i].at_ms >= world.last_ms);
		world.last_ms = world.ends_records ? 0 : list[i].at_ms;
		world.told++;
		struct store_look look;
		if (world.ends_records &&
		    store_look(world.store, key_of(list[i].key), &look) == STORE_FOUND &&
		    look.record.expires_at_ms != 0 &&
		    look.record.expires_at_ms <= clock_wall_ms()) {
			store_delete(world.store, key_of(list[i].key), 0);
		}
	}
	if (world.ends_records) {
		store_commit(world.store, NULL);
	}
	if (!world.is_slow) {
		agenda_done(world.agenda);
	}
}

static void put_only(const char *name, int64_t at_ms)
{
	const struct record record = {.value = SPAN("1"), .rev = 1, .expires_at_ms = at_ms};
	store_put(world.store, key_of(span_of(name)), &record);
	store_commit(world.store, NULL);
}

static void put(const char *name, int64_t at_ms)
{
	put_only(name, at_ms);
	const struct agenda_due noted = {SPAN("s"), span_of(name), at_ms};
	if (at_ms != 0) {
		agenda_note(world.agenda, &noted);
	}
}

static void put_number(int number, int64_t at_ms)
{
	char name[16];
	(void)snprintf(name, sizeof name, "k%05d", number);
	put(name, at_ms);
}

static size_t in_memory(void)
{
	struct agenda_stats stats;
	agenda_get_stats(world.agenda, &stats);
	return stats.in_memory;
}

static void open_world(const struct adapter_type *type)
{
	struct err err = {0};
	log_open((enum log_level)(LOG_ERROR + 1), false);
	clock_set_manual(BEGIN_MS);
	memset(&world, 0, sizeof world);
	assert_int_equal(uv_loop_init(&world.loop), 0);
	world.disk = fault_disk_new();
	world.alarms = alarms_new(&world.loop);
	const struct store_options options = {
	        .adapter = type,
	        .how = {.dir = "/nowhere", .config = fault_config(world.disk)},
	        .cache_max_bytes = 1024 * 1024,
	        .recent_max_bytes = 1024 * 1024,
	        .view_lag_max_bytes = 1024 * 1024,
	};
	assert_int_equal(store_open(&world.loop, &options, &world.store, &err), 0);
	const struct agenda_options agenda = {
	        .space = SPACE_STATE, .page = 8, .most = MOST, .due = due};
	world.agenda = agenda_new(world.store, world.alarms, &agenda);
}

static int set_up(void **state)
{
	(void)state;
	open_world(&fault_inline);
	return 0;
}

static int set_up_walked(void **state)
{
	(void)state;
	open_world(&fault_inline_walked);
	return 0;
}

static void is_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static int tear_down(void **state)
{
	(void)state;
	bool closed = false;
	agenda_free(world.agenda);
	store_close(world.store, is_closed, &closed);
	while (!closed) {
		(void)uv_run(&world.loop, UV_RUN_ONCE);
	}
	alarms_close(world.alarms, NULL, NULL);
	assert_int_equal(uv_run(&world.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&world.loop), 0);
	fault_disk_free(world.disk);
	return 0;
}

static void start(void)
{
	agenda_start(world.agenda);
	turn();
}

static void each_is_told_in_its_time_and_order(void **state)
{
	(void)state;
	start();
	put("c", BEGIN_MS + 300);
	put("a", BEGIN_MS + 100);
	put("b", BEGIN_MS + 200);
	put("never", 0);
	pass(99);
	assert_int_equal(world.told, 0);
	pass(1);
	assert_int_equal(world.told, 1);
	pass(1000);
	assert_int_equal(world.told, 3);
	assert_int_equal(world.last_ms, BEGIN_MS + 300);
}

static void what_was_there_before_is_told(void **state)
{
	(void)state;
	put_only("late", BEGIN_MS - 5000);
	put_only("soon", BEGIN_MS + 50);
	start();
	pass(0);
	assert_int_equal(world.told, 1);
	pass(50);
	assert_int_equal(world.told, 2);
}

static void far_ones_are_on_disk(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "k%05d", i);
		put_only(name, BEGIN_MS + 100000 + i * 1000);
	}
	start();
	assert_in_range(in_memory(), 1, MOST);
	/* Behind what is in memory, and before it. */
	put("far", BEGIN_MS + 250500);
	assert_in_range(in_memory(), 1, MOST);
	put("near", BEGIN_MS + 1);
	pass(1);
	assert_int_equal(world.told, 1);
	for (int i = 0; i < NAMES; i++) {
		pass(i == 0 ? 99999 : 1000);
		assert_int_equal(world.told, i + 2 + (i > 150));
		assert_in_range(in_memory(), 0, MOST);
	}
}

static void a_crowd_in_one_instant_is_told_whole(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < NAMES; i++) {
		put_number(i, BEGIN_MS + 70);
		assert_in_range(in_memory(), 1, MOST);
	}
	pass(69);
	assert_int_equal(world.told, 0);
	world.ends_records = true;
	pass(1);
	assert_in_range(world.told, NAMES, 2 * NAMES);
	for (int i = 0; i < NAMES; i++) {
		char name[16];
		struct store_look look;
		(void)snprintf(name, sizeof name, "k%05d", i);
		assert_int_equal(store_look(world.store, key_of(span_of(name)), &look),
		                 STORE_ABSENT);
	}
}

static void one_that_moves_is_told_once(void **state)
{
	(void)state;
	start();
	put("k", BEGIN_MS + 100);
	put("k", BEGIN_MS + 300);
	pass(200);
	assert_int_equal(world.told, 0);
	put("k", BEGIN_MS + 250);
	pass(50);
	assert_int_equal(world.told, 1);
	pass(1000);
	assert_int_equal(world.told, 1);
}

static void who_is_slow_is_told_no_more(void **state)
{
	(void)state;
	enum { ALL = AGENDA_BATCH * AGENDA_TOLD };
	agenda_free(world.agenda);
	const struct agenda_options options = {
	        .space = SPACE_STATE, .page = 4096, .most = 16384, .due = due};
	world.agenda = agenda_new(world.store, world.alarms, &options);
	world.is_slow = true;
	start();
	for (int i = 0; i < ALL + 10; i++) {
		put_number(i, BEGIN_MS + 10);
	}
	pass(10);
	assert_int_equal(world.calls, AGENDA_TOLD);
	assert_int_equal(world.told, ALL);
	agenda_done(world.agenda);
	assert_int_equal(world.told, ALL + 10);
}

static void after_a_restart_what_is_left_is_told_again(void **state)
{
	(void)state;
	start();
	put("k", BEGIN_MS + 100);
	pass(100);
	assert_int_equal(world.told, 1);
	agenda_restart(world.agenda);
	pass(0);
	assert_int_equal(world.told, 2); /* nobody has ended it */
}

static void a_page_that_cannot_be_read_is_asked_for_again(void **state)
{
	(void)state;
	put_only("k", BEGIN_MS + 100);
	fault_plan(world.disk, FAULT_DUE, FAULT_FAILS, 1, E_IO);
	start();
	pass(100);
	assert_int_equal(world.told, 0);
	pass(1000);
	assert_int_equal(world.told, 1);
}

/* Whatever is put, moved, made to last and deleted: what has expired is gone, the rest is there. */
static void anything_goes(void **state)
{
	(void)state;
	const char *seed = getenv("SEED");
	unsigned random = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : 20261126;
	print_message("SEED=%u\n", random);
	world.ends_records = true;
	start();
	for (int step = 0; step < 3000; step++) {
		int index = rand_r(&random) % NAMES;
		int64_t at_ms = clock_wall_ms() + 1 + rand_r(&random) % 40000;
		char name[16];
		(void)snprintf(name, sizeof name, "k%05d", index);
		switch (rand_r(&random) % 16) {
		case 0:
			store_delete(world.store, key_of(span_of(name)), 0);
			store_commit(world.store, NULL);
			world.model[index] = 0;
			break;
		case 1:
			put(name, 0);
			world.model[index] = INT64_MAX;
			break;
		case 2:
			agenda_restart(world.agenda);
			break;
		case 3:
			pass(rand_r(&random) % 500);
			break;
		default:
			put(name, at_ms);
			world.model[index] = at_ms;
		}
		turn();
		for (int i = 0; step % 50 == 0 && i < NAMES; i++) {
			struct store_look look;
			pass(0);
			(void)snprintf(name, sizeof name, "k%05d", i);
			assert_int_equal(store_look(world.store, key_of(span_of(name)), &look) ==
			                         STORE_FOUND,
			                 world.model[i] > clock_wall_ms());
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define WALKED(name)                                                                               \
	{                                                                                          \
#name "_walked", name, set_up_walked, tear_down, NULL                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(each_is_told_in_its_time_and_order),
	        TEST(what_was_there_before_is_told),
	        TEST(far_ones_are_on_disk),
	        TEST(a_crowd_in_one_instant_is_told_whole),
	        TEST(one_that_moves_is_told_once),
	        TEST(who_is_slow_is_told_no_more),
	        TEST(after_a_restart_what_is_left_is_told_again),
	        TEST(a_page_that_cannot_be_read_is_asked_for_again),
	        TEST(anything_goes),
	        WALKED(what_was_there_before_is_told),
	        WALKED(one_that_moves_is_told_once),
	        WALKED(anything_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
