/* This file tests the tree of paths: slots, users, names of every kind and number. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/mem.h"
#include "triggers/expr/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void one_path_is_one_slot(void **state)
{
	(void)state;
	struct paths *paths = paths_new();
	uint32_t root = paths_root(paths, SPAN("new_value"));
	uint32_t other = paths_root(paths, SPAN("old.value"));
	assert_int_not_equal(root, other);
	assert_int_equal(paths_root(paths, SPAN("new_value")), root);
	uint32_t plan = paths_take(paths, root, SPAN("plan"));
	assert_int_equal(paths_take(paths, root, SPAN("plan")), plan);
	assert_int_not_equal(paths_take(paths, other, SPAN("plan")), plan);
	assert_int_equal(paths_child(paths, root, SPAN("plan")), plan);
	assert_int_equal(paths_child(paths, root, SPAN("plaN")), PATHS_NONE);
	assert_int_equal(paths_child(paths, plan, SPAN("plan")), PATHS_NONE);
	assert_int_equal(paths_parent(paths, plan), root);
	assert_int_equal(paths_parent(paths, root), PATHS_NONE);
	assert_true(paths_has_children(paths, root));
	assert_false(paths_has_children(paths, plan));
	assert_string_equal(paths_name(paths, plan).ptr, "plan");
	assert_int_equal(paths_size(paths), 4);
	paths_free(paths);
	paths_free(NULL);
}

static void a_path_goes_with_its_last_user(void **state)
{
	(void)state;
	struct paths *paths = paths_new();
	uint32_t root = paths_root(paths, SPAN("v"));
	uint32_t a = paths_take(paths, root, SPAN("a"));
	uint32_t b = paths_take(paths, a, SPAN("b"));
	(void)paths_take_again(paths, b);
	paths_drop(paths, a); /* its child holds it */
	assert_int_equal(paths_child(paths, root, SPAN("a")), a);
	paths_drop(paths, b);
	assert_int_equal(paths_child(paths, a, SPAN("b")), b);
	paths_drop(paths, b);
	assert_int_equal(paths_child(paths, root, SPAN("a")), PATHS_NONE);
	assert_false(paths_has_children(paths, root));
	/* Both slots serve again before there are more. */
	size_t size = paths_size(paths);
	(void)paths_take(paths, root, SPAN("c"));
	(void)paths_take(paths, root, SPAN("d"));
	assert_int_equal(paths_size(paths), size);
	(void)paths_take(paths, root, SPAN("e"));
	assert_int_equal(paths_size(paths), size + 1);
	paths_free(paths);
}

static struct span name_of(char room[64], uint32_t number)
{
	/* Of every length up to 40, the difference at the beginning, in the middle or at the end.
	 */
	int len = (int)(number % 41);
	int before = (int)(number / 41 % 3) * len / 2;
	int made = snprintf(room, 64, "%.*s%u%.*s", before,
	                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", number, len - before,
	                    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
	return span_make(room, (size_t)made);
}

static void any_number_of_siblings_come_and_go(void **state)
{
	(void)state;
	enum { COUNT = 3000, STEPS = 60000 };
	struct paths *paths = paths_new();
	uint32_t root = paths_root(paths, SPAN("v"));
	uint32_t *slots = MEM_ARRAY(uint32_t, COUNT);
	memset(slots, 0xff, COUNT * sizeof *slots);
	uint64_t seed = 7;
	char room[64];
	for (int step = 0; step < STEPS; step++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		/* First few, then many, then few again. */
		uint32_t among = step < STEPS / 4 ? 12 : COUNT;
		uint32_t number = (uint32_t)(seed >> 33) % among;
		struct span name = name_of(room, number);
		assert_int_equal(paths_child(paths, root, name), slots[number]);
		if (slots[number] == PATHS_NONE && step < STEPS * 3 / 4) {
			slots[number] = paths_take(paths, root, name);
		} else if (slots[number] != PATHS_NONE) {
			paths_drop(paths, slots[number]);
			slots[number] = PATHS_NONE;
		}
	}
	bool any = false;
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(paths_child(paths, root, name_of(room, i)), slots[i]);
		any = any || slots[i] != PATHS_NONE;
	}
	assert_int_equal(paths_has_children(paths, root), any);
	assert_true(paths_size(paths) <= COUNT + 1);
	mem_free(slots);
	paths_free(paths);
}

static void names_may_hold_anything(void **state)
{
	(void)state;
	struct paths *paths = paths_new();
	uint32_t root = paths_root(paths, SPAN("v"));
	const struct span names[] = {SPAN(""),     SPAN("\0"),       SPAN("\0\0"),
	                             SPAN("a\0b"), SPAN("a\0c"),     SPAN("\xff"),
	                             SPAN("a.b"),  SPAN("aaaaaaaa"), SPAN("aaaaaaaaa")};
	enum { COUNT = sizeof names / sizeof *names };
	uint32_t slots[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		slots[i] = paths_take(paths, root, names[i]);
		assert_int_equal(slots[i], root + 1 + i);
	}
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(paths_child(paths, root, names[i]), slots[i]);
	}
	paths_free(paths);
}

static void a_path_is_written_as_it_is_spelled(void **state)
{
	(void)state;
	struct paths *paths = paths_new();
	uint32_t slot = paths_root(paths, SPAN("cel.value"));
	static const char *const names[] = {"a", "_b2", "2b", "x-y", "say \"hi\"", ""};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		slot = paths_take(paths, slot, span_of(names[i]));
	}
	struct buf out = {0};
	paths_write(paths, slot, &out);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, "cel.value.a._b2[\"2b\"][\"x-y\"][\"say \\\"hi\\\"\"][\"\"]");
	buf_free(&out);
	paths_free(paths);
}

struct notes {
	struct paths_watcher watcher;
	uint32_t slots[8];
	size_t count;
};

static void note(struct paths_watcher *watcher, uint32_t slot)
{
	struct notes *notes = MEM_CONTAINER(watcher, struct notes, watcher);
	assert_true(notes->count < 8);
	(void)paths_parent(watcher->paths, slot); /* still known */
	notes->slots[notes->count++] = slot;
}

static void watchers_are_told_of_new_and_freed_slots(void **state)
{
	(void)state;
	struct paths *paths = paths_new();
	struct notes notes = {.watcher.changed = note};
	struct notes silent = {.watcher.changed = note};
	paths_watch(paths, &silent.watcher);
	paths_watch(paths, &notes.watcher);
	paths_unwatch(&silent.watcher);
	uint32_t root = paths_root(paths, SPAN("v"));
	uint32_t a = paths_take(paths, root, SPAN("a"));
	uint32_t b = paths_take(paths, a, SPAN("b"));
	paths_drop(paths, a);
	paths_drop(paths_take(paths, root, SPAN("a")) == a ? paths : NULL, a);
	paths_drop(paths, b);
	const uint32_t want[] = {root, a, b, b, a};
	assert_int_equal(notes.count, 5);
	assert_memory_equal(notes.slots, want, sizeof want);
	assert_int_equal(silent.count, 0);
	paths_free(paths);
	assert_null(notes.watcher.paths);
	paths_unwatch(&notes.watcher); /* harmless */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_path_is_one_slot),
	        cmocka_unit_test(a_path_goes_with_its_last_user),
	        cmocka_unit_test(any_number_of_siblings_come_and_go),
	        cmocka_unit_test(names_may_hold_anything),
	        cmocka_unit_test(a_path_is_written_as_it_is_spelled),
	        cmocka_unit_test(watchers_are_told_of_new_and_freed_slots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
