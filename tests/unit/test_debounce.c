/* This file tests triggers that debounce: which event is delivered, when, and after which crash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

static const char last[] =
        "{\"debounce\":{\"key\":\"new_value.user\",\"wait\":\"2s\",\"max_delay\":\"5s\"}}";
static const char first[] = "{\"debounce\":{\"key\":\"key\",\"wait_ms\":2000,"
                            "\"max_delay_ms\":5000,\"keep\":\"first\"}}";

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

/* What the last call was given. */
static int64_t given(const char *member)
{
	return number_member(buf_view(&world->write), member);
}

static bool has_window(uint64_t first_seq)
{
	struct space_key room;
	return fault_has(world->disk, space_window(&room, SPAN("t"), 1, first_seq));
}

static void the_last_of_each_key_is_delivered(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	uint64_t other = of_user("b", 2);
	pass(1500);
	uint64_t b = of_user("c", 1);
	assert_int_equal(world->started_count, 0);
	pass(600);
	assert_true(is_running(other));
	assert_int_equal(given("debounced"), 1);
	assert_int_equal(world->started_count, 1);
	pass(1500);
	assert_true(is_running(b));
	assert_int_equal(given("debounced"), 2);
	assert_int_equal(given("attempt"), 1);
	assert_int_equal(starts_of(a), 0);
	answer(other);
	answer(b);
	assert_int_equal(trigger("t")->held, 0);
	assert_int_equal(trigger("t")->matched, 3);
	pass(300);
	assert_false(has_window(a) || has_window(other) || has_job("t", b) || has_job("t", other));
}

static void or_the_first(void **state)
{
	(void)state;
	begin(first);
	uint64_t a = event("a");
	(void)event("a");
	pass(1900);
	assert_int_equal(world->started_count, 0);
	pass(200);
	assert_true(is_running(a));
	assert_int_equal(given("debounced"), 2);
	answer(a);
}

static void a_steady_stream_does_not_starve_it(void **state)
{
	(void)state;
	begin(last);
	uint64_t seqs[12];
	for (int i = 0; i < 12; i++) {
		seqs[i] = of_user("a", 1);
		pass(1000);
	}
	/* Deadlines: 5 s and 11 s after the begin; the second window opened at 6 s. */
	assert_int_equal(starts_of(seqs[4]), 1);
	assert_int_equal(world->started_count, 1);
	answer(seqs[4]);
	assert_true(is_running(seqs[9]));
	assert_int_equal(given("debounced"), 5);
	answer(seqs[9]);
	pass(2000);
	assert_true(is_running(seqs[11]));
	assert_int_equal(given("debounced"), 2);
}

static void it_never_supersedes_a_running_delivery(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(2100);
	assert_true(is_running(a));
	uint64_t b = of_user("a", 1);
	pass(2100);
	assert_true(is_running(a));
	assert_false(is_running(b));
	fails(a);
	pass(1100);
	assert_true(is_running(a)); /* its second attempt goes first */
	answer(a);
	assert_true(is_running(b));
	answer(b);
}

static void events_whose_key_fails_are_kept_apart(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = change("a", "{}", "5");
	uint64_t b = change("b", "{}", "5");
	pass(2100);
	assert_true(is_running(a) && is_running(b));
	assert_int_equal(trigger("t")->windows->key_errors, 2);
}

static void a_crash_before_the_cursor_takes_the_events_again(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	uint64_t b = of_user("a", 1);
	assert_false(has_window(a));
	restart(true);
	offer("f");
	pass(2100);
	assert_true(is_running(b));
	assert_int_equal(given("debounced"), 2);
	assert_int_equal(starts_of(a), 0);
	answer(b);
}

static void a_crash_in_the_middle_goes_on_with_the_window(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(200);
	assert_true(has_window(a));
	uint64_t b = of_user("a", 1); /* is not put with it */
	restart(true);
	offer("f");
	pass(1900);
	assert_int_equal(world->started_count, 0);
	pass(200);
	assert_true(is_running(b));
	assert_int_equal(given("debounced"), 2);
	answer(b);
}

/* Both the window of another key that is open and the one that closed are accounted for, though the
 * cursor stands before all of it. */
static void a_crash_behind_the_end_delivers_nothing_again(void **state)
{
	(void)state;
	declare("slow", "g", "{}"); /* holds the shared cursor back */
	begin(last);
	offer("g");
	uint64_t a = of_user("a", 1);
	pass(1950);
	uint64_t b = of_user("b", 2);
	jump(60);
	assert_true(is_running(a));
	answer(a);
	turn();
	restart(true);
	offer("f");
	pass(2500);
	assert_int_equal(starts_of(b), 2); /* for `slow` and for us */
	assert_true(is_running(b));
	assert_int_equal(given("debounced"), 1);
	for (size_t i = 0; i < world->started_count; i++) {
		if (strcmp(world->started[i].function, "f") == 0 && world->started[i].seq == a) {
			assert_int_equal(world->started[i].attempt, 1);
		}
	}
}

static size_t starts_by_f(uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		count += world->started[i].seq == seq &&
		         strcmp(world->started[i].function, "f") == 0;
	}
	return count;
}

static void what_was_settled_is_not_collected_again(void **state)
{
	(void)state;
	declare("slow", "g", "{}");
	begin(last);
	offer("g");
	uint64_t a = of_user("a", 1);
	pass(2050);
	for (size_t i = 0; i < world->started_count; i++) {
		struct started *started = &world->started[i];
		if (started->call != NULL && strcmp(started->function, "f") == 0) {
			end_call(started, CALL_OK, "null");
		}
	}
	flush();
	assert_int_equal(starts_by_f(a), 1);
	restart(true);
	offer("f");
	pass(6000);
	assert_int_equal(starts_by_f(a), 1);
}

static void a_failed_write_puts_all_again(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(200);
	uint64_t b = of_user("b", 2);
	lose_writes(1);
	pass(1000); /* b's window is put with the cursor, again after the recovery */
	assert_true(has_window(a) && has_window(b));
	lose_writes(1);
	pass(900); /* a's window closes; its group is lost */
	pass(1500);
	assert_int_equal(starts_of(a), 1);
	assert_true(is_running(a));
	assert_false(has_window(a));
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(starts_of(a), 2); /* it had not been answered */
	assert_int_equal(starts_of(b), 2);
}

static void a_write_that_happened_after_all_is_no_second_delivery(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(1900);
	fault_plan(world->disk, FAULT_WRITE, FAULT_HAPPENS_AND_FAILS, 1, E_IO);
	pass(5000);
	assert_int_equal(starts_of(a), 1);
	answer(a);
	pass(500);
	assert_false(has_window(a) || has_job("t", a));
	restart(true);
	offer("f");
	pass(6000);
	assert_int_equal(starts_of(a), 1);
}

/* The older one could not be written for a while; nothing of its key overtakes it. */
static void one_that_could_not_be_closed_goes_first(void **state)
{
	(void)state;
	begin("{\"debounce\":{\"key\":\"key\",\"wait_ms\":100,\"max_delay_ms\":100}}");
	for (int crash = 0; crash < 2; crash++) {
		uint64_t a = event("a");
		pass(50);
		lose_writes(1);
		pass(100);
		uint64_t b = event("a");
		pass(250);
		assert_int_equal(starts_of(a) + starts_of(b), 0);
		assert_true(has_job("t", a) && has_job("t", b));
		if (crash) {
			restart(true);
			offer("f");
		}
		pass(1500);
		assert_true(is_running(a));
		assert_int_equal(starts_of(b), 0);
		answer(a);
		pass(1100);
		assert_true(is_running(b));
		answer(b);
		pass(300);
	}
}

static void an_edited_trigger_closes_its_windows_first(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(300);
	declare("t", "f", first);
	world_sync();
	uint64_t b = of_user("a", 1);
	pass(300);
	assert_true(is_running(a)); /* at once, so that nothing younger goes before it */
	assert_int_equal(given("debounced"), 1);
	answer(a);
	pass(2000);
	assert_true(is_running(b));
	answer(b);
	pass(500);
	assert_int_equal(catalog_count(world->catalog), 1);
	assert_false(has_window(a));
	struct space_key room;
	assert_false(fault_has(world->disk, space_mark(&room, SPAN("t"), 1)));
	assert_true(fault_has(world->disk, space_mark(&room, SPAN("t"), 2)));
}

static void a_removed_trigger_leaves_nothing(void **state)
{
	(void)state;
	struct err err;
	struct space_key room;
	declare("t", "f", last);
	world->specs[0].origin = BINDING_API;
	world_up();
	offer("f");
	uint64_t a = of_user("a", 1);
	pass(1900);
	uint64_t b = of_user("b", 2);
	pass(200);
	assert_true(is_running(a));
	assert_true(has_window(b));
	assert_int_equal(catalog_remove(world->catalog, SPAN("t"), NULL, &err), 0);
	pass(5000);
	assert_false(has_window(b) || has_job("t", a) || has_job("t", b));
	assert_false(fault_has(world->disk, space_mark(&room, SPAN("t"), 1)));
	assert_int_equal(starts_of(b), 0);
}

static void a_paused_one_collects_later(void **state)
{
	(void)state;
	struct err err;
	begin(last);
	uint64_t a = of_user("a", 1);
	pass(300);
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), NULL, SPAN(""), NULL, &err), 0);
	uint64_t b = of_user("a", 1);
	uint64_t c = of_user("a", 1);
	pass(3000);
	assert_int_equal(world->started_count, 0);
	assert_true(has_job("t", a)); /* its time is over; it waits for the resume */
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	turn();
	answer(a);
	pass(2100);
	assert_true(is_running(c));
	assert_int_equal(given("debounced"), 2);
	assert_int_equal(starts_of(b), 0);
}

static void too_many_windows_wait_in_the_journal(void **state)
{
	(void)state;
	world->job_max = 3;
	begin(last);
	uint64_t seqs[8];
	for (int i = 0; i < 8; i++) {
		seqs[i] = of_user("a", i);
	}
	assert_int_equal(trigger("t")->windows->count, 3);
	assert_true(trigger("t")->lagging);
	for (int i = 0; i < 8; i++) {
		for (int tries = 0; tries < 200 && !is_running(seqs[i]); tries++) {
			pass(50);
			assert_true(trigger("t")->held + trigger("t")->windows->count <= 3);
		}
		answer(seqs[i]);
	}
	pass(2000);
	assert_false(trigger("t")->lagging);
	assert_int_equal(world->started_count, 8);
}

static void the_journal_is_kept_for_open_windows(void **state)
{
	(void)state;
	begin(last);
	uint64_t a = of_user("a", 1);
	uint64_t b = change("b", "{}", "{\"user\":2}");
	pass(300);
	assert_int_equal(react_first_needed(world->react), a);
	pass(2000);
	answer(a);
	assert_int_equal(react_first_needed(world->react), b);
	answer(b);
	pass(300);
	assert_int_equal(react_first_needed(world->react), b + 1);
}

static void what_nobody_serves_becomes_a_range(void **state)
{
	(void)state;
	world->park_max_ms = 10000;
	declare("t", "f", last);
	world_up();
	uint64_t a = of_user("a", 1);
	pass(3000);
	uint64_t b = of_user("b", 2);
	pass(1000);
	jump(20000);
	pass(6000);
	size_t count;
	const char *letters = dead_letters(&count);
	char range[64];
	(void)snprintf(range, sizeof range, "{\"from_seq\":%llu,\"to_seq\":%llu}",
	               (unsigned long long)a, (unsigned long long)b);
	assert_non_null(strstr(letters, range));
	assert_int_equal(count, 1);
	assert_int_equal(trigger("t")->windows->count, 0);
	offer("f");
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(world->started_count, 0);
}

/* It joins no window, so the mark does not speak of it. */
static void a_loop_is_dead_over_a_crash(void **state)
{
	(void)state;
	world->dead_max = 0; /* the letter has no place yet */
	begin(last);
	uint64_t loop = put_event_at("a", 16);
	uint64_t joined = of_user("b", 1);
	pass(300);
	assert_true(has_window(joined));
	restart(true);
	offer("f");
	pass(2100);
	assert_true(is_running(joined));
	answer(joined);
	assert_int_equal(trigger("t")->held, 1);
	dead_configure(world->dead, 1024 * 1024);
	pass(61000);
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "loop_detected"));
	assert_int_equal(starts_of(loop), 0);
}

static void a_dead_one_tells_how_many_it_stands_for(void **state)
{
	(void)state;
	begin(last);
	(void)of_user("a", 1);
	uint64_t b = of_user("a", 1);
	pass(2100);
	end_call(open_call(b), CALL_OK, "{\"$pawl\":{\"fail\":true}}");
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"debounced\":2"));
	assert_non_null(strstr(letters, "\"window\":\"1\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(the_last_of_each_key_is_delivered),
	        WORLD_TEST(or_the_first),
	        WORLD_TEST(a_steady_stream_does_not_starve_it),
	        WORLD_TEST(it_never_supersedes_a_running_delivery),
	        WORLD_TEST(events_whose_key_fails_are_kept_apart),
	        WORLD_TEST(a_crash_before_the_cursor_takes_the_events_again),
	        WORLD_TEST(a_crash_in_the_middle_goes_on_with_the_window),
	        WORLD_TEST(a_crash_behind_the_end_delivers_nothing_again),
	        WORLD_TEST(what_was_settled_is_not_collected_again),
	        WORLD_TEST(a_failed_write_puts_all_again),
	        WORLD_TEST(a_write_that_happened_after_all_is_no_second_delivery),
	        WORLD_TEST(one_that_could_not_be_closed_goes_first),
	        WORLD_TEST(an_edited_trigger_closes_its_windows_first),
	        WORLD_TEST(a_removed_trigger_leaves_nothing),
	        WORLD_TEST(a_paused_one_collects_later),
	        WORLD_TEST(too_many_windows_wait_in_the_journal),
	        WORLD_TEST(the_journal_is_kept_for_open_windows),
	        WORLD_TEST(what_nobody_serves_becomes_a_range),
	        WORLD_TEST(a_loop_is_dead_over_a_crash),
	        WORLD_TEST(a_dead_one_tells_how_many_it_stands_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
