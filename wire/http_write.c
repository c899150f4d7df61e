/* This file writes HTTP/1.1: heads, bodies of unknown length, chunks, and the names of statuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http_write.h"
#include "base/err.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Unknown";
}

static void write_common(struct buf *out, const struct http_response *response)
{
	if (response->status == 200) {
		BUF_LITERAL(out, "HTTP/1.1 200 OK\r\n");
	} else {
		BUF_LITERAL(out, "HTTP/1.1 ");
		buf_uint(out, (uint64_t)response->status);
		buf_byte(out, ' ');
		buf_span(out, span_of(http_reason(response->status)));
		BUF_LITERAL(out, "\r\n");
	}
	if (response->content_type.ptr) {
		BUF_LITERAL(out, "Content-Type: ");
		buf_span(out, response->content_type);
		BUF_LITERAL(out, "\r\n");
	}
	if (response->extra.ptr) {
		buf_span(out, response->extra);
	}
	if (!response->keep_alive) {
		BUF_LITERAL(out, "Connection: close\r\n");
	}
}

void http_write_head(struct buf *out, const struct http_response *response, size_t length)
{
	write_common(out, response);
	if (response->status != 204 && response->status != 304) {
		BUF_LITERAL(out, "Content-Length: ");
		buf_uint(out, length);
		BUF_LITERAL(out, "\r\n");
	}
	BUF_LITERAL(out, "\r\n");
}

void http_write_endless(struct buf *out, const struct http_response *response)
{
	PRE(!response->keep_alive);
	write_common(out, response);
	BUF_LITERAL(out, "\r\n");
}

/* White space before a value means nothing: the number is put at its right end. */
static const char blank_length[] = "Content-Length:           0\r\n\r\n";
enum { LENGTH_DIGITS = 10, LENGTH_TAIL = 4 };

size_t http_write_begin(struct buf *out, const struct http_response *response)
{
	PRE(response->status != 204 && response->status != 304);
	write_common(out, response);
	buf_add(out, blank_length, sizeof(blank_length) - 1);
	return out->len;
}

void http_write_end(struct buf *out, size_t mark)
{
	size_t length = out->len - mark;
	char *digit = out->ptr + mark - LENGTH_TAIL;
	for (size_t i = 0; i < LENGTH_DIGITS && length > 0; i++, length /= 10) {
		*--digit = (char)('0' + length % 10);
	}
	POST(length == 0);
}

void http_write_chunked(struct buf *out, const struct http_response *response)
{
	write_common(out, response);
	BUF_LITERAL(out, "Transfer-Encoding: chunked\r\n\r\n");
}

/* Leading zeros of a chunk's size mean nothing. */
static const char blank_size[] = "00000000\r\n";
enum { SIZE_DIGITS = 8 };

size_t http_chunk_begin(struct buf *out)
{
	buf_add(out, blank_size, sizeof(blank_size) - 1);
	return out->len;
}

void http_chunk_end(struct buf *out, size_t mark)
{
	size_t length = out->len - mark;
	if (length == 0) {
		out->len = mark - (sizeof(blank_size) - 1);
		return;
	}
	char *digit = out->ptr + mark - 2;
	for (size_t i = 0; i < SIZE_DIGITS; i++, length >>= 4) {
		*--digit = "0123456789abcdef"[length & 15];
	}
	POST(length == 0);
	BUF_LITERAL(out, "\r\n");
}

void http_chunk_last(struct buf *out)
{
	BUF_LITERAL(out, "0\r\n\r\n");
}

void http_write_continue(struct buf *out)
{
	BUF_LITERAL(out, "HTTP/1.1 100 Continue\r\n\r\n");
}

void http_write_call(struct buf *out, const struct http_call *call, size_t length)
{
	buf_span(out, call->method);
	buf_byte(out, ' ');
	buf_span(out, call->target);
	BUF_LITERAL(out, " HTTP/1.1\r\nHost: ");
	buf_span(out, call->host);
	BUF_LITERAL(out, "\r\n");
	if (call->content_type.ptr) {
		BUF_LITERAL(out, "Content-Type: ");
		buf_span(out, call->content_type);
		BUF_LITERAL(out, "\r\n");
	}
	if (call->extra.ptr) {
		buf_span(out, call->extra);
	}
	if (call->content_type.ptr || length > 0) {
		BUF_LITERAL(out, "Content-Length: ");
		buf_uint(out, length);
		BUF_LITERAL(out, "\r\n");
	}
	BUF_LITERAL(out, "\r\n");
}
