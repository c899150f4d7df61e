/* This file feeds any bytes to the HTTP readers, whole and cut, and expects the same of both. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/http.h"
#include "wire/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void describe(struct buf *out, const struct http_request *request)
{
	buf_format(out, "%.*s|%.*s|%.*s|%.*s|%d%d%d\n", SPAN_ARG(request->method),
	           SPAN_ARG(request->path), SPAN_ARG(request->query), SPAN_ARG(request->body),
	           request->keep_alive, request->expects_continue, request->is_websocket);
	for (size_t i = 0; i < request->header_count; i++) {
		buf_span(out, request->headers[i].name);
		buf_byte(out, ':');
		buf_span(out, request->headers[i].value);
	}
}

static bool feed_requests(struct http_reader *reader, struct span bytes, struct buf *out)
{
	while (bytes.len > 0) {
		size_t used = 0;
		struct http_fault fault = {0};
		enum http_step step = http_reader_feed(reader, bytes, &used, &fault);
		PRE(used <= bytes.len);
		bytes = span_make(bytes.ptr + used, bytes.len - used);
		if (step == HTTP_FAILED) {
			buf_format(out, "%d %s", fault.status, fault.text);
			return false;
		}
		if (step == HTTP_READY) {
			describe(out, http_reader_request(reader));
		} else {
			PRE(bytes.len == 0);
		}
	}
	return true;
}

static bool feed_answers(struct http_answer *answer, struct span bytes, struct buf *out)
{
	for (;;) {
		size_t used = 0;
		struct span piece = SPAN_NONE;
		struct http_fault fault = {0};
		enum http_answer_step step = http_answer_feed(answer, bytes, &used, &piece, &fault);
		PRE(used <= bytes.len);
		bytes = span_make(bytes.ptr + used, bytes.len - used);
		if (step == HTTP_ANSWER_MORE) {
			PRE(bytes.len == 0);
			return true;
		}
		if (step == HTTP_ANSWER_FAILED) {
			buf_span(out, span_of(fault.text));
			return false;
		}
		if (step == HTTP_ANSWER_HEAD) {
			buf_uint(out, (uint64_t)http_answer_status(answer));
		} else if (step == HTTP_ANSWER_BODY) {
			buf_span(out, piece);
		}
	}
}

/* A copy of its own, so that a sanitizer sees what is read past its end or after its time. */
static char *copy_of(struct span bytes)
{
	char *copy = mem_raw(bytes.len ? bytes.len : 1);
	memcpy(copy, bytes.ptr, bytes.len);
	return copy;
}

static void run(struct span first, struct span second, struct buf *requests, struct buf *answers)
{
	struct http_reader *reader = http_reader_new((struct http_limits){512, 256});
	struct http_answer *answer = http_answer_new();
	char *bytes = copy_of(first);
	bool requests_go_on = feed_requests(reader, span_make(bytes, first.len), requests);
	bool answers_go_on = feed_answers(answer, span_make(bytes, first.len), answers);
	mem_free(bytes);
	bytes = copy_of(second);
	if (requests_go_on) {
		(void)feed_requests(reader, span_make(bytes, second.len), requests);
	}
	if (answers_go_on) {
		(void)feed_answers(answer, span_make(bytes, second.len), answers);
	}
	mem_free(bytes);
	http_reader_free(reader);
	http_answer_free(answer);
}

/* The first byte says where the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2) {
		return 0;
	}
	struct span text = {(const char *)data + 1, size - 1};
	size_t cut = text.len * data[0] / 256;
	struct buf whole[2] = {{0}, {0}};
	struct buf parts[2] = {{0}, {0}};
	run(text, SPAN(""), &whole[0], &whole[1]);
	run(span_make(text.ptr, cut), span_make(text.ptr + cut, text.len - cut), &parts[0],
	    &parts[1]);
	for (size_t i = 0; i < 2; i++) {
		PRE(span_equal(buf_view(&whole[i]), buf_view(&parts[i])));
		buf_free(&whole[i]);
		buf_free(&parts[i]);
	}
	return 0;
}
