/* This file tests what values are made of, how they compare, and what is found in lists and maps.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/value.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct allowance allowance;

static int begin(void **state)
{
	(void)state;
	allowance = (struct allowance){.arena = {.limit = 64 << 20}, .budget = INT64_MAX / 2};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(&allowance.arena);
	return 0;
}

static struct value json(const char *text)
{
	assert_int_equal(json_check(span_of(text), NULL, NULL), 0);
	return value_from_json(&allowance, span_of(text));
}

static bool equal(struct value a, struct value b)
{
	struct value there = value_equal(&allowance, &a, &b);
	struct value back = value_equal(&allowance, &b, &a);
	assert_int_equal(there.tag, VALUE_BOOL);
	assert_int_equal(back.tag, VALUE_BOOL);
	assert_int_equal(there.as.b, back.as.b);
	return there.as.b;
}

static bool json_are_equal(const char *a, const char *b)
{
	return equal(json(a), json(b));
}

/* 2: there is none. */
static int order(struct value a, struct value b)
{
	int there = 0;
	int back = 0;
	if (!value_compare(a, b, &there)) {
		assert_false(value_compare(b, a, &back));
		return 2;
	}
	assert_true(value_compare(b, a, &back));
	assert_int_equal((there > 0) - (there < 0), (back < 0) - (back > 0));
	return (there > 0) - (there < 0);
}

/* ---- making ---- */

static void integers_of_json_are_doubles_that_stay_exact(void **state)
{
	(void)state;
	struct value small = json("-12");
	assert_int_equal(small.tag, VALUE_DOUBLE);
	assert_int_equal(small.flags, VALUE_EXACT);
	assert_int_equal(small.as.i, -12);
	assert_true(value_double(small) == -12.0);
	struct value least = json("-9223372036854775808");
	assert_int_equal(least.flags, VALUE_EXACT);
	assert_true(least.as.i == INT64_MIN);
	assert_true(json("9223372036854775807").as.i == INT64_MAX);
	struct value most = json("18446744073709551615");
	assert_int_equal(most.flags, VALUE_EXACT_UNSIGNED);
	assert_true(most.as.u == UINT64_MAX);
	assert_true(value_double(most) == 18446744073709551616.0);
	struct value beyond = json("18446744073709551616");
	assert_int_equal(beyond.flags, 0);
	assert_true(beyond.as.d == 18446744073709551616.0);
	assert_int_equal(json("-9223372036854775809").flags, 0);
	assert_int_equal(json("1.0").flags, 0);
	assert_int_equal(json("1e2").flags, 0);
	assert_true(json("1e2").as.d == 100.0);
	struct value minus = json("-0");
	assert_int_equal(minus.flags, 0);
	assert_true(minus.as.d == 0 && signbit(minus.as.d));
	struct value far = json("1e400");
	assert_int_equal(far.tag, VALUE_ERROR);
	assert_int_equal(far.code, ERROR_OVERFLOW);
}

static void strings_are_copied_only_when_escaped(void **state)
{
	(void)state;
	const char *plain = "\"abc\"";
	struct value value = json(plain);
	assert_ptr_equal(value.as.text, plain + 1);
	assert_int_equal(value.len, 3);
	value = json("\"a\\u00e9\\n\\ud83d\\ude00\\u0000b\"");
	struct span want = SPAN("a\xc3\xa9\n\xf0\x9f\x98\x80\0b");
	assert_int_equal(value.tag, VALUE_STRING);
	assert_true(span_equal(value_text(value), want));
	assert_int_equal(json("\"\"").len, 0);
}

static void the_rest_of_json_is_what_it_says(void **state)
{
	(void)state;
	assert_int_equal(json("null").tag, VALUE_NULL);
	assert_true(value_is_true(json("true")));
	assert_int_equal(json("false").tag, VALUE_BOOL);
	assert_false(value_is_true(json("false")));
	struct value list = json("[1, 2]");
	assert_int_equal(list.tag, VALUE_LIST);
	assert_int_equal(list.flags, VALUE_TEXT);
	assert_int_equal(list.len, 6);
	assert_int_equal(json("{}").tag, VALUE_MAP);
}

/* ---- comparing ---- */

static void numbers_meet_across_types(void **state)
{
	(void)state;
	assert_true(equal(value_int(1), value_uint(1)));
	assert_true(equal(value_int(1), value_double_of(1.0)));
	assert_true(equal(value_uint(1), json("1")));
	assert_true(equal(value_double_of(-0.0), value_int(0)));
	assert_true(equal(json("-0"), json("0")));
	assert_false(equal(value_int(-1), value_uint(UINT64_MAX)));
	assert_false(equal(json("9007199254740993"), json("9007199254740992")));
	assert_false(equal(json("9007199254740993"), value_double_of(9007199254740992.0)));
	assert_false(equal(value_int(INT64_MAX), value_double_of(9223372036854775808.0)));
	assert_true(equal(value_int(INT64_MIN), value_double_of(-9223372036854775808.0)));
	assert_false(equal(value_uint(UINT64_MAX), value_double_of(18446744073709551616.0)));
	assert_int_equal(order(value_int(INT64_MAX), value_double_of(9223372036854775808.0)), -1);
	assert_int_equal(order(value_int(-3), value_double_of(-2.5)), -1);
	assert_int_equal(order(value_int(-2), value_double_of(-2.5)), 1);
	assert_int_equal(order(value_uint(0), value_double_of(-0.5)), 1);
	assert_int_equal(order(value_uint(0), value_double_of(-0.0)), 0);
	assert_int_equal(order(value_int(5), value_double_of(INFINITY)), -1);
	assert_int_equal(order(value_uint(5), value_double_of(-INFINITY)), 1);
}

static void not_a_number_equals_nothing(void **state)
{
	(void)state;
	struct value nan = value_double_of(NAN);
	assert_false(equal(nan, nan));
	assert_false(equal(nan, value_int(0)));
	assert_int_equal(order(nan, nan), 2);
	assert_int_equal(order(nan, value_int(1)), 2);
	assert_int_equal(order(nan, value_uint(1)), 2);
}

/* Among them many pairs that are equal, or next to each other, or rounded together by a cast. */
static struct value number_near_an_edge(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	uint64_t dice = *seed >> 20;
	static const uint64_t edges[] = {0,
	                                 1,
	                                 UINT64_C(1) << 31,
	                                 UINT64_C(1) << 53,
	                                 UINT64_C(1) << 62,
	                                 UINT64_C(1) << 63,
	                                 UINT64_MAX};
	uint64_t u = edges[dice % 7] + (dice >> 3) % 5 - 2;
	double d = (double)edges[dice % 7];
	for (uint64_t i = (dice >> 6) % 3; i != 0; i--) {
		d = nextafter(d, (dice >> 8) % 2 != 0 ? 1e300 : -1e300);
	}
	d = (dice >> 9) % 4 == 0 ? d + 0.5 : d;
	d = (dice >> 11) % 2 == 0 ? d : -d;
	char text[32];
	switch ((dice >> 12) % 4) {
	case 0:
		return value_int((int64_t)u);
	case 1:
		return value_uint(u);
	case 2:
		return value_double_of(d);
	default:
		(void)snprintf(text, sizeof text, "%s%llu", (dice >> 14) % 2 != 0 ? "-" : "",
		               (unsigned long long)u);
		return value_from_json(&allowance, span_of(text));
	}
}

static long double exact_value(struct value value)
{
	if (value.tag == VALUE_INT || (value.flags & VALUE_EXACT) != 0) {
		return (long double)value.as.i;
	}
	if (value.tag == VALUE_UINT || (value.flags & VALUE_EXACT_UNSIGNED) != 0) {
		return (long double)value.as.u;
	}
	return (long double)value.as.d;
}

static void any_two_numbers_compare_as_their_exact_values(void **state)
{
	(void)state;
	if (LDBL_MANT_DIG < 64) {
		skip(); /* nothing here to compare with */
	}
	uint64_t seed = 20090213;
	size_t equals = 0;
	for (int i = 0; i < 300000; i++) {
		struct value a = number_near_an_edge(&seed);
		struct value b = number_near_an_edge(&seed);
		long double x = exact_value(a);
		long double y = exact_value(b);
		int want = (x > y) - (x < y);
		if (order(a, b) != want || equal(a, b) != (want == 0) ||
		    (want == 0 && value_hash(a, 0) != value_hash(b, 0))) {
			fail_msg("%d: %.20Lg (tag %d) and %.20Lg (tag %d)", i, x, a.tag, y, b.tag);
		}
		equals += want == 0;
	}
	assert_true(equals > 3000); /* else the test met too few of them */
}

static void others_compare_within_their_type(void **state)
{
	(void)state;
	assert_int_equal(order(value_bool(false), value_bool(true)), -1);
	assert_int_equal(order(value_string(SPAN("a")), value_string(SPAN("ab"))), -1);
	assert_int_equal(
	        order(value_string(SPAN("\xef\xbf\xbf")), value_string(SPAN("\xf0\x9f\x98\x80"))),
	        -1);
	assert_int_equal(order(value_bytes(SPAN("\xff")), value_bytes(SPAN("a"))), 1);
	struct value early = {.tag = VALUE_TIMESTAMP, .len = 5, .as.i = -1};
	struct value late = {.tag = VALUE_TIMESTAMP, .len = 4, .as.i = 0};
	struct value later = {.tag = VALUE_TIMESTAMP, .len = 6, .as.i = 0};
	assert_int_equal(order(early, late), -1);
	assert_int_equal(order(late, later), -1);
	assert_int_equal(order(late, late), 0);
	assert_int_equal(order(late, (struct value){.tag = VALUE_DURATION, .len = 4}), 2);
	assert_int_equal(order(value_string(SPAN("a")), value_bytes(SPAN("a"))), 2);
	assert_int_equal(order(value_null(), value_null()), 2);
	assert_int_equal(order(value_bool(true), value_int(1)), 2);
}

static void types_never_equal_each_other(void **state)
{
	(void)state;
	struct value values[] = {
	        value_null(),
	        value_bool(true),
	        value_int(1),
	        value_string(SPAN("1")),
	        value_bytes(SPAN("1")),
	        json("[1]"),
	        json("{\"1\":1}"),
	        {.tag = VALUE_TYPE, .len = 1, .as.text = "1"},
	        {.tag = VALUE_TIMESTAMP, .as.i = 1},
	        {.tag = VALUE_DURATION, .as.i = 1},
	        {.tag = VALUE_OPTIONAL},
	};
	size_t count = sizeof values / sizeof *values;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			assert_int_equal(equal(values[i], values[j]), i == j);
		}
	}
	struct value one = value_int(1);
	struct value some = {.tag = VALUE_OPTIONAL, .as.inner = &one};
	assert_false(equal(some, values[count - 1]));
	assert_true(equal(some, (struct value){.tag = VALUE_OPTIONAL, .as.inner = &one}));
}

static void containers_are_equal_to_the_bottom(void **state)
{
	(void)state;
	assert_true(json_are_equal("[]", "[ ]"));
	assert_true(json_are_equal("[1, [2, {\"a\": 3}]]", "[1.0,[2,{\"\\u0061\":3e0}]]"));
	assert_false(json_are_equal("[1,2]", "[1,2,3]"));
	assert_false(json_are_equal("[1,[2]]", "[1,[3]]"));
	assert_true(json_are_equal("{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}"));
	assert_false(json_are_equal("{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}"));
	assert_false(json_are_equal("{\"a\":1}", "{\"a\":1,\"b\":null}"));
	assert_true(json_are_equal("{\"a\":1,\"a\":2}", "{\"a\":2}"));
	assert_false(json_are_equal("{\"a\":null}", "{\"a\":0}"));
	struct value items[] = {value_int(1), value_double_of(NAN)};
	struct value list = value_of_list(&allowance, items, 1);
	assert_true(equal(list, json("[1]")));
	list = value_of_list(&allowance, items, 2);
	assert_false(equal(list, list));
}

static void errors_come_out_of_comparisons(void **state)
{
	(void)state;
	struct value error = value_error(ERROR_NO_SUCH_KEY, "a");
	struct value one = value_int(1);
	assert_int_equal(value_equal(&allowance, &error, &one).code, ERROR_NO_SUCH_KEY);
	assert_int_equal(value_equal(&allowance, &one, &error).code, ERROR_NO_SUCH_KEY);
	struct value far = json("[1e999]");
	struct value near = json("[1]");
	assert_int_equal(value_equal(&allowance, &far, &near).code, ERROR_OVERFLOW);
}

static void what_is_nested_too_deeply_is_refused(void **state)
{
	(void)state;
	struct value a = value_int(1);
	struct value b = value_int(1);
	for (int i = 0; i < 100000; i++) {
		struct value *items = ARENA_ARRAY(&allowance.arena, struct value, 2);
		items[0] = a;
		items[1] = b;
		a = value_of_list(&allowance, items, 1);
		b = value_of_list(&allowance, items + 1, 1);
	}
	struct value same = value_equal(&allowance, &a, &b);
	assert_int_equal(same.tag, VALUE_ERROR);
	assert_int_equal(same.code, ERROR_TOO_BIG);
}

static void a_comparison_ends_with_the_budget(void **state)
{
	(void)state;
	static char a[10001];
	static char b[10001];
	memset(a, ' ', sizeof a - 1);
	memset(b, ' ', sizeof b - 1);
	a[0] = b[0] = '[';
	a[sizeof a - 2] = b[sizeof b - 2] = ']';
	a[5] = b[6] = '1';
	struct value x = json(a);
	struct value y = json(b);
	allowance.budget = 1000;
	assert_int_equal(value_equal(&allowance, &x, &y).code, ERROR_BUDGET);
	assert_true(x.flags == VALUE_TEXT || y.flags == VALUE_TEXT);
	allowance.budget = 3000;
	assert_true(value_is_true(value_equal(&allowance, &x, &y)));
	assert_true(allowance.budget < 2000);
}

/* ---- lists and maps ---- */

static void a_list_is_read_one_level_in_place(void **state)
{
	(void)state;
	struct value list = json("[ 1 , \"x\" , [ 2 , 3 ] , { } ]");
	const struct value_list *items = value_list(&allowance, &list);
	assert_non_null(items);
	assert_int_equal(list.flags, 0);
	assert_ptr_equal(items, value_list(&allowance, &list));
	assert_int_equal(items->count, 4);
	assert_int_equal(items->items[2].flags, VALUE_TEXT);
	assert_true(span_is(value_text(items->items[2]), "[ 2 , 3 ]"));
	struct value empty = json("[]");
	assert_int_equal(value_list(&allowance, &empty)->count, 0);
}

static void a_map_of_any_size_finds_its_keys(void **state)
{
	(void)state;
	static const int sizes[] = {0, 1, 8, 9, 31, 32, 33, 5000};
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct buf text = {0};
		buf_byte(&text, '{');
		for (int i = 0; i < sizes[s]; i++) {
			buf_format(&text, "%s\"k%d\":%d", i ? "," : "", i, i);
		}
		buf_byte(&text, '}');
		struct value value = value_from_json(&allowance, buf_view(&text));
		const struct value_map *map = value_map(&allowance, &value);
		assert_non_null(map);
		assert_int_equal(map->count, sizes[s]);
		for (int i = 0; i < sizes[s]; i++) {
			char name[16];
			(void)snprintf(name, sizeof name, "k%d", i);
			assert_int_equal(value_map_get_name(map, span_of(name))->as.i, i);
			assert_ptr_equal(value_map_get(map, value_string(span_of(name))),
			                 &map->pairs[i].value);
		}
		assert_null(value_map_get_name(map, SPAN("k")));
		assert_null(value_map_get_name(map, SPAN("")));
		assert_null(value_map_get(map, value_int(0)));
		assert_null(value_map_get(map, value_null()));
		buf_free(&text);
	}
}

static void the_last_of_equal_names_wins_in_the_place_of_the_first(void **state)
{
	(void)state;
	struct buf text = {0};
	BUF_LITERAL(&text, "{\"a\":1,\"b\":2,\"\\u0061\":3");
	for (int round = 0; round < 2; round++) {
		size_t len = text.len;
		buf_byte(&text, '}');
		struct value value = value_from_json(&allowance, buf_view(&text));
		const struct value_map *map = value_map(&allowance, &value);
		assert_int_equal(map->count, round == 0 ? 2 : 42);
		assert_true(span_is(value_text(map->pairs[0].key), "a"));
		assert_int_equal(map->pairs[0].value.as.i, 3);
		assert_int_equal(value_map_get_name(map, SPAN("b"))->as.i, 2);
		text.len = len;
		for (int i = 0; i < 80; i++) {
			buf_format(&text, ",\"n%d\":%d", i / 2, i);
		}
	}
	buf_free(&text);
}

static void keys_of_a_built_map_meet_across_types(void **state)
{
	(void)state;
	enum { MOST = 20 };
	for (size_t count = 4; count <= MOST; count += 8) {
		struct value_pair *pairs =
		        ARENA_ARRAY(&allowance.arena, struct value_pair, (size_t)MOST);
		for (size_t i = 0; i < count; i++) {
			pairs[i] = (struct value_pair){value_int((int64_t)i), value_int(100)};
		}
		pairs[0].key = value_bool(true);
		pairs[2].key = json("2");
		pairs[3].key = value_string(SPAN("1"));
		struct value value = value_of_map(&allowance, pairs, count);
		assert_int_equal(value.tag, VALUE_MAP);
		const struct value_map *map = value.as.map;
		assert_ptr_equal(value_map_get(map, value_int(1)), &map->pairs[1].value);
		assert_ptr_equal(value_map_get(map, value_uint(1)), &map->pairs[1].value);
		assert_ptr_equal(value_map_get(map, value_double_of(1)), &map->pairs[1].value);
		assert_ptr_equal(value_map_get(map, value_double_of(2)), &map->pairs[2].value);
		assert_ptr_equal(value_map_get(map, value_bool(true)), &map->pairs[0].value);
		assert_null(value_map_get(map, value_bool(false)));
		assert_null(value_map_get(map, value_double_of(NAN)));
		assert_null(value_map_get(map, value_double_of(1.5)));
		assert_null(value_map_get(map, value_int(-1)));
		assert_int_equal(map->pairs[2].key.tag, VALUE_INT);
	}
}

static void a_built_map_refuses_double_keys_and_what_is_no_key(void **state)
{
	(void)state;
	struct value_pair twice[] = {{value_int(1), value_null()}, {value_uint(1), value_null()}};
	assert_int_equal(value_of_map(&allowance, twice, 2).code, ERROR_DUPLICATE_KEY);
	struct value odd[] = {value_null(), value_double_of(1.5), value_bytes(SPAN("a")),
	                      json("[]")};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct value_pair pair = {odd[i], value_null()};
		assert_int_equal(value_of_map(&allowance, &pair, 1).code, ERROR_INVALID_ARGUMENT);
	}
	struct value_pair none;
	struct value empty = value_of_map(&allowance, &none, 0);
	assert_true(equal(empty, json("{}")));
}

static void reading_stops_at_the_allowance(void **state)
{
	(void)state;
	struct buf text = {0};
	buf_byte(&text, '[');
	for (int i = 0; i < 1000; i++) {
		buf_format(&text, "%s%d", i ? "," : "", i);
	}
	buf_byte(&text, ']');
	struct value list = value_from_json(&allowance, buf_view(&text));
	allowance.budget = 900;
	assert_null(value_list(&allowance, &list));
	assert_int_equal(allowance_error(&allowance).code, ERROR_BUDGET);
	assert_int_equal(list.flags, VALUE_TEXT);
	struct allowance small = {.arena = {.limit = 8192}, .budget = 1000000};
	assert_null(value_list(&small, &list));
	assert_int_equal(allowance_error(&small).code, ERROR_TOO_BIG);
	assert_int_equal(list.flags, VALUE_TEXT);
	arena_close(&small.arena);
	allowance.budget = 2000;
	assert_int_equal(value_list(&allowance, &list)->items[999].as.i, 999);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	        TEST(integers_of_json_are_doubles_that_stay_exact),
	        TEST(strings_are_copied_only_when_escaped),
	        TEST(the_rest_of_json_is_what_it_says),
	        TEST(numbers_meet_across_types),
	        TEST(not_a_number_equals_nothing),
	        TEST(any_two_numbers_compare_as_their_exact_values),
	        TEST(others_compare_within_their_type),
	        TEST(types_never_equal_each_other),
	        TEST(containers_are_equal_to_the_bottom),
	        TEST(errors_come_out_of_comparisons),
	        TEST(what_is_nested_too_deeply_is_refused),
	        TEST(a_comparison_ends_with_the_budget),
	        TEST(a_list_is_read_one_level_in_place),
	        TEST(a_map_of_any_size_finds_its_keys),
	        TEST(the_last_of_equal_names_wins_in_the_place_of_the_first),
	        TEST(keys_of_a_built_map_meet_across_types),
	        TEST(a_built_map_refuses_double_keys_and_what_is_no_key),
	        TEST(reading_stops_at_the_allowance),
#undef TEST
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
