/* This file tests what HTTP triggers make of requests, and what replies become of results. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/api/api_request.h"
#include "engine/api/api_response.h"
#include "engine/api/pairs.h"

static void expect_text(const struct buf *buf, const char *text, const char *of)
{
	if (!span_is(buf_view(buf), text)) {
		fail_msg("%s: \"%.*s\", not \"%s\"", of, SPAN_ARG(buf_view(buf)), text);
	}
}

static void a_result_becomes_a_reply(void **state)
{
	(void)state;
	static const struct {
		const char *result;
		int status;
		const char *type;
		const char *headers;
		const char *body;
	} rows[] = {
	        {"null", 204, "", "", ""},
	        {"7", 200, "application/json", "", "7"},
	        {"\"a\"", 200, "application/json", "", "\"a\""},
	        {"{\"message\":1}", 200, "application/json", "", "{\"message\":1}"},
	        {"{\"body_encoding\":\"base64\"}", 200, "application/json", "",
	         "{\"body_encoding\":\"base64\"}"},
	        {"{\"status_code\":404}", 404, "", "", ""},
	        {"{\"status_code\":null,\"body\":[1.50]}", 200, "application/json", "", "[1.50]"},
	        {"{\"status_code\":304,\"body\":1}", 304, "application/json", "", ""},
	        {"{\"headers\":null,\"body\":null}", 200, "", "", ""},
	        {"{\"headers\":{\"content-TYPE\":\"text/plain\"},\"body\":\"a\\nb\"}", 200,
	         "text/plain", "", "a\nb"},
	        {"{\"headers\":{\"Content-Type\":\"text/plain\"},\"body\":{\"a\":1}}", 200,
	         "text/plain", "", "{\"a\":1}"},
	        {"{\"headers\":{\"Content-Type\":\"application/x+json; a=b\"},\"body\":\"a\"}", 200,
	         "application/x+json; a=b", "", "\"a\""},
	        {"{\"headers\":{\"A\":[\"1\",2],\"b\":null,\"Connection\":\"close\"},\"body\":1}",
	         200, "application/json", "A: 1\r\nA: 2\r\n", "1"},
	        {"{\"headers\":[\"A:  1\",\"transfer-encoding: chunked\",\"B: c:d\"]}", 200, "",
	         "A: 1\r\nB: c:d\r\n", ""},
	        {"{\"body\":{\"type\":\"Buffer\",\"data\":[104,105]}}", 200,
	         "application/octet-stream", "", "hi"},
	        {"{\"body\":{\"type\":\"Buffer\",\"data\":[104,256]}}", 200, "application/json", "",
	         "{\"type\":\"Buffer\",\"data\":[104,256]}"},
	        {"{\"body\":\"aGk=\",\"body_encoding\":\"base64\"}", 200,
	         "application/octet-stream", "", "hi"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct api_response response = {0};
		struct err err = {0};
		if (api_response_read(span_of(rows[i].result), &response, &err) != 0) {
			fail_msg("%s: %s", rows[i].result, err.text);
		}
		assert_int_equal(response.status, rows[i].status);
		expect_text(&response.content_type, rows[i].type, rows[i].result);
		expect_text(&response.headers, rows[i].headers, rows[i].result);
		expect_text(&response.body, rows[i].body, rows[i].result);
		api_response_close(&response);
	}
	struct api_response absent = {0};
	assert_int_equal(api_response_read(SPAN_NONE, &absent, NULL), 0);
	assert_int_equal(absent.status, 204);
}

static void a_result_that_is_no_reply_is_refused(void **state)
{
	(void)state;
	static const char *const results[] = {
	        "{\"status_code\":199}",
	        "{\"status_code\":600}",
	        "{\"status_code\":\"200\"}",
	        "{\"status_code\":200.5}",
	        "{\"headers\":1}",
	        "{\"headers\":{\"a\":{}}}",
	        "{\"headers\":{\"a\":[[]]}}",
	        "{\"headers\":{\"a b\":\"c\"}}",
	        "{\"headers\":{\"\":\"c\"}}",
	        "{\"headers\":{\"a\\u0000\":\"c\"}}",
	        "{\"headers\":{\"a\":\"b\\r\\nc: d\"}}",
	        "{\"headers\":{\"content-type\":\"b\\nc\"}}",
	        "{\"headers\":[\"a\"]}",
	        "{\"headers\":[1]}",
	        "{\"headers\":[\"a: b\\nc: d\"]}",
	        "{\"body\":\"a\",\"body_encoding\":\"base64\"}",
	        "{\"body\":1,\"body_encoding\":\"base64\"}",
	};
	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		struct api_response response = {0};
		struct err err = {0};
		if (api_response_read(span_of(results[i]), &response, &err) != E_INVALID) {
			fail_msg("%s is taken", results[i]);
		}
		assert_string_equal(err.code, "invalid_response");
		api_response_close(&response);
	}
}

static void names_that_come_again_make_a_list(void **state)
{
	(void)state;
	struct pairs pairs = {0};
	struct buf out = {0};
	assert_true(pairs_add_query(&pairs, SPAN("b=1&a=x+y&&b=&%62=%2B&c&=d")));
	pairs_write(&pairs, &out);
	expect_text(&out, "{\"b\":[\"1\",\"\",\"+\"],\"a\":\"x y\",\"c\":\"\",\"\":\"d\"}",
	            "the query");
	assert_false(pairs_add_query(&pairs, SPAN("a=%4")));
	assert_false(pairs_add_query(&pairs, SPAN("%00")));
	pairs_close(&pairs);
	pairs = (struct pairs){0};
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		assert_true(pairs_add(&pairs, SPAN("a"), SPAN("b")));
	}
	assert_false(pairs_add(&pairs, SPAN("a"), SPAN("b")));
	pairs_close(&pairs);
	buf_free(&out);
}

static void expect_body(const char *type, struct span body, const char *expected)
{
	struct http_rule *rule = NULL;
	struct api_path path = {0};
	struct buf out = {0};
	size_t head = 0;
	struct err err = {0};
	const struct http_header header = {SPAN("Content-Type"), span_of(type)};
	const struct http_request http = {.method = SPAN("POST"),
	                                  .target = SPAN("/a/b"),
	                                  .path = SPAN("/a/b"),
	                                  .headers = &header,
	                                  .header_count = type != NULL,
	                                  .body = body};
	assert_int_equal(http_rule_new(SPAN("POST"), SPAN("/:x/b"), &rule, &err), 0);
	assert_int_equal(api_path_read(http.path, &path, &err), 0);
	int status = api_request_write(&http, rule, &path, &out, &head, &err);
	if (expected[0] == '#') {
		assert_int_not_equal(status, 0);
		assert_string_equal(err.code, expected + 1);
	} else {
		struct span whole;
		assert_int_equal(status, 0);
		assert_int_equal(json_check(buf_view(&out), &whole, NULL), 0);
		const char *context = memmem(out.ptr, out.len, "\"context\":{}", 12);
		assert_non_null(context);
		struct buf rest = {0};
		buf_add(&rest, context, out.len - (size_t)(context - out.ptr));
		expect_text(&rest, expected, type ? type : "no type");
		buf_free(&rest);
		assert_memory_equal(out.ptr, "{\"path_params\":{\"x\":\"a\"},", 25);
	}
	api_path_close(&path);
	http_rule_free(rule);
	buf_free(&out);
}

static void a_body_is_what_its_type_says(void **state)
{
	(void)state;
	expect_body(NULL, SPAN(""), "\"context\":{},\"body\":null}");
	expect_body("application/json", SPAN(" [1.0] "), "\"context\":{},\"body\":[1.0]}");
	expect_body("Application/JSON;charset=utf-8", SPAN("1"), "\"context\":{},\"body\":1}");
	expect_body("application/json", SPAN("{"), "#invalid_json");
	expect_body("application/x-www-form-urlencoded", SPAN("a=1"),
	            "\"context\":{},\"body\":{\"a\":\"1\"}}");
	expect_body("application/x-www-form-urlencoded", SPAN("a=%1"), "#invalid_form");
	expect_body("text/plain", SPAN("[1]"), "\"context\":{},\"body\":\"[1]\"}");
	expect_body("image/svg+xml", SPAN("<a/>"), "\"context\":{},\"body\":\"<a/>\"}");
	expect_body("text/plain", SPAN("\xff"),
	            "\"context\":{},\"body\":\"/w==\",\"body_encoding\":\"base64\"}");
	expect_body("application/pdf", SPAN("hi"),
	            "\"context\":{},\"body\":\"aGk=\",\"body_encoding\":\"base64\"}");
	expect_body(NULL, SPAN("{\"a\":1}"), "\"context\":{},\"body\":{\"a\":1}}");
	expect_body(NULL, SPAN("{a"), "\"context\":{},\"body\":\"{a\"}");
	expect_body(NULL, SPAN("\xff"),
	            "\"context\":{},\"body\":\"/w==\",\"body_encoding\":\"base64\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_result_becomes_a_reply),
	        cmocka_unit_test(a_result_that_is_no_reply_is_refused),
	        cmocka_unit_test(names_that_come_again_make_a_list),
	        cmocka_unit_test(a_body_is_what_its_type_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
