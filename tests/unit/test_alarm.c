/* This file proves when alarms fire, with the clock in hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/durable/alarm.h"
#include <uv.h>

enum { START_MS = 1000000 };

static uv_loop_t loop;
static struct alarms *alarms;

struct bell {
	struct alarm alarm;
	char name;
	int rings;
	struct bell *clears;
	bool repeats; /* sets itself again, in the past */
};

static char rung[4096];
static size_t rung_count;

static void ring(struct alarm *alarm)
{
	struct bell *bell = MEM_CONTAINER(alarm, struct bell, alarm);
	bell->rings++;
	assert_true(rung_count + 1 < sizeof rung);
	rung[rung_count++] = bell->name;
	rung[rung_count] = '\0';
	if (bell->clears != NULL) {
		alarm_clear(alarms, &bell->clears->alarm);
	}
	if (bell->repeats && bell->rings < 1000) {
		alarm_set(alarms, alarm, 0);
	}
}

static struct bell bell_of(char name)
{
	return (struct bell){.alarm = {.fn = ring}, .name = name};
}

static int start(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	alarms = alarms_new(&loop);
	rung_count = 0;
	rung[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	alarms_close(alarms, NULL, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	return uv_loop_close(&loop);
}

/* The manual clock cannot be taken back: this one runs before all others. */
static void test_real_timer_fires(void **state)
{
	(void)state;
	struct bell soon = bell_of('s');
	struct bell past = bell_of('p');
	struct bell later = bell_of('l');
	struct bell wall = bell_of('w');
	alarm_set_in(alarms, &later.alarm, 1000000);
	alarm_set_in(alarms, &soon.alarm, 20);
	alarm_set(alarms, &wall.alarm, clock_wall_ms() + 10);
	alarm_set(alarms, &past.alarm, 5);
	assert_int_equal(past.rings, 0);
	while (soon.rings == 0) {
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	assert_string_equal(rung, "pws");
	alarm_clear(alarms, &later.alarm);
	/* Nothing is set: nothing keeps the loop. */
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_string_equal(rung, "pws");
}

static void count_turn(uv_prepare_t *prepare)
{
	(*(int *)prepare->data)++;
}

static void test_one_that_is_always_due_leaves_others_their_turns(void **state)
{
	(void)state;
	struct bell bell = bell_of('a');
	bell.repeats = true;
	int turns = 0;
	static uv_prepare_t prepare; /* closed behind the end of the test */
	assert_int_equal(uv_prepare_init(&loop, &prepare), 0);
	prepare.data = &turns;
	assert_int_equal(uv_prepare_start(&prepare, count_turn), 0);
	alarm_set(alarms, &bell.alarm, 0);
	while (bell.rings < 20) {
		(void)uv_run(&loop, UV_RUN_ONCE);
		bell.repeats = bell.rings < 20;
	}
	assert_in_range(turns, 19, 25);
	alarm_clear(alarms, &bell.alarm);
	uv_close((uv_handle_t *)&prepare, NULL);
}

static void test_order_of_both_clocks(void **state)
{
	(void)state;
	struct bell a = bell_of('a');
	struct bell b = bell_of('b');
	struct bell c = bell_of('c');
	struct bell d = bell_of('d');
	alarm_set_in(alarms, &c.alarm, 30);
	alarm_set(alarms, &b.alarm, clock_wall_ms() + 20);
	alarm_set_in(alarms, &a.alarm, 10);
	alarm_set(alarms, &d.alarm, clock_wall_ms() + 40);
	assert_int_equal(alarms_run_due(alarms), 0);
	clock_advance(9);
	assert_int_equal(alarms_run_due(alarms), 0);
	clock_advance(21);
	assert_int_equal(alarms_run_due(alarms), 3);
	assert_string_equal(rung, "abc");
	assert_true(alarm_is_set(&d.alarm));
	assert_false(alarm_is_set(&a.alarm));
	alarm_set_in(alarms, &d.alarm, 100); /* moved */
	clock_advance(50);
	assert_int_equal(alarms_run_due(alarms), 0);
	clock_advance(50);
	assert_int_equal(alarms_run_due(alarms), 1);
	alarm_clear(alarms, &d.alarm);
}

static void test_cleared_by_a_neighbour(void **state)
{
	(void)state;
	struct bell a = bell_of('a');
	struct bell b = bell_of('b');
	a.clears = &b;
	alarm_set_in(alarms, &a.alarm, 1);
	alarm_set_in(alarms, &b.alarm, 1);
	clock_advance(5);
	assert_int_equal(alarms_run_due(alarms), 1);
	assert_string_equal(rung, "a");
	assert_false(alarm_is_set(&b.alarm));
}

static void test_past_from_inside_waits_for_the_next_turn(void **state)
{
	(void)state;
	struct bell again = bell_of('r');
	struct bell other = bell_of('o');
	again.repeats = true;
	alarm_set(alarms, &again.alarm, 0);
	alarm_set_in(alarms, &other.alarm, 0);
	assert_int_equal(alarms_run_due(alarms), 2);
	assert_string_equal(rung, "ro");
	assert_int_equal(alarms_run_due(alarms), 1);
	assert_int_equal(alarms_run_due(alarms), 1);
	assert_int_equal(again.rings, 3);
	alarm_clear(alarms, &again.alarm);
	assert_int_equal(alarms_run_due(alarms), 0);
}

static void test_turn_is_bounded(void **state)
{
	(void)state;
	enum { MANY = ALARM_TURN_MAX + 10 };
	static struct bell bells[MANY];
	for (int i = 0; i < MANY; i++) {
		bells[i] = bell_of('x');
		alarm_set_in(alarms, &bells[i].alarm, 1);
	}
	clock_advance(1);
	assert_int_equal(alarms_run_due(alarms), ALARM_TURN_MAX);
	assert_int_equal(alarms_run_due(alarms), 10);
	assert_int_equal(alarms_run_due(alarms), 0);
}

static void test_lateness_is_counted_of_what_people_set(void **state)
{
	(void)state;
	struct bell a = bell_of('a');
	struct bell b = bell_of('b');
	struct bell c = bell_of('c');
	struct bell ours = bell_of('o');
	struct alarm_stats stats;
	assert_true(alarms_next_ms(alarms) == INT64_MAX);
	alarm_set_in(alarms, &a.alarm, 10);
	alarm_set(alarms, &b.alarm, clock_wall_ms() + 12);
	alarm_set_in(alarms, &c.alarm, 500);
	alarm_set_real(alarms, &ours.alarm, 3);
	assert_int_equal(alarms_next_ms(alarms), clock_wall_ms() + 10);
	clock_advance(14);
	alarms_stats(alarms, &stats);
	assert_int_equal(stats.pending, 3);
	assert_int_equal(stats.overdue, 2);
	assert_int_equal(alarms_run_due(alarms), 3);
	alarms_stats(alarms, &stats);
	assert_int_equal(stats.pending, 1);
	assert_int_equal(stats.overdue, 0);
	assert_int_equal(stats.fired, 2);
	assert_int_equal(stats.late.max, 4);
	assert_int_equal(histogram_up_to(&stats.late, 1), 0);
	assert_int_equal(histogram_up_to(&stats.late, 2), 1);
	assert_int_equal(histogram_up_to(&stats.late, 4), 2);
	clock_advance(100000);
	assert_int_equal(alarms_run_due(alarms), 1);
	alarms_stats(alarms, &stats);
	assert_true(stats.late.max > 99000);
}

/* ---- a virtual clock ---- */

static void test_turned_time_fires_by_itself_and_real_time_goes_on(void **state)
{
	(void)state;
	struct bell hour = bell_of('h');
	struct bell day = bell_of('d');
	struct bell now = bell_of('n');
	struct bell ours = bell_of('o');
	alarm_set(alarms, &day.alarm, START_MS + 86400000);
	alarm_set_in(alarms, &hour.alarm, 3600000);
	alarm_set_real(alarms, &ours.alarm, 5);
	alarm_set(alarms, &now.alarm, START_MS);
	while (ours.rings == 0) {
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	assert_string_equal(rung, "no");
	assert_int_equal(clock_wall_ms(), START_MS);
	assert_int_equal(alarms_next_ms(alarms), START_MS + 3600000);
	alarms_turn(alarms, 3600000);
	while (hour.rings == 0) {
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	assert_string_equal(rung, "noh");
	/* What only a turn of the clock can make due keeps no loop awake. */
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(day.rings, 0);
	alarm_clear(alarms, &day.alarm);
}

static int hold_time(void **state)
{
	clock_set_virtual(START_MS);
	return start(state);
}

static int turn_by_hand(void **state)
{
	clock_set_manual(START_MS);
	return start(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_real_timer_fires, start, stop),
	        cmocka_unit_test_setup_teardown(
	                test_one_that_is_always_due_leaves_others_their_turns, start, stop),
	        cmocka_unit_test_setup_teardown(test_order_of_both_clocks, turn_by_hand, stop),
	        cmocka_unit_test_setup_teardown(test_cleared_by_a_neighbour, turn_by_hand, stop),
	        cmocka_unit_test_setup_teardown(test_past_from_inside_waits_for_the_next_turn,
	                                        turn_by_hand, stop),
	        cmocka_unit_test_setup_teardown(test_turn_is_bounded, turn_by_hand, stop),
	        cmocka_unit_test_setup_teardown(test_lateness_is_counted_of_what_people_set,
	                                        turn_by_hand, stop),
	        cmocka_unit_test_setup_teardown(
	                test_turned_time_fires_by_itself_and_real_time_goes_on, hold_time, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
