/* This file tests the functions of expressions, row by row: answers, errors, and what they cost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/double_text.h"
#include "triggers/expr/overload.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * DESIGN. A value is written as text: "i:-5" int, "u:5" uint, "d:1.5" double, "s:x" string, "b:x"
 * bytes, "t" and "f" bool, "n" null, "j:[1]" a value of JSON, "none", "some:" and a value, "T:5.1"
 * timestamp, "D:5.1" duration (seconds, nanoseconds), "type:int". A result is shown the same way, a
 * list as "[i:1, s:x]", an error as its word.
 */
enum { ARGS_MAX = 6, LIMIT = 1 << 20 };

static struct allowance allowance;

static int begin(void **state)
{
	(void)state;
	allowance = (struct allowance){.arena = {.limit = LIMIT}, .budget = 100000};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(&allowance.arena);
	return 0;
}

static struct value read_moment(uint8_t tag, const char *text)
{
	char *nanos = NULL;
	int64_t seconds = strtoll(text, &nanos, 10);
	uint32_t len = *nanos == '.' ? (uint32_t)strtoul(nanos + 1, NULL, 10) : 0;
	return (struct value){.tag = tag, .len = len, .as.i = seconds};
}

static struct value read_value(const char *text)
{
	const char *colon = strchr(text, ':');
	if (colon == NULL) {
		return *text == 't'   ? value_bool(true)
		       : *text == 'f' ? value_bool(false)
		       : strcmp(text, "none") == 0
		               ? (struct value){.tag = VALUE_OPTIONAL, .as.inner = NULL}
		               : value_null();
	}
	struct span rest = span_of(colon + 1);
	if (strncmp(text, "some:", 5) == 0) {
		struct value *inner = ARENA_NEW(&allowance.arena, struct value);
		assert_non_null(inner);
		*inner = read_value(rest.ptr);
		return (struct value){.tag = VALUE_OPTIONAL, .as.inner = inner};
	}
	if (strncmp(text, "type:", 5) == 0) {
		return (struct value){
		        .tag = VALUE_TYPE, .len = (uint32_t)rest.len, .as.text = rest.ptr};
	}
	switch (*text) {
	case 'i':
		return value_int(strtoll(rest.ptr, NULL, 10));
	case 'u':
		return value_uint(strtoull(rest.ptr, NULL, 10));
	case 'd':
		return value_double_of(strtod(rest.ptr, NULL));
	case 's':
		return value_string(rest);
	case 'b':
		return value_bytes(rest);
	case 'T':
		return read_moment(VALUE_TIMESTAMP, rest.ptr);
	case 'D':
		return read_moment(VALUE_DURATION, rest.ptr);
	default:
		assert_int_equal(json_check(rest, NULL, NULL), 0);
		return value_from_json(&allowance, rest);
	}
}

static void show(struct value value, struct buf *out);

static void show_list(struct value value, struct buf *out)
{
	const struct value_list *list = value_list(&allowance, &value);
	assert_non_null(list);
	buf_byte(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		BUF_LITERAL(out, ", ");
		out->len -= i == 0 ? 2 : 0;
		show(list->items[i], out);
	}
	buf_byte(out, ']');
}

static void show(struct value value, struct buf *out)
{
	switch (value.tag) {
	case VALUE_ERROR:
		buf_span(out, span_of(value_error_word((enum value_error)value.code)));
		break;
	case VALUE_BOOL:
		buf_byte(out, value.as.b ? 't' : 'f');
		break;
	case VALUE_NULL:
		buf_byte(out, 'n');
		break;
	case VALUE_INT:
		buf_format(out, "i:%lld", (long long)value.as.i);
		break;
	case VALUE_UINT:
		buf_format(out, "u:%llu", (unsigned long long)value.as.u);
		break;
	case VALUE_DOUBLE:
		buf_format(out, "d:%.17g%s", value_double(value), value.flags != 0 ? "!" : "");
		break;
	case VALUE_STRING:
		buf_format(out, "s:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_BYTES:
		buf_format(out, "b:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_TYPE:
		buf_format(out, "type:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_LIST:
		show_list(value, out);
		break;
	case VALUE_OPTIONAL:
		if (value.as.inner == NULL) {
			BUF_LITERAL(out, "none");
		} else {
			BUF_LITERAL(out, "some:");
			show(*value.as.inner, out);
		}
		break;
	default:
		buf_format(out, "%s", value_tag_name(value));
	}
}

/* ---- calling ---- */

static bool takes(const struct overload *row, const struct value args[], size_t count)
{
	if (row->variadic ? count < row->count : count != row->count) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		size_t mask = i < row->count ? i : row->count - 1U;
		if ((row->takes[mask] & 1U << args[i].tag) == 0) {
			return false;
		}
	}
	return true;
}

static const struct overload *find(const char *name, bool method, const struct value args[],
                                   size_t count)
{
	static const struct overload *const TABLES[] = {
	        overload_arithmetic, overload_compare,  overload_convert,
	        overload_list,       overload_optional, overload_string,
	        overload_format,     overload_math,     overload_encode,
	};
	for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
		for (const struct overload *row = TABLES[i]; row->name != NULL; row++) {
			if (strcmp(row->name, name) == 0 && row->method == method &&
			    takes(row, args, count)) {
				return row;
			}
		}
	}
	return NULL;
}

/* A name that begins with a point is a method's. */
static struct value call(const char *name, struct value args[], size_t count)
{
	bool method = *name == '.';
	const struct overload *row = find(name + method, method, args, count);
	if (row == NULL) {
		return value_error(ERROR_NO_SUCH_OVERLOAD, NULL);
	}
	struct value result = row->fn(&allowance, args, count);
	if (!value_is_error(result)) {
		assert_true((row->gives & 1U << result.tag) != 0);
	}
	return result;
}

struct call_case {
	const char *name;
	const char *args[ARGS_MAX];
	const char *result;
};

static void check_case(const struct call_case *test)
{
	struct value args[ARGS_MAX];
	size_t count = 0;
	struct buf call_text = {0};
	for (; count < ARGS_MAX && test->args[count] != NULL; count++) {
		args[count] = read_value(test->args[count]);
		buf_format(&call_text, " %s", test->args[count]);
	}
	struct buf shown = {0};
	show(call(test->name, args, count), &shown);
	if (!span_is(buf_view(&shown), test->result)) {
		fail_msg("%s%.*s: %.*s, not %s", test->name, SPAN_ARG(buf_view(&call_text)),
		         SPAN_ARG(buf_view(&shown)), test->result);
	}
	buf_free(&shown);
	buf_free(&call_text);
	arena_reset(&allowance.arena);
	allowance.budget = 100000;
}

#define CHECK(cases)                                                                               \
	for (size_t at = 0; at < sizeof(cases) / sizeof(cases)[0]; at++) {                         \
		check_case(&(cases)[at]);                                                          \
	}

static void arithmetic_is_checked(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"i:1", "i:2"}, "i:3"},
	        {"_+_", {"i:9223372036854775807", "i:1"}, "overflow"},
	        {"_+_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_-_", {"i:-9223372036854775808", "i:1"}, "overflow"},
	        {"_*_", {"i:4294967296", "i:4294967296"}, "overflow"},
	        {"_*_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_/_", {"i:7", "i:-2"}, "i:-3"},
	        {"_/_", {"i:7", "i:0"}, "divide_by_zero"},
	        {"_/_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_%_", {"i:-7", "i:2"}, "i:-1"},
	        {"_%_", {"i:7", "i:0"}, "divide_by_zero"},
	        {"_%_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"-_", {"i:-9223372036854775808"}, "overflow"},
	        {"-_", {"i:5"}, "i:-5"},
	        {"-_", {"u:5"}, "no_such_overload"},
	        {"_+_", {"u:18446744073709551615", "u:1"}, "overflow"},
	        {"_-_", {"u:1", "u:2"}, "overflow"},
	        {"_*_", {"u:18446744073709551615", "u:2"}, "overflow"},
	        {"_/_", {"u:7", "u:0"}, "divide_by_zero"},
	        {"_%_", {"u:7", "u:0"}, "divide_by_zero"},
	        {"_%_", {"u:7", "u:4"}, "u:3"},
	        {"_+_", {"i:1", "u:2"}, "no_such_overload"},
	        {"_/_", {"d:1", "d:0"}, "d:inf"},
	        {"_%_", {"d:5", "d:2"}, "no_such_overload"},
	        {"-_", {"d:0"}, "d:-0"},
	};
	CHECK(CASES);
}

static void a_double_makes_the_other_side_one(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"d:1.5", "i:1"}, "d:2.5"},
	        {"_-_", {"i:1", "d:0.5"}, "d:0.5"},
	        {"_*_", {"u:2", "d:1.5"}, "d:3"},
	        {"_/_", {"j:5", "i:2"}, "d:2.5"},
	        {"_+_", {"j:5", "j:6"}, "d:11"},
	        {"_+_", {"j:18446744073709551615", "i:0"}, "d:1.8446744073709552e+19"},
	        {"_%_", {"j:5", "i:2"}, "no_such_overload"},
	        {"-_", {"j:5"}, "d:-5"},
	};
	CHECK(CASES);
}

static void plus_joins(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"s:", "s:"}, "s:"},
	        {"_+_", {"s:ab", "s:c"}, "s:abc"},
	        {"_+_", {"b:ab", "b:c"}, "b:abc"},
	        {"_+_", {"s:ab", "b:c"}, "no_such_overload"},
	        {"_+_", {"j:[1]", "j:[\"x\", null]"}, "[d:1!, s:x, n]"},
	        {"_+_", {"j:[]", "j:[]"}, "[]"},
	        {"_+_", {"j:[]", "j:[true]"}, "[t]"},
	};
	CHECK(CASES);
}

static void order_crosses_the_kinds_of_numbers(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_<_", {"i:1", "i:2"}, "t"},
	        {"_<_", {"i:-1", "u:0"}, "t"},
	        {"_<_", {"d:nan", "i:0"}, "f"},
	        {"_>=_", {"d:nan", "d:nan"}, "f"},
	        {"_>_", {"j:9007199254740993", "i:9007199254740992"}, "t"},
	        {"_<_", {"i:9223372036854775807", "d:9223372036854775808"}, "t"},
	        {"_<=_", {"u:5", "d:5"}, "t"},
	        {"_<_", {"s:a", "s:\xc3\xa4"}, "t"},
	        {"_>_", {"s:ab", "s:a"}, "t"},
	        {"_<_", {"b:a", "b:b"}, "t"},
	        {"_<_", {"f", "t"}, "t"},
	        {"_>=_", {"T:1.5", "T:1.4"}, "t"},
	        {"_<_", {"D:-1.5", "D:0"}, "t"},
	        {"_<_", {"s:a", "i:1"}, "no_such_overload"},
	        {"_<_", {"T:1", "D:1"}, "no_such_overload"},
	        {"_<_", {"j:[]", "j:[]"}, "no_such_overload"},
	        {"@in", {"i:2", "j:[1, 2.0]"}, "t"},
	        {"@in", {"s:2", "j:[1, 2.0]"}, "f"},
	        {"@in", {"s:a", "j:{\"a\": 1}"}, "t"},
	        {"@in", {"n", "j:{\"a\": 1}"}, "f"},
	        {"@in", {"s:a", "s:abc"}, "no_such_overload"},
	};
	CHECK(CASES);
}

static void conversions_keep_or_refuse(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"int", {"d:-7.9"}, "i:-7"},
	        {"int", {"d:9223372036854775807"}, "overflow"},
	        {"int", {"d:-9223372036854775808"}, "overflow"},
	        {"int", {"d:9223372036854774784"}, "i:9223372036854774784"},
	        {"int", {"d:nan"}, "overflow"},
	        {"int", {"j:9007199254740993"}, "i:9007199254740993"},
	        {"int", {"j:-9223372036854775808"}, "i:-9223372036854775808"},
	        {"int", {"j:9223372036854775808"}, "overflow"},
	        {"int", {"u:9223372036854775808"}, "overflow"},
	        {"int", {"s:-9223372036854775808"}, "i:-9223372036854775808"},
	        {"int", {"s:9223372036854775808"}, "overflow"},
	        {"int", {"s:+7"}, "i:7"},
	        {"int", {"s:"}, "invalid_argument"},
	        {"int", {"s:-"}, "invalid_argument"},
	        {"int", {"s: 1"}, "invalid_argument"},
	        {"int", {"s:1.0"}, "invalid_argument"},
	        {"int", {"T:5.9"}, "i:5"},
	        {"int", {"D:-2.500000000"}, "i:-1500000000"},
	        {"int", {"t"}, "no_such_overload"},
	        {"uint", {"d:1.9"}, "u:1"},
	        {"uint", {"d:-1"}, "overflow"},
	        {"uint", {"d:18446744073709551616"}, "overflow"},
	        {"uint", {"j:18446744073709551615"}, "u:18446744073709551615"},
	        {"uint", {"j:-1"}, "overflow"},
	        {"uint", {"i:-1"}, "overflow"},
	        {"uint", {"s:18446744073709551615"}, "u:18446744073709551615"},
	        {"uint", {"s:18446744073709551616"}, "overflow"},
	        {"uint", {"s:+1"}, "invalid_argument"},
	        {"double", {"i:-3"}, "d:-3"},
	        {"double", {"u:18446744073709551615"}, "d:1.8446744073709552e+19"},
	        {"double", {"s:-0.0"}, "d:-0"},
	        {"double", {"s:6.02214e23"}, "d:6.0221399999999997e+23"},
	        {"double", {"s:.5"}, "d:0.5"},
	        {"double", {"s:+5."}, "d:5"},
	        {"double", {"s:007"}, "d:7"},
	        {"double", {"s:-Infinity"}, "d:-inf"},
	        {"double", {"s:+inf"}, "d:inf"},
	        {"double", {"s:NaN"}, "d:nan"},
	        {"double", {"s:1e400"}, "overflow"},
	        {"double", {"s:1e"}, "invalid_argument"},
	        {"double", {"s:."}, "invalid_argument"},
	        {"double", {"s:0x10"}, "invalid_argument"},
	        {"double", {"s:1 "}, "invalid_argument"},
	        {"bool", {"s:True"}, "t"},
	        {"bool", {"s:F"}, "f"},
	        {"bool", {"s:TrUe"}, "invalid_argument"},
	        {"bool", {"i:1"}, "no_such_overload"},
	        {"bytes", {"s:\xc3\xbf"}, "b:\xc3\xbf"},
	        {"type", {"i:1"}, "type:int"},
	        {"type", {"j:1"}, "type:double"},
	        {"type", {"none"}, "type:optional_type"},
	        {"type", {"type:int"}, "type:type"},
	        {"dyn", {"j:9007199254740993"}, "d:9007199254740992!"},
	};
	CHECK(CASES);
}

static void strings_of_values(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"string", {"i:-456"}, "s:-456"},
	        {"string", {"u:18446744073709551615"}, "s:18446744073709551615"},
	        {"string", {"d:-0.0045"}, "s:-0.0045"},
	        {"string", {"d:123456"}, "s:123456"},
	        {"string", {"d:1000000"}, "s:1e+06"},
	        {"string", {"d:1234567.5"}, "s:1.2345675e+06"},
	        {"string", {"d:0.0001"}, "s:0.0001"},
	        {"string", {"d:0.00001"}, "s:1e-05"},
	        {"string", {"d:5e-324"}, "s:5e-324"},
	        {"string", {"d:1.7976931348623157e308"}, "s:1.7976931348623157e+308"},
	        {"string", {"d:5.684341886080802e-14"}, "s:5.684341886080802e-14"},
	        {"string", {"d:0.1"}, "s:0.1"},
	        {"string", {"d:-0"}, "s:-0"},
	        {"string", {"d:nan"}, "s:NaN"},
	        {"string", {"d:-inf"}, "s:-Inf"},
	        {"string", {"j:9007199254740993"}, "s:9007199254740993"},
	        {"string", {"t"}, "s:true"},
	        {"string", {"b:\xc3\xbf"}, "s:\xc3\xbf"},
	        {"string", {"b:\xff"}, "invalid_argument"},
	        {"string", {"T:1234567890"}, "s:2009-02-13T23:31:30Z"},
	        {"string", {"D:100"}, "s:100s"},
	        {"string", {"n"}, "no_such_overload"},
	};
	CHECK(CASES);
}

static void sizes(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"size", {"s:\xf0\x9f\x90\xb1\xc3\xa4x"}, "i:3"},
	        {".size", {"s:"}, "i:0"},
	        {"size", {"b:\xc3\xa4"}, "i:2"},
	        {".size", {"j:[1, [2, 3]]"}, "i:2"},
	        {"size", {"j:{\"a\": {\"b\": 1}}"}, "i:1"},
	        {"size", {"i:1"}, "no_such_overload"},
	};
	CHECK(CASES);
}

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

static void lists(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {".slice", {"j:[1,2,3]", "i:1", "i:3"}, "[d:2!, d:3!]"},
	        {".slice", {"j:[1,2,3]", "i:0", "i:0"}, "[]"},
	        {".slice", {"j:[1,2,3]", "i:2", "i:4"}, "out_of_bounds"},
	        {".slice", {"j:[1,2,3]", "i:2", "i:1"}, "out_of_bounds"},
	        {".slice", {"j:[1,2,3]", "i:-1", "i:1"}, "out_of_bounds"},
	        {".reverse", {"j:[1,2]"}, "[d:2!, d:1!]"},
	        {".reverse", {"j:[]"}, "[]"},
	        {".distinct", {"j:[1,\"1\",1.0,[2],[2]]"}, "[d:1!, s:1, [d:2!]]"},
	        {".sort", {"j:[3,1,2]"}, "[d:1!, d:2!, d:3!]"},
	        {".sort", {"j:[\"b\",\"a\"]"}, "[s:a, s:b]"},
	        {".sort", {"j:[]"}, "[]"},
	        {".sort", {"j:[1,\"a\"]"}, "invalid_argument"},
	        {".sort", {"j:[[1]]"}, "invalid_argument"},
	        {".flatten", {"j:[1,[2,[3]]]"}, "[d:1!, d:2!, [d:3!]]"},
	        {".flatten", {"j:[1,[2,[3]]]", "i:2"}, "[d:1!, d:2!, d:3!]"},
	        {".flatten", {"j:[[]]", "i:0"}, "[[]]"},
	        {".flatten", {"j:[[]]", "i:-1"}, "invalid_argument"},
	        {"lists.range", {"i:3"}, "[i:0, i:1, i:2]"},
	        {"lists.range", {"i:0"}, "[]"},
	};
	CHECK(CASES);
}

static void mathematics(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"math.greatest", {"i:1"}, "i:1"},
	        {"math.greatest", {"i:1", "d:1"}, "i:1"},
	        {"math.greatest",
	         {"d:5.4", "i:10", "u:3", "d:-5", "i:9223372036854775807"},
	         "i:9223372036854775807"},
	        {"math.greatest",
	         {"j:[1, 9007199254740993, 9007199254740992]"},
	         "d:9007199254740992!"},
	        {"math.greatest", {"j:[]"}, "invalid_argument"},
	        {"math.greatest", {"j:[1, \"a\"]"}, "no_such_overload"},
	        {"math.greatest", {"i:1", "s:a"}, "no_such_overload"},
	        {"math.greatest", {NULL}, "no_such_overload"},
	        {"math.least", {"i:-1", "u:0", "d:-1"}, "i:-1"},
	        {"math.least", {"j:[2, 1.5]"}, "d:1.5"},
	        {"math.ceil", {"d:-1.2"}, "d:-1"},
	        {"math.floor", {"d:-1.2"}, "d:-2"},
	        {"math.floor", {"i:1"}, "no_such_overload"},
	        {"math.round", {"d:-1.5"}, "d:-2"},
	        {"math.round", {"d:0.49999999999999994"}, "d:0"},
	        {"math.trunc", {"d:-1.9"}, "d:-1"},
	        {"math.trunc", {"j:9007199254740993"}, "d:9007199254740992!"},
	        {"math.sqrt", {"i:81"}, "d:9"},
	        {"math.abs", {"i:-9223372036854775808"}, "overflow"},
	        {"math.abs", {"i:-1"}, "i:1"},
	        {"math.abs", {"u:1"}, "u:1"},
	        {"math.abs", {"j:-3"}, "d:3"},
	        {"math.sign", {"i:-11"}, "i:-1"},
	        {"math.sign", {"u:0"}, "u:0"},
	        {"math.sign", {"d:-32"}, "d:-1"},
	        {"math.sign", {"d:0"}, "d:0"},
	        {"math.isNaN", {"d:nan"}, "t"},
	        {"math.isInf", {"d:-inf"}, "t"},
	        {"math.isInf", {"d:nan"}, "f"},
	        {"math.isFinite", {"j:1"}, "t"},
	        {"math.isFinite", {"t"}, "no_such_overload"},
	        {"math.bitAnd", {"i:1", "i:-1"}, "i:1"},
	        {"math.bitAnd", {"i:1", "u:1"}, "no_such_overload"},
	        {"math.bitOr", {"i:4", "i:-2"}, "i:-2"},
	        {"math.bitXor", {"u:1", "u:3"}, "u:2"},
	        {"math.bitNot", {"u:1"}, "u:18446744073709551614"},
	        {"math.bitNot", {"i:0"}, "i:-1"},
	        {"math.bitShiftLeft", {"i:1", "i:2"}, "i:4"},
	        {"math.bitShiftLeft", {"i:-1", "i:200"}, "i:0"},
	        {"math.bitShiftLeft", {"u:1", "i:-1"}, "invalid_argument"},
	        {"math.bitShiftRight", {"i:-1024", "i:3"}, "i:2305843009213693824"},
	        {"math.bitShiftRight", {"u:1024", "i:64"}, "u:0"},
	        {"math.bitShiftRight", {"i:1", "i:-1"}, "invalid_argument"},
	};
	CHECK(CASES);
}

static void optionals(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"optional.of", {"n"}, "some:n"},
	        {"optional.none", {NULL}, "none"},
	        {"optional.ofNonZeroValue", {"n"}, "none"},
	        {"optional.ofNonZeroValue", {"f"}, "none"},
	        {"optional.ofNonZeroValue", {"j:0"}, "none"},
	        {"optional.ofNonZeroValue", {"j:0.5"}, "some:d:0.5"},
	        {"optional.ofNonZeroValue", {"s:"}, "none"},
	        {"optional.ofNonZeroValue", {"j:[]"}, "none"},
	        {"optional.ofNonZeroValue", {"j:[0]"}, "some:[d:0!]"},
	        {"optional.ofNonZeroValue", {"j:{}"}, "none"},
	        {"optional.ofNonZeroValue", {"D:0"}, "none"},
	        {"optional.ofNonZeroValue", {"T:0"}, "some:google.protobuf.Timestamp"},
	        {".hasValue", {"none"}, "f"},
	        {".hasValue", {"some:n"}, "t"},
	        {".hasValue", {"n"}, "no_such_overload"},
	        {".value", {"some:i:1"}, "i:1"},
	        {".value", {"none"}, "no_value"},
	        {".or", {"none", "some:i:1"}, "some:i:1"},
	        {".or", {"some:i:2", "some:i:1"}, "some:i:2"},
	        {".or", {"none", "i:1"}, "no_such_overload"},
	        {".orValue", {"none", "i:1"}, "i:1"},
	        {".orValue", {"some:i:2", "i:1"}, "i:2"},
	        {".first", {"j:[1,2]"}, "some:d:1!"},
	        {".last", {"j:[1,2]"}, "some:d:2!"},
	        {".last", {"j:[]"}, "none"},
	        {".unwrapOpt", {"j:[]"}, "[]"},
	        {"optional.unwrap", {"j:[1]"}, "no_such_overload"},
	};
	CHECK(CASES);
	struct value items[3] = {read_value("none"), read_value("some:i:1"), read_value("none")};
	struct value list = value_of_list(&allowance, items, 3);
	struct value kept = call("optional.unwrap", &list, 1);
	assert_int_equal(value_list(&allowance, &kept)->count, 1);
	assert_int_equal(value_list(&allowance, &kept)->items[0].as.i, 1);
}

static void base64(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"base64.encode", {"b:hello"}, "s:aGVsbG8="},
	        {"base64.encode", {"b:"}, "s:"},
	        {"base64.decode", {"s:aGVsbG8="}, "b:hello"},
	        {"base64.decode", {"s:aGVsbG8"}, "b:hello"},
	        {"base64.decode", {"s:aGVsbA"}, "b:hell"},
	        {"base64.decode", {"s:"}, "b:"},
	        {"base64.decode", {"s:a"}, "invalid_argument"},
	        {"base64.decode", {"s:aGVsbA="}, "invalid_argument"},
	        {"base64.decode", {"s:aGV!bG8="}, "invalid_argument"},
	        {"base64.encode", {"s:hello"}, "no_such_overload"},
	};
	CHECK(CASES);
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
	        TEST(arithmetic_is_checked),
	        TEST(a_double_makes_the_other_side_one),
	        TEST(plus_joins),
	        TEST(order_crosses_the_kinds_of_numbers),
	        TEST(conversions_keep_or_refuse),
	        TEST(strings_of_values),
	        TEST(sizes),
	        TEST(places_are_code_points),
	        TEST(strings_are_copied_with_changes),
	        TEST(formats),
	        TEST(format_takes_what_no_json_has),
	        TEST(lists),
	        TEST(mathematics),
	        TEST(optionals),
	        TEST(base64),
	        TEST(what_is_built_has_a_limit),
	        TEST(what_is_searched_costs),
	        TEST(doubles_read_back),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
