/* This file feeds any bytes to the reader of server-sent events, and any data through the writer.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sse.h"
#include "wire/sse_reader.h"

#include <stdint.h>
#include <stdlib.h>

enum { EVENT_MOST = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool keep(void *ctx, const struct sse_event *event)
{
	struct buf *out = ctx;
	buf_span(out, event->id);
	buf_byte(out, '|');
	buf_span(out, event->name);
	buf_byte(out, '|');
	buf_span(out, event->data);
	buf_byte(out, '\n');
	return true;
}

/* Reads it in steps of this many bytes; each in memory of its own size. */
static int read_all(struct span bytes, size_t step, size_t most, struct buf *out)
{
	struct sse_reader reader = {.event = keep, .ctx = out, .max_bytes = most};
	int status = 0;
	for (size_t at = 0; at < bytes.len && status == 0; at += step) {
		size_t len = bytes.len - at < step ? bytes.len - at : step;
		char *piece = malloc(len);
		PRE(piece != NULL);
		memcpy(piece, bytes.ptr + at, len);
		status = sse_reader_feed(&reader, span_make(piece, len), NULL);
		free(piece);
	}
	sse_reader_close(&reader);
	return status;
}

/* How the stream is cut into pieces makes no difference. */
static void check_steps(struct span bytes)
{
	struct buf whole = {0};
	struct buf single = {0};
	int one = read_all(bytes, bytes.len + 1, EVENT_MOST, &whole);
	int other = read_all(bytes, 1, EVENT_MOST, &single);
	PRE(one == other && span_equal(buf_view(&whole), buf_view(&single)));
	buf_free(&whole);
	buf_free(&single);
}

/* Line breaks are all that may change, and only into others. */
static void check_data(struct span bytes)
{
	struct buf stream = {0};
	struct buf read = {0};
	struct buf wanted = {0};
	size_t mark = sse_data_begin(&stream);
	buf_span(&stream, bytes);
	sse_data_end(&stream, mark);
	PRE(read_all(buf_view(&stream), stream.len, SIZE_MAX, &read) == 0);
	BUF_LITERAL(&wanted, "|message|");
	for (size_t i = 0; i < bytes.len; i++) {
		bool is_cr = bytes.ptr[i] == '\r';
		i += is_cr && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n';
		buf_byte(&wanted, is_cr ? '\n' : bytes.ptr[i]);
	}
	buf_byte(&wanted, '\n');
	PRE(span_equal(buf_view(&read), buf_view(&wanted)));
	buf_free(&stream);
	buf_free(&read);
	buf_free(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(size ? (const char *)data : "", size);
	check_steps(bytes);
	check_data(bytes);
	return 0;
}
