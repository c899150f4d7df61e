/* This file proves that responses are written and read back alike, however they are cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/http_answer.h"
#include "wire/http_write.h"
#include "wire/url.h"

/* Feeds a copy of text[from, to) until nothing more comes of it. */
static bool feed_piece(struct http_answer *answer, struct span text, size_t from, size_t to,
                       struct buf *out)
{
	char *bytes = mem_raw(to - from + 1);
	memcpy(bytes, text.ptr + from, to - from);
	struct span rest = {bytes, to - from};
	enum http_answer_step step = HTTP_ANSWER_HEAD;
	while (step != HTTP_ANSWER_MORE && step != HTTP_ANSWER_FAILED) {
		size_t used = 0;
		struct span piece = SPAN_NONE;
		struct http_fault fault = {0};
		step = http_answer_feed(answer, rest, &used, &piece, &fault);
		rest = span_make(rest.ptr + used, rest.len - used);
		if (step == HTTP_ANSWER_HEAD) {
			buf_format(out, "%d%s ", http_answer_status(answer),
			           http_answer_keeps_alive(answer) ? "" : " close");
		} else if (step == HTTP_ANSWER_BODY) {
			buf_span(out, piece);
		} else if (step == HTTP_ANSWER_DONE) {
			BUF_LITERAL(out, " done\n");
		} else if (step == HTTP_ANSWER_FAILED) {
			assert_non_null(fault.text);
			BUF_LITERAL(out, "failed");
		}
	}
	mem_free(bytes);
	return step != HTTP_ANSWER_FAILED;
}

static void expect_at(struct span text, size_t cut, bool is_head, bool may_end, const char *wanted)
{
	struct buf out = {0};
	struct http_answer *answer = http_answer_new();
	if (is_head) {
		http_answer_expect_no_body(answer);
	}
	if (feed_piece(answer, text, 0, cut, &out) &&
	    feed_piece(answer, text, cut, text.len, &out)) {
		assert_int_equal(http_answer_end(answer), may_end);
	}
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, wanted);
	http_answer_free(answer);
	buf_free(&out);
}

static void expect(struct span text, bool is_head, bool may_end, const char *wanted)
{
	for (size_t cut = 0; cut <= text.len; cut++) {
		expect_at(text, cut, is_head, may_end, wanted);
	}
}

static void answers_are_read_alike_however_they_are_cut(void **state)
{
	(void)state;
	expect(SPAN("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	            "HTTP/1.1 204\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n"
	            "\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nHTTP/1.0 500 x\r\nContent-Length: "
	            "0\r\n\r\n"),
	       false, false, "200 abc done\n204  done\n404 abc done\n500 close  done\n");
	expect(SPAN("HTTP/1.1 200 OK\r\n\r\nall of it"), false, true, "200 close all of it");
	expect(SPAN("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), true, false, "200  done\n");
	expect(SPAN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), false, false,
	       "101  done\n");
	expect(SPAN("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\na"), false,
	       false, "200 close a");
}

static void what_is_no_answer_fails(void **state)
{
	(void)state;
	expect(SPAN("HTTP/2.0 200 OK\r\n\r\n"), false, false, "failed");
	expect(SPAN("HTTP/1.1 20 OK\r\n\r\n"), false, false, "failed");
	expect(SPAN("HTTP/1.1 2000\r\n\r\n"), false, false, "failed");
	expect(SPAN("SSH-2.0\r\n\r\n"), false, false, "failed");
	expect(SPAN("HTTP/1.1 200 OK\nA: b\n\n"), false, false, "failed");
	expect(SPAN("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), false, false, "failed");
	expect(SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), false, false,
	       "200 failed");
}

static void answers_are_written(void **state)
{
	(void)state;
	struct buf out = {0};
	struct http_response response = {404, SPAN("text/plain"), SPAN("ETag: \"7\"\r\n"), true};
	http_write_head(&out, &response, 12);
	assert_true(span_is(buf_view(&out), "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
	                                    "ETag: \"7\"\r\nContent-Length: 12\r\n\r\n"));
	buf_clear(&out);
	http_write_head(&out, &(struct http_response){.status = 204}, 0);
	assert_true(
	        span_is(buf_view(&out), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
	buf_free(&out);
}

static void a_length_may_be_filled_in_later(void **state)
{
	(void)state;
	struct http_response response = {.status = 200, .keep_alive = true};
	for (size_t len = 0; len < 12000; len = len * 3 + 1) {
		struct buf out = {0};
		struct buf wanted = {0};
		BUF_LITERAL(&wanted, "200 ");
		size_t mark = http_write_begin(&out, &response);
		for (size_t i = 0; i < len; i++) {
			buf_byte(&out, 'x');
			buf_byte(&wanted, 'x');
		}
		http_write_end(&out, mark);
		buf_add(&wanted, " done\n", 7);
		expect_at(buf_view(&out), out.len, false, false, wanted.ptr);
		buf_free(&out);
		buf_free(&wanted);
	}
}

static void chunks_are_written_in_place(void **state)
{
	(void)state;
	struct buf out = {0};
	http_write_chunked(&out, &(struct http_response){.status = 200, .keep_alive = true});
	size_t mark = http_chunk_begin(&out);
	BUF_LITERAL(&out, "hello, this is more than sixteen bytes");
	http_chunk_end(&out, mark);
	mark = http_chunk_begin(&out);
	http_chunk_end(&out, mark);
	mark = http_chunk_begin(&out);
	BUF_LITERAL(&out, "!");
	http_chunk_end(&out, mark);
	http_chunk_last(&out);
	expect(buf_view(&out), false, false, "200 hello, this is more than sixteen bytes! done\n");
	buf_free(&out);
}

static void requests_are_written(void **state)
{
	(void)state;
	struct buf out = {0};
	struct http_call call = {SPAN("PUT"), SPAN("/a?b"), SPAN("localhost:1"),
	                         SPAN("application/json"), SPAN("A: b\r\n")};
	http_write_call(&out, &call, 7);
	assert_true(span_is(buf_view(&out), "PUT /a?b HTTP/1.1\r\nHost: localhost:1\r\n"
	                                    "Content-Type: application/json\r\nA: b\r\n"
	                                    "Content-Length: 7\r\n\r\n"));
	buf_clear(&out);
	http_write_call(
	        &out,
	        &(struct http_call){.method = SPAN("GET"), .target = SPAN("/"), .host = SPAN("h")},
	        0);
	assert_true(span_is(buf_view(&out), "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	buf_free(&out);
}

static void decode(const char *text, bool (*with)(struct span, struct buf *), const char *wanted)
{
	struct buf out = {0};
	BUF_LITERAL(&out, "-");
	assert_int_equal(with(span_of(text), &out), wanted != NULL);
	struct span decoded = {out.ptr + 1, out.len - 1};
	assert_true(span_is(decoded, wanted ? wanted : ""));
	buf_free(&out);
}

static void escapes_are_decoded_or_refused(void **state)
{
	(void)state;
	decode("a%20b%2Fc%c3%A4+", url_decode, "a b/c\xc3\xa4+");
	decode("a+b%2B", url_decode_query, "a b+");
	decode("", url_decode, "");
	decode("a%", url_decode, NULL);
	decode("a%2", url_decode, NULL);
	decode("a%2g", url_decode, NULL);
	decode("a%00", url_decode, NULL);

	struct buf out = {0};
	url_encode(SPAN("a b/\xc3\xa4~"), &out);
	assert_true(span_is(buf_view(&out), "a%20b%2F%C3%A4~"));
	buf_free(&out);
}

static void paths_and_queries_are_split(void **state)
{
	(void)state;
	struct span path = SPAN("/a//b/");
	struct span part;
	const char *wanted[] = {"a", "", "b", ""};
	for (size_t i = 0; i < 4; i++) {
		assert_true(url_next_segment(&path, &part));
		assert_true(span_is(part, wanted[i]));
	}
	assert_false(url_next_segment(&path, &part));

	struct span value = SPAN_NONE;
	struct span query = SPAN("&a=1&b&c=&a=2=3");
	assert_true(url_param(query, SPAN("a"), &value));
	assert_true(span_is(value, "1"));
	assert_true(url_param(query, SPAN("b"), &value));
	assert_null(value.ptr);
	assert_true(url_param(query, SPAN("c"), &value));
	assert_int_equal(value.len, 0);
	assert_false(url_param(query, SPAN("d"), &value));
	assert_false(url_param(SPAN_NONE, SPAN("d"), &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(answers_are_read_alike_however_they_are_cut),
	        cmocka_unit_test(what_is_no_answer_fails),
	        cmocka_unit_test(answers_are_written),
	        cmocka_unit_test(a_length_may_be_filled_in_later),
	        cmocka_unit_test(chunks_are_written_in_place),
	        cmocka_unit_test(requests_are_written),
	        cmocka_unit_test(escapes_are_decoded_or_refused),
	        cmocka_unit_test(paths_and_queries_are_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
