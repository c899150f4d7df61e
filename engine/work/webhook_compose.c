/* This file composes the request of one call: body, fields, signature. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_compose.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "wire/baggage.h"
#include "wire/cloudevent.h"
#include "wire/url.h"
#include <strings.h>

/* What one request is made from. */
struct making {
	struct webhook_composer *composer;
	const struct webhook_target *target;
	const struct call *call;
	struct span data;  /* what the function gets */
	struct span event; /* the event behind it; the data itself if nothing is selected of it */
	struct span id;    /* of the message: the same over all attempts */
	struct webhook_message *out;
};

void webhook_composer_init(struct webhook_composer *composer, struct condition_env *conditions,
                           struct span service)
{
	*composer = (struct webhook_composer){.conditions = conditions};
	if (conditions != NULL) {
		matching_init(&composer->matching, conditions, SPAN(""));
	}
	BUF_LITERAL(&composer->source, "/pawl/");
	url_encode(service, &composer->source);
}

void webhook_composer_close(struct webhook_composer *composer)
{
	if (composer->conditions != NULL) {
		matching_close(&composer->matching);
	}
	buf_free(&composer->source);
}

void webhook_message_close(struct webhook_message *message)
{
	buf_free(&message->body);
	buf_free(&message->headers);
}

/* ---- fields ---- */

static bool has_header(const struct buf *headers, const char *name)
{
	size_t len = strlen(name);
	for (size_t at = 0; at < headers->len; at += strlen(headers->ptr + at) + 1) {
		if (strncasecmp(headers->ptr + at, name, len) == 0 &&
		    headers->ptr[at + len] == ':') {
			return true;
		}
	}
	return false;
}

/* What a peer gave us for a header goes out only if it cannot be more than one. */
static void add_header(struct buf *headers, const char *name, struct span value)
{
	if (value.ptr == NULL || has_header(headers, name)) {
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f) {
			return;
		}
	}
	buf_format(headers, "%s: %.*s", name, SPAN_ARG(value));
	buf_byte(headers, '\0');
}

/* The headers that speak of the event are asked once for all of them. */
static int add_configured(struct making *making, struct err *err)
{
	struct webhook_composer *composer = making->composer;
	const struct webhook_headers *headers = &making->target->headers;
	struct buf texts = {0};
	struct buf id = {0};
	struct event event;
	if (headers->asks) {
		struct span log;
		struct span found;
		uint64_t epoch;
		uint64_t seq;
		event_read_json(making->event, &texts, &event);
		(void)buf_reserve(&id, making->event.len);
		bool has_id = json_get(making->event, SPAN("id"), &found) &&
		              event_parse_id(json_copy_text(found, &id), &log, &epoch, &seq);
		composer->matching.log = has_id ? log : SPAN("");
		matching_begin(&composer->matching, &event);
	}
	int status = webhook_headers_write(headers, &composer->matching, making->call->metadata,
	                                   &making->out->headers, err);
	buf_free(&id);
	buf_free(&texts);
	return status;
}

static void add_signature(struct making *making)
{
	struct buf *headers = &making->out->headers;
	int64_t seconds = clock_real_wall_ms() / 1000;
	buf_format(headers, "webhook-timestamp: %lld", (long long)seconds);
	buf_byte(headers, '\0');
	BUF_LITERAL(headers, "webhook-signature: ");
	webhook_keys_sign(&making->target->keys, making->id, seconds, buf_view(&making->out->body),
	                  headers);
	buf_byte(headers, '\0');
}

/* ---- the body ---- */

static struct span member_text(struct span object, const char *name, struct buf *texts)
{
	struct span found;
	return json_get(object, span_of(name), &found) && json_kind(found) == JSON_STRING
	               ? json_copy_text(found, texts)
	               : SPAN_NONE;
}

/* "state:updated" is the type pawl.state.updated, a call that no event made pawl.call. */
static void write_type(struct span event_type, struct buf *out)
{
	BUF_LITERAL(out, "pawl.");
	buf_span(out, event_type.len != 0 ? event_type : SPAN("call"));
	for (size_t i = 0; i < out->len; i++) {
		out->ptr[i] = out->ptr[i] == ':' ? '.' : out->ptr[i];
	}
}

static void write_subject(struct span scope, struct span key, struct buf *out)
{
	cloudevent_write_clean(scope, out);
	if (scope.len != 0 && key.len != 0) {
		buf_byte(out, '/');
	}
	cloudevent_write_clean(key, out);
}

static void write_mode(struct making *making, const struct cloudevent *event)
{
	struct webhook_message *out = making->out;
	if (making->target->format == WEBHOOK_CLOUDEVENTS) {
		cloudevent_write(event, &out->body);
		add_header(&out->headers, "Content-Type", SPAN(CLOUDEVENT_STRUCTURED));
	} else {
		cloudevent_write_fields(event, &out->headers);
		buf_span(&out->body, event->data);
	}
}

/* A CloudEvent that came in goes out as the one that it is. */
static bool is_custom(struct span object, struct span *out_inner)
{
	struct span type;
	return json_get(object, SPAN("type"), &type) && span_is(type, "\"event\"") &&
	       json_get(object, SPAN("event"), out_inner) && json_kind(*out_inner) == JSON_OBJECT;
}

static void write_again(struct making *making, struct span inner)
{
	struct buf texts = {0};
	struct span data;
	bool is_whole = making->data.ptr == making->event.ptr;
	bool has_bytes = json_get(inner, SPAN("data_base64"), &data);
	bool has_data = json_get(inner, SPAN("data"), &data);
	if (is_whole && (making->target->format == WEBHOOK_CLOUDEVENTS || has_bytes)) {
		/* With all its extensions; bytes that are no JSON have no other way. */
		buf_span(&making->out->body, inner);
		add_header(&making->out->headers, "Content-Type", SPAN(CLOUDEVENT_STRUCTURED));
		return;
	}
	(void)buf_reserve(&texts, inner.len);
	const struct cloudevent event = {
	        .id = member_text(inner, "id", &texts),
	        .source = member_text(inner, "source", &texts),
	        .type = member_text(inner, "type", &texts),
	        .subject = member_text(inner, "subject", &texts),
	        .time = member_text(inner, "time", &texts),
	        .traceparent = making->call->traceparent,
	        .data = !is_whole  ? making->data
	                : has_data ? data
	                           : SPAN("null"),
	};
	write_mode(making, &event);
	buf_free(&texts);
}

static bool is_of_type(struct span object, const char *wanted)
{
	struct span type;
	return json_get(object, SPAN("type"), &type) && json_string_is(type, span_of(wanted));
}

static void write_cloudevent(struct making *making)
{
	bool is_object = json_kind(making->event) == JSON_OBJECT;
	struct span object = is_object ? making->event : SPAN("{}");
	struct span inner;
	if (is_custom(object, &inner)) {
		write_again(making, inner);
		return;
	}
	struct buf texts = {0};
	struct buf type = {0};
	struct buf subject = {0};
	(void)buf_reserve(&texts, object.len); /* it does not move between them */
	struct span event_type = member_text(object, "event_type", &texts);
	struct span id = member_text(object, "id", &texts);
	write_type(is_of_type(object, "batch") ? SPAN("batch") : event_type, &type);
	write_subject(member_text(object, "scope", &texts), member_text(object, "key", &texts),
	              &subject);
	const struct cloudevent event = {
	        .id = event_type.len != 0 && id.len != 0 ? id : making->id,
	        .source = buf_view(&making->composer->source),
	        .type = buf_view(&type),
	        .subject = buf_view(&subject),
	        .time = member_text(object, "time", &texts),
	        .traceparent = making->call->traceparent,
	        .data = making->data,
	};
	write_mode(making, &event);
	buf_free(&subject);
	buf_free(&type);
	buf_free(&texts);
}

/* ---- all of it ---- */

/* Receivers know a repetition by the id of the delivery; a call that no event made has one of its
 * own. It is signed as it stands in the field. */
static void write_id(const struct call *call, struct buf *out)
{
	struct buf scratch = {0};
	struct baggage baggage;
	if (call->baggage.ptr != NULL && baggage_parse(call->baggage, &scratch, &baggage)) {
		cloudevent_write_ascii(baggage.delivery, out);
	} else {
		char uuid[ID_UUID_LEN + 1];
		id_uuid(uuid);
		buf_format(out, "msg_%s", uuid);
	}
	buf_free(&scratch);
}

static int make(struct making *making, struct err *err)
{
	struct webhook_message *out = making->out;
	const struct call *call = making->call;
	int status = add_configured(making, err);
	if (status != 0) {
		return status;
	}
	if (making->target->format == WEBHOOK_JSON) {
		buf_span(&out->body, making->data);
	} else {
		write_cloudevent(making);
	}
	status = webhook_target_prove(making->target, buf_view(&out->body), clock_real_wall_ms(),
	                              &out->headers, err);
	if (status != 0) {
		return status;
	}
	add_header(&out->headers, "Content-Type", SPAN("application/json"));
	add_header(&out->headers, "traceparent", call->traceparent);
	add_header(&out->headers, "baggage", call->baggage);
	add_header(&out->headers, "webhook-id", making->id);
	if (making->target->keys.count != 0) {
		add_signature(making);
	}
	return 0;
}

int webhook_compose(struct webhook_composer *composer, const struct webhook_target *target,
                    struct call *call, struct webhook_message *out, struct err *err)
{
	struct buf data = {0};
	struct buf event = {0};
	struct buf id = {0};
	struct making making = {.composer = composer, .target = target, .call = call, .out = out};
	making.data = call->data.ptr ? call->data : SPAN("null");
	if (call->write_data) {
		call->write_data(call, &data);
		making.data = buf_view(&data);
	}
	making.event = making.data;
	if (call->write_event) {
		call->write_event(call, &event);
		making.event = buf_view(&event);
	}
	out->is_alarm = target->alarm_url != NULL && json_kind(making.event) == JSON_OBJECT &&
	                is_of_type(making.event, "alarm");
	write_id(call, &id);
	making.id = buf_view(&id);
	buf_clear(&out->body);
	buf_clear(&out->headers);
	int status = make(&making, err);
	buf_free(&id);
	buf_free(&event);
	buf_free(&data);
	return status;
}
