/* This file spells and takes apart record keys and small record values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/space.h"

#include <string.h>

enum { NAME_MAX_LEN = 1024 };

void space_put_number(char out[SPACE_NUMBER_LEN], uint64_t number)
{
	for (int i = 0; i < SPACE_NUMBER_LEN; i++) {
		out[i] = (char)(unsigned char)(number >> (56 - 8 * i));
	}
}

uint64_t space_get_number(const char bytes[SPACE_NUMBER_LEN])
{
	uint64_t number = 0;
	for (int i = 0; i < SPACE_NUMBER_LEN; i++) {
		number = number << 8 | (unsigned char)bytes[i];
	}
	return number;
}

static size_t append(struct space_key *room, size_t at, struct span bytes)
{
	PRE(bytes.len <= NAME_MAX_LEN && at + bytes.len <= sizeof room->bytes);
	if (bytes.len != 0) {
		memcpy(room->bytes + at, bytes.ptr, bytes.len);
	}
	return at + bytes.len;
}

static struct record_key spelt(enum space space, struct span part, const struct space_key *room,
                               size_t len)
{
	return (struct record_key){space, part, span_make(room->bytes, len)};
}

struct record_key space_job(struct space_key *room, struct span trigger_id, uint64_t seq)
{
	space_put_number(room->bytes, seq);
	return spelt(SPACE_JOB, trigger_id, room, SPACE_NUMBER_LEN);
}

struct record_key space_dead(struct space_key *room, uint64_t seq, struct span rest)
{
	space_put_number(room->bytes, seq);
	return spelt(SPACE_DEAD, SPAN(""), room, append(room, SPACE_NUMBER_LEN, rest));
}

struct record_key space_trigger(struct space_key *room, struct span id, uint64_t version)
{
	size_t len = append(room, 0, id);
	room->bytes[len++] = '\0';
	space_put_number(room->bytes + len, version);
	return spelt(SPACE_TRIGGER, SPAN(""), room, len + SPACE_NUMBER_LEN);
}

struct record_key space_alarm(struct space_key *room, struct span scope, struct span key,
                              struct span name)
{
	PRE(key.len + name.len < SPACE_KEY_MAX);
	size_t len = append(room, 0, key);
	room->bytes[len++] = '\0';
	return spelt(SPACE_ALARM, scope, room, append(room, len, name));
}

struct record_key space_later(struct span id)
{
	return (struct record_key){SPACE_ALARM, SPAN(""), id};
}

struct record_key space_mark(struct space_key *room, struct span trigger_id, uint64_t version)
{
	space_put_number(room->bytes, version);
	return spelt(SPACE_WINDOW, trigger_id, room, SPACE_NUMBER_LEN);
}

struct record_key space_window(struct space_key *room, struct span trigger_id, uint64_t version,
                               uint64_t first_seq)
{
	space_put_number(room->bytes, version);
	space_put_number(room->bytes + SPACE_NUMBER_LEN, first_seq);
	return spelt(SPACE_WINDOW, trigger_id, room, (size_t)2 * SPACE_NUMBER_LEN);
}

struct record_key space_pace(struct space_key *room, struct span trigger_id, uint64_t version,
                             uint64_t group)
{
	space_put_number(room->bytes, version);
	room->bytes[SPACE_NUMBER_LEN] = 't';
	space_put_number(room->bytes + SPACE_NUMBER_LEN + 1, group);
	return spelt(SPACE_WINDOW, trigger_id, room, (size_t)2 * SPACE_NUMBER_LEN + 1);
}

struct record_key space_cursor(void)
{
	return (struct record_key){SPACE_META, SPAN(""), SPAN("cursor")};
}

struct record_key space_cursor_of(struct space_key *room, struct span trigger_id, uint64_t version)
{
	size_t len = append(room, append(room, 0, SPAN("cursor/")), trigger_id);
	room->bytes[len++] = '\0';
	space_put_number(room->bytes + len, version);
	return spelt(SPACE_META, SPAN(""), room, len + SPACE_NUMBER_LEN);
}

struct record_key space_replays(void)
{
	return (struct record_key){SPACE_META, SPAN(""), SPAN("replays")};
}

static const struct span cron_prefix = {"cron/", 5};

struct record_key space_cron(struct space_key *room, struct span trigger_id)
{
	size_t len = append(room, 0, cron_prefix);
	return spelt(SPACE_META, SPAN(""), room, append(room, len, trigger_id));
}

struct adapter_range space_crons(void)
{
	return (struct adapter_range){
	        .space = SPACE_META, .part = SPAN(""), .start = cron_prefix, .end = SPAN("cron0")};
}

bool space_parse_cron(struct span key, struct span *out_id)
{
	if (!span_starts_with(key, cron_prefix)) {
		return false;
	}
	*out_id = span_make(key.ptr + cron_prefix.len, key.len - cron_prefix.len);
	return true;
}

struct record_key space_idem(struct span key)
{
	return (struct record_key){SPACE_IDEM, SPAN("key"), key};
}

struct record_key space_idem_row(struct span row)
{
	return (struct record_key){SPACE_IDEM, SPAN("time"), row};
}

struct record_key space_idem_time(struct space_key *room, uint64_t expires_ms, struct span key)
{
	space_put_number(room->bytes, expires_ms);
	return spelt(SPACE_IDEM, SPAN("time"), room, append(room, SPACE_NUMBER_LEN, key));
}

struct adapter_range space_idem_times(void)
{
	return (struct adapter_range){.space = SPACE_IDEM, .part = SPAN("time")};
}

struct record_key space_token(struct span name)
{
	return (struct record_key){SPACE_SECRET, SPAN("token"), name};
}

struct adapter_range space_tokens(void)
{
	return (struct adapter_range){.space = SPACE_SECRET, .part = SPAN("token")};
}

bool space_is_cursor(struct span key)
{
	return span_is(key, "cursor") || span_starts_with(key, SPAN("cursor/"));
}

static int damaged(const char *what, struct err *err)
{
	return err_set(err, E_DAMAGED, "damaged_record", "a stored %s cannot be read", what);
}

int space_parse_job(struct span key, uint64_t *out_seq, struct err *err)
{
	if (key.len != SPACE_NUMBER_LEN) {
		return damaged("job's key", err);
	}
	*out_seq = space_get_number(key.ptr);
	return 0;
}

int space_parse_idem_time(struct span row, uint64_t *out_expires_ms, struct span *out_key,
                          struct err *err)
{
	if (row.len <= SPACE_NUMBER_LEN) {
		return damaged("expiry's key", err);
	}
	*out_expires_ms = space_get_number(row.ptr);
	*out_key = span_make(row.ptr + SPACE_NUMBER_LEN, row.len - SPACE_NUMBER_LEN);
	return 0;
}

int space_parse_trigger(struct span key, struct span *out_id, uint64_t *out_version,
                        struct err *err)
{
	size_t id_len = key.len - SPACE_NUMBER_LEN - 1;
	if (key.len <= SPACE_NUMBER_LEN || key.ptr[id_len] != '\0') {
		return damaged("trigger's key", err);
	}
	*out_id = span_make(key.ptr, id_len);
	*out_version = space_get_number(key.ptr + id_len + 1);
	return 0;
}

int space_parse_window(struct span key, enum space_window_kind *out_kind, uint64_t *out_version,
                       uint64_t *out_number, struct err *err)
{
	enum {
		MARK_LEN = SPACE_NUMBER_LEN,
		WINDOW_LEN = 2 * SPACE_NUMBER_LEN,
		PACE_LEN = WINDOW_LEN + 1
	};
	switch (key.len) {
	case MARK_LEN:
		*out_kind = SPACE_MARK;
		*out_number = 0;
		break;
	case WINDOW_LEN:
		*out_kind = SPACE_OPEN_WINDOW;
		*out_number = space_get_number(key.ptr + SPACE_NUMBER_LEN);
		break;
	case PACE_LEN:
		*out_kind = SPACE_PACE;
		*out_number = space_get_number(key.ptr + SPACE_NUMBER_LEN + 1);
		break;
	default:
		return damaged("window's key", err);
	}
	*out_version = space_get_number(key.ptr);
	return 0;
}

int space_parse_cursor(struct span key, struct span *out_id, uint64_t *out_version, struct err *err)
{
	if (span_is(key, "cursor")) {
		*out_id = SPAN_NONE;
		*out_version = 0;
		return 0;
	}
	struct span rest = span_make(key.ptr + 7, key.len - 7); /* behind "cursor/" */
	return space_parse_trigger(rest, out_id, out_version, err);
}

int space_parse_alarm(struct span key, struct span *out_key, struct span *out_name, struct err *err)
{
	const char *nul = key.len != 0 ? memchr(key.ptr, '\0', key.len) : NULL;
	if (nul == NULL) {
		return damaged("alarm's key", err);
	}
	*out_key = span_make(key.ptr, (size_t)(nul - key.ptr));
	*out_name = span_make(nul + 1, key.len - out_key->len - 1);
	return 0;
}

void space_put_u8(struct buf *out, uint8_t value)
{
	buf_byte(out, (char)value);
}

static void put_bytes(struct buf *out, uint64_t value, int len)
{
	for (int i = 0; i < len; i++) {
		buf_byte(out, (char)(unsigned char)(value >> (8 * i)));
	}
}

void space_put_u32(struct buf *out, uint32_t value)
{
	put_bytes(out, value, 4);
}

void space_put_u64(struct buf *out, uint64_t value)
{
	put_bytes(out, value, 8);
}

void space_put_varint(struct buf *out, uint64_t value)
{
	while (value >= 0x80) {
		buf_byte(out, (char)(unsigned char)(value | 0x80));
		value >>= 7;
	}
	buf_byte(out, (char)value);
}

/* The length plus one, so that 0 can say "absent". */
void space_put_span(struct buf *out, struct span bytes)
{
	space_put_varint(out, bytes.ptr == NULL ? 0 : (uint64_t)bytes.len + 1);
	buf_span(out, bytes);
}

int space_json(struct span value, char format, const char *what, const char *code, struct span *out,
               struct err *err)
{
	if (value.len == 0 || value.ptr[0] != format) {
		return err_set(err, E_VERSION, code,
		               "%s has format %d, this program knows %d; use the version that "
		               "wrote it",
		               what, value.len ? value.ptr[0] : 0, format);
	}
	*out = span_make(value.ptr + 1, value.len - 1);
	return 0;
}

int space_reader_init(struct space_reader *reader, struct span value, uint8_t newest,
                      const char *what, struct err *err)
{
	struct space_reader fresh = {value.ptr, value.ptr + value.len, false};
	uint8_t format = space_get_u8(&fresh);
	if (format == 0) {
		return damaged(what, err);
	}
	if (format > newest) {
		return err_set(err, E_VERSION, "newer_record",
		               "a stored %s has format %u; this program knows %u", what, format,
		               newest);
	}
	*reader = fresh;
	return 0;
}

static const char *take(struct space_reader *reader, uint64_t len)
{
	if (reader->is_damaged || len > (uint64_t)(reader->end - reader->at)) {
		reader->is_damaged = true;
		return NULL;
	}
	const char *bytes = reader->at;
	reader->at += len;
	return bytes;
}

static uint64_t get_bytes(struct space_reader *reader, unsigned len)
{
	const char *bytes = take(reader, len);
	uint64_t value = 0;
	for (unsigned i = 0; bytes != NULL && i < len; i++) {
		value |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	}
	return value;
}

uint8_t space_get_u8(struct space_reader *reader)
{
	return (uint8_t)get_bytes(reader, 1);
}

uint32_t space_get_u32(struct space_reader *reader)
{
	return (uint32_t)get_bytes(reader, 4);
}

uint64_t space_get_u64(struct space_reader *reader)
{
	return get_bytes(reader, 8);
}

uint64_t space_get_varint(struct space_reader *reader)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = space_get_u8(reader);
		if (shift == 63 && byte > 1) {
			break;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			return value;
		}
	}
	reader->is_damaged = true;
	return 0;
}

struct span space_get_span(struct space_reader *reader)
{
	uint64_t coded = space_get_varint(reader);
	if (coded == 0) {
		return SPAN_NONE;
	}
	const char *bytes = take(reader, coded - 1);
	return bytes != NULL ? span_make(bytes, (size_t)(coded - 1)) : SPAN_NONE;
}

int space_reader_end(const struct space_reader *reader, const char *what, struct err *err)
{
	return reader->is_damaged || reader->at != reader->end ? damaged(what, err) : 0;
}
