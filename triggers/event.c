/* This file writes events into the journal's form, reads them back and shows them as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/event.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

/*
 * Version 1: one byte 1, one byte kind, then a varint of presence bits, then what is present, in
 * the order of the bits. Numbers are varints (LEB128), texts a varint length and their bytes.
 * scope, key, epoch, rev and time are always there. Bits are never given a second meaning; a reader
 * refuses one that it does not know.
 */
enum {
	EVENT_VERSION = 1,
	HAS_OLD_VALUE = 1 << 0,
	HAS_NEW_VALUE = 1 << 1,
	HAS_OLD_REV = 1 << 2,
	HAS_PREV = 1 << 3,
	HAS_EXPIRES = 1 << 4,
	HAS_TXN = 1 << 5,
	HAS_CAUSE = 1 << 6,
	HAS_DELIVERY = 1 << 7,
	HAS_TRACEPARENT = 1 << 8,
	HAS_REASON = 1 << 9,
	HAS_KNOWN = (1 << 10) - 1,
	HEAD_MAX = 2 + 12 * 10
};

const char *event_kind_name(enum event_kind kind)
{
	switch (kind) {
#define X(name, number, text)                                                                      \
	case name:                                                                                 \
		return text;
		EVENT_KINDS(X)
#undef X
	}
	return NULL;
}

bool event_kind_parse(struct span word, enum event_kind *out)
{
#define X(name, number, text)                                                                      \
	if (span_is(word, text)) {                                                                 \
		*out = name;                                                                       \
		return true;                                                                       \
	}
	EVENT_KINDS(X)
#undef X
	return false;
}

/* ---- writing ---- */

static char *put_number(char *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (char)(value | 0x80);
		value >>= 7;
	}
	*at++ = (char)value;
	return at;
}

static char *put_text(char *at, struct span text)
{
	at = put_number(at, text.len);
	if (text.len != 0) {
		memcpy(at, text.ptr, text.len);
	}
	return at + text.len;
}

static unsigned bits_of(const struct event *event)
{
	const struct event_cause *cause = &event->cause;
	unsigned bits = 0;
	bits |= event->old_value.ptr ? HAS_OLD_VALUE : 0;
	bits |= event->new_value.ptr ? HAS_NEW_VALUE : 0;
	bits |= event->old_rev ? HAS_OLD_REV : 0;
	bits |= event->prev ? HAS_PREV : 0;
	bits |= event->expires_at_ms ? HAS_EXPIRES : 0;
	bits |= event->txn ? HAS_TXN : 0;
	bits |= cause->depth || cause->root.len || cause->path.len ? HAS_CAUSE : 0;
	bits |= cause->delivery.len ? HAS_DELIVERY : 0;
	bits |= event->traceparent.len ? HAS_TRACEPARENT : 0;
	bits |= event->reason.len ? HAS_REASON : 0;
	return bits;
}

void event_encode(const struct event *event, struct buf *out, uint32_t *out_new_value_at)
{
	const struct event_cause *cause = &event->cause;
	size_t most = HEAD_MAX + 8 * 10 + event->scope.len + event->key.len + event->old_value.len +
	              event->new_value.len + cause->root.len + cause->path.len +
	              cause->delivery.len + event->traceparent.len + event->reason.len;
	char *at = buf_reserve(out, most);
	unsigned bits = bits_of(event);
	*at++ = EVENT_VERSION;
	*at++ = (char)event->kind;
	at = put_number(at, bits);
	at = put_text(at, event->scope);
	at = put_text(at, event->key);
	at = put_number(at, event->epoch);
	at = put_number(at, event->rev);
	at = put_number(at, (uint64_t)event->time_ms);
	if (bits & HAS_OLD_VALUE) {
		at = put_text(at, event->old_value);
	}
	if (bits & HAS_NEW_VALUE) {
		at = put_text(at, event->new_value);
		*out_new_value_at = (uint32_t)((size_t)(at - out->ptr) - event->new_value.len);
	}
	const uint64_t numbers[] = {event->old_rev, event->prev, (uint64_t)event->expires_at_ms,
	                            event->txn};
	for (unsigned i = 0; i < 4; i++) {
		if (bits & ((unsigned)HAS_OLD_REV << i)) {
			at = put_number(at, numbers[i]);
		}
	}
	if (bits & HAS_CAUSE) {
		at = put_number(at, cause->depth);
		at = put_text(at, cause->root);
		at = put_text(at, cause->path);
	}
	const struct span texts[] = {cause->delivery, event->traceparent, event->reason};
	for (unsigned i = 0; i < 3; i++) {
		if (bits & ((unsigned)HAS_DELIVERY << i)) {
			at = put_text(at, texts[i]);
		}
	}
	out->len = (size_t)(at - out->ptr);
}

/* ---- reading ---- */

/* A reader that has run off its end gives zeros from then on; `bad` tells at the end. */
struct cursor {
	const char *at;
	const char *end;
	bool bad;
};

static uint64_t get_number(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (cursor->at == cursor->end) {
			cursor->bad = true;
			return 0;
		}
		unsigned char byte = (unsigned char)*cursor->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			return value;
		}
	}
	cursor->bad = true;
	return 0;
}

static struct span get_text(struct cursor *cursor)
{
	uint64_t len = get_number(cursor);
	if (len > (size_t)(cursor->end - cursor->at)) {
		cursor->bad = true;
		return SPAN_NONE;
	}
	struct span text = span_make(cursor->at, (size_t)len);
	cursor->at += len;
	return text;
}

int event_decode(uint64_t seq, struct span bytes, struct event *out, struct err *err)
{
	if (bytes.len < 2 || bytes.ptr[0] != EVENT_VERSION) {
		int found = bytes.len ? (unsigned char)bytes.ptr[0] : 0;
		return err_set(err, found > EVENT_VERSION ? E_VERSION : E_DAMAGED, "event_format",
		               "event %llu has format %d, this program knows %d",
		               (unsigned long long)seq, found, EVENT_VERSION);
	}
	struct cursor cursor = {bytes.ptr + 2, bytes.ptr + bytes.len, false};
	uint64_t bits = get_number(&cursor);
	struct event event = {.seq = seq, .kind = (enum event_kind)bytes.ptr[1]};
	event.scope = get_text(&cursor);
	event.key = get_text(&cursor);
	event.epoch = get_number(&cursor);
	event.rev = get_number(&cursor);
	event.time_ms = (int64_t)get_number(&cursor);
	event.old_value = bits & HAS_OLD_VALUE ? get_text(&cursor) : SPAN_NONE;
	event.new_value = bits & HAS_NEW_VALUE ? get_text(&cursor) : SPAN_NONE;
	event.old_rev = bits & HAS_OLD_REV ? get_number(&cursor) : 0;
	event.prev = bits & HAS_PREV ? get_number(&cursor) : 0;
	event.expires_at_ms = bits & HAS_EXPIRES ? (int64_t)get_number(&cursor) : 0;
	event.txn = bits & HAS_TXN ? get_number(&cursor) : 0;
	if (bits & HAS_CAUSE) {
		event.cause.depth = (uint32_t)get_number(&cursor);
		event.cause.root = get_text(&cursor);
		event.cause.path = get_text(&cursor);
	}
	event.cause.delivery = bits & HAS_DELIVERY ? get_text(&cursor) : SPAN_NONE;
	event.traceparent = bits & HAS_TRACEPARENT ? get_text(&cursor) : SPAN_NONE;
	event.reason = bits & HAS_REASON ? get_text(&cursor) : SPAN_NONE;
	bool good = !cursor.bad && cursor.at == cursor.end && (bits & ~(uint64_t)HAS_KNOWN) == 0 &&
	            event_kind_name(event.kind) != NULL;
	if (!good) {
		return err_set(err, E_DAMAGED, "event_damaged",
		               "event %llu is not what was written", (unsigned long long)seq);
	}
	*out = event;
	return 0;
}

/* ---- ids ---- */

void event_write_id(struct span log, uint64_t epoch, uint64_t seq, struct buf *out)
{
	buf_span(out, log);
	buf_byte(out, '-');
	buf_uint(out, epoch);
	buf_byte(out, '-');
	buf_uint(out, seq);
}

bool event_parse_id(struct span id, struct span *out_log, uint64_t *out_epoch, uint64_t *out_seq)
{
	const char *first = id.len ? memchr(id.ptr, '-', id.len) : NULL;
	if (first == NULL || first == id.ptr) {
		return false;
	}
	const char *end = id.ptr + id.len;
	const char *second = memchr(first + 1, '-', (size_t)(end - first - 1));
	uint64_t epoch;
	uint64_t seq;
	if (second == NULL ||
	    !id_parse_uint(span_make(first + 1, (size_t)(second - first - 1)), &epoch) ||
	    !id_parse_uint(span_make(second + 1, (size_t)(end - second - 1)), &seq)) {
		return false;
	}
	*out_log = span_make(id.ptr, (size_t)(first - id.ptr));
	*out_epoch = epoch;
	*out_seq = seq;
	return true;
}

/* ---- showing ---- */

static void write_cause(const struct event_cause *cause, struct buf *out)
{
	BUF_LITERAL(out, ",\"cause\":{\"root\":");
	json_write_string(out, cause->root);
	BUF_LITERAL(out, ",\"depth\":");
	buf_uint(out, cause->depth);
	BUF_LITERAL(out, ",\"path\":[");
	struct span rest = cause->path;
	while (rest.len != 0) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
		json_write_string(out, span_make(rest.ptr, len));
		rest = end ? span_make(end + 1, rest.len - len - 1) : SPAN("");
		if (rest.len != 0) {
			buf_byte(out, ',');
		}
	}
	BUF_LITERAL(out, "]}");
}

static void write_value(struct span value, struct buf *out)
{
	buf_span(out, value.ptr ? value : SPAN("null"));
}

void event_write_json(const struct event *event, struct span log,
                      const struct event_delivery *delivery, struct buf *out)
{
	char time_text[CLOCK_TEXT_LEN + 1];
	clock_format(event->time_ms, time_text);
	/* The usual event needs one look at the room. */
	(void)buf_reserve(out, 320 + event->old_value.len + event->new_value.len);
	BUF_LITERAL(out, "{\"type\":\"state\",\"event_type\":\"");
	buf_span(out, span_of(event_kind_name(event->kind)));
	BUF_LITERAL(out, "\",\"scope\":");
	json_write_string(out, event->scope);
	BUF_LITERAL(out, ",\"key\":");
	json_write_string(out, event->key);
	BUF_LITERAL(out, ",\"old_value\":");
	write_value(event->old_value, out);
	BUF_LITERAL(out, ",\"new_value\":");
	write_value(event->new_value, out);
	BUF_LITERAL(out, ",\"id\":\"");
	event_write_id(log, event->epoch, event->seq, out);
	BUF_LITERAL(out, "\",\"seq\":");
	buf_uint(out, event->seq);
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, event->rev);
	BUF_LITERAL(out, "\",\"time\":\"");
	buf_add(out, time_text, CLOCK_TEXT_LEN);
	buf_byte(out, '"');
	if (delivery != NULL) {
		BUF_LITERAL(out, ",\"attempt\":");
		buf_uint(out, delivery->attempt);
		BUF_LITERAL(out, ",\"delivery_id\":");
		json_write_string(out, delivery->delivery_id);
	}
	if (event->reason.len != 0) {
		BUF_LITERAL(out, ",\"reason\":");
		json_write_string(out, event->reason);
	}
	if (event->txn != 0) {
		BUF_LITERAL(out, ",\"txn\":");
		buf_uint(out, event->txn);
	}
	if (event->cause.depth != 0) {
		write_cause(&event->cause, out);
	}
	buf_byte(out, '}');
}
