/* This file tests the records of windows and of the seqs in them: written, read, damaged. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/window.h"

#include "base/mem.h"
#include "engine/core/job.h"
#include "engine/core/members.h"
#include "triggers/shaping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void members_are_written_as_steps(void **state)
{
	(void)state;
	struct members members = {0};
	struct members again = {0};
	struct buf text = {0};
	members_add(&members, 17);
	members_add(&members, 18);
	members_add(&members, UINT64_C(1) << 60);
	members_write(&members, &text);
	assert_true(span_starts_with(buf_view(&text), SPAN("[17,1,")));
	assert_true(members_read(buf_view(&text), &again));
	assert_int_equal(again.count, 3);
	assert_int_equal(again.seqs[2], UINT64_C(1) << 60);
	assert_true(members_have(&again, 18));
	assert_false(members_have(&again, 19));
	members_keep(&again, (bool[]){true, false, true});
	assert_false(members_have(&again, 18));
	members_cut(&again, 17);
	assert_int_equal(again.count, 1);
	buf_free(&text);
	members_free(&members);
	members_free(&again);
}

static void what_is_no_list_of_steps_is_refused(void **state)
{
	(void)state;
	static const char *const odd[] = {
	        "[]", "{}", "5", "[0]", "[1,0]", "[1,-1]", "[1,\"2\"]", "[18446744073709551615,1]",
	};
	struct members members = {0};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_false(members_read(span_of(odd[i]), &members));
		assert_int_equal(members.count, 0);
	}
	assert_false(members_read(SPAN_NONE, &members));
	struct buf many = {0};
	buf_byte(&many, '[');
	for (int i = 0; i <= MEMBERS_MAX; i++) {
		buf_format(&many, "%s1", i != 0 ? "," : "");
	}
	buf_byte(&many, ']');
	assert_false(members_read(buf_view(&many), &members));
	buf_free(&many);
}

static struct windows *of_kind(enum shaping_kind kind)
{
	const struct shaping shaping = {.kind = kind};
	return windows_new(&shaping);
}

static void a_window_is_read_as_it_was_written(void **state)
{
	(void)state;
	struct windows *windows = of_kind(SHAPING_BATCH);
	struct windows *others = of_kind(SHAPING_BATCH);
	struct window *window = windows_open(windows, SPAN("\"k\\u00e4\""), 17);
	struct window *again = NULL;
	struct buf value = {0};
	struct buf text = {0};
	struct err err = {0};
	members_add(&window->members, 17);
	members_add(&window->members, 20);
	window_set_place(window, SPAN("s\n"), SPAN("")); /* a CloudEvent may have no subject */
	window->epoch = 3;
	window->group = UINT64_MAX;
	window->throttle = 9;
	window->first_ms = 1000;
	window->deadline_ms = 3000;
	window->count = 2;
	window->bytes = 77;
	windows->events = 2; /* as shape counts them */
	window_encode(window, &value);
	assert_int_equal(window_decode(others, 17, buf_view(&value), &again, &err), 0);
	assert_true(span_equal(again->name, window->name));
	assert_int_equal(again->needs, 17);
	assert_int_equal(again->bytes, 77);
	assert_int_equal(again->deadline_ms, 3000);
	assert_int_equal(others->events, 2);
	assert_ptr_equal(windows_find(others, window->name), again);
	const struct job job = window_job(others, again, 4, &text);
	assert_int_equal(job.seq, 17);
	assert_int_equal(job.epoch, 3);
	assert_true(job.group == UINT64_MAX);
	assert_int_equal(job.throttle, 9);
	assert_int_equal(job.debounced, 0);
	assert_true(span_is(job.members, "[17,3]"));
	assert_true(span_is(job.scope, "s\n"));
	assert_int_equal(job.key.len, 0);
	buf_free(&value);
	buf_free(&text);
	windows_free(windows, NULL);
	windows_free(others, NULL);
}

static void a_damaged_one_is_refused(void **state)
{
	(void)state;
	static const char without_members[] =
	        "\1{\"name\":\"a\",\"scope\":\"s\",\"key\":\"k\",\"epoch\":1,\"group\":0,"
	        "\"first_ms\":1,\"deadline_ms\":1,\"count\":1,\"bytes\":0,\"members\":[]}";
	static const char *const odd[] = {"\1", "\1{}", "\1[", "\1{\"name\":\"a\",\"members\":[1]}",
	                                  without_members};
	struct windows *windows = of_kind(SHAPING_DEBOUNCE);
	struct window *window;
	struct err err = {0};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(window_decode(windows, 5, span_of(odd[i]), &window, &err),
		                 E_DAMAGED);
	}
	assert_int_equal(window_decode(windows, 5, SPAN("\2{}"), &window, &err), E_VERSION);
	assert_int_equal(window_decode(windows, 5, SPAN(""), &window, &err), E_VERSION);
	assert_int_equal(windows->count, 0);
	windows_free(windows, NULL);
}

static void a_job_says_what_its_window_was(void **state)
{
	(void)state;
	const struct job job = {.version = 1,
	                        .seq = 5,
	                        .scope = SPAN("s"),
	                        .key = SPAN("k"),
	                        .window = SPAN(""),
	                        .debounced = 3,
	                        .throttle = 8,
	                        .members = SPAN("[5,1]")};
	struct job again;
	struct buf value = {0};
	struct buf scratch = {0};
	struct err err = {0};
	job_encode(&job, &value);
	assert_int_equal(job_decode(5, buf_view(&value), &again, &scratch, &err), 0);
	assert_true(again.window.ptr != NULL && again.window.len == 0);
	assert_int_equal(again.debounced, 3);
	assert_int_equal(again.throttle, 8);
	assert_true(span_is(again.members, "[5,1]"));
	/* One that is older than windows. */
	static const char old[] = "\1{\"version\":1,\"scope\":\"s\",\"key\":\"k\",\"failures\":0,"
	                          "\"first_ms\":0,\"due_ms\":0,\"replay\":0}";
	assert_int_equal(job_decode(5, span_of(old), &again, &scratch, &err), 0);
	assert_true(again.window.ptr == NULL && again.members.ptr == NULL);
	static const char odd[] = "\1{\"version\":1,\"scope\":\"s\",\"key\":\"k\",\"failures\":0,"
	                          "\"first_ms\":0,\"due_ms\":0,\"replay\":0,\"members\":[0]}";
	assert_int_equal(job_decode(5, span_of(odd), &again, &scratch, &err), E_DAMAGED);
	buf_free(&value);
	buf_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(members_are_written_as_steps),
	        cmocka_unit_test(what_is_no_list_of_steps_is_refused),
	        cmocka_unit_test(a_window_is_read_as_it_was_written),
	        cmocka_unit_test(a_damaged_one_is_refused),
	        cmocka_unit_test(a_job_says_what_its_window_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
