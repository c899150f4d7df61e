/* This file proves that requests are read alike however they are cut, and what is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/http.h"

static const struct http_limits limits = {1024, 64};

#define HOST "Host: a.example:80\r\n"

/* Bytes of their own size on the heap, so that a sanitizer sees a read past their end. */
static struct span piece_of(struct span text, size_t from, size_t to)
{
	char *bytes = mem_raw(to - from ? to - from : 1);
	memcpy(bytes, text.ptr + from, to - from);
	return span_make(bytes, to - from);
}

static void describe(struct buf *out, const struct http_request *request)
{
	buf_format(out, "%.*s|%.*s|%.*s|%.*s|%.*s|%zu%s%s%s\n", SPAN_ARG(request->method),
	           SPAN_ARG(request->path), SPAN_ARG(request->query), SPAN_ARG(request->host),
	           SPAN_ARG(request->body), request->header_count,
	           request->keep_alive ? "" : " close", request->expects_continue ? " expects" : "",
	           request->is_websocket ? " websocket" : "");
}

/* Feeds text[from, to) until it is used up; a refusal is described by its status. */
static bool feed_piece(struct http_reader *reader, struct span text, size_t from, size_t to,
                       struct buf *out)
{
	struct span whole = piece_of(text, from, to);
	struct span rest = whole;
	bool good = true;
	while (good && rest.len > 0) {
		size_t used = 0;
		struct http_fault fault = {0};
		enum http_step step = http_reader_feed(reader, rest, &used, &fault);
		rest = span_make(rest.ptr + used, rest.len - used);
		if (step == HTTP_READY) {
			describe(out, http_reader_request(reader));
		} else if (step == HTTP_CONTINUE) {
			BUF_LITERAL(out, "continue\n");
		} else if (step == HTTP_FAILED) {
			buf_format(out, "%d\n", fault.status);
			assert_non_null(fault.code);
			assert_non_null(fault.text);
			good = false;
		} else {
			assert_int_equal(rest.len, 0);
		}
	}
	mem_free((char *)whole.ptr);
	return good;
}

static void feed_cut(struct span text, size_t first, size_t second, struct buf *out)
{
	struct http_reader *reader = http_reader_new(limits);
	buf_clear(out);
	(void)(feed_piece(reader, text, 0, first, out) &&
	       feed_piece(reader, text, first, second, out) &&
	       feed_piece(reader, text, second, text.len, out));
	http_reader_free(reader);
}

static void expect(const char *request, const char *wanted)
{
	struct buf out = {0};
	struct span text = span_of(request);
	feed_cut(text, text.len, text.len, &out);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
}

static const char pipeline[] =
        "GET /a/b%20c?x=1&y HTTP/1.1\r\n" HOST "X-Empty:\r\nAccept: */*  \r\n\r\n"
        "POST /p HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello\r\n"
        "PUT /q HTTP/1.1\r\n" HOST "transfer-encoding: Chunked\r\n\r\n"
        "3;note=x\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
        "POST /none HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
        "HEAD http://A.example:80/abs?q HTTP/1.1\r\n" HOST "\r\n"
        "OPTIONS * HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n"
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        "GET /h2 HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
        "GET /ws HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static const char pipeline_wanted[] = "GET|/a/b%20c|x=1&y|a.example:80||3\n"
                                      "POST|/p||a.example:80|hello|2\n"
                                      "PUT|/q||a.example:80|abc0123456789|2\n"
                                      "POST|/none||a.example:80||2\n"
                                      "HEAD|/abs|q|a.example:80||1\n"
                                      "OPTIONS|*||a.example:80||2 close\n"
                                      "GET|/||||1\n"
                                      "GET|/h2||a.example:80||3\n"
                                      "GET|/ws||a.example:80||5 websocket\n";

static void a_pipeline_is_read_alike_however_it_is_cut(void **state)
{
	(void)state;
	struct buf out = {0};
	struct span text = SPAN(pipeline);
	text.len = strlen(pipeline);
	for (size_t first = 0; first <= text.len; first++) {
		size_t seconds[] = {first, (first + text.len) / 2, text.len};
		for (size_t i = 0; i < 3; i++) {
			feed_cut(text, first, seconds[i], &out);
			buf_byte(&out, '\0');
			assert_string_equal(out.ptr, pipeline_wanted);
		}
	}
	buf_free(&out);
}

static void bytes_may_come_one_by_one(void **state)
{
	(void)state;
	struct buf out = {0};
	struct span text = span_of(pipeline);
	struct http_reader *reader = http_reader_new(limits);
	for (size_t i = 0; i < text.len; i++) {
		assert_true(feed_piece(reader, text, i, i + 1, &out));
	}
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, pipeline_wanted);
	http_reader_free(reader);
	buf_free(&out);
}

#define GET "GET / HTTP/1.1\r\n" HOST

static const struct {
	const char *request;
	const char *wanted;
} refusals[] = {
        {"GET / HTTP/1.1\n" HOST "\r\n", "400\n"},
        {GET "A: b\nC: d\r\n\r\n", "400\n"},
        {GET "A: b\n\n", "400\n"},
        {"\n", "400\n"},
        {GET "A: b\r\n c\r\n\r\n", "400\n"},
        {GET "\tA: b\r\n\r\n", "400\n"},
        {GET "A : b\r\n\r\n", "400\n"},
        {GET ": b\r\n\r\n", "400\n"},
        {GET "A\x01: b\r\n\r\n", "400\n"},
        {GET "A: b\x01\r\n\r\n", "400\n"},
        {GET "A: b\rc\r\n\r\n", "400\n"},
        {GET "A: b\x7f\r\n\r\n", "400\n"},
        {GET "no colon\r\n\r\n", "400\n"},
        {GET "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400\n"},
        {GET "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "400\n"},
        {GET "Content-Length: 1, 1\r\n\r\n", "400\n"},
        {GET "Content-Length: +1\r\n\r\n", "400\n"},
        {GET "Content-Length: -1\r\n\r\n", "400\n"},
        {GET "Content-Length: 0x1\r\n\r\n", "400\n"},
        {GET "Content-Length:\r\n\r\n", "400\n"},
        {GET "Content-Length: 99999999999999999999\r\n\r\n", "400\n"},
        {GET "Transfer-Encoding: gzip, chunked\r\n\r\n", "501\n"},
        {GET "Transfer-Encoding: identity\r\n\r\n", "501\n"},
        {GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400\n"},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400\n"},
        {"GET / HTTP/1.1\r\n\r\n", "400\n"},
        {GET HOST "\r\n", "400\n"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400\n"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400\n"},
        {"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "400\n"},
        {"GET http://b.example/ HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET http://a.example:80 HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET ftp://a.example:80/ HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET a HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET * HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET /#x HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET /\t HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", "400\n"},
        {"GET /\r\n" HOST "\r\n", "400\n"},
        {"CONNECT a.example:80 HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"GRAB / HTTP/1.1\r\n" HOST "\r\n", "501\n"},
        {"get / HTTP/1.1\r\n" HOST "\r\n", "400\n"},
        {"\x16\x03\x01\x02", "400\n"},
        {"\r\n\r\n" GET "\r\n", "400\n"},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", "505\n"},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", "505\n"},
        {"GET / HTTP/0.9\r\n" HOST "\r\n", "505\n"},
        {GET "Expect: 200-maybe\r\n\r\n", "417\n"},
        {GET "Content-Length: 65\r\n\r\n", "413\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n41\r\n"
             "01234567890123456789012345678901234567890123456789012345678901234\r\n",
         "413\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n1\nab\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n1\rXa\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", "400\n"},
        {GET "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n", "400\n"},
};

static void what_could_be_read_two_ways_is_refused(void **state)
{
	(void)state;
	struct buf out = {0};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct span text = span_of(refusals[i].request);
		for (size_t cut = 0; cut <= text.len; cut++) {
			feed_cut(text, cut, text.len, &out);
			buf_byte(&out, '\0');
			if (strcmp(out.ptr, refusals[i].wanted) != 0) {
				fail_msg("%s\nread as\n%s", refusals[i].request, out.ptr);
			}
		}
	}
	buf_free(&out);
}

static void nul_bytes_are_refused(void **state)
{
	(void)state;
	static const char in_value[] = GET "A: b\0c\r\n\r\n";
	static const char in_line[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
	struct buf out = {0};
	feed_cut(span_make(in_value, sizeof(in_value) - 1), 0, 0, &out);
	assert_true(span_is(buf_view(&out), "400\n"));
	feed_cut(span_make(in_line, sizeof(in_line) - 1), 0, 0, &out);
	assert_true(span_is(buf_view(&out), "400\n"));
	buf_free(&out);
}

static void websocket_requests_are_checked(void **state)
{
	(void)state;
#define UPGRADE GET "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	expect(UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n",
	       "GET|/||a.example:80||5 websocket\n");
	expect(UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", "426\n");
	expect(UPGRADE KEY "\r\n", "426\n");
	expect(UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n", "400\n");
	expect(UPGRADE "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", "400\n");
	expect(UPGRADE KEY KEY "Sec-WebSocket-Version: 13\r\n\r\n", "400\n");
	expect(UPGRADE KEY "Sec-WebSocket-Version: 13\r\nContent-Length: 1\r\n\r\n", "400\n");
	/* Not asked for by both fields, or not by GET: an ordinary request. */
	expect(GET "Upgrade: websocket\r\n\r\n", "GET|/||a.example:80||2\n");
	expect("POST / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	       "Content-Length: 1\r\n\r\nx",
	       "POST|/||a.example:80|x|4\n");
}

static void continue_is_asked_for_before_the_body(void **state)
{
	(void)state;
	static const char head[] =
	        "PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
	struct buf out = {0};
	struct http_reader *reader = http_reader_new(limits);
	struct span text = SPAN(head);
	text.len = sizeof(head) - 1;
	assert_true(feed_piece(reader, text, 0, text.len, &out));
	assert_int_equal(http_reader_phase(reader), HTTP_IN_BODY);
	assert_true(span_is(http_reader_request(reader)->path, "/"));
	assert_true(feed_piece(reader, SPAN("a"), 0, 1, &out));
	assert_true(feed_piece(reader, SPAN("b"), 0, 1, &out));
	assert_int_equal(http_reader_phase(reader), HTTP_IDLE);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, "continue\nPUT|/||a.example:80|ab|3 expects\n");
	http_reader_free(reader);
	buf_free(&out);
	/* The body came along, there is none, or it is too long: nobody waits. */
	expect("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
	       "PUT|/||a.example:80|x|3 expects\n");
	expect(GET "Expect: 100-continue\r\n\r\n", "GET|/||a.example:80||2 expects\n");
	expect(GET "Expect: 100-continue\r\nContent-Length: 65\r\n\r\n", "413\n");
}

static void a_long_head_is_refused_as_soon_as_it_is_known(void **state)
{
	(void)state;
	char long_head[1100];
	memset(long_head, 'a', sizeof(long_head));
	memcpy(long_head, "GET /", 5);
	struct span text = {long_head, 1025};
	struct buf out = {0};
	for (size_t cut = 0; cut <= 1025; cut += 5) {
		feed_cut(text, cut, text.len, &out);
		assert_true(span_is(buf_view(&out), "431\n"));
	}
	text.len = 1024;
	feed_cut(text, 512, 700, &out);
	assert_int_equal(out.len, 0);
	/* Complete, and one byte over. */
	memcpy(long_head + 1025 - 4, "\r\n\r\n", 4);
	text.len = 1025;
	feed_cut(text, 0, 0, &out);
	assert_true(span_is(buf_view(&out), "431\n"));
	buf_free(&out);
}

static void too_many_fields_are_refused(void **state)
{
	(void)state;
	struct buf text = {0};
	struct buf out = {0};
	BUF_LITERAL(&text, GET);
	for (int i = 1; i < HTTP_HEADERS_MAX; i++) {
		BUF_LITERAL(&text, "A:b\r\n");
	}
	size_t allowed = text.len;
	BUF_LITERAL(&text, "\r\n");
	feed_cut(buf_view(&text), 0, 0, &out);
	assert_true(span_is(buf_view(&out), "GET|/||a.example:80||64\n"));
	text.len = allowed;
	BUF_LITERAL(&text, "A:b\r\n\r\n");
	feed_cut(buf_view(&text), 0, 0, &out);
	assert_true(span_is(buf_view(&out), "431\n"));
	buf_free(&text);
	buf_free(&out);
}

static void a_request_in_one_piece_is_not_copied(void **state)
{
	(void)state;
	struct span text = SPAN("PUT /k HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
	struct http_reader *reader = http_reader_new(limits);
	struct http_fault fault = {0};
	size_t used = 0;
	assert_int_equal(http_reader_feed(reader, text, &used, &fault), HTTP_READY);
	const struct http_request *request = http_reader_request(reader);
	assert_ptr_equal(request->method.ptr, text.ptr);
	assert_ptr_equal(request->body.ptr, text.ptr + text.len - 2);

	http_reader_keep(reader);
	assert_ptr_not_equal(request->method.ptr, text.ptr);
	assert_ptr_not_equal(request->body.ptr, text.ptr + text.len - 2);
	assert_true(span_is(request->body, "ab"));
	assert_true(span_is(request->path, "/k"));
	assert_true(span_is(http_request_header(request, SPAN("HOST")), "a.example:80"));
	assert_null(http_request_header(request, SPAN("hos")).ptr);
	http_reader_free(reader);
}

static void lists_of_tokens_are_searched(void **state)
{
	(void)state;
	assert_true(http_value_has(SPAN("a, B ,c"), SPAN("b")));
	assert_true(http_value_has(SPAN("b"), SPAN("B")));
	assert_false(http_value_has(SPAN("ab, bc"), SPAN("b")));
	assert_false(http_value_has(SPAN(""), SPAN("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_pipeline_is_read_alike_however_it_is_cut),
	        cmocka_unit_test(bytes_may_come_one_by_one),
	        cmocka_unit_test(what_could_be_read_two_ways_is_refused),
	        cmocka_unit_test(nul_bytes_are_refused),
	        cmocka_unit_test(websocket_requests_are_checked),
	        cmocka_unit_test(continue_is_asked_for_before_the_body),
	        cmocka_unit_test(a_long_head_is_refused_as_soon_as_it_is_known),
	        cmocka_unit_test(too_many_fields_are_refused),
	        cmocka_unit_test(a_request_in_one_piece_is_not_copied),
	        cmocka_unit_test(lists_of_tokens_are_searched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
