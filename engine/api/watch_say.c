/* This file writes what watchers get: events, records, positions, signs of life. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch_inside.h"

#include "base/json.h"
#include "engine/core/change.h"
#include "wire/sse.h"

void watcher_send(struct watcher *watcher, const struct stream_piece *piece)
{
	watcher->has_spoken = true;
	stream_send(watcher->exchange, piece);
}

static struct buf *begin(struct watch *watch)
{
	stream_piece_begin(&watch->piece);
	return &watch->piece.chunk;
}

static void end(struct watcher *watcher)
{
	stream_piece_end(&watcher->watch->piece);
	watcher_send(watcher, &watcher->watch->piece);
}

static struct span spell_id(struct watch *watch, uint64_t epoch, uint64_t seq)
{
	buf_clear(&watch->id);
	event_write_id(span_of(watch->log), epoch, seq, &watch->id);
	return buf_view(&watch->id);
}

static struct span position_of(const struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	return watcher->phase == WATCHER_LIVE
	               ? spell_id(watch, watch->epoch, watch->next_seq - 1)
	               : spell_id(watch, watcher->epoch, watcher->next_seq - 1);
}

void watcher_say_hello(struct watcher *watcher)
{
	sse_write_retry(begin(watcher->watch), watcher->watch->options.retry_ms);
	end(watcher);
}

void watcher_say_position(struct watcher *watcher, const char *name, uint64_t records)
{
	struct span id = position_of(watcher);
	struct buf *out = begin(watcher->watch);
	sse_write_name(out, span_of(name));
	sse_write_id(out, id);
	size_t mark = sse_data_begin(out);
	buf_byte(out, '{');
	json_write_member_string(out, "id", id);
	json_write_member_uint(out, "seq", watcher->next_seq - 1);
	if (watcher->phase == WATCHER_SCANS) {
		json_write_member_uint(out, "records", records);
	}
	buf_byte(out, '}');
	sse_data_end(out, mark);
	end(watcher);
}

void watcher_say_begin(struct watcher *watcher)
{
	struct buf *out = begin(watcher->watch);
	sse_write_name(out, SPAN("snapshot_begin"));
	size_t mark = sse_data_begin(out);
	buf_byte(out, '{');
	json_write_member_string(out, "scope", watcher->interest->scope);
	json_write_member_string(out, "prefix", watcher->interest->prefix);
	buf_byte(out, '}');
	sse_data_end(out, mark);
	end(watcher);
}

void watcher_say_record(struct watcher *watcher, struct span key, const struct record *record)
{
	struct buf *out = begin(watcher->watch);
	sse_write_name(out, SPAN("snapshot"));
	size_t mark = sse_data_begin(out);
	BUF_LITERAL(out, "{\"scope\":");
	json_write_string(out, watcher->interest->scope);
	json_write_member_string(out, "key", key);
	json_write_member_raw(out, "value", record->value);
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, record->rev);
	buf_byte(out, '"');
	change_write_expiry(out, record->expires_at_ms);
	buf_byte(out, '}');
	sse_data_end(out, mark);
	end(watcher);
}

void watcher_say_beat(struct watcher *watcher)
{
	struct buf *out = begin(watcher->watch);
	sse_write_comment(out, "hb");
	if (watcher->phase != WATCHER_SCANS) {
		sse_write_id(out, position_of(watcher));
	}
	sse_write_end(out);
	end(watcher);
}

void watch_write_event(struct watch *watch, const struct event *event, struct stream_piece *piece)
{
	stream_piece_begin(piece);
	struct buf *out = &piece->chunk;
	sse_write_id(out, spell_id(watch, event->epoch, event->seq));
	size_t mark = sse_data_begin(out);
	event_write_json(event, span_of(watch->log), NULL, out);
	sse_data_end(out, mark);
	stream_piece_end(piece);
}

void watcher_say_error(struct watcher *watcher, const struct event *event, struct value error)
{
	if (watcher->told_error) {
		return;
	}
	struct buf text = {0};
	watcher->told_error = true;
	condition_write_error(watcher->interest->condition, error, &text);
	struct buf *out = begin(watcher->watch);
	sse_write_name(out, SPAN("condition_error"));
	size_t mark = sse_data_begin(out);
	buf_byte(out, '{');
	json_write_member_string(out, "id", spell_id(watcher->watch, event->epoch, event->seq));
	json_write_member_uint(out, "seq", event->seq);
	json_write_member_string(out, "detail", buf_view(&text));
	buf_byte(out, '}');
	sse_data_end(out, mark);
	end(watcher);
	buf_free(&text);
}
