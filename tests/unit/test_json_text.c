/* This file tests the comparing, writing and splicing of JSON text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/json_scan.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The text of a buffer, which is emptied. */
static void assert_text(struct buf *buf, const char *expected)
{
	if (!span_is(buf_view(buf), expected)) {
		fail_msg("'%.*s' is not '%s'", SPAN_ARG(buf_view(buf)), expected);
	}
	buf_free(buf);
}

/* ---- comparing ---- */

static void values_are_equal_whatever_their_spelling(void **state)
{
	(void)state;
	static const char *const equal[][2] = {
	        {"{\"a\":1,\"b\":[true,null]}", "{ \"b\" : [ true , null ], \"a\" : 1.0 }"},
	        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
	        {"{\"a\":1,\"\\u0061\":2,\"b\":3}", "{\"b\":3,\"a\":2}"},
	        {"\"\\u00e9\\/\"", "\"\xc3\xa9/\""},
	        {"[]", "[ ]"},
	        {"{}", "{ }"},
	};
	static const char *const different[][2] = {
	        {"{\"a\":1}", "{\"a\":1,\"b\":1}"},
	        {"{\"a\":1}", "{\"b\":1}"},
	        {"{\"a\":1,\"a\":2}", "{\"a\":1}"},
	        {"[1,2]", "[2,1]"},
	        {"[1]", "[1,1]"},
	        {"[1,1]", "[1]"},
	        {"\"a\"", "\"b\""},
	        {"\"1\"", "1"},
	        {"true", "false"},
	        {"null", "false"},
	        {"[]", "{}"},
	        {"\"\\n\"", "\"\\\\n\""},
	};
	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
		assert_true(json_equal(span_of(equal[i][0]), span_of(equal[i][1])));
		assert_true(json_equal(span_of(equal[i][1]), span_of(equal[i][0])));
	}
	for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
		assert_false(json_equal(span_of(different[i][0]), span_of(different[i][1])));
		assert_false(json_equal(span_of(different[i][1]), span_of(different[i][0])));
	}
}

static void same_text_ignores_only_insignificant_space(void **state)
{
	(void)state;
	assert_true(json_same_text(SPAN("{\"a\":[1,\" \"]}"), SPAN("{ \"a\" :\n[ 1 ,\t\" \" ] }")));
	assert_false(json_same_text(SPAN("\"a b\""), SPAN("\"ab\"")));
	assert_false(json_same_text(SPAN("[1]"), SPAN("[1.0]")));
	assert_false(json_same_text(SPAN("\"a\""), SPAN("\"\\u0061\"")));
	assert_false(json_same_text(SPAN("12"), SPAN("123")));
	assert_false(json_same_text(SPAN("{\"a\":1,\"b\":2}"), SPAN("{\"b\":2,\"a\":1}")));
	assert_false(json_same_text(SPAN("\"\\\"a\""), SPAN("\"\\\"b\"")));
}

static void compact_drops_only_insignificant_space(void **state)
{
	(void)state;
	struct buf out = {0};
	BUF_LITERAL(&out, "x");
	json_compact(SPAN("{ \"a \\\" b\" :\t[ 1 , 2.50 ],\r\n\"c\":{ } }"), &out);
	assert_text(&out, "x{\"a \\\" b\":[1,2.50],\"c\":{}}");
}

static void canonical_sorts_and_keeps_the_last_duplicate(void **state)
{
	(void)state;
	struct buf out = {0};
	json_canonical(SPAN("{ \"b\":[ {\"z\":1,\"y\":1.0} ],\"\\u0061\\/\":\"\\u00e9\\n\",\"c\":0,"
	                    "\"c\":1, \"\":null,\"\\u0000\":true }"),
	               &out);
	assert_text(&out, "{\"\":null,\"\\u0000\":true,\"a/\":\"\xc3\xa9\\n\","
	                  "\"b\":[{\"y\":1.0,\"z\":1}],\"c\":1}");
	json_canonical(SPAN("{ }"), &out);
	assert_text(&out, "{}");
	json_canonical(SPAN("[ ]"), &out);
	assert_text(&out, "[]");
}

/* ---- writing ---- */

static void strings_are_escaped_where_they_must_be(void **state)
{
	(void)state;
	static const struct {
		struct span plain;
		const char *text;
	} cases[] = {
	        {SPAN(""), "\"\""},
	        {SPAN_NONE, "\"\""},
	        {SPAN("a long enough plain text, no escapes /"),
	         "\"a long enough plain text, no escapes /\""},
	        {SPAN("\"\\\b\f\n\r\t\v\x1f\x7f"), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u000b\\u001f\x7f\""},
	        {SPAN("a\0b"), "\"a\\u0000b\""},
	        {SPAN("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\""},
	        {SPAN("a\xff"
	              "b\xed\xa0\x80"),
	         "\"a\xef\xbf\xbd"
	         "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	        {SPAN("cut \xe2\x82"), "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		json_write_string(&out, cases[i].plain);
		assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
		assert_text(&out, cases[i].text);
	}
}

static void members_get_their_commas(void **state)
{
	(void)state;
	struct buf out = {0};
	BUF_LITERAL(&out, "{");
	json_write_member_string(&out, "s", SPAN("a\"b"));
	json_write_member_raw(&out, "r", SPAN("[1, 2]"));
	json_write_member_int(&out, "i", INT64_MIN);
	json_write_member_uint(&out, "u", UINT64_MAX);
	json_write_member_bool(&out, "t", true);
	json_write_member_bool(&out, "f", false);
	json_write_name(&out, "o");
	BUF_LITERAL(&out, "{");
	json_write_name(&out, "d");
	json_write_double(&out, 0.5);
	BUF_LITERAL(&out, "}}");
	assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
	assert_text(&out, "{\"s\":\"a\\\"b\",\"r\":[1, 2],\"i\":-9223372036854775808,"
	                  "\"u\":18446744073709551615,\"t\":true,\"f\":false,\"o\":{\"d\":0.5}}");
}

/* ---- splices ---- */

static void set_touches_one_value(void **state)
{
	(void)state;
	static const struct {
		const char *object;
		const char *name;
		const char *expected;
	} cases[] = {
	        {"{}", "a", "{\"a\":[9]}"},
	        {"{ \n }", "a", "{\"a\":[9] \n }"},
	        {"{ \"a\" : 1.00 }", "a", "{ \"a\" : [9] }"},
	        {"{ \"a\" : 1.00 , \"b\":2\n}", "b", "{ \"a\" : 1.00 , \"b\":[9]\n}"},
	        {"{ \"a\" : 1.00\n}", "b", "{ \"a\" : 1.00,\"b\":[9]\n}"},
	        {"{\"a\":1,\"a\": 2 ,\"b\":3}", "a", "{\"a\":1,\"a\": [9] ,\"b\":3}"},
	        {"{\"\\u0061\":{\"a\":1}}", "a", "{\"\\u0061\":[9]}"},
	        {"{\"x\":1}", "q\"\n", "{\"x\":1,\"q\\\"\\n\":[9]}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		json_set(span_of(cases[i].object), span_of(cases[i].name), SPAN("[9]"), &out);
		assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
		assert_text(&out, cases[i].expected);
	}
}

static void remove_takes_the_comma_along(void **state)
{
	(void)state;
	static const struct {
		const char *object;
		const char *expected;
	} cases[] = {
	        {"{\"a\":1}", "{}"},
	        {"{ \"a\":1 }", "{ }"},
	        {"{ \"a\":1 , \"b\" : 2 }", "{ \"b\" : 2 }"},
	        {"{ \"b\" : 2 ,\n \"a\":1 }", "{ \"b\" : 2 }"},
	        {"{\"b\":1, \"a\":2 ,\"c\":3}", "{\"b\":1 ,\"c\":3}"},
	        {"{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4 ,\"a\":5}", "{\"b\":2,\"c\":4}"},
	        {"{ \"a\":1,\"a\":2 }", "{ }"},
	        {"{\"a\":0,\n\"a\":1,\t\"b\":{\"a\":1}}", "{\"b\":{\"a\":1}}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		assert_true(json_remove(span_of(cases[i].object), SPAN("a"), &out));
		assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
		assert_text(&out, cases[i].expected);
	}
	struct buf out = {0};
	assert_false(json_remove(SPAN("{\"b\":{\"a\":1}}"), SPAN("a"), &out));
	assert_false(json_remove(SPAN("{}"), SPAN("a"), &out));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void append_adds_at_the_end(void **state)
{
	(void)state;
	static const struct {
		const char *array;
		const char *expected;
	} cases[] = {
	        {"[]", "[{}]"},
	        {"[ ]", "[{} ]"},
	        {"[ 1 , \"]\" ]", "[ 1 , \"]\",{} ]"},
	        {"[[\n]\n]", "[[\n],{}\n]"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		json_append(span_of(cases[i].array), SPAN("{}"), &out);
		assert_text(&out, cases[i].expected);
	}
}

/* ---- skipping ---- */

/* The plainest way: byte by byte. */
static const char *skip_bytes(const char *at, const char *end)
{
	size_t depth = 0;
	bool in_string = false;
	for (; at < end; at++) {
		if (in_string) {
			in_string = *at != '"';
			at += *at == '\\';
		} else if (*at == '"') {
			in_string = true;
		} else if ((*at | 0x20) == '{') {
			depth++;
		} else if ((*at | 0x20) == '}' && --depth == 0) {
			return at + 1;
		}
	}
	return end;
}

static uint64_t chance(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void write_random(uint64_t *state, size_t depth, struct buf *out)
{
	static const char *const scalars[] = {
	        "1",   "-12.5e3", "null",     "\"\"",      "\"a {[text]} of some length\"",
	        "[ ]", "{}",      "\"\\\"\"", "\"x\\\\\"", "\"]\\\\\\\"}\"",
	};
	if (depth == 0 || chance(state) % 3 == 0) {
		buf_span(out, span_of(scalars[chance(state) % 10]));
		return;
	}
	bool is_map = chance(state) % 2 == 0;
	buf_byte(out, is_map ? '{' : '[');
	size_t count = chance(state) % 4;
	for (size_t i = 0; i < count; i++) {
		buf_span(out, i != 0 ? SPAN(", ") : SPAN(""));
		buf_span(out, !is_map             ? SPAN("")
		              : chance(state) % 4 ? SPAN("\"n\":")
		                                  : SPAN("\"{\\\"\": "));
		write_random(state, depth - 1, out);
	}
	buf_byte(out, is_map ? '}' : ']');
}

static void containers_are_skipped_whatever_is_in_them(void **state)
{
	(void)state;
	uint64_t random = 11;
	for (size_t i = 0; i < 20000; i++) {
		struct buf text = {0};
		buf_byte(&text, '[');
		write_random(&random, 4, &text);
		BUF_LITERAL(&text, "],\"behind\":[{\"x\":1}]}");
		/* A copy of that very size, so that a byte read too far is seen. */
		struct span copy = mem_span(buf_view(&text));
		const char *end = copy.ptr + copy.len;
		const char *behind = skip_bytes(copy.ptr, end);
		if (json_skip_value(copy.ptr, end) != behind ||
		    json_skip_value(copy.ptr, behind) != behind) {
			fail_msg("'%.*s'", SPAN_ARG(copy));
		}
		mem_free((char *)copy.ptr);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_are_equal_whatever_their_spelling),
	        cmocka_unit_test(same_text_ignores_only_insignificant_space),
	        cmocka_unit_test(compact_drops_only_insignificant_space),
	        cmocka_unit_test(canonical_sorts_and_keeps_the_last_duplicate),
	        cmocka_unit_test(strings_are_escaped_where_they_must_be),
	        cmocka_unit_test(members_get_their_commas),
	        cmocka_unit_test(set_touches_one_value),
	        cmocka_unit_test(remove_takes_the_comma_along),
	        cmocka_unit_test(append_adds_at_the_end),
	        cmocka_unit_test(containers_are_skipped_whatever_is_in_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
