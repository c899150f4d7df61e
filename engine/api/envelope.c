/* This file reads state values by their content type, and writes them into replies. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/envelope.h"

#include "base/base64.h"
#include "base/json.h"
#include "engine/api/media.h"
#include "wire/http_head.h"
#include "wire/url.h"

static bool is_bare_json(struct span type)
{
	return http_text_equal(type, SPAN(ENVELOPE_RAW_JSON));
}

bool envelope_takes(struct span type)
{
	return media_is_json(type) || http_text_equal(type, SPAN(ENVELOPE_TEXT)) ||
	       http_text_equal(type, SPAN(ENVELOPE_BYTES));
}

bool envelope_is_raw(struct span query)
{
	struct span value;
	return query.ptr && url_param(query, SPAN("raw"), &value) &&
	       (value.len == 0 || span_is(value, "true") || span_is(value, "1"));
}

static void write_members(struct buf *data, struct span value, struct span encoding)
{
	BUF_LITERAL(data, "\"value\":");
	buf_span(data, value);
	if (encoding.ptr) {
		BUF_LITERAL(data, ",\"encoding\":");
		buf_span(data, encoding);
	}
}

/* Every member counts, so that a value is not taken for its envelope. */
static int read_envelope(struct span object, struct buf *data, struct err *err)
{
	struct span value = SPAN_NONE;
	struct span encoding = SPAN_NONE;
	struct span name;
	struct span member;
	struct json_iter iter = json_iter(object);
	bool is_envelope = json_kind(object) == JSON_OBJECT;
	while (is_envelope && json_next_member(&iter, &name, &member)) {
		if (json_name_is(name, SPAN("value"))) {
			value = member;
		} else if (json_name_is(name, SPAN("encoding")) &&
		           json_kind(member) == JSON_STRING) {
			encoding = member;
		} else {
			is_envelope = false;
		}
	}
	if (!is_envelope || value.ptr == NULL) {
		return err_set(err, E_INVALID, "invalid_request",
		               "the body must be {\"value\": ..., \"encoding\": \"json\" | "
		               "\"text\" | \"base64\"} and nothing else; a bare value goes with "
		               "?raw=true or Content-Type: " ENVELOPE_RAW_JSON);
	}
	write_members(data, value, encoding);
	return 0;
}

/* A text in another character set would be kept as what it is not. */
static int read_text(const struct http_request *http, struct buf *data, struct err *err)
{
	struct span type = http_request_header(http, SPAN("content-type"));
	struct buf lower = {0};
	buf_span(&lower, type);
	for (size_t i = 0; i < lower.len; i++) {
		char c = lower.ptr[i];
		lower.ptr[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	buf_byte(&lower, '\0');
	const char *charset = strstr(lower.ptr, "charset=");
	bool is_utf8 = charset == NULL || strncmp(charset + 8, "utf-8", 5) == 0 ||
	               strncmp(charset + 8, "\"utf-8\"", 7) == 0;
	buf_free(&lower);
	if (!is_utf8) {
		return err_set(err, E_UNSUPPORTED, "unsupported_media_type",
		               "a text must be in UTF-8, this one is %.*s", SPAN_ARG(type));
	}
	if (!json_utf8_valid(http->body)) {
		return err_set(err, E_INVALID, "invalid_encoding", "the text is not UTF-8");
	}
	struct buf text = {0};
	json_write_string(&text, http->body);
	write_members(data, buf_view(&text), SPAN("\"text\""));
	buf_free(&text);
	return 0;
}

static void read_bytes(const struct http_request *http, struct buf *data)
{
	struct buf text = {0};
	buf_byte(&text, '"');
	base64_encode(http->body, &text);
	buf_byte(&text, '"');
	write_members(data, buf_view(&text), SPAN("\"base64\""));
	buf_free(&text);
}

int envelope_read(const struct http_request *http, struct buf *data, struct err *err)
{
	struct span type = media_type(http_request_header(http, SPAN("content-type")));
	if (type.ptr && http_text_equal(type, SPAN(ENVELOPE_TEXT))) {
		return read_text(http, data, err);
	}
	if (type.ptr && http_text_equal(type, SPAN(ENVELOPE_BYTES))) {
		read_bytes(http, data);
		return 0;
	}
	if (http->body.len == 0) {
		return err_set(err, E_INVALID, "value_required",
		               "the body is empty: it must be {\"value\": ...}");
	}
	struct span value;
	if (json_check(http->body, &value, err) != 0) {
		return err_wrap(err, "request body");
	}
	if (is_bare_json(type) || envelope_is_raw(http->query)) {
		write_members(data, value, SPAN_NONE);
		return 0;
	}
	return read_envelope(value, data, err);
}

struct span envelope_unpack(struct span result, struct buf *out_body)
{
	static const struct span names[] = {{"value", 5}, {"encoding", 8}};
	struct span found[2];
	json_get_many(result, names, 2, found);
	bool is_string = json_kind(found[0]) == JSON_STRING;
	if (is_string && json_string_is(found[1], SPAN("text"))) {
		json_string(found[0], out_body);
		return SPAN(ENVELOPE_TEXT "; charset=utf-8");
	}
	if (is_string && json_string_is(found[1], SPAN("base64"))) {
		struct buf text = {0};
		json_string(found[0], &text);
		bool is_whole = base64_decode(buf_view(&text), out_body);
		buf_free(&text);
		if (is_whole) { /* else another hand wrote the record: it is a string */
			return SPAN(ENVELOPE_BYTES);
		}
	}
	buf_span(out_body, found[0]);
	return SPAN("application/json");
}
