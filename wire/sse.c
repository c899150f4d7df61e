/* This file writes server-sent events: the text of a stream of type text/event-stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sse.h"

#include <stdbool.h>

static const char data_field[] = "data: ";

static void write_field(struct buf *out, const char *field, struct span value)
{
	buf_span(out, span_of(field));
	buf_span(out, value);
	buf_byte(out, '\n');
}

void sse_write_id(struct buf *out, struct span id)
{
	write_field(out, "id: ", id);
}

void sse_write_name(struct buf *out, struct span name)
{
	write_field(out, "event: ", name);
}

size_t sse_data_begin(struct buf *out)
{
	buf_add(out, data_field, sizeof data_field - 1);
	return out->len;
}

/* Writes the lines of a text that has several; a line ends at CR, LF or both. */
static void write_lines(struct buf *out, struct span text)
{
	const char *end = text.ptr + text.len;
	for (const char *at = text.ptr; at < end; at++) {
		bool is_cr = *at == '\r';
		if (!is_cr && *at != '\n') {
			buf_byte(out, *at);
			continue;
		}
		at += is_cr && at + 1 < end && at[1] == '\n';
		buf_byte(out, '\n');
		buf_add(out, data_field, sizeof data_field - 1);
	}
}

void sse_data_end(struct buf *out, size_t mark)
{
	struct span text = span_make(buf_view(out).ptr + mark, out->len - mark);
	if (text.len != 0 &&
	    (memchr(text.ptr, '\n', text.len) || memchr(text.ptr, '\r', text.len))) {
		struct buf copy = {0};
		buf_span(&copy, text);
		out->len = mark;
		write_lines(out, buf_view(&copy));
		buf_free(&copy);
	}
	BUF_LITERAL(out, "\n\n");
}

void sse_write_end(struct buf *out)
{
	buf_byte(out, '\n');
}

void sse_write_comment(struct buf *out, const char *text)
{
	write_field(out, ": ", span_of(text));
}

void sse_write_retry(struct buf *out, int64_t ms)
{
	BUF_LITERAL(out, "retry: ");
	buf_int(out, ms);
	BUF_LITERAL(out, "\n\n");
}
