/* This file tests the checking of JSON text and the reading of what is valid. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_span(struct span actual, const char *expected)
{
	if (!span_is(actual, expected)) {
		fail_msg("'%.*s' is not '%s'", SPAN_ARG(actual), expected);
	}
}

/* ---- checking ---- */

static void check_gives_the_value_without_the_space_around_it(void **state)
{
	(void)state;
	struct span value;
	assert_int_equal(json_check(SPAN(" \r\n\t[1, 2] \n"), &value, NULL), 0);
	assert_span(value, "[1, 2]");
	assert_int_equal(json_check(SPAN("-0"), &value, NULL), 0);
	assert_span(value, "-0");
	assert_int_equal(json_check(SPAN("\"x\""), NULL, NULL), 0);
}

static void check_says_where_and_why(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
	        {"", "invalid JSON at byte 0: the text ends where a value is expected"},
	        {"{\"a\":", "invalid JSON at byte 5: the text ends where a value is expected"},
	        {"{\"a\" 1}", "invalid JSON at byte 5: a colon is expected"},
	        {"{\"a\":1,}", "invalid JSON at byte 7: a member's name in quotes is expected"},
	        {"{\"a\":1]", "invalid JSON at byte 6: a comma or } is expected"},
	        {"[1}", "invalid JSON at byte 2: a comma or ] is expected"},
	        {"[1,]", "invalid JSON at byte 3: a value is expected"},
	        {"[1] x", "invalid JSON at byte 4: something stands behind the value"},
	        {"1.", "invalid JSON at byte 2: the number lacks a digit"},
	        {"[1e+]", "invalid JSON at byte 4: the number lacks a digit"},
	        {"\"a", "invalid JSON at byte 2: the string does not end"},
	        {"\"a\\x\"", "invalid JSON at byte 2: there is no such escape"},
	        {"\"\\u12g4\"", "invalid JSON at byte 1: there is no such escape"},
	        {"\"a\nb\"", "invalid JSON at byte 2: a control character must be escaped"},
	        {"\"a\xc0\xaf\"", "invalid JSON at byte 2: the string is not UTF-8"},
	        {"nul", "invalid JSON at byte 0: a value is expected"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {0};
		struct span value = SPAN("untouched");
		assert_int_equal(json_check(span_of(cases[i].text), &value, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_json");
		assert_string_equal(err.text, cases[i].message);
		assert_span(value, "untouched");
	}
}

static int check_nested(size_t depth, bool objects)
{
	struct buf text = {0};
	for (size_t i = 0; i < depth; i++) {
		buf_span(&text, objects ? SPAN("{\"a\":") : SPAN("["));
	}
	buf_span(&text, objects ? SPAN("{}") : SPAN("[]"));
	for (size_t i = 0; i < depth; i++) {
		buf_byte(&text, objects ? '}' : ']');
	}
	struct err err = {0};
	int result = json_check(buf_view(&text), NULL, &err);
	if (result != 0) {
		assert_non_null(strstr(err.text, "nested too deep"));
	}
	buf_free(&text);
	return result;
}

static void depth_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(check_nested(JSON_DEPTH_MAX - 1, false), 0);
	assert_int_equal(check_nested(JSON_DEPTH_MAX - 1, true), 0);
	assert_int_equal(check_nested(JSON_DEPTH_MAX, false), E_INVALID);
	assert_int_equal(check_nested(JSON_DEPTH_MAX, true), E_INVALID);
	assert_int_equal(check_nested(200000, false), E_INVALID);
}

static void brackets_are_told_apart_at_every_level(void **state)
{
	(void)state;
	assert_int_equal(json_check(SPAN("[{\"a\":[[{}],{\"b\":[]}]},[]]"), NULL, NULL), 0);
	assert_int_equal(json_check(SPAN("[{\"a\":[[{}],{\"b\":[}]]},[]]"), NULL, NULL), E_INVALID);
	assert_int_equal(json_check(SPAN("{\"a\":[1,2}]"), NULL, NULL), E_INVALID);
}

static void check_object_finds_members_at_the_top_only(void **state)
{
	(void)state;
	const struct span names[] = {SPAN("a"), SPAN("missing"), SPAN("b\"c"), SPAN("a"),
	                             SPAN("d")};
	struct span out[5];
	struct span text = SPAN(" { \"x\":{\"a\":0,\"d\":[{\"d\":1}]}, \"a\" : [1, {\"a\":2}] ,"
	                        "\"b\\u0022c\":\"s\",\"d\":1,\"d\": -2.5e3 } ");
	assert_int_equal(json_check_object(text, names, 5, out, NULL), 0);
	assert_span(out[0], "[1, {\"a\":2}]");
	assert_null(out[1].ptr);
	assert_span(out[2], "\"s\"");
	assert_span(out[3], "[1, {\"a\":2}]");
	assert_span(out[4], "-2.5e3");

	struct span value;
	assert_int_equal(json_check(text, &value, NULL), 0);
	struct span again[5];
	json_get_many(value, names, 5, again);
	for (size_t i = 0; i < 5; i++) {
		assert_ptr_equal(out[i].ptr, again[i].ptr);
		assert_int_equal(out[i].len, again[i].len);
	}
}

static void check_object_refuses_other_values_and_leaves_the_outputs(void **state)
{
	(void)state;
	struct span name = SPAN("a");
	struct span out = SPAN("untouched");
	struct err err = {0};
	assert_int_equal(json_check_object(SPAN("[]"), &name, 1, &out, &err), E_INVALID);
	assert_string_equal(err.text, "invalid JSON at byte 0: an object is expected");
	assert_int_equal(json_check_object(SPAN(" "), &name, 1, &out, &err), E_INVALID);
	assert_int_equal(json_check_object(SPAN("{\"a\":1,"), &name, 1, &out, &err), E_INVALID);
	assert_span(out, "untouched");
	assert_int_equal(json_check_object(SPAN("{}"), &name, 1, &out, &err), 0);
	assert_null(out.ptr);
	assert_int_equal(json_check_object(SPAN("{}"), NULL, 0, NULL, &err), 0);
}

static void names_of_every_length_are_found(void **state)
{
	(void)state;
	char name[100];
	memset(name, 'n', sizeof name);
	for (size_t len = 0; len <= sizeof name; len++) {
		struct buf text = {0};
		buf_byte(&text, '{');
		json_write_string(&text, span_make(name, len));
		BUF_LITERAL(&text, ":7}");
		struct span wanted = {name, len};
		struct span out;
		assert_int_equal(json_check_object(buf_view(&text), &wanted, 1, &out, NULL), 0);
		assert_span(out, "7");
		assert_true(json_get(buf_view(&text), wanted, &out));
		assert_span(out, "7");
		buf_free(&text);
	}
}

static void strings_are_scanned_alike_at_every_offset(void **state)
{
	(void)state;
	static const char *const bad[] = {"\x01", "\x1f", "\x80", "\xff", "\xc3"};
	static const char *const good[] = {"\x7f", "\\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "!"};
	for (size_t at = 0; at < 40; at++) {
		for (size_t i = 0; i < 5; i++) {
			for (int is_good = 0; is_good < 2; is_good++) {
				struct buf text = {0};
				buf_format(&text, "\"%.*s%s%s\"", (int)at,
				           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ",
				           is_good ? good[i] : bad[i], "0123456789012345678");
				/* A copy without a byte behind it, for the sanitizer. */
				char *exact = mem_raw(text.len);
				memcpy(exact, text.ptr, text.len);
				int result = json_check(span_make(exact, text.len), NULL, NULL);
				assert_int_equal(result, is_good ? 0 : E_INVALID);
				mem_free(exact);
				buf_free(&text);
			}
		}
	}
}

static void utf8_is_strict(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "",
	        "plain ascii that is longer than a word",
	        "\xc2\x80",
	        "\xdf\xbf",
	        "\xe0\xa0\x80",
	        "\xed\x9f\xbf",
	        "\xee\x80\x80",
	        "\xef\xbf\xbf",
	        "\xf0\x90\x80\x80",
	        "\xf4\x8f\xbf\xbf",
	        "mixed \xc3\xa9 in a longer text",
	};
	static const char *const bad[] = {
	        "\x80",
	        "\xbf",
	        "\xc0\x80",
	        "\xc1\xbf",
	        "\xc2",
	        "\xc2 ",
	        "\xe0\x9f\xbf",
	        "\xed\xa0\x80",
	        "\xed\xbf\xbf",
	        "\xe2\x82",
	        "\xe2\x82 ",
	        "\xf0\x8f\xbf\xbf",
	        "\xf4\x90\x80\x80",
	        "\xf5\x80\x80\x80",
	        "\xf0\x9f\x98",
	        "\xf0\x9f\x98 ",
	        "\xff",
	        "longer than a word \xc3",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(json_utf8_valid(span_of(good[i])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(json_utf8_valid(span_of(bad[i])));
	}
	assert_true(json_utf8_valid(SPAN_NONE));
	assert_true(json_utf8_valid(SPAN("a\0b")));
}

/* ---- reading ---- */

static void every_kind_has_a_name(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum json_kind kind;
		const char *name;
	} cases[] = {
	        {"null", JSON_NULL, "null"},     {"true", JSON_BOOL, "boolean"},
	        {"false", JSON_BOOL, "boolean"}, {"-1", JSON_NUMBER, "number"},
	        {"0", JSON_NUMBER, "number"},    {"\"\"", JSON_STRING, "string"},
	        {"[]", JSON_ARRAY, "array"},     {"{}", JSON_OBJECT, "object"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(json_kind(span_of(cases[i].text)), cases[i].kind);
		assert_string_equal(json_kind_name(cases[i].kind), cases[i].name);
	}
	assert_true(json_is_null(SPAN("null")));
	assert_true(json_is_null(SPAN_NONE));
	assert_false(json_is_null(SPAN("0")));
	assert_true(json_is_true(SPAN("true")));
	assert_false(json_is_true(SPAN("false")));
	assert_false(json_is_true(SPAN_NONE));
}

static void steps_through_members_and_items(void **state)
{
	(void)state;
	struct json_iter iter = json_iter(SPAN("{ \"a\" : 1 ,\"b\\\"}\":[{\"x\":\"]\\\\\"},[]]\n,"
	                                       " \"\" : {\"}\":null} }"));
	struct span name;
	struct span value;
	assert_true(json_next_member(&iter, &name, &value));
	assert_span(name, "a");
	assert_span(value, "1");
	assert_true(json_next_member(&iter, &name, &value));
	assert_span(name, "b\\\"}");
	assert_true(json_name_is(name, SPAN("b\"}")));
	assert_span(value, "[{\"x\":\"]\\\\\"},[]]");
	assert_true(json_next_member(&iter, &name, &value));
	assert_span(name, "");
	assert_span(value, "{\"}\":null}");
	assert_false(json_next_member(&iter, &name, &value));
	assert_false(json_next_member(&iter, &name, &value));

	iter = json_iter(SPAN("[ true,\"a,]\" , 1.5\n,{ } ]"));
	static const char *const items[] = {"true", "\"a,]\"", "1.5", "{ }"};
	for (size_t i = 0; i < 4; i++) {
		assert_true(json_next_item(&iter, &value));
		assert_span(value, items[i]);
	}
	assert_false(json_next_item(&iter, &value));
	iter = json_iter(SPAN("[ ]"));
	assert_false(json_next_item(&iter, &value));
	iter = json_iter(SPAN("{ }"));
	assert_false(json_next_member(&iter, &name, &value));
}

static void names_are_compared_unescaped(void **state)
{
	(void)state;
	assert_true(json_name_is(SPAN("abc"), SPAN("abc")));
	assert_false(json_name_is(SPAN("abc"), SPAN("abd")));
	assert_false(json_name_is(SPAN("abc"), SPAN("ab")));
	assert_false(json_name_is(SPAN("ab"), SPAN("abc")));
	assert_true(json_name_is(SPAN(""), SPAN("")));
	assert_true(json_name_is(SPAN("\\u0061\\u00e9"), SPAN("a\xc3\xa9")));
	assert_true(json_name_is(SPAN("\\uD83D\\ude00"), SPAN("\xf0\x9f\x98\x80")));
	assert_true(json_name_is(SPAN("\\n\\/"), SPAN("\n/")));
	assert_false(json_name_is(SPAN("\\n"), SPAN("\\n"))); /* two bytes are not a line feed */
	assert_true(json_name_is(SPAN("\\\\n"), SPAN("\\n")));
	assert_true(json_name_is(SPAN("\\u0000"), SPAN("\0")));
	assert_false(json_name_is(SPAN("\\u0061b"), SPAN("a")));
	assert_false(json_name_is(SPAN("\\u0061"), SPAN("ab")));

	assert_int_equal(json_name_compare(SPAN("\\u0061b"), SPAN("ab")), 0);
	assert_true(json_name_compare(SPAN("a"), SPAN("\\u0061b")) < 0);
	assert_true(json_name_compare(SPAN("\\u0061b"), SPAN("a")) > 0);
	assert_true(json_name_compare(SPAN("\\u007f"), SPAN("\xc2\x80")) < 0);
	assert_true(json_name_compare(SPAN("\\ud83d\\ude00"), SPAN("\xef\xbf\xbf")) > 0);
	assert_true(json_name_compare(SPAN("b"), SPAN("a")) > 0);
}

static void the_last_duplicate_wins(void **state)
{
	(void)state;
	struct span out;
	assert_true(json_get(SPAN("{\"a\":1,\"b\":2,\"\\u0061\":3}"), SPAN("a"), &out));
	assert_span(out, "3");
	assert_false(json_get(SPAN("{\"a\":{\"c\":1}}"), SPAN("c"), &out));
	assert_null(out.ptr);
	assert_false(json_get(SPAN("{}"), SPAN(""), &out));
	assert_true(json_get(SPAN("{\"\":null}"), SPAN(""), &out));
	assert_span(out, "null");
}

static void follows_segments(void **state)
{
	(void)state;
	struct span root = SPAN("{\"a\":[10,{\"0\":\"zero\",\"b.c\":[[]]}],\"1\":5}");
	struct span out;
	assert_true(json_at(root, NULL, 0, &out));
	assert_ptr_equal(out.ptr, root.ptr);
	const struct span zero[] = {SPAN("a"), SPAN("1"), SPAN("0")};
	assert_true(json_at(root, zero, 3, &out));
	assert_span(out, "\"zero\"");
	const struct span deep[] = {SPAN("a"), SPAN("1"), SPAN("b.c"), SPAN("0")};
	assert_true(json_at(root, deep, 4, &out));
	assert_span(out, "[]");
	static const char *const nowhere[] = {"2", "01", "-1", "x", "", "99999999999999999999"};
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
		const struct span path[] = {SPAN("a"), span_of(nowhere[i])};
		assert_false(json_at(root, path, 2, &out));
		assert_null(out.ptr);
	}
	const struct span through[] = {SPAN("1"), SPAN("x")};
	assert_false(json_at(root, through, 2, &out));
	assert_false(json_at(SPAN_NONE, NULL, 0, &out));
}

static void strings_are_unescaped(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct span plain;
	} cases[] = {
	        {"\"\"", SPAN("")},
	        {"\"plain\"", SPAN("plain")},
	        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", SPAN("\"\\/\b\f\n\r\t")},
	        {"\"a\\u0000b\"", SPAN("a\0b")},
	        {"\"\\u00E9\\u20ac\"", SPAN("\xc3\xa9\xe2\x82\xac")},
	        {"\"\\ud83d\\ude00!\"", SPAN("\xf0\x9f\x98\x80!")},
	        {"\"\\ud800\"", SPAN("\xef\xbf\xbd")},
	        {"\"\\ud800x\"", SPAN("\xef\xbf\xbdx")},
	        {"\"\\udc00\\ud800\"", SPAN("\xef\xbf\xbd\xef\xbf\xbd")},
	        {"\"\\ud800\\n\"", SPAN("\xef\xbf\xbd\n")},
	        {"\"\\ud800\\ud83d\\ude00\"", SPAN("\xef\xbf\xbd\xf0\x9f\x98\x80")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span value = span_of(cases[i].text);
		assert_int_equal(json_check(value, NULL, NULL), 0);
		struct buf out = {0};
		json_string(value, &out);
		assert_true(span_equal(buf_view(&out), cases[i].plain));
		assert_true(json_string_is(value, cases[i].plain));
		buf_clear(&out);
		BUF_LITERAL(&out, "before");
		assert_true(span_equal(json_plain(value, &out), cases[i].plain));
		assert_true(span_starts_with(buf_view(&out), SPAN("before")));
		buf_free(&out);
	}
	struct buf scratch = {0};
	struct span value = SPAN("\"as it is\"");
	assert_ptr_equal(json_plain(value, &scratch).ptr, value.ptr + 1);
	assert_null(scratch.ptr);
	assert_false(json_string_is(SPAN("12"), SPAN("")));
	assert_false(json_string_is(SPAN_NONE, SPAN("")));
	assert_false(json_string_is(SPAN("\"ab\""), SPAN("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(check_gives_the_value_without_the_space_around_it),
	        cmocka_unit_test(check_says_where_and_why),
	        cmocka_unit_test(depth_has_a_limit),
	        cmocka_unit_test(brackets_are_told_apart_at_every_level),
	        cmocka_unit_test(check_object_finds_members_at_the_top_only),
	        cmocka_unit_test(check_object_refuses_other_values_and_leaves_the_outputs),
	        cmocka_unit_test(names_of_every_length_are_found),
	        cmocka_unit_test(strings_are_scanned_alike_at_every_offset),
	        cmocka_unit_test(utf8_is_strict),
	        cmocka_unit_test(every_kind_has_a_name),
	        cmocka_unit_test(steps_through_members_and_items),
	        cmocka_unit_test(names_are_compared_unescaped),
	        cmocka_unit_test(the_last_duplicate_wins),
	        cmocka_unit_test(follows_segments),
	        cmocka_unit_test(strings_are_unescaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
