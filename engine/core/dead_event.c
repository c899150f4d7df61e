/* This file writes the event of a new dead letter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dead_event.h"

#include "base/json.h"
#include "engine/core/parcel.h"

enum { MESSAGE_MOST = 512 };

/* Cut between two characters. */
static struct span shorten(struct span text)
{
	if (text.len <= MESSAGE_MOST) {
		return text;
	}
	size_t len = MESSAGE_MOST;
	while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	return span_make(text.ptr, len);
}

static void write_raw(struct span json, const char *name, struct buf *out)
{
	struct span value;
	if (json_get(json, span_of(name), &value)) {
		json_write_member_raw(out, name, value);
	}
}

/* Events of a batch; 0: it is none. */
static size_t events_of(const struct delivery *delivery)
{
	struct span events = parcel_events(buf_view(&delivery->event_json));
	struct span item;
	size_t count = delivery->members.count;
	if (events.ptr != NULL) {
		for (struct json_iter iter = json_iter(events); json_next_item(&iter, &item);) {
			count++;
		}
	}
	return count;
}

/* What was not delivered: enough to find it. */
static void write_event(const struct dead_event *what, struct buf *out)
{
	if (what->delivery == NULL) {
		json_write_name(out, "range");
		buf_format(out, "{\"from_seq\":%llu,\"to_seq\":%llu}",
		           (unsigned long long)what->from_seq, (unsigned long long)what->to_seq);
		return;
	}
	struct span json = buf_view(&what->delivery->event_json);
	json_write_name(out, "event");
	buf_byte(out, '{');
	size_t batch = events_of(what->delivery);
	if (batch != 0) {
		json_write_member_string(out, "event_type", SPAN("batch"));
		json_write_member_uint(out, "count", batch);
	} else if (json.len != 0) {
		write_raw(json, "id", out);
		write_raw(json, "event_type", out);
	} else if (what->event != NULL) {
		struct buf id = {0};
		event_write_id(what->log, what->event->epoch, what->event->seq, &id);
		json_write_member_string(out, "id", buf_view(&id));
		json_write_member_string(out, "event_type",
		                         what->event->kind == EVENT_CUSTOM
		                                 ? what->event->scope
		                                 : span_of(event_kind_name(what->event->kind)));
		buf_free(&id);
	}
	json_write_member_uint(out, "seq", what->delivery->seq);
	buf_byte(out, '}');
}

static void write_told(const struct dead_event *what, struct buf *out)
{
	const struct binding *binding = what->binding;
	buf_byte(out, '{');
	json_write_member_string(out, "id", what->id);
	json_write_member_string(out, "trigger", binding->id);
	json_write_member_uint(out, "version", binding->version);
	json_write_member_string(out, "type", binding->type);
	json_write_member_string(out, "namespace", what->namespace_);
	json_write_member_string(out, "function_id", what->function_id);
	json_write_member_string(out, "reason", what->code);
	json_write_member_string(out, "message", shorten(what->message));
	json_write_member_uint(out, "attempts",
	                       what->delivery != NULL ? what->delivery->failures : 0);
	json_write_member_string(out, "died_at", what->died_at);
	write_event(what, out);
	buf_byte(out, '}');
}

/* One change further than the event that died; `text` holds what the cause points into. A range has
 * no cause, and one that is replayed begins a chain, as the writes of its handler do. */
static struct event_cause cause_of(const struct dead_event *what, struct buf *text)
{
	const struct event_cause none = {0};
	const struct event_cause *before = what->event != NULL ? &what->event->cause : &none;
	struct event_cause cause = {.depth = before->depth + 1, .delivery = what->id};
	if (what->delivery == NULL) {
		return none;
	}
	(void)buf_reserve(text, what->id.len + before->root.len + before->path.len +
	                                what->binding->id.len + 1);
	const char *slash = memchr(what->id.ptr, '/', what->id.len);
	size_t id_len = slash != NULL ? (size_t)(slash - what->id.ptr) : what->id.len;
	buf_span(text, before->root.len != 0 ? before->root : span_make(what->id.ptr, id_len));
	cause.root = buf_view(text);
	size_t at = text->len;
	if (before->path.len != 0) {
		buf_span(text, before->path);
		buf_byte(text, '\n');
	}
	buf_span(text, what->binding->id);
	cause.path = span_make(text->ptr + at, text->len - at);
	return cause;
}

/* Where the event was, or would have been. */
static void place(const struct dead_event *what, struct event *event)
{
	if (what->delivery == NULL) {
		struct span scope = what->binding->filter->scope;
		event->scope = scope.ptr != NULL ? scope : SPAN("");
		return;
	}
	event->scope = what->delivery->scope;
	event->key = what->delivery->key.len != 0 ? what->delivery->key : SPAN_NONE;
}

void dead_event_put(struct store *store, const struct dead_event *what)
{
	enum event_kind kind;
	if (filter_is_beside(what->binding->filter, &kind) && kind == EVENT_DEAD) {
		return;
	}
	struct buf told = {0};
	struct buf text = {0};
	write_told(what, &told);
	struct event event = {
	        .kind = EVENT_DEAD,
	        .seq = store_next_seq(store),
	        .epoch = what->epoch,
	        .new_value = buf_view(&told),
	        .time_ms = store_time_ms(store),
	        .cause = cause_of(what, &text),
	        .traceparent = what->event != NULL ? what->event->traceparent : SPAN_NONE,
	};
	place(what, &event);
	uint32_t value_at;
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store);
	buf_free(&told);
	buf_free(&text);
}
