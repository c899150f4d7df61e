/* This file tests how values are written: for people, and as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/value.h"

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
	allowance = (struct allowance){.budget = 1000000};
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
	return value_from_json(&allowance, span_of(text));
}

static struct value timestamp(int64_t seconds, uint32_t nanos)
{
	return (struct value){.tag = VALUE_TIMESTAMP, .len = nanos, .as.i = seconds};
}

static struct value duration(int64_t seconds, uint32_t nanos)
{
	return (struct value){.tag = VALUE_DURATION, .len = nanos, .as.i = seconds};
}

static struct value some(struct value inner)
{
	struct value *kept = ARENA_NEW(&allowance.arena, struct value);
	*kept = inner;
	return (struct value){.tag = VALUE_OPTIONAL, .as.inner = kept};
}

static struct value none(void)
{
	return (struct value){.tag = VALUE_OPTIONAL};
}

static struct value list_of(struct value a, struct value b, struct value c)
{
	struct value *items = ARENA_ARRAY(&allowance.arena, struct value, 3);
	items[0] = a;
	items[1] = b;
	items[2] = c;
	return value_of_list(&allowance, items, 3);
}

static struct value map_of(struct value key_a, struct value a, struct value key_b, struct value b)
{
	struct value_pair *pairs = ARENA_ARRAY(&allowance.arena, struct value_pair, 2);
	pairs[0] = (struct value_pair){key_a, a};
	pairs[1] = (struct value_pair){key_b, b};
	return value_of_map(&allowance, pairs, 2);
}

static void assert_text(struct value value, size_t most, const char *want)
{
	struct buf out = {0};
	BUF_LITERAL(&out, "=");
	value_write_text(&allowance, value, most, &out);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr + 1, want);
	buf_free(&out);
}

static void assert_json(struct value value, const char *want)
{
	struct buf out = {0};
	BUF_LITERAL(&out, "=");
	struct value failed = value_write_json(&allowance, value, &out);
	assert_int_equal(failed.tag, VALUE_UNSET);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr + 1, want);
	assert_int_equal(json_check(span_make(out.ptr + 1, out.len - 2), NULL, NULL), 0);
	buf_free(&out);
}

static void assert_no_json(struct value value, enum value_error code)
{
	struct buf out = {0};
	BUF_LITERAL(&out, "=");
	struct value failed = value_write_json(&allowance, value, &out);
	assert_int_equal(failed.tag, VALUE_ERROR);
	assert_int_equal(failed.code, code);
	assert_int_equal(out.len, 1);
	buf_free(&out);
}

static void scalars_are_spelled_as_in_an_expression(void **state)
{
	(void)state;
	assert_text(value_null(), 99, "null");
	assert_text(value_bool(true), 99, "true");
	assert_text(value_int(INT64_MIN), 99, "-9223372036854775808");
	assert_text(value_uint(UINT64_MAX), 99, "18446744073709551615u");
	assert_text(value_double_of(1), 99, "1.0");
	assert_text(value_double_of(-0.0), 99, "-0.0");
	assert_text(value_double_of(0.1), 99, "0.1");
	assert_text(value_double_of(1e300), 99, "1e+300");
	assert_text(value_double_of(NAN), 99, "NaN");
	assert_text(value_double_of(-INFINITY), 99, "-Infinity");
	assert_text(json("18446744073709551615"), 99, "18446744073709551615");
	assert_text(json("-5"), 99, "-5");
	assert_text(value_string(SPAN("a\"\n\xc3\xa9")), 99, "\"a\\\"\\n\xc3\xa9\"");
	assert_text(value_bytes(SPAN("a\"\xff\\")), 99, "b\"a\\\"\\xff\\\\\"");
	assert_text((struct value){.tag = VALUE_TYPE, .len = 3, .as.text = "intx"}, 99, "int");
	assert_text(timestamp(1234567890, 500000000), 99, "timestamp(\"2009-02-13T23:31:30.5Z\")");
	assert_text(duration(-1, 500000000), 99, "duration(\"-0.5s\")");
	assert_text(some(value_int(1)), 99, "optional.of(1)");
	assert_text(none(), 99, "optional.none()");
	assert_text(value_error(ERROR_NO_SUCH_KEY, "plan"), 99, "there is no such key: 'plan'");
}

static void containers_are_spelled_to_the_bottom(void **state)
{
	(void)state;
	assert_text(json("[1,{\"a\" : [true,null]} ]"), 99, "[1, {\"a\": [true, null]}]");
	assert_text(json("[]"), 99, "[]");
	assert_text(json("{}"), 99, "{}");
	assert_text(map_of(value_int(1), value_uint(2), value_bool(true), value_null()), 99,
	            "{1: 2u, true: null}");
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	assert_text(value_string(SPAN("abcdef")), 8, "\"abcdef\"");
	assert_text(value_string(SPAN("abcdef")), 7, "\"abcdef...");
	assert_text(value_string(SPAN("abcdef")), 4, "\"abc...");
	assert_text(value_string(SPAN("ab\xf0\x9f\x98\x80zz")), 6, "\"ab...");
	assert_text(value_string(SPAN("ab\xf0\x9f\x98\x80zz")), 7, "\"ab\xf0\x9f\x98\x80...");
	assert_text(json("[1,2,3,4,5,6,7,8,9]"), 8, "[1, 2, 3...");
	assert_text(json("{\"a\":{\"b\":\"cccccccccccccccccc\"}}"), 10, "{\"a\": {\"b\"...");
	assert_text(value_string(SPAN("abcdef")), 0, "...");
	struct value deep = value_int(1);
	for (int i = 0; i < 10000; i++) {
		deep = some(deep);
	}
	struct buf out = {0};
	value_write_text(&allowance, deep, 100000, &out);
	assert_true(out.len < 1000);
	buf_free(&out);
}

static void what_is_over_the_budget_is_left_out(void **state)
{
	(void)state;
	struct value list = json("[1,2]");
	allowance.budget = 1;
	assert_text(list, 99, "[...]");
	assert_int_equal(list.flags, VALUE_TEXT);
}

static void json_keeps_what_json_can_say(void **state)
{
	(void)state;
	assert_json(json("{\"a\" : [1.50 , 2 ] }"), "{\"a\" : [1.50 , 2 ] }");
	assert_json(json("18446744073709551615"), "18446744073709551615");
	assert_json(value_int(-5), "-5");
	assert_json(value_uint(UINT64_MAX), "18446744073709551615");
	assert_json(value_double_of(0.1), "0.1");
	assert_json(value_double_of(2), "2");
	assert_json(value_bool(false), "false");
	assert_json(value_null(), "null");
	assert_json(value_string(SPAN("a\"b")), "\"a\\\"b\"");
	assert_json(value_bytes(SPAN("\xff\x00\x01")), "\"/wAB\"");
	assert_json(timestamp(0, 0), "\"1970-01-01T00:00:00Z\"");
	assert_json(duration(1, 500000000), "\"1.5s\"");
	assert_json(some(json("[ 1]")), "[ 1]");
	assert_json(list_of(none(), value_int(1), none()), "[1]");
	assert_json(list_of(none(), none(), none()), "[]");
	assert_json(list_of(json("{}"), some(value_null()), value_int(1)), "[{},null,1]");
	assert_json(map_of(value_int(-1), value_int(2), value_bool(true), none()), "{\"-1\":2}");
	assert_json(map_of(value_uint(1), none(), value_bool(true), value_null()),
	            "{\"true\":null}");
	assert_json(map_of(value_string(SPAN("\"")), value_int(2), value_uint(3), value_int(4)),
	            "{\"\\\"\":2,\"3\":4}");
	struct value map = json("{\"b\":1,\"a\":[2],\"b\":3}");
	assert_non_null(value_map(&allowance, &map));
	assert_json(map, "{\"b\":3,\"a\":[2]}");
}

static void json_refuses_what_it_cannot_say(void **state)
{
	(void)state;
	assert_no_json(value_error(ERROR_OVERFLOW, NULL), ERROR_OVERFLOW);
	assert_no_json(value_double_of(NAN), ERROR_INVALID_ARGUMENT);
	assert_no_json(value_double_of(INFINITY), ERROR_INVALID_ARGUMENT);
	assert_no_json(none(), ERROR_NO_VALUE);
	assert_no_json(some(none()), ERROR_NO_VALUE);
	assert_no_json(list_of(value_int(1), value_double_of(NAN), value_int(2)),
	               ERROR_INVALID_ARGUMENT);
	assert_no_json(map_of(value_int(1), value_int(1), value_int(2),
	                      value_error(ERROR_NO_SUCH_KEY, NULL)),
	               ERROR_NO_SUCH_KEY);
	struct value deep = value_int(1);
	for (int i = 0; i < 10000; i++) {
		deep = i % 2 == 0 ? some(deep) : list_of(deep, none(), none());
	}
	assert_no_json(deep, ERROR_TOO_BIG);
	allowance.budget = 2;
	assert_no_json(list_of(value_int(1), value_int(2), value_int(3)), ERROR_BUDGET);
}

static void errors_are_sentences(void **state)
{
	(void)state;
	const struct {
		enum value_error code;
		const char *detail;
		uint16_t types;
		const char *want;
	} cases[] = {
	        {ERROR_NO_SUCH_KEY, "plan", 0, "there is no such key: 'plan'"},
	        {ERROR_DIVIDE_BY_ZERO, NULL, 0, "division by zero"},
	        {ERROR_INVALID_ARGUMENT, "no time zone", 0,
	         "the argument is not valid: no time zone"},
	        {ERROR_NO_SUCH_OVERLOAD, NULL, 0, "the operation does not take these types"},
	        {ERROR_NO_SUCH_OVERLOAD, "_-_", value_types(VALUE_NULL, VALUE_DOUBLE),
	         "the operation '-' does not take these types (null - double)"},
	        {ERROR_NO_SUCH_OVERLOAD, "@in", value_types(VALUE_TIMESTAMP, VALUE_STRING),
	         "the operation 'in' does not take these types (timestamp in string)"},
	        {ERROR_NO_SUCH_OVERLOAD, "-_", value_types(VALUE_DURATION, 0),
	         "the operation '-' does not take these types (duration)"},
	        {ERROR_NO_SUCH_OVERLOAD, "[]", value_types(VALUE_LIST, VALUE_STRING),
	         "the operation '[]' does not take these types (list, string)"},
	        {ERROR_NO_SUCH_OVERLOAD, "size", value_types(VALUE_OPTIONAL, 0),
	         "the function 'size' does not take these types (optional)"},
	        {ERROR_NO_SUCH_OVERLOAD, "split", value_types(VALUE_STRING, VALUE_INT),
	         "the function 'split' does not take these types (string, int)"},
	        {ERROR_NO_SUCH_OVERLOAD, NULL, value_types(VALUE_STRING, 0),
	         "a value of type string has no fields"},
	        {ERROR_NO_SUCH_OVERLOAD, "a loop goes over a list or a map",
	         value_types(VALUE_INT, 0), "a loop goes over a list or a map (int)"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		struct value error = value_error(cases[i].code, cases[i].detail);
		error.types = cases[i].types;
		value_write_error(error, &out);
		buf_byte(&out, '\0');
		assert_string_equal(out.ptr, cases[i].want);
		buf_free(&out);
	}
	assert_string_equal(value_error_word(ERROR_NO_SUCH_KEY), "no_such_key");
	assert_string_equal(value_error_word(ERROR_REGEX_LIMIT), "regex_limit");
}

static void types_have_the_names_of_the_language(void **state)
{
	(void)state;
	assert_string_equal(value_tag_name(value_null()), "null_type");
	assert_string_equal(value_tag_name(json("1")), "double");
	assert_string_equal(value_tag_name(json("[]")), "list");
	assert_string_equal(value_tag_name(timestamp(0, 0)), "google.protobuf.Timestamp");
	assert_string_equal(value_tag_name(none()), "optional_type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	        TEST(scalars_are_spelled_as_in_an_expression),
	        TEST(containers_are_spelled_to_the_bottom),
	        TEST(long_texts_are_cut_between_characters),
	        TEST(what_is_over_the_budget_is_left_out),
	        TEST(json_keeps_what_json_can_say),
	        TEST(json_refuses_what_it_cannot_say),
	        TEST(errors_are_sentences),
	        TEST(types_have_the_names_of_the_language),
#undef TEST
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
