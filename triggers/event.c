/* This file packs events into the journal's binary form, unpacks them and shows them as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/event.h"

#include "base/clock.h"
#include "base/json.h"
#include "triggers/alarm_json.h"

/*
 * DESIGN. Version 1, all of it in one run of bytes:
 *
 *   version (1) | kind (1) | presence (2, low byte first) | epoch | time (zigzag) |
 *   the numbers that are there | the texts that are there, each as length and bytes
 *
 * Numbers and lengths are varints (7 bits a byte, low ones first, the top bit says "more"), in the
 * order of the presence bits. Each has exactly one spelling: no needless last byte, no number that
 * is present and 0. So whatever decodes encodes to the same bytes again. A bit or a kind that
 * version 1 does not have was written by a later program. The journal has checked its sum before
 * anything gets here: damage that is found here was there when it was written.
 */
enum { VERSION = 1, HEAD_LEN = 4, VARINT_MAX = 10 };

/* The order of the bits is that of the bytes: never renumber. */
enum presence {
	HAS_REV,
	HAS_OLD_REV,
	HAS_PREV,
	HAS_EXPIRES_AT,
	HAS_TXN,
	HAS_DEPTH,
	NUMBER_COUNT,
	HAS_SCOPE = NUMBER_COUNT,
	HAS_KEY,
	HAS_OLD_VALUE,
	HAS_NEW_VALUE,
	HAS_ROOT,
	HAS_PATH,
	HAS_DELIVERY,
	HAS_TRACEPARENT,
	HAS_REASON,
	PRESENCE_COUNT,
	TEXT_COUNT = PRESENCE_COUNT - NUMBER_COUNT,
};

/* What clock_format can print: the years 1000 to 9999. */
#define TIME_MIN (-INT64_C(30610224000000))
#define TIME_MAX INT64_C(253402300799999)

static const struct {
	enum event_kind kind;
	struct span name;
} KINDS[] = {
#define X(kind, number, text) {kind, {text, sizeof(text) - 1}},
        EVENT_KINDS(X)
#undef X
};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

static size_t kind_index(enum event_kind kind)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (KINDS[i].kind == kind) {
			return i;
		}
	}
	return KIND_COUNT;
}

const char *event_kind_name(enum event_kind kind)
{
	size_t index = kind_index(kind);
	PRE(index < KIND_COUNT);
	return KINDS[index].name.ptr;
}

bool event_kind_parse(struct span word, enum event_kind *out)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (span_equal(KINDS[i].name, word)) {
			*out = KINDS[i].kind;
			return true;
		}
	}
	return false;
}

bool event_kind_is_change(enum event_kind kind)
{
	return kind <= EVENT_TOUCHED;
}

bool event_kind_is_message(enum event_kind kind)
{
	return kind >= EVENT_QUEUED && kind <= EVENT_BROADCAST;
}

bool event_kind_is_alarm(enum event_kind kind)
{
	return kind == EVENT_ALARM_DUE || kind == EVENT_ALARM_FAILED;
}

static uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value)
{
	uint64_t half = value >> 1;
	return (int64_t)((value & 1) != 0 ? ~half : half);
}

static void list_numbers(const struct event *event, uint64_t out[NUMBER_COUNT])
{
	out[HAS_REV] = event->rev;
	out[HAS_OLD_REV] = event->old_rev;
	out[HAS_PREV] = event->prev;
	out[HAS_EXPIRES_AT] = zigzag(event->expires_at_ms);
	out[HAS_TXN] = event->txn;
	out[HAS_DEPTH] = event->cause.depth;
}

static void list_texts(const struct event *event, struct span out[TEXT_COUNT])
{
	out[HAS_SCOPE - NUMBER_COUNT] = event->scope;
	out[HAS_KEY - NUMBER_COUNT] = event->key;
	out[HAS_OLD_VALUE - NUMBER_COUNT] = event->old_value;
	out[HAS_NEW_VALUE - NUMBER_COUNT] = event->new_value;
	out[HAS_ROOT - NUMBER_COUNT] = event->cause.root;
	out[HAS_PATH - NUMBER_COUNT] = event->cause.path;
	out[HAS_DELIVERY - NUMBER_COUNT] = event->cause.delivery;
	out[HAS_TRACEPARENT - NUMBER_COUNT] = event->traceparent;
	out[HAS_REASON - NUMBER_COUNT] = event->reason;
}

static char *put_varint(char *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (char)(value | 0x80);
		value >>= 7;
	}
	*at++ = (char)value;
	return at;
}

void event_encode(const struct event *event, struct buf *out, uint32_t *out_new_value_at)
{
	PRE(kind_index(event->kind) < KIND_COUNT);
	PRE(event->time_ms >= TIME_MIN && event->time_ms <= TIME_MAX);
	uint64_t numbers[NUMBER_COUNT];
	struct span texts[TEXT_COUNT];
	list_numbers(event, numbers);
	list_texts(event, texts);
	size_t most = HEAD_LEN + (2 + (size_t)PRESENCE_COUNT) * VARINT_MAX;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		PRE(texts[i].len <= UINT32_MAX / 16);
		most += texts[i].len;
	}

	char *head = buf_reserve(out, most);
	char *at = head + HEAD_LEN;
	unsigned presence = 0;
	at = put_varint(at, event->epoch);
	at = put_varint(at, zigzag(event->time_ms));
	for (unsigned i = 0; i < NUMBER_COUNT; i++) {
		if (numbers[i] != 0) {
			presence |= 1u << i;
			at = put_varint(at, numbers[i]);
		}
	}
	for (unsigned i = 0; i < TEXT_COUNT; i++) {
		if (texts[i].ptr == NULL) {
			continue;
		}
		presence |= 1u << (NUMBER_COUNT + i);
		at = put_varint(at, texts[i].len);
		if (i == HAS_NEW_VALUE - NUMBER_COUNT) {
			size_t offset = (size_t)(at - out->ptr);
			PRE(offset <= UINT32_MAX);
			*out_new_value_at = (uint32_t)offset;
		}
		memcpy(at, texts[i].ptr, texts[i].len);
		at += texts[i].len;
	}
	head[0] = VERSION;
	head[1] = (char)event->kind;
	head[2] = (char)(presence & 0xff);
	head[3] = (char)(presence >> 8);
	out->len = (size_t)(at - out->ptr);
}

/* What is left to read; `ok` turns false at the first fault and stays so. */
struct reader {
	const char *at;
	const char *end;
	bool ok;
};

static uint64_t take_varint(struct reader *reader)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
		unsigned byte = (unsigned char)*reader->at++;
		if ((shift == 63 && byte > 1) || (byte == 0 && shift != 0)) {
			break;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			return value;
		}
	}
	reader->ok = false;
	return 0;
}

static uint64_t take_number(struct reader *reader, unsigned presence, enum presence bit)
{
	if ((presence & 1u << bit) == 0) {
		return 0;
	}
	uint64_t value = take_varint(reader);
	reader->ok = reader->ok && value != 0;
	return value;
}

static struct span take_text(struct reader *reader, unsigned presence, enum presence bit)
{
	if ((presence & 1u << bit) == 0) {
		return SPAN_NONE;
	}
	uint64_t len = take_varint(reader);
	if (!reader->ok || len > (uint64_t)(reader->end - reader->at)) {
		reader->ok = false;
		return SPAN_NONE;
	}
	struct span text = {reader->at, (size_t)len};
	reader->at += len;
	return text;
}

static void take_all(struct reader *reader, unsigned presence, struct event *event)
{
	event->epoch = take_varint(reader);
	event->time_ms = unzigzag(take_varint(reader));
	event->rev = take_number(reader, presence, HAS_REV);
	event->old_rev = take_number(reader, presence, HAS_OLD_REV);
	event->prev = take_number(reader, presence, HAS_PREV);
	event->expires_at_ms = unzigzag(take_number(reader, presence, HAS_EXPIRES_AT));
	event->txn = take_number(reader, presence, HAS_TXN);
	uint64_t depth = take_number(reader, presence, HAS_DEPTH);
	event->cause.depth = (uint32_t)depth;
	event->scope = take_text(reader, presence, HAS_SCOPE);
	event->key = take_text(reader, presence, HAS_KEY);
	event->old_value = take_text(reader, presence, HAS_OLD_VALUE);
	event->new_value = take_text(reader, presence, HAS_NEW_VALUE);
	event->cause.root = take_text(reader, presence, HAS_ROOT);
	event->cause.path = take_text(reader, presence, HAS_PATH);
	event->cause.delivery = take_text(reader, presence, HAS_DELIVERY);
	event->traceparent = take_text(reader, presence, HAS_TRACEPARENT);
	event->reason = take_text(reader, presence, HAS_REASON);
	reader->ok = reader->ok && depth <= UINT32_MAX && event->time_ms >= TIME_MIN &&
	             event->time_ms <= TIME_MAX && reader->at == reader->end;
}

int event_decode(uint64_t seq, struct span bytes, struct event *out, struct err *err)
{
	const unsigned char *head = (const unsigned char *)bytes.ptr;
	if (bytes.len == 0 || head[0] == 0) {
		return err_set(err, E_DAMAGED, "event_damaged", "event %llu has no version",
		               (unsigned long long)seq);
	}
	if (head[0] != VERSION) {
		return err_set(err, E_VERSION, "event_version",
		               "event %llu has version %u, this program knows version %d",
		               (unsigned long long)seq, head[0], VERSION);
	}
	if (bytes.len < HEAD_LEN) {
		return err_set(err, E_DAMAGED, "event_damaged", "event %llu is cut off",
		               (unsigned long long)seq);
	}
	unsigned presence = head[2] | (unsigned)head[3] << 8;
	struct event event = {.seq = seq, .kind = head[1]};
	if (kind_index(event.kind) == KIND_COUNT || presence >> PRESENCE_COUNT != 0) {
		return err_set(err, E_VERSION, "event_version",
		               "event %llu is of a kind that this program does not know "
		               "(kind %u, parts %04x)",
		               (unsigned long long)seq, head[1], presence);
	}
	struct reader reader = {bytes.ptr + HEAD_LEN, bytes.ptr + bytes.len, true};
	take_all(&reader, presence, &event);
	if (!reader.ok) {
		return err_set(err, E_DAMAGED, "event_damaged",
		               "event %llu breaks off or does not hold together at byte %zu of %zu",
		               (unsigned long long)seq, (size_t)(reader.at - bytes.ptr), bytes.len);
	}
	*out = event;
	return 0;
}

static void write_value(struct span value, struct buf *out)
{
	buf_span(out, value.ptr ? value : SPAN("null"));
}

static void write_cause(const struct event_cause *cause, struct buf *out)
{
	BUF_LITERAL(out, ",\"cause\":{\"root\":");
	json_write_string(out, cause->root);
	BUF_LITERAL(out, ",\"depth\":");
	buf_uint(out, cause->depth);
	BUF_LITERAL(out, ",\"path\":[");
	struct span rest = cause->path;
	while (rest.len != 0) {
		const char *newline = memchr(rest.ptr, '\n', rest.len);
		size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;
		json_write_string(out, span_make(rest.ptr, len));
		size_t used = newline ? len + 1 : len;
		rest = span_make(rest.ptr + used, rest.len - used);
		if (rest.len != 0) {
			buf_byte(out, ',');
		}
	}
	BUF_LITERAL(out, "]}");
}

static void write_delivery(const struct event_delivery *delivery, struct buf *out)
{
	if (delivery->attempt != 0) {
		BUF_LITERAL(out, ",\"attempt\":");
		buf_uint(out, delivery->attempt);
	}
	if (delivery->delivery_id.ptr != NULL) {
		BUF_LITERAL(out, ",\"delivery_id\":");
		json_write_string(out, delivery->delivery_id);
	}
	if (delivery->debounced != 0) {
		json_write_member_uint(out, "debounced", delivery->debounced);
	}
}

static void write_change(const struct event *event, struct buf *out)
{
	BUF_LITERAL(out, "{\"type\":\"state\",\"event_type\":\"");
	buf_span(out, KINDS[kind_index(event->kind)].name);
	BUF_LITERAL(out, "\",\"scope\":");
	json_write_string(out, event->scope);
	BUF_LITERAL(out, ",\"key\":");
	json_write_string(out, event->key);
	BUF_LITERAL(out, ",\"old_value\":");
	write_value(event->old_value, out);
	BUF_LITERAL(out, ",\"new_value\":");
	write_value(event->new_value, out);
}

static void write_custom(const struct event *event, struct buf *out)
{
	struct span source;
	bool is_object = event->new_value.ptr != NULL && json_kind(event->new_value) == JSON_OBJECT;
	BUF_LITERAL(out, "{\"type\":\"event\",\"event_type\":");
	json_write_string(out, event->scope);
	if (is_object && json_get(event->new_value, SPAN("source"), &source)) {
		json_write_member_raw(out, "source", source);
	}
	if (event->key.ptr != NULL) {
		json_write_member_string(out, "subject", event->key);
	}
	BUF_LITERAL(out, ",\"event\":");
	write_value(event->new_value, out);
}

static void write_dead(const struct event *event, struct buf *out)
{
	BUF_LITERAL(out, "{\"type\":\"dead\",\"event_type\":\"dead:created\"");
	if (event->scope.len != 0) {
		json_write_member_string(out, "scope", event->scope);
	}
	if (event->key.ptr != NULL) {
		json_write_member_string(out, "key", event->key);
	}
	BUF_LITERAL(out, ",\"dead\":");
	write_value(event->new_value, out);
}

/* What a message stands in: the type of its event, and the member with the name. */
static const char *holder_of(enum event_kind kind)
{
	return kind == EVENT_QUEUED ? "queue" : "topic";
}

static void write_message(const struct event *event, struct buf *out)
{
	const char *holder = holder_of(event->kind);
	buf_byte(out, '{');
	json_write_member_string(out, "type", span_of(holder));
	json_write_member_string(out, "event_type", KINDS[kind_index(event->kind)].name);
	json_write_member_string(out, holder, event->scope);
	if (event->key.ptr != NULL) {
		json_write_member_string(out, "key", event->key);
	}
	if (event->old_value.ptr != NULL) {
		json_write_member_raw(out, "call", event->old_value);
	}
	BUF_LITERAL(out, ",\"data\":");
	write_value(event->new_value, out);
}

static void write_cron(const struct event *event, struct buf *out)
{
	struct span at;
	struct span value = event->new_value;
	bool is_object = value.ptr != NULL && json_kind(value) == JSON_OBJECT;
	BUF_LITERAL(out, "{\"type\":\"cron\",\"event_type\":\"cron:fired\",\"trigger\":\"cron\"");
	json_write_member_string(out, "job_id", event->scope);
	if (is_object && json_get(value, SPAN("scheduled_at"), &at)) {
		json_write_member_raw(out, "scheduled_time", at);
	}
	if (is_object && json_get(value, SPAN("fired_at"), &at)) {
		json_write_member_raw(out, "actual_time", at);
	}
	if (is_object && value.len > 2) { /* its members, behind those */
		buf_byte(out, ',');
		buf_span(out, span_make(value.ptr + 1, value.len - 2));
	}
}

static void write_what(const struct event *event, struct buf *out)
{
	switch (event->kind) {
	case EVENT_CUSTOM:
		write_custom(event, out);
		break;
	case EVENT_DEAD:
		write_dead(event, out);
		break;
	case EVENT_QUEUED:
	case EVENT_PUBLISHED:
	case EVENT_BROADCAST:
		write_message(event, out);
		break;
	case EVENT_ALARM_DUE:
	case EVENT_ALARM_FAILED:
		alarm_json_write(event_kind_name(event->kind), event->scope, event->key,
		                 event->new_value, out);
		break;
	case EVENT_CRON:
		write_cron(event, out);
		break;
	default:
		write_change(event, out);
		break;
	}
}

void event_write_json(const struct event *event, struct span log,
                      const struct event_delivery *delivery, struct buf *out)
{
	enum { REST = 512 }; /* room for all but the texts of the user, in the usual case */
	char time[CLOCK_TEXT_LEN + 1];
	clock_format(event->time_ms, time);
	(void)buf_reserve(out, event->scope.len + event->key.len + event->old_value.len +
	                               event->new_value.len + REST);
	write_what(event, out);
	BUF_LITERAL(out, ",\"id\":\"");
	event_write_id(log, event->epoch, event->seq, out);
	BUF_LITERAL(out, "\",\"seq\":");
	buf_uint(out, event->seq);
	if (event_kind_is_change(event->kind)) {
		BUF_LITERAL(out, ",\"rev\":\"");
		buf_uint(out, event->rev);
		buf_byte(out, '"');
	}
	BUF_LITERAL(out, ",\"time\":\"");
	buf_add(out, time, CLOCK_TEXT_LEN);
	buf_byte(out, '"');
	if (delivery != NULL) {
		write_delivery(delivery, out);
		if (event->kind == EVENT_ALARM_DUE) {
			alarm_json_write_attempt(delivery->attempt, delivery->value, out);
		}
	}
	if (event->expires_at_ms != 0) {
		clock_format(event->expires_at_ms, time);
		BUF_LITERAL(out, ",\"expires_at\":\"");
		buf_add(out, time, CLOCK_TEXT_LEN);
		buf_byte(out, '"');
	}
	if (event->reason.ptr != NULL) {
		BUF_LITERAL(out, ",\"reason\":");
		json_write_string(out, event->reason);
	}
	if (event->cause.depth != 0) {
		write_cause(&event->cause, out);
	}
	buf_byte(out, '}');
}

void event_write_brief(const struct event *event, struct buf *out)
{
	char time[CLOCK_TEXT_LEN + 1];
	clock_format(event->time_ms, time);
	buf_byte(out, '{');
	json_write_member_uint(out, "seq", event->seq);
	json_write_member_string(out, "event_type", span_of(event_kind_name(event->kind)));
	json_write_member_string(out, "scope", event->scope);
	json_write_member_string(out, "key", event->key);
	json_write_member_string(out, "time", span_of(time));
	buf_byte(out, '}');
}
