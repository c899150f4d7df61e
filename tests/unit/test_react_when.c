/* This file tests what follows from the conditions of triggers: who is woken, what is written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static const struct filter_tally *tally(void)
{
	return &trigger("t")->filter->tally;
}

static void a_condition_decides(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value.n > 5\",\"fire\":\"rising\"}");
	assert_true(is_running(change("a", NULL, "{\"n\":6}")));
	assert_false(is_running(change("b", "{\"n\":6}", "{\"n\":7}")));
	assert_true(is_running(change("b", "{\"n\":5}", "{\"n\":6}")));
	assert_false(is_running(change("c", "{\"n\":6}", NULL)));
	assert_int_equal(trigger("t")->matched, 2);
	assert_int_equal(tally()->considered, 4);
	assert_int_equal(tally()->condition_false, 2);
	assert_int_equal(tally()->condition_errors, 0);
}

/* An edge is a function of the event: what was settled before the crash is not fired again. */
static void an_edge_is_the_same_after_a_restart(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value.n > 5\",\"fire\":\"rising\"}");
	uint64_t rises = change("a", "{\"n\":1}", "{\"n\":6}");
	uint64_t stays = change("a", "{\"n\":6}", "{\"n\":8}");
	answer(rises);
	pass(300);
	restart(true);
	offer("f");
	assert_false(is_running(rises));
	assert_false(is_running(stays));
	uint64_t again = change("a", "{\"n\":1}", "{\"n\":9}");
	restart(true);
	offer("f");
	assert_true(is_running(again));
	assert_int_equal(starts_of(stays), 0);
}

static void errors_leave_no_record(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value.plan == 'pro'\"}");
	uint64_t first = store_next_seq(world->store);
	for (int i = 0; i < 1000; i++) {
		(void)put_change("a", "1", "{}");
	}
	pass(3000);
	assert_int_equal(world->started_count, 0);
	assert_int_equal(dead_letter_count(), 0);
	for (uint64_t seq = first; seq < first + 1000; seq++) {
		assert_false(has_job("t", seq));
	}
	assert_false(trigger("t")->lagging);
	assert_int_equal(react_cursor(world->react, trigger("t")), first + 999);
	assert_int_equal(tally()->condition_errors, 1000);
	assert_int_equal(tally()->error_seq, first + 999);
	assert_non_null(strstr(filter_error(trigger("t")->filter), "plan"));
	assert_int_equal(trigger("t")->matched, 0);
}

static void an_error_may_fire(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value.plan == 'pro'\",\"on_condition_error\":\"fire\"}");
	uint64_t broken = change("a", "1", "{}");
	assert_true(is_running(broken));
	assert_false(is_running(change("b", "1", "{\"plan\":1}")));
	assert_int_equal(tally()->condition_errors, 1);
}

static void an_error_may_be_a_dead_letter(void **state)
{
	(void)state;
	begin("{\"when\":\"new_value.plan == 'pro'\",\"on_condition_error\":\"dead\"}");
	uint64_t broken = change("a", "1", "{}");
	pass(500);
	assert_int_equal(starts_of(broken), 0);
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"condition_error\""));
	assert_non_null(strstr(letters, "plan"));
	assert_int_equal(trigger("t")->buried, 1);
	restart(true);
	offer("f");
	assert_int_equal(dead_letter_count(), 1);
}

static void the_handler_gets_what_was_selected(void **state)
{
	(void)state;
	begin("{\"select\":{\"seq\":\"seq\",\"n\":\"new_value.n\",\"was\":\"old_value.?n\"}}");
	uint64_t seq = change("a", NULL, "{\"n\":[1.50]}");
	assert_true(is_running(seq));
	struct buf wanted = {0};
	buf_format(&wanted, "{\"n\":[1.50],\"seq\":%llu}", (unsigned long long)seq);
	assert_true(span_equal(buf_view(&world->write), buf_view(&wanted)));
	buf_free(&wanted);
	fails(seq);
	pass(1300);
	assert_int_equal(starts_of(seq), 2);
}

static void a_failed_selection_is_not_tried_again(void **state)
{
	(void)state;
	begin("{\"select\":{\"seq\":\"seq\",\"n\":\"new_value.n\"}}");
	uint64_t seq = change("a", NULL, "{}");
	pass(5000);
	assert_int_equal(starts_of(seq), 0);
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"select_failed\""));
	assert_non_null(strstr(letters, "new_value.n"));
	assert_true(is_running(change("b", NULL, "{\"n\":1}")));
}

/* Who reads the journal again decides alike. */
static void a_lagging_one_decides_alike(void **state)
{
	(void)state;
	world->job_max = 4;
	begin("{\"concurrency\":1,\"when\":\"new_value.n == 1\"}");
	uint64_t first = store_next_seq(world->store);
	static const char *const VALUES[] = {"{\"n\":1}", "{\"n\":2}", "{}"};
	for (int i = 0; i < 60; i++) {
		(void)put_change(i % 2 ? "a" : "b", "1", VALUES[i % 3]);
	}
	turn();
	assert_true(trigger("t")->lagging);
	for (uint64_t seq = first; seq < first + 60; seq += 3) {
		assert_true(is_running(seq));
		answer(seq);
	}
	pass(2000);
	assert_false(trigger("t")->lagging);
	assert_int_equal(world->started_count, 20);
	assert_int_equal(trigger("t")->delivered, 20);
	assert_int_equal(dead_letter_count(), 0);
}

/* ---- with and without the index ---- */

static const char *const CONFIGS[WORLD_TRIGGERS] = {
        "{\"when\":\"new_value.n == 1\"}",
        "{\"when\":\"new_value.n == 2 || created()\"}",
        "{\"when\":\"key == 'a' && new_value.n >= 2\"}",
        "{\"when\":\"new_value.s.startsWith('x')\",\"fire\":\"rising\"}",
        "{\"when\":\"new_value.s == 'xy'\",\"fire\":\"falling\"}",
        "{\"when\":\"new_value.s == 'xy'\",\"on_condition_error\":\"dead\"}",
        "{\"when\":\"changed('n')\",\"select\":{\"seq\":\"seq\",\"n\":\"new_value.n\"}}",
        "{\"when\":\"deleted() && old_value.n in [1, 3]\"}",
};

/* What was called, and what is on disk in the end. */
static void run_a_day(bool scans_all, struct buf *out)
{
	static const char *const VALUES[] = {NULL,
	                                     "{\"n\":1}",
	                                     "{\"n\":2,\"s\":\"xy\"}",
	                                     "{\"n\":3,\"s\":\"x\"}",
	                                     "{\"s\":\"y\"}",
	                                     "5"};
	static const char *const IDS[WORLD_TRIGGERS] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	enum { EVENTS = 120 };
	world->scans_all = scans_all;
	for (size_t i = 0; i < WORLD_TRIGGERS; i++) {
		declare(IDS[i], "f", CONFIGS[i]);
	}
	world_up();
	offer("f");
	uint64_t first = store_next_seq(world->store);
	for (uint64_t i = 0; i < EVENTS; i++) {
		const char *old_value = VALUES[i * 7 % 6];
		const char *new_value = VALUES[(i * 7 / 6 + 1 + i % 5) % 6];
		const char *value = old_value == NULL && new_value == NULL ? "1" : new_value;
		(void)put_change(i % 3 ? "a" : "b", old_value, value);
		turn();
	}
	for (size_t i = 0; i < world->started_count; i++) {
		struct started *started = &world->started[i];
		if (started->call != NULL) {
			end_call(started, i % 5 ? CALL_OK : CALL_FAILED, "null");
		}
	}
	pass(1500);
	for (size_t i = 0; i < world->started_count; i++) {
		buf_format(out, "%s %llu %d\n", world->started[i].delivery_id,
		           (unsigned long long)world->started[i].seq, world->started[i].attempt);
	}
	buf_byte(out, '-');
	for (uint64_t seq = first; seq < first + EVENTS; seq++) {
		for (size_t i = 0; i < WORLD_TRIGGERS; i++) {
			buf_format(out, "%d", has_job(IDS[i], seq));
		}
	}
	buf_format(out, "-%zu dead", dead_letter_count());
}

/* Delivery ids hold the journal's name, which is drawn anew. */
static void leave_names_out(struct buf *text)
{
	struct buf plain = {0};
	bool in_name = true;
	for (size_t i = 0; i < text->len; i++) {
		in_name = (in_name && text->ptr[i] != '-') || text->ptr[i] == '\n';
		if (!in_name || text->ptr[i] == '\n') {
			buf_byte(&plain, text->ptr[i]);
		}
	}
	buf_free(text);
	*text = plain;
}

static void the_index_changes_nothing(void **state)
{
	struct buf with = {0};
	struct buf without = {0};
	run_a_day(false, &with);
	(void)world_tear_down(state);
	(void)world_set_up(state);
	run_a_day(true, &without);
	leave_names_out(&with);
	leave_names_out(&without);
	assert_int_equal(with.len, without.len);
	assert_memory_equal(with.ptr, without.ptr, with.len);
	assert_true(world->started_count > 60);
	buf_free(&with);
	buf_free(&without);
}

enum { LONG = 150 };

/* About 90,000 steps each: five of them take what one turn of the loop may. */
static void heavy(char out[64 + LONG * 2])
{
	size_t len = (size_t)sprintf(out, "{\"l\":[0");
	for (int i = 1; i < LONG; i++) {
		len += (size_t)sprintf(out + len, ",0");
	}
	(void)sprintf(out + len, "]}");
}

static size_t count_lagging(void)
{
	size_t count = 0;
	for (size_t i = 0; i < world->spec_count; i++) {
		count += trigger(world->specs[i].id.ptr)->lagging;
	}
	return count;
}

static void conditions_that_take_long_go_on_in_the_next_turn(void **state)
{
	(void)state;
	static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	for (size_t i = 0; i < WORLD_TRIGGERS; i++) {
		declare(ids[i], "f",
		        "{\"concurrency\":100,\"when\":"
		        "\"new_value.l.all(x, new_value.l.all(y, x == y))\"}");
	}
	char value[64 + LONG * 2];
	heavy(value);
	world_up();
	offer("f");
	uint64_t first = put_change("k", NULL, value);
	uint64_t second = put_change("l", NULL, value);
	(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_in_range(count_lagging(), 1, WORLD_TRIGGERS - 1);
	pass(200);
	assert_int_equal(starts_of(first), WORLD_TRIGGERS);
	assert_int_equal(starts_of(second), WORLD_TRIGGERS);
	for (size_t i = 0; i < world->started_count; i++) {
		answer(i < WORLD_TRIGGERS ? first : second);
	}
	pass(3000);
	assert_int_equal(count_lagging(), 0);
	for (size_t i = 0; i < WORLD_TRIGGERS; i++) {
		assert_int_equal(trigger(ids[i])->filter->tally.condition_errors, 0);
		assert_int_equal(trigger(ids[i])->delivered, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(a_condition_decides),
	        WORLD_TEST(an_edge_is_the_same_after_a_restart),
	        WORLD_TEST(errors_leave_no_record),
	        WORLD_TEST(an_error_may_fire),
	        WORLD_TEST(an_error_may_be_a_dead_letter),
	        WORLD_TEST(the_handler_gets_what_was_selected),
	        WORLD_TEST(a_failed_selection_is_not_tried_again),
	        WORLD_TEST(a_lagging_one_decides_alike),
	        WORLD_TEST(the_index_changes_nothing),
	        WORLD_TEST(conditions_that_take_long_go_on_in_the_next_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
