/* This file tests what an expression sees of an event: by the walk, when asked, after a change. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct paths *paths;
static struct activation activation;
static uint32_t root;

static int begin(void **state)
{
	(void)state;
	paths = paths_new();
	root = paths_root(paths, SPAN("v"));
	activation_init(&activation, paths, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	activation_close(&activation);
	paths_free(paths);
	return 0;
}

/* "a.b.c" below the root. */
static uint32_t path(const char *text)
{
	uint32_t slot = root;
	while (text != NULL) {
		const char *dot = strchr(text, '.');
		struct span name =
		        dot != NULL ? span_make(text, (size_t)(dot - text)) : span_of(text);
		uint32_t child = paths_take(paths, slot, name);
		if (slot != root) {
			paths_drop(paths, slot); /* the child holds it */
		}
		slot = child;
		text = dot != NULL ? dot + 1 : NULL;
	}
	return slot;
}

static void bind(const char *json)
{
	assert_int_equal(json_check(span_of(json), NULL, NULL), 0);
	activation_reset(&activation);
	activation.allowance.budget = 100000;
	activation_bind_json(&activation, root, span_of(json));
}

static bool is_set(uint32_t slot)
{
	return slot < activation.slot_cap && activation.slots[slot].tag != VALUE_UNSET;
}

static void assert_value(uint32_t slot, const char *json)
{
	struct value want = value_from_json(&activation.allowance, span_of(json));
	struct value found = activation_get(&activation, slot);
	if (!value_is_true(value_equal(&activation.allowance, &found, &want))) {
		fail_msg("not %s", json);
	}
}

static void assert_error(uint32_t slot, enum value_error code, const char *detail)
{
	struct value found = activation_get(&activation, slot);
	assert_int_equal(found.tag, VALUE_ERROR);
	assert_int_equal(found.code, code);
	if (detail == NULL) {
		assert_null(found.as.text);
	} else {
		assert_string_equal(found.as.text, detail);
	}
}

static void one_walk_fills_what_is_there(void **state)
{
	(void)state;
	uint32_t plan = path("plan");
	uint32_t city = path("address.city");
	uint32_t address = path("address");
	uint32_t tags = path("tags");
	uint32_t gone = path("address.zip");
	bind("{\"x\":{\"plan\":0},\"plan\" : \"pro\", \"address\":{\"street\":[{\"city\":1}],"
	     "\"city\":\"Rome\"} ,\"tags\":[1,2],\"y\":null}");
	assert_true(is_set(root) && is_set(plan) && is_set(city) && is_set(address));
	assert_true(is_set(tags));
	assert_false(is_set(gone));
	assert_value(plan, "\"pro\"");
	assert_value(city, "\"Rome\"");
	assert_value(tags, "[1,2]");
	assert_value(address, "{\"city\":\"Rome\",\"street\":[{\"city\":1}]}");
	assert_int_equal(activation.slots[address].flags, VALUE_TEXT | VALUE_FILLED);
	assert_int_equal(activation.slots[tags].flags, VALUE_TEXT);
	assert_error(gone, ERROR_NO_SUCH_KEY, "zip");
	assert_true(is_set(gone));
	/* "No such key" was known without reading the object. */
	assert_int_equal(activation.slots[address].flags, VALUE_TEXT | VALUE_FILLED);
}

static void what_is_no_map_has_no_fields(void **state)
{
	(void)state;
	uint32_t below = path("a.b.c");
	bind("{\"a\":{\"b\":5}}");
	assert_error(below, ERROR_NO_SUCH_OVERLOAD, NULL);
	bind("{\"a\":[]}");
	assert_error(below, ERROR_NO_SUCH_OVERLOAD, NULL);
	bind("{}");
	assert_error(below, ERROR_NO_SUCH_KEY, "a");
	bind("null");
	assert_error(below, ERROR_NO_SUCH_OVERLOAD, NULL);
	bind("{\"a\":{\"b\":1e999}}");
	assert_int_equal(activation_get(&activation, below).code, ERROR_OVERFLOW);
	activation_reset(&activation);
	assert_error(below, ERROR_UNKNOWN_NAME, "v");
	assert_error(root, ERROR_UNKNOWN_NAME, "v");
	/* The variable may still get its value. */
	activation_bind_json(&activation, root, SPAN("{\"a\":{\"b\":{\"c\":7}}}"));
	assert_value(below, "7");
}

static void escaped_names_are_found(void **state)
{
	(void)state;
	uint32_t accent = path("caf\xc3\xa9.b");
	uint32_t quote = path("say \"\\");
	bind("{\"caf\\u00e9\":{\"\\u0062\":1},\"say \\\"\\\\\":\"x\\ty\",\"\\u0071\":0}");
	assert_true(is_set(accent) && is_set(quote));
	assert_value(accent, "1");
	assert_value(quote, "\"x\\ty\"");
}

static void the_last_duplicate_wins_below_it_too(void **state)
{
	(void)state;
	uint32_t b = path("a.b");
	uint32_t c = path("a.c");
	uint32_t d = path("a.c.d");
	uint32_t z = path("z");
	bind("{\"z\":1,\"a\":{\"b\":1,\"c\":{\"d\":2}},\"a\":{\"c\":3}}");
	assert_error(b, ERROR_NO_SUCH_KEY, "b");
	assert_value(c, "3");
	assert_error(d, ERROR_NO_SUCH_OVERLOAD, NULL);
	assert_value(z, "1");
	bind("{\"a\":{\"b\":1,\"c\":{\"d\":2,\"d\":4}},\"a\":5,\"z\":1,\"a\":{\"b\":6}}");
	assert_value(b, "6");
	assert_error(c, ERROR_NO_SUCH_KEY, "c");
	assert_error(d, ERROR_NO_SUCH_KEY, "c");
	assert_value(z, "1");
	bind("{\"a\":{\"b\":1},\"a\":2}");
	assert_error(b, ERROR_NO_SUCH_OVERLOAD, NULL);
	activation_reset(&activation);
	for (size_t i = 0; i < activation.slot_cap; i++) {
		assert_false(is_set((uint32_t)i));
	}
}

/* Linear in the text: a square would take minutes here. */
static void a_million_duplicates_are_no_burden(void **state)
{
	(void)state;
	enum { NAMES = 20000, ROUNDS = 200000 };
	struct buf text = {0};
	(void)path("a.b");
	buf_byte(&text, '{');
	for (int i = 0; i < NAMES; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "n%d.x", i);
		(void)path(name);
		buf_format(&text, "\"n%d\":{\"x\":1},", i);
	}
	for (int i = 0; i < ROUNDS; i++) {
		BUF_LITERAL(&text, "\"a\":{\"b\":1},");
	}
	for (int i = NAMES; i-- != 0;) {
		buf_format(&text, "\"n%d\":{},\"a\":{},\"n%d\":3,", i, i);
	}
	BUF_LITERAL(&text, "\"a\":7}");
	activation_bind_json(&activation, root, buf_view(&text));
	assert_value(path("a"), "7");
	assert_error(path("a.b"), ERROR_NO_SUCH_OVERLOAD, NULL);
	assert_value(path("n500"), "3");
	buf_free(&text);
}

static void a_variable_may_change_within_an_event(void **state)
{
	(void)state;
	uint32_t other = paths_root(paths, SPAN("w"));
	uint32_t other_a = paths_take(paths, other, SPAN("a"));
	uint32_t a = path("a");
	uint32_t b = path("a.b");
	bind("{\"a\":{\"b\":1}}");
	activation_bind_json(&activation, other, SPAN("{\"a\":{\"b\":2},\"c\":3}"));
	assert_value(b, "1");
	/* `v` is now what `w` is: its children were not looked for under that name. */
	activation_bind(&activation, root, activation_get(&activation, other));
	assert_false(is_set(a) || is_set(b));
	assert_true(is_set(other_a));
	assert_value(b, "2");
	assert_value(other_a, "{\"b\":2}");
	assert_error(path("d"), ERROR_NO_SUCH_KEY, "d");
	activation_bind(&activation, root, value_null());
	assert_error(b, ERROR_NO_SUCH_OVERLOAD, NULL);
	for (int i = 0; i < 1000; i++) {
		activation_bind_json(&activation, root, SPAN("{\"a\":{\"b\":{}}}"));
		activation_bind(&activation, root, value_null());
	}
	assert_true(activation.touched_count < 10);
	assert_value(other_a, "{\"b\":2}");
}

static void paths_that_appear_during_an_event_are_found(void **state)
{
	(void)state;
	uint32_t a = path("a.b");
	bind("{\"a\":{\"b\":1,\"c\":2},\"d\":{\"e\":3}}");
	assert_value(a, "1");
	assert_value(path("a.c"), "2");
	assert_value(path("d.e"), "3");
	assert_error(path("a.x"), ERROR_NO_SUCH_KEY, "x");
	for (int i = 0; i < 100; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "n%d", i);
		assert_error(path(name), ERROR_NO_SUCH_KEY, name);
	}
	bind("{\"n7\":7}");
	assert_value(path("n7"), "7");
}

static void a_slot_that_serves_again_forgets(void **state)
{
	(void)state;
	bind("{\"a\":1,\"b\":2,\"c\":3}");
	uint32_t a = path("a");
	assert_value(a, "1");
	paths_drop(paths, a);
	activation_bind_json(&activation, root, SPAN("{\"a\":4,\"b\":5}"));
	uint32_t b = path("b");
	assert_int_equal(a, b);
	assert_value(b, "5");
	paths_drop(paths, b);
	uint32_t x = path("x");
	assert_int_equal(x, b);
	assert_error(x, ERROR_NO_SUCH_KEY, "x");
	activation_reset(&activation);
	assert_false(is_set(x));
	/* Also after another variable's slots have moved it in the list of those that are set. */
	uint32_t other = paths_root(paths, SPAN("w"));
	uint32_t other_a = paths_take(paths, other, SPAN("a"));
	bind("{\"y\":1}");
	activation_bind_json(&activation, other, SPAN("{\"a\":2}"));
	uint32_t y = paths_take(paths, other, SPAN("y"));
	assert_error(y, ERROR_NO_SUCH_KEY, "y");
	activation_bind(&activation, root, value_int(1));
	paths_drop(paths, other_a);
	assert_error(y, ERROR_NO_SUCH_KEY, "y");
	activation_reset(&activation);
	assert_false(is_set(other) || is_set(other_a) || is_set(y) || is_set(root));
}

static void an_empty_budget_is_not_remembered(void **state)
{
	(void)state;
	bind("{\"a\":{\"b\":1}}");
	uint32_t b = path("a.b");
	activation.allowance.budget = 0;
	assert_error(b, ERROR_BUDGET, NULL);
	activation.allowance.budget = 100;
	assert_value(b, "1");
}

static void a_full_arena_is_told(void **state)
{
	(void)state;
	activation_close(&activation);
	activation_init(&activation, paths, 10000);
	uint32_t a = path("a");
	struct buf text = {0};
	BUF_LITERAL(&text, "{\"a\":\"\\n");
	for (int i = 0; i < 20000; i++) {
		buf_byte(&text, 'x');
	}
	BUF_LITERAL(&text, "\"}");
	activation_bind_json(&activation, root, buf_view(&text));
	assert_error(a, ERROR_TOO_BIG, NULL);
	buf_free(&text);
}

static void a_field_is_selected_by_name(void **state)
{
	(void)state;
	struct allowance *allowance = &activation.allowance;
	allowance->budget = 1000;
	struct value map = value_from_json(allowance, SPAN("{\"a\":1}"));
	assert_int_equal(activation_select(allowance, &map, SPAN("a")).as.i, 1);
	assert_int_equal(map.flags, 0);
	struct value none = activation_select(allowance, &map, span_make("bc", 1));
	assert_int_equal(none.code, ERROR_NO_SUCH_KEY);
	assert_string_equal(none.as.text, "b");
	struct value five = value_int(5);
	assert_int_equal(activation_select(allowance, &five, SPAN("a")).code,
	                 ERROR_NO_SUCH_OVERLOAD);
	assert_int_equal(activation_select(allowance, &none, SPAN("a")).code, ERROR_NO_SUCH_KEY);
	/* The copy of a filled slot's value can be asked for what has no slot. */
	(void)path("a");
	bind("{\"a\":1,\"b\":2}");
	map = activation_get(&activation, root);
	assert_int_equal(activation_select(allowance, &map, SPAN("b")).as.i, 2);
}

/* ---- against a plain reading of the text ---- */

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % sides;
}

static void write_random(struct buf *text, int depth)
{
	static const char *const scalars[] = {"1", "-2.5", "\"s\"", "\"\\u0061b\"", "null", "true"};
	uint32_t kind = depth == 4 ? 9 : dice(10);
	if (kind < 5) {
		buf_byte(text, '{');
		for (uint32_t i = dice(6), n = i; i != 0; i--) {
			uint32_t name = dice(4);
			const char *space = dice(4) == 0 ? " " : "";
			buf_format(text, "%s%s\"", i != n ? "," : "", space);
			buf_format(text, dice(5) == 0 ? "\\u00%x" : "%c", 'a' + name);
			buf_format(text, "\"%s:%s", space, space);
			write_random(text, depth + 1);
			buf_add(text, space, strlen(space));
		}
		buf_byte(text, '}');
	} else if (kind == 5) {
		BUF_LITERAL(text, "[{\"a\":1},2]");
	} else {
		const char *scalar = scalars[dice(6)];
		buf_add(text, scalar, strlen(scalar));
	}
}

static void check_against_text(uint32_t slot, struct span json, const char *where)
{
	struct span segments[8];
	size_t count = 0;
	for (size_t at = 0; at < strlen(where); at += 2) {
		segments[count++] = span_make(where + at, 1);
	}
	struct span found;
	bool there = json_at(json, segments, count, &found);
	struct value value = activation_get(&activation, slot);
	if (!there) {
		if (!value_is_error(value) ||
		    (value.code != ERROR_NO_SUCH_KEY && value.code != ERROR_NO_SUCH_OVERLOAD)) {
			fail_msg("%s is not in %.*s", where, SPAN_ARG(json));
		}
		return;
	}
	struct value want = value_from_json(&activation.allowance, found);
	if (!value_is_true(value_equal(&activation.allowance, &value, &want))) {
		fail_msg("%s of %.*s", where, SPAN_ARG(json));
	}
}

static void random_events_have_what_their_text_has(void **state)
{
	(void)state;
	enum { PATHS = 12, EVENTS = 20000 };
	seed = 4711;
	char names[PATHS][16];
	uint32_t slots[PATHS] = {0};
	struct buf text = {0};
	for (int event = 0; event < EVENTS; event++) {
		for (size_t i = 0; i < PATHS; i++) {
			/* Some paths leave and others come, now and then. */
			if (slots[i] != 0 && dice(20) == 0) {
				paths_drop(paths, slots[i]);
				slots[i] = 0;
			}
			if (slots[i] == 0) {
				uint32_t depth = 1 + dice(3);
				for (uint32_t d = 0; d < depth; d++) {
					names[i][2 * d] = (char)('a' + dice(4));
					names[i][2 * d + 1] = d + 1 < depth ? '.' : '\0';
				}
				slots[i] = path(names[i]);
			}
		}
		buf_clear(&text);
		write_random(&text, 0);
		if (dice(4) != 0) {
			activation_reset(&activation); /* else the variable changes */
		}
		activation.allowance.budget = 100000;
		activation_bind_json(&activation, root, buf_view(&text));
		for (size_t i = 0; i < PATHS; i++) {
			check_against_text(slots[i], buf_view(&text), names[i]);
		}
	}
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	        TEST(one_walk_fills_what_is_there),
	        TEST(what_is_no_map_has_no_fields),
	        TEST(escaped_names_are_found),
	        TEST(the_last_duplicate_wins_below_it_too),
	        TEST(a_million_duplicates_are_no_burden),
	        TEST(a_variable_may_change_within_an_event),
	        TEST(paths_that_appear_during_an_event_are_found),
	        TEST(a_slot_that_serves_again_forgets),
	        TEST(an_empty_budget_is_not_remembered),
	        TEST(a_full_arena_is_told),
	        TEST(a_field_is_selected_by_name),
	        TEST(random_events_have_what_their_text_has),
#undef TEST
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
