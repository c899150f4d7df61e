/* This file reads HTTP/1.1 requests, as a server gets them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/chunks.h"
#include <http_parser.h>

enum { HEAD_MOST = 65536, KEEP_MOST = 16384 };

enum reader_state { READER_START, READER_HEAD, READER_BODY, READER_DONE, READER_FAILED };

struct http_reader {
	struct http_limits limits;
	enum reader_state state;
	bool skipped_line;  /* an empty line before the request */
	bool told_continue; /* HTTP_CONTINUE was given */
	struct buf held;    /* the head, when it is not in the bytes fed */
	size_t scanned;     /* of the head */
	struct span head_text;
	struct buf body; /* when it is not in the bytes fed */
	uint64_t body_left;
	struct chunks chunks;
	struct http_request request;
	struct http_head head;
};

static enum http_step fail(struct http_reader *reader, struct http_fault *fault, int status,
                           const char *code, const char *text)
{
	reader->state = READER_FAILED;
	*fault = (struct http_fault){status, code, text};
	return HTTP_FAILED;
}

static enum http_step fail_head(struct http_reader *reader, struct http_fault *fault,
                                const char *text)
{
	return fail(reader, fault, 400, "bad_request", text);
}

struct http_reader *http_reader_new(struct http_limits limits)
{
	PRE(limits.head <= HEAD_MOST);
	struct http_reader *reader = MEM_NEW(struct http_reader);
	reader->limits = limits;
	return reader;
}

void http_reader_free(struct http_reader *reader)
{
	if (reader) {
		buf_free(&reader->held);
		buf_free(&reader->body);
		mem_free(reader);
	}
}

const struct http_request *http_reader_request(const struct http_reader *reader)
{
	return &reader->request;
}

struct span http_request_header(const struct http_request *request, struct span name)
{
	return http_header_get(request->headers, request->header_count, name);
}

enum http_phase http_reader_phase(const struct http_reader *reader)
{
	switch (reader->state) {
	case READER_HEAD:
		return HTTP_IN_HEAD;
	case READER_BODY:
		return HTTP_IN_BODY;
	case READER_START:
	case READER_DONE:
	case READER_FAILED:
		break;
	}
	return HTTP_IDLE;
}

static void begin_next(struct http_reader *reader)
{
	buf_clear(&reader->held);
	buf_shrink(&reader->held, KEEP_MOST);
	buf_clear(&reader->body);
	buf_shrink(&reader->body, KEEP_MOST);
	reader->state = READER_START;
	reader->skipped_line = false;
	reader->told_continue = false;
	reader->scanned = 0;
}

/* ---- keeping what is borrowed ---- */

static void move_span(struct span *span, struct span from, const char *to)
{
	if (span->ptr) {
		span->ptr = to + (span->ptr - from.ptr);
	}
}

static void keep_head(struct http_reader *reader)
{
	struct span from = reader->head_text;
	if (from.ptr == reader->held.ptr) {
		return;
	}
	buf_clear(&reader->held);
	buf_span(&reader->held, from);
	const char *to = reader->held.ptr;
	struct http_request *request = &reader->request;
	struct span *spans[] = {&request->method, &request->target, &request->path,
	                        &request->query,  &request->host,   &request->websocket_key};
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		move_span(spans[i], from, to);
	}
	for (size_t i = 0; i < reader->head.count; i++) {
		move_span(&reader->head.headers[i].name, from, to);
		move_span(&reader->head.headers[i].value, from, to);
	}
	reader->head_text = buf_view(&reader->held);
}

static void keep_body(struct http_reader *reader)
{
	struct span *body = &reader->request.body;
	if (body->len > 0 && body->ptr != reader->body.ptr) {
		buf_clear(&reader->body);
		buf_span(&reader->body, *body);
		*body = buf_view(&reader->body);
	}
}

void http_reader_keep(struct http_reader *reader)
{
	PRE(reader->state == READER_BODY || reader->state == READER_DONE);
	keep_head(reader);
	keep_body(reader);
}

/* ---- the head ---- */

/* Finds the whole head, in the bytes or put together in `held`. HTTP_READY when it is there. */
static enum http_step find_head(struct http_reader *reader, struct span bytes, size_t *out_used,
                                struct http_fault *fault)
{
	size_t before = reader->held.len;
	size_t room = reader->limits.head + 1 - before;
	struct span view = {bytes.ptr, bytes.len < room ? bytes.len : room};
	if (before > 0) {
		buf_span(&reader->held, view);
		view = buf_view(&reader->held);
	}
	bool bare_lf = false;
	size_t end = http_head_end(view, &reader->scanned, &bare_lf);
	if (bare_lf) {
		return fail_head(reader, fault, "A line ends without a carriage return.");
	}
	if (end > reader->limits.head || (end == 0 && view.len > reader->limits.head)) {
		return fail(reader, fault, 431, "headers_too_large",
		            "The request line and header fields are over the limit.");
	}
	if (end > 0) {
		reader->held.len = before > 0 ? end : 0;
		reader->head_text = span_make(view.ptr, end);
		*out_used = end - before;
		return HTTP_READY;
	}
	if (before == 0) {
		buf_span(&reader->held, bytes);
	}
	reader->state = READER_HEAD;
	*out_used = bytes.len;
	return HTTP_MORE;
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
	struct http_request *request = parser->data;
	request->target = span_make(at, len);
	return 0;
}

/* The body is read here and not by the parser: see wire/chunks.h. */
static int skip_body(http_parser *parser)
{
	parser->upgrade = 0;
	return 1;
}

static const http_parser_settings request_settings = {
        .on_url = on_url,
        .on_headers_complete = skip_body,
};

static enum http_step fail_parser(struct http_reader *reader, const http_parser *parser,
                                  struct http_fault *fault)
{
	switch (HTTP_PARSER_ERRNO(parser)) {
	case HPE_INVALID_METHOD:
		return fail(reader, fault, 501, "method_not_supported",
		            "The method of the request is not known.");
	case HPE_INVALID_VERSION:
		return fail_head(reader, fault, "The request line does not end in a version.");
	case HPE_INVALID_URL:
	case HPE_INVALID_HOST:
	case HPE_INVALID_PORT:
	case HPE_INVALID_PATH:
	case HPE_INVALID_QUERY_STRING:
	case HPE_INVALID_FRAGMENT:
		return fail_head(reader, fault, "The target of the request is malformed.");
	default:
		return fail_head(reader, fault, "The head of the request is malformed.");
	}
}

/* http-parser lets more than one space, tabs and bytes over 0x7f pass. */
static bool first_line_is_plain(struct span line)
{
	size_t spaces = 0;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];
		if (c < ' ' || c > '~' || c == '#') {
			return false;
		}
		spaces += c == ' ';
	}
	return spaces == 2;
}

/* Where the path of an absolute-form target begins ("http://host/path"); absent when the form is
 * another one or the authority is not the Host. */
static struct span skip_authority(struct span target, struct span host)
{
	size_t scheme = 7;
	if (target.len <= scheme ||
	    !http_text_equal(span_make(target.ptr, scheme), SPAN("http://"))) {
		return SPAN_NONE;
	}
	size_t end = scheme;
	while (end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?') {
		end++;
	}
	struct span authority = {target.ptr + scheme, end - scheme};
	if (!host.ptr || end == target.len || target.ptr[end] != '/' ||
	    !http_text_equal(authority, host)) {
		return SPAN_NONE;
	}
	return span_make(target.ptr + end, target.len - end);
}

static bool split_target(struct http_request *request)
{
	struct span target = request->target;
	bool is_options = span_is(request->method, "OPTIONS");
	if (target.len == 0 || (target.ptr[0] != '/' && !(is_options && span_is(target, "*")))) {
		target = skip_authority(target, request->host);
		if (!target.ptr) {
			return false;
		}
	}
	const char *mark = memchr(target.ptr, '?', target.len);
	request->path = target;
	if (mark) {
		request->path.len = (size_t)(mark - target.ptr);
		request->query = span_make(mark + 1, target.len - request->path.len - 1);
	}
	return true;
}

static bool key_is_right(struct span key)
{
	char bytes[24];
	struct buf decoded = {bytes, 0, sizeof(bytes)};
	return key.len == 24 && base64_decode(key, &decoded) && decoded.len == 16;
}

static enum http_step take_upgrade(struct http_reader *reader, const http_parser *parser,
                                   struct http_fault *fault)
{
	const struct http_head *head = &reader->head;
	struct http_request *request = &reader->request;
	if (!head->upgrade_websocket || !head->connection_upgrade || parser->http_minor == 0 ||
	    !span_is(request->method, "GET")) {
		return HTTP_READY;
	}
	if (!head->websocket_version.ptr || !span_is(head->websocket_version, "13")) {
		return fail(reader, fault, 426, "websocket_version",
		            "Only version 13 of the WebSocket protocol is spoken.");
	}
	if (!head->websocket_key.ptr || !key_is_right(head->websocket_key)) {
		return fail_head(reader, fault, "Sec-WebSocket-Key is not 16 bytes in base64.");
	}
	if (head->is_chunked || head->length > 0) {
		return fail_head(reader, fault, "A request for a WebSocket has no body.");
	}
	request->is_websocket = true;
	request->websocket_key = head->websocket_key;
	return HTTP_READY;
}

static enum http_step take_version(struct http_reader *reader, const http_parser *parser,
                                   struct http_fault *fault)
{
	if (parser->http_major != 1 || parser->http_minor > 1) {
		return fail(reader, fault, 505, "http_version",
		            "Only HTTP/1.1 and 1.0 are spoken.");
	}
	if (parser->http_minor == 1 && !reader->head.host.ptr) {
		return fail_head(reader, fault, "The request has no Host field.");
	}
	if (parser->http_minor == 0 && reader->head.is_chunked) {
		return fail_head(reader, fault, "HTTP/1.0 has no Transfer-Encoding.");
	}
	return HTTP_READY;
}

static enum http_step take_head(struct http_reader *reader, struct http_fault *fault)
{
	struct http_head *head = &reader->head;
	struct http_request *request = &reader->request;
	*request = (struct http_request){.headers = head->headers, .body = SPAN("")};
	if (!http_head_parse(reader->head_text, head, fault)) {
		reader->state = READER_FAILED;
		return HTTP_FAILED;
	}
	if (!first_line_is_plain(head->first_line)) {
		return fail_head(reader, fault, "The request line is malformed.");
	}
	http_parser parser;
	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = request;
	size_t taken = http_parser_execute(&parser, &request_settings, reader->head_text.ptr,
	                                   reader->head_text.len);
	if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || taken != reader->head_text.len) {
		return fail_parser(reader, &parser, fault);
	}
	const char *space = memchr(head->first_line.ptr, ' ', head->first_line.len);
	request->method = span_make(head->first_line.ptr, (size_t)(space - head->first_line.ptr));
	request->host = head->host;
	request->header_count = head->count;
	request->keep_alive = http_should_keep_alive(&parser) != 0;
	request->takes_chunks = parser.http_minor == 1;
	request->expects_continue = head->expects_continue && request->takes_chunks;
	if (!split_target(request)) {
		return fail_head(reader, fault,
		                 "The target of the request is no path, or not of the Host.");
	}
	if (take_version(reader, &parser, fault) == HTTP_FAILED) {
		return HTTP_FAILED;
	}
	return take_upgrade(reader, &parser, fault);
}

/* ---- the body ---- */

static enum http_step fail_size(struct http_reader *reader, struct http_fault *fault)
{
	return fail(reader, fault, 413, "body_too_large",
	            "The body of the request is over the limit.");
}

static enum http_step begin_body(struct http_reader *reader, struct http_fault *fault)
{
	const struct http_head *head = &reader->head;
	if (head->length > reader->limits.body) {
		return fail_size(reader, fault);
	}
	reader->body_left = head->length;
	reader->chunks = (struct chunks){0};
	bool has_body = head->is_chunked || head->length > 0;
	reader->state = has_body ? READER_BODY : READER_DONE;
	return has_body ? HTTP_MORE : HTTP_READY;
}

/* The first piece is borrowed, the second makes a copy of both. */
static enum http_step add_piece(struct http_reader *reader, struct span piece,
                                struct http_fault *fault)
{
	struct span *body = &reader->request.body;
	if (piece.len > reader->limits.body - body->len) {
		return fail_size(reader, fault);
	}
	if (body->len == 0) {
		*body = piece;
		return HTTP_MORE;
	}
	keep_body(reader);
	buf_span(&reader->body, piece);
	*body = buf_view(&reader->body);
	return HTTP_MORE;
}

static enum http_step take_chunks(struct http_reader *reader, struct span bytes, size_t *out_used,
                                  struct http_fault *fault)
{
	*out_used = 0;
	for (;;) {
		size_t used = 0;
		struct span piece = SPAN_NONE;
		struct span rest = {bytes.ptr + *out_used, bytes.len - *out_used};
		enum chunks_step step = chunks_feed(&reader->chunks, rest, &used, &piece);
		*out_used += used;
		if (step == CHUNKS_BAD) {
			return fail_head(reader, fault, "The chunks of the body are malformed.");
		}
		if (step == CHUNKS_PIECE && add_piece(reader, piece, fault) == HTTP_FAILED) {
			return HTTP_FAILED;
		}
		if (step == CHUNKS_MORE || step == CHUNKS_DONE) {
			return step == CHUNKS_DONE ? HTTP_READY : HTTP_MORE;
		}
	}
}

static enum http_step take_body(struct http_reader *reader, struct span bytes, size_t *out_used,
                                struct http_fault *fault)
{
	if (reader->head.is_chunked) {
		return take_chunks(reader, bytes, out_used, fault);
	}
	size_t len = reader->body_left < bytes.len ? (size_t)reader->body_left : bytes.len;
	*out_used = len;
	reader->body_left -= len;
	if (len > 0 && add_piece(reader, span_make(bytes.ptr, len), fault) == HTTP_FAILED) {
		return HTTP_FAILED;
	}
	return reader->body_left == 0 ? HTTP_READY : HTTP_MORE;
}

/* HTTP_READY once the head is there and its body can be read. */
static enum http_step feed_head(struct http_reader *reader, struct span bytes, size_t *out_used,
                                struct http_fault *fault)
{
	size_t at = 0;
	for (;;) {
		struct span rest = {bytes.ptr + at, bytes.len - at};
		if (reader->state == READER_START && rest.len > 0 && rest.ptr[0] != '\r' &&
		    (rest.ptr[0] < 'A' || rest.ptr[0] > 'Z')) {
			return fail_head(reader, fault, "This is not HTTP/1.1.");
		}
		size_t used = 0;
		enum http_step step =
		        rest.len > 0 ? find_head(reader, rest, &used, fault) : HTTP_MORE;
		at += used;
		*out_used = at;
		if (step != HTTP_READY) {
			return step;
		}
		if (reader->head_text.len > 2) {
			break;
		}
		if (reader->skipped_line) {
			return fail_head(reader, fault, "Empty lines stand before the request.");
		}
		begin_next(reader);
		reader->skipped_line = true; /* RFC 9112, 2.2: one may come behind a body */
	}
	enum http_step step = take_head(reader, fault);
	return step == HTTP_READY ? begin_body(reader, fault) : step;
}

enum http_step http_reader_feed(struct http_reader *reader, struct span bytes, size_t *out_used,
                                struct http_fault *fault)
{
	PRE(reader->state != READER_FAILED);
	*out_used = 0;
	if (reader->state == READER_DONE) {
		begin_next(reader);
	}
	if (reader->state != READER_BODY) {
		enum http_step step = feed_head(reader, bytes, out_used, fault);
		if (reader->state != READER_BODY) {
			return step;
		}
	}
	size_t used = 0;
	struct span rest = {bytes.ptr + *out_used, bytes.len - *out_used};
	enum http_step step = take_body(reader, rest, &used, fault);
	*out_used += used;
	if (step == HTTP_MORE) {
		keep_head(reader);
		keep_body(reader);
		if (reader->request.expects_continue && !reader->told_continue && used == 0) {
			reader->told_continue = true;
			return HTTP_CONTINUE;
		}
	} else if (step == HTTP_READY) {
		reader->state = READER_DONE;
	}
	return step;
}
