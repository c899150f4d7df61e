/* This file proves which triggers are suspected of waking themselves where no cause is known. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

enum { RATE = 100, STEP_MS = 50, A_SECOND = 1000 / STEP_MS };

static struct feedback *feedback(void)
{
	return react_feedback(world->react);
}

static void begin(const char *config)
{
	world->loop_rate = RATE;
	declare("t", "f", config);
	world_up();
	offer("f");
}

/* Every running delivery of f writes `scope`/`key` (NULL: its own key), as `worker`, then it ends.
 * Returns how many did. */
static size_t write_and_answer(const char *worker, const char *scope, const char *key)
{
	static size_t handled;
	size_t count = 0;
	handled = handled < world->started_count ? handled : 0;
	for (; handled < world->started_count; handled++) {
		struct started *started = &world->started[handled];
		if (started->call == NULL) {
			continue;
		}
		const struct event written = {.seq = store_next_seq(world->store),
		                              .kind = EVENT_UPDATED,
		                              .scope = span_of(scope),
		                              .key = span_of(key ? key : started->key),
		                              .old_value = SPAN("0"),
		                              .new_value = SPAN("1")};
		if (feedback_is_on(feedback())) {
			feedback_wrote(feedback(), span_of(worker), &written);
		}
		end_call(started, CALL_OK, "null");
		count++;
	}
	return count;
}

/* Events at so many a step for so long, all of which are handled; the handlers write, too. */
static void live(int steps, int each, const char *worker, const char *scope, const char *key)
{
	for (int step = 0; step < steps; step++) {
		for (int n = 0; n < each; n++) {
			char name[16];
			(void)snprintf(name, sizeof name, "k%d", n);
			(void)put_event(name);
		}
		turn();
		while (write_and_answer(worker, scope, key) != 0) {
		}
		pass(STEP_MS);
	}
}

static bool is_paused(void)
{
	return pause_holds(&trigger("t")->pause);
}

static void one_that_wakes_itself_is_paused(void **state)
{
	(void)state;
	begin("{}");
	live(4 * A_SECOND, 10, "worker-1", "s", NULL);
	assert_true(is_paused());
	assert_non_null(strstr(trigger("t")->pause.reason, "loop_suspected"));
	assert_false(feedback_is_on(feedback()));
	restart(true);
	offer("f");
	assert_true(is_paused());
	struct err err;
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	pass(100);
	while (write_and_answer("worker-1", "s", NULL) != 0) {
	}
	assert_int_equal(trigger("t")->held, 0);
}

static void it_goes_on_below_the_rate(void **state)
{
	(void)state;
	begin("{}");
	live(4 * A_SECOND, 4, "worker-1", "s", NULL);
	assert_false(is_paused());
	assert_false(feedback_is_on(feedback()));
}

/* Woken as often, but not by itself. */
static void others_may_write_as_they_like(void **state)
{
	(void)state;
	begin("{}");
	live(3 * A_SECOND, 10, "worker-2", "s", NULL);
	assert_true(feedback_is_on(feedback()));
	live(3 * A_SECOND, 10, "worker-1", "other", NULL);
	live(3 * A_SECOND, 10, "worker-1", "s", "nobody's");
	assert_false(is_paused());
	live(3 * A_SECOND, 1, "worker-1", "s", NULL);
	assert_false(feedback_is_on(feedback()));
}

/* What it writes is on its key, and does not wake it. */
static void what_does_not_wake_it_does_not_count(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value == 1 && seq % 5 == 0\"}");
	live(4 * A_SECOND, 30, "worker-1", "s", NULL);
	assert_true(feedback_is_on(feedback()));
	assert_false(is_paused());
}

static void zero_is_off(void **state)
{
	(void)state;
	begin("{}");
	live(2 * A_SECOND, 10, "worker-2", "s", NULL);
	assert_true(feedback_is_on(feedback()));
	feedback_configure(feedback(), 0);
	live(4 * A_SECOND, 10, "worker-1", "s", NULL);
	assert_false(feedback_is_on(feedback()));
	assert_false(is_paused());
}

static void one_that_is_watched_may_be_removed(void **state)
{
	(void)state;
	begin("{}");
	live(2 * A_SECOND, 10, "worker-2", "s", NULL);
	assert_true(feedback_is_on(feedback()));
	world->spec_count = 0;
	world_sync();
	pass(1000);
	assert_null(trigger("t"));
	assert_false(feedback_is_on(feedback()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(one_that_wakes_itself_is_paused),
	        WORLD_TEST(it_goes_on_below_the_rate),
	        WORLD_TEST(others_may_write_as_they_like),
	        WORLD_TEST(what_does_not_wake_it_does_not_count),
	        WORLD_TEST(zero_is_off),
	        WORLD_TEST(one_that_is_watched_may_be_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
