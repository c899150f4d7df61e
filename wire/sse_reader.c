/* This file reads server-sent events, as a client gets them piece by piece. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sse_reader.h"

#include "base/id.h"

void sse_reader_close(struct sse_reader *reader)
{
	buf_free(&reader->line);
	buf_free(&reader->id);
	buf_free(&reader->next_id);
	buf_free(&reader->name);
	buf_free(&reader->data);
}

void sse_reader_restart(struct sse_reader *reader)
{
	buf_clear(&reader->line);
	buf_clear(&reader->name);
	buf_clear(&reader->data);
	buf_clear(&reader->next_id);
	buf_span(&reader->next_id, buf_view(&reader->id));
	reader->has_begun = false;
	reader->is_after_cr = false;
}

static void set(struct buf *buf, struct span value)
{
	buf_clear(buf);
	buf_span(buf, value);
}

static void end_event(struct sse_reader *reader)
{
	set(&reader->id, buf_view(&reader->next_id));
	if (reader->data.len != 0) {
		struct sse_event event = {
		        .id = buf_view(&reader->id),
		        .name = reader->name.len != 0 ? buf_view(&reader->name) : SPAN("message"),
		        .data = span_make(reader->data.ptr, reader->data.len - 1),
		};
		reader->is_stopped = !reader->event(reader->ctx, &event);
	}
	buf_clear(&reader->name);
	buf_clear(&reader->data);
}

static void take_field(struct sse_reader *reader, struct span name, struct span value)
{
	uint64_t ms;
	if (span_is(name, "data")) {
		buf_span(&reader->data, value);
		buf_byte(&reader->data, '\n');
	} else if (span_is(name, "event")) {
		set(&reader->name, value);
	} else if (span_is(name, "id") && (value.len == 0 || !memchr(value.ptr, '\0', value.len))) {
		set(&reader->next_id, value);
	} else if (span_is(name, "retry") && id_parse_uint(value, &ms) && ms <= INT64_MAX) {
		reader->retry_ms = (int64_t)ms;
	}
}

static void take_line(struct sse_reader *reader)
{
	struct span line = buf_view(&reader->line);
	if (!reader->has_begun && span_starts_with(line, SPAN("\xEF\xBB\xBF"))) {
		line = span_make(line.ptr + 3, line.len - 3);
	}
	reader->has_begun = true;
	const char *colon = line.len != 0 ? memchr(line.ptr, ':', line.len) : NULL;
	if (line.len == 0) {
		end_event(reader);
	} else if (colon == NULL) {
		take_field(reader, line, SPAN(""));
	} else if (colon != line.ptr) {
		size_t len = (size_t)(colon - line.ptr);
		size_t skip = len + 1 + (len + 1 < line.len && colon[1] == ' ');
		take_field(reader, span_make(line.ptr, len),
		           span_make(line.ptr + skip, line.len - skip));
	}
	buf_clear(&reader->line);
}

int sse_reader_feed(struct sse_reader *reader, struct span bytes, struct err *err)
{
	for (size_t i = 0; i < bytes.len && !reader->is_stopped; i++) {
		char byte = bytes.ptr[i];
		bool is_second = byte == '\n' && reader->is_after_cr;
		reader->is_after_cr = byte == '\r';
		if (is_second) {
			continue;
		}
		if (byte == '\r' || byte == '\n') {
			take_line(reader);
			continue;
		}
		if (reader->line.len + reader->data.len >= reader->max_bytes) {
			return err_set(err, E_LIMIT, "event_too_large",
			               "an event of the stream is over %zu bytes",
			               reader->max_bytes);
		}
		buf_byte(&reader->line, byte);
	}
	return 0;
}
