/* This file tests the functions of expressions over texts, and what all of them may cost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "overload_call.h"
#include "triggers/expr/double_text.h"

#include <float.h>
#include <math.h>

static void places_are_code_points(void **state)
{
	(void)state;
#define TACO "s:ta\xc2\xa9o\xc2\xa9\xce\xb1T"
	static const struct call_case CASES[] = {
	        {".startsWith", {"s:foobar", "s:foo"}, "t"},
	        {".startsWith", {"s:fo", "s:foo"}, "f"},
	        {".endsWith", {"s:foobar", "s:bar"}, "t"},
	        {".endsWith", {"s:", "s:"}, "t"},
	        {".contains", {"s:", "s:"}, "t"},
	        {".contains", {"s:foobar", "s:oba"}, "t"},
	        {".contains", {"s:foobar", "s:obb"}, "f"},
	        {".charAt", {TACO, "i:2"}, "s:\xc2\xa9"},
	        {".charAt", {TACO, "i:7"}, "s:"},
	        {".charAt", {TACO, "i:8"}, "out_of_bounds"},
	        {".charAt", {TACO, "i:-1"}, "out_of_bounds"},
	        {".charAt", {TACO, "d:1"}, "no_such_overload"},
	        {".indexOf", {TACO, "s:"}, "i:0"},
	        {".indexOf", {TACO, "s:\xc2\xa9"}, "i:2"},
	        {".indexOf", {TACO, "s:\xc2\xa9", "i:3"}, "i:4"},
	        {".indexOf", {TACO, "s:\xc2\xa9\xce\xb1", "i:5"}, "i:-1"},
	        {".indexOf", {TACO, "s:", "i:3"}, "i:3"},
	        {".indexOf", {TACO, "s:T", "i:30"}, "out_of_bounds"},
	        {".lastIndexOf", {TACO, "s:"}, "i:7"},
	        {".lastIndexOf", {TACO, "s:\xc2\xa9"}, "i:4"},
	        {".lastIndexOf", {TACO, "s:\xc2\xa9", "i:3"}, "i:2"},
	        {".lastIndexOf", {TACO, "s:\xc2\xa9\xce\xb1", "i:4"}, "i:4"},
	        {".lastIndexOf", {TACO, "s:\xc2\xa9", "i:1"}, "i:-1"},
	        {".lastIndexOf", {TACO, "s:\xc2\xa9", "i:-1"}, "out_of_bounds"},
	        {".lastIndexOf", {"s:bananananana", "s:nana", "i:7"}, "i:6"},
	        {".lastIndexOf", {"s:", "s:@@"}, "i:-1"},
	        {".lastIndexOf", {"s:", "s:"}, "i:0"},
	        {".substring", {TACO, "i:2", "i:6"}, "s:\xc2\xa9o\xc2\xa9\xce\xb1"},
	        {".substring", {TACO, "i:7"}, "s:"},
	        {".substring", {TACO, "i:7", "i:7"}, "s:"},
	        {".substring", {TACO, "i:4", "i:3"}, "invalid_argument"},
	        {".substring", {TACO, "i:8"}, "out_of_bounds"},
	        {".substring", {TACO, "i:1", "i:50"}, "out_of_bounds"},
	};
#undef TACO
	CHECK(CASES);
}

static void strings_are_copied_with_changes(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {".lowerAscii", {"s:TacoC\xc3\x86t@[Z"}, "s:tacoc\xc3\x86t@[z"},
	        {".upperAscii", {"s:tacoC\xce\xb1t`{z"}, "s:TACOC\xce\xb1T`{Z"},
	        {".trim", {"s: \f\n\r\t\vtext\xe2\x80\x80\xe3\x80\x80"}, "s:text"},
	        {".trim", {"s:\xc2\x85\xc2\xa0\xe1\x9a\x80text"}, "s:text"},
	        {".trim", {"s:\xe2\x80\x8btext\xef\xbb\xbf"}, "s:\xe2\x80\x8btext\xef\xbb\xbf"},
	        {".trim", {"s: \t "}, "s:"},
	        {".reverse",
	         {"s:a\xc3\xa4\xf0\x9f\x90\xb1"},
	         "s:\xf0\x9f\x90\xb1\xc3\xa4"
	         "a"},
	        {".reverse", {"s:"}, "s:"},
	        {".replace", {"s:aXbX", "s:X", "s:--"}, "s:a--b--"},
	        {".replace", {"s:aXbX", "s:X", "s:", "i:1"}, "s:abX"},
	        {".replace", {"s:aXbX", "s:X", "s:y", "i:0"}, "s:aXbX"},
	        {".replace", {"s:aXbX", "s:X", "s:y", "i:-1"}, "s:ayby"},
	        {".replace", {"s:a\xc3\xa4", "s:", "s:-"}, "s:-a-\xc3\xa4-"},
	        {".replace", {"s:ab", "s:", "s:-", "i:2"}, "s:-a-b"},
	        {".replace", {"s:", "s:", "s:-"}, "s:-"},
	        {".split", {"s:a,b,", "s:,"}, "[s:a, s:b, s:]"},
	        {".split", {"s:", "s:,"}, "[s:]"},
	        {".split", {"s:a\xc3\xa4", "s:"}, "[s:a, s:\xc3\xa4]"},
	        {".split", {"s:", "s:"}, "[]"},
	        {".split", {"s:a,b,c", "s:,", "i:0"}, "[]"},
	        {".split", {"s:a,b,c", "s:,", "i:1"}, "[s:a,b,c]"},
	        {".split", {"s:a,b,c", "s:,", "i:2"}, "[s:a, s:b,c]"},
	        {".split", {"s:a,b,c", "s:,", "i:-1"}, "[s:a, s:b, s:c]"},
	        {".split", {"s:abc", "s:", "i:2"}, "[s:a, s:bc]"},
	        {".join", {"j:[\"x\", \"y\"]", "s:-"}, "s:x-y"},
	        {".join", {"j:[\"x\", \"y\"]"}, "s:xy"},
	        {".join", {"j:[]", "s:-"}, "s:"},
	        {".join", {"j:[\"x\", 1]"}, "no_such_overload"},
	        {"strings.quote",
	         {"s:a\n\"\\\v\xf0\x9f\x90\xb1"},
	         "s:\"a\\n\\\"\\\\\\v\xf0\x9f\x90\xb1\""},
	        {"strings.quote", {"s:"}, "s:\"\""},
	};
	CHECK(CASES);
}

static void formats(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {".format", {"s:%% %s%%", "j:[\"x\"]"}, "s:% x%"},
	        {".format", {"s:", "j:[1]"}, "s:"},
	        {".format",
	         {"s:%s", "j:[[\"a\", 1, 2.5, null, [true]]]"},
	         "s:[a, 1, 2.5, null, [true]]"},
	        {".format", {"s:%s", "j:[{\"b\": 1, \"a\": {}}]"}, "s:{a: {}, b: 1}"},
	        {".format", {"s:%s %s", "j:[2e-9, 1e21]"}, "s:0.000000002 1000000000000000000000"},
	        {".format", {"s:%d %d", "j:[-12, 9007199254740993]"}, "s:-12 9007199254740993"},
	        {".format", {"s:%b %o %x %X", "j:[-5, 11, 30, 30]"}, "s:-101 13 1e 1E"},
	        {".format", {"s:%b%b", "j:[true, false]"}, "s:10"},
	        {".format", {"s:%x", "j:[\"Hello world!\"]"}, "s:48656c6c6f20776f726c6421"},
	        {".format", {"s:%x", "j:[1.5]"}, "invalid_argument"},
	        {".format", {"s:%f %.0f %.3f", "j:[2, 2.5, 1.2345]"}, "s:2.000000 2 1.234"},
	        {".format", {"s:%e %.1e", "j:[2.71828, 1052]"}, "s:2.718280e+00 1.1e+03"},
	        {".format", {"s:%.34", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%.f", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%.1001f", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%.99999999999f", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%E", "j:[5]"}, "invalid_argument"},
	        {".format", {"s:%d", "j:[]"}, "invalid_argument"},
	        {".format", {"s:%d", "j:[null]"}, "invalid_argument"},
	        {".format", {"s:%f", "j:[true]"}, "invalid_argument"},
	        {".format", {"s:%b", "j:[\"x\"]"}, "invalid_argument"},
	        {".format", {"s:%o", "j:[\"x\"]"}, "invalid_argument"},
	};
	CHECK(CASES);
}

static void format_takes_what_no_json_has(void **state)
{
	(void)state;
	static const struct {
		const char *format;
		const char *value;
		const char *result;
	} CASES[] = {
	        {"s:%s", "d:nan", "s:NaN"},
	        {"s:%d", "d:inf", "s:Infinity"},
	        {"s:%e", "d:-inf", "s:-Infinity"},
	        {"s:%s", "T:1675467080", "s:2023-02-03T23:31:20Z"},
	        {"s:%s", "D:8747", "s:8747s"},
	        {"s:%d", "D:8747", "invalid_argument"},
	        {"s:%s", "type:string", "s:string"},
	        {"s:%s", "b:xyz", "s:xyz"},
	        {"s:%s", "b:\xff", "invalid_argument"},
	        {"s:%X", "b:\xff\x01", "s:FF01"},
	        {"s:%x", "u:500", "s:1f4"},
	        {"s:%b", "i:-9223372036854775808",
	         "s:-1000000000000000000000000000000000000000000000000000000000000000"},
	        {"s:%s", "none", "invalid_argument"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct value value = read_value(CASES[i].value);
		struct value args[2] = {read_value(CASES[i].format),
		                        value_of_list(&allowance, &value, 1)};
		struct buf shown = {0};
		show(call(".format", args, 2), &shown);
		buf_byte(&shown, '\0');
		assert_string_equal(shown.ptr, CASES[i].result);
		buf_free(&shown);
	}
}

/* ---- limits ---- */

/* Calls over and over with the result as the first argument until it fails. */
static enum value_error grow(const char *name, struct value args[], size_t count)
{
	for (int i = 0; i < 100000; i++) {
		struct value next = call(name, args, count);
		if (value_is_error(next)) {
			return (enum value_error)next.code;
		}
		args[0] = next;
	}
	return ERROR_NONE;
}

static void what_is_built_has_a_limit(void **state)
{
	allowance.budget = INT64_MAX / 2;
	struct value twice[] = {read_value("s:xx"), read_value("s:x"), read_value("s:xx")};
	assert_int_equal(grow(".replace", twice, 3), ERROR_TOO_BIG);
	(void)end(state);
	(void)begin(state);
	allowance.arena.limit = 0;
	struct value plus[] = {read_value("s:xxxxxxxxxxxxxxxx"), read_value("s:yyyyyyyyyyyyyyyy")};
	assert_int_equal(grow("_+_", plus, 2), ERROR_BUDGET);
	(void)end(state);
	(void)begin(state);
	struct value many = value_int(99000);
	assert_int_equal(call("lists.range", &many, 1).code, ERROR_TOO_BIG);
	many = value_int(INT64_MAX);
	assert_int_equal(call("lists.range", &many, 1).code, ERROR_BUDGET);
	(void)end(state);
	(void)begin(state);
	allowance.budget = INT64_MAX / 2;
	struct value wide[] = {read_value("s:%.1000f%.1000f%s"), read_value("j:[1, 1, \"\"]")};
	int times = 0;
	while (!value_is_error(call(".format", wide, 2))) {
		times++;
	}
	assert_in_range(times, 100, LIMIT / 2000);
}

/* The item of a list of JSON may be the error that it did not fit the arena. */
static void an_item_that_is_an_error_stays_it(void **state)
{
	(void)state;
	struct value items[] = {value_error(ERROR_TOO_BIG, NULL)};
	struct value list = value_of_list(&allowance, items, 1);
	static const char *const TAKERS[] = {".join", "math.greatest", ".first", ".last"};
	for (size_t i = 0; i < sizeof TAKERS / sizeof TAKERS[0]; i++) {
		struct value args[] = {list};
		assert_int_equal(call(TAKERS[i], args, 1).code, ERROR_TOO_BIG);
	}
	struct value args[] = {read_value("s:%s"), list};
	assert_int_equal(call(".format", args, 2).code, ERROR_TOO_BIG);
}

static struct value letters(size_t count, char letter)
{
	char *text = arena_take(&allowance.arena, count);
	assert_non_null(text);
	memset(text, letter, count);
	return value_string(span_make(text, count));
}

/* Searches that would take the product of both lengths stop by the budget. */
static void what_is_searched_costs(void **state)
{
	(void)state;
	struct value args[] = {letters(200000, 'a'), letters(100000, 'a')};
	((char *)(uintptr_t)args[1].as.text)[99999] = 'b';
	assert_int_equal(call(".lastIndexOf", args, 2).code, ERROR_BUDGET);
	allowance.budget = 100000;
	assert_int_equal(call(".indexOf", args, 2).as.i, -1);
	assert_in_range(100000 - allowance.budget, 30000, 40000);
	allowance.budget = 100;
	assert_int_equal(call(".contains", args, 2).code, ERROR_BUDGET);
	static const char *const WHOLE[] = {".trim",  ".reverse",      ".lowerAscii",
	                                    "size",   "int",           "uint",
	                                    "double", "strings.quote", "base64.decode"};
	for (size_t i = 0; i < sizeof WHOLE / sizeof WHOLE[0]; i++) {
		allowance.budget = 100;
		struct value result = call(WHOLE[i], args, 1);
		assert_int_equal(result.tag, VALUE_ERROR);
		assert_true(result.code == ERROR_BUDGET || (strcmp(WHOLE[i], "double") == 0 &&
		                                            result.code == ERROR_INVALID_ARGUMENT));
	}
	allowance.budget = 5000;
	struct value numbers[] = {value_int(300)};
	numbers[0] = call("lists.range", numbers, 1);
	assert_int_equal(call(".distinct", numbers, 1).code, ERROR_BUDGET);
}

/* The shortest digits, against every precision. */
static void doubles_read_back(void **state)
{
	(void)state;
	uint64_t bits = 88172645463325252;
	for (int i = 0; i < 20000; i++) {
		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		uint64_t shape = i % 4 == 0 ? bits & ~((UINT64_C(1) << 52) - 1) : bits;
		double value;
		memcpy(&value, &shape, sizeof value);
		if (!isfinite(value)) {
			continue;
		}
		char text[DOUBLE_TEXT_MAX + 1];
		text[double_text_short(value, text)] = '\0';
		assert_true(strtod(text, NULL) == value);
		text[double_text_plain(value, text)] = '\0';
		assert_true(strtod(text, NULL) == value);
	}
	char text[DOUBLE_TEXT_MAX];
	assert_true(double_text_plain(-DBL_MAX, text) <= sizeof text);
	assert_true(double_text_plain(-DBL_TRUE_MIN, text) <= sizeof text);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        TEST(places_are_code_points),
	        TEST(strings_are_copied_with_changes),
	        TEST(formats),
	        TEST(format_takes_what_no_json_has),
	        TEST(what_is_built_has_a_limit),
	        TEST(an_item_that_is_an_error_stays_it),
	        TEST(what_is_searched_costs),
	        TEST(doubles_read_back),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
