/* This file reads the reply that a function's result stands for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/api_response.h"

#include "base/base64.h"
#include "base/json.h"
#include "engine/api/media.h"
#include "wire/http_head.h"

static const char CODE[] = "invalid_response";

/* ---- header fields ---- */

static bool is_token(struct span name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_digit = c >= '0' && c <= '9';
		if (!is_letter && !is_digit && (c == '\0' || strchr(others, c) == NULL)) {
			return false;
		}
	}
	return name.len != 0;
}

/* No value ends its line. */
static bool is_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

static bool is_of_connection(struct span name)
{
	static const char *const names[] = {"connection",
	                                    "content-length",
	                                    "transfer-encoding",
	                                    "keep-alive",
	                                    "proxy-connection",
	                                    "upgrade",
	                                    "trailer",
	                                    "te",
	                                    "date"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (http_text_equal(name, span_of(names[i]))) {
			return true;
		}
	}
	return false;
}

static int add_field(struct api_response *out, struct span name, struct span value, struct err *err)
{
	if (!is_token(name) || !is_value(value)) {
		return err_set(err, E_INVALID, CODE,
		               "'headers' has a name or a value that no header field can have: "
		               "%.*s",
		               (int)(name.len < 64 ? name.len : 64), name.ptr);
	}
	if (http_text_equal(name, SPAN("content-type"))) {
		buf_clear(&out->content_type);
		buf_span(&out->content_type, value);
	} else if (!is_of_connection(name)) {
		buf_format(&out->headers, "%.*s: %.*s\r\n", SPAN_ARG(name), SPAN_ARG(value));
	}
	return 0;
}

static int refuse_headers(struct err *err)
{
	return err_set(err, E_INVALID, CODE,
	               "'headers' must be an object of names to texts, or a list of "
	               "\"Name: value\"");
}

/* A text or a number; a list holds such. */
static int add_value(struct api_response *out, struct span name, struct span value, struct err *err)
{
	struct buf text = {0};
	int status = 0;
	if (json_kind(value) == JSON_STRING) {
		json_string(value, &text);
		status = add_field(out, name, buf_view(&text), err);
	} else if (json_kind(value) == JSON_NUMBER) {
		status = add_field(out, name, value, err);
	} else {
		status = refuse_headers(err);
	}
	buf_free(&text);
	return status;
}

static int add_values(struct api_response *out, struct span name, struct span value,
                      struct err *err)
{
	struct span item;
	int status = 0;
	if (json_is_null(value)) {
		return 0; /* as if it were not there */
	}
	if (json_kind(value) != JSON_ARRAY) {
		return add_value(out, name, value, err);
	}
	for (struct json_iter iter = json_iter(value);
	     status == 0 && json_next_item(&iter, &item);) {
		status = add_value(out, name, item, err);
	}
	return status;
}

/* "Name: value" */
static int add_line(struct api_response *out, struct span line, struct err *err)
{
	const char *colon = line.len != 0 ? memchr(line.ptr, ':', line.len) : NULL;
	if (colon == NULL) {
		return refuse_headers(err);
	}
	struct span value = span_make(colon + 1, line.len - (size_t)(colon - line.ptr) - 1);
	while (value.len != 0 && value.ptr[0] == ' ') {
		value = span_make(value.ptr + 1, value.len - 1);
	}
	return add_field(out, span_make(line.ptr, (size_t)(colon - line.ptr)), value, err);
}

static int read_headers(struct span headers, struct api_response *out, struct err *err)
{
	struct buf text = {0};
	struct span name;
	struct span item;
	int status = 0;
	struct json_iter iter;
	if (headers.ptr == NULL || json_is_null(headers)) {
		return 0;
	}
	if (json_kind(headers) == JSON_OBJECT) {
		for (iter = json_iter(headers);
		     status == 0 && json_next_member(&iter, &name, &item);) {
			buf_clear(&text);
			struct span quoted = span_make(name.ptr - 1, name.len + 2);
			json_string(quoted, &text);
			status = add_values(out, buf_view(&text), item, err);
		}
	} else if (json_kind(headers) == JSON_ARRAY) {
		for (iter = json_iter(headers); status == 0 && json_next_item(&iter, &item);) {
			buf_clear(&text);
			status = json_kind(item) == JSON_STRING ? 0 : refuse_headers(err);
			if (status == 0) {
				json_string(item, &text);
				status = add_line(out, buf_view(&text), err);
			}
		}
	} else {
		status = refuse_headers(err);
	}
	buf_free(&text);
	return status;
}

/* ---- the body ---- */

/* What JSON.stringify makes of a Buffer. False: it is none, and `out` is as it was. */
static bool read_buffer(struct span body, struct buf *out)
{
	static const struct span names[] = {{"type", 4}, {"data", 4}};
	struct span found[2];
	struct span item;
	size_t before = out->len;
	if (json_kind(body) != JSON_OBJECT) {
		return false;
	}
	json_get_many(body, names, 2, found);
	if (found[0].ptr == NULL || !json_string_is(found[0], SPAN("Buffer")) ||
	    found[1].ptr == NULL || json_kind(found[1]) != JSON_ARRAY) {
		return false;
	}
	for (struct json_iter iter = json_iter(found[1]); json_next_item(&iter, &item);) {
		uint64_t byte;
		if (!json_uint64(item, &byte) || byte > 255) {
			out->len = before;
			return false;
		}
		buf_byte(out, (char)byte);
	}
	return true;
}

static int read_base64(struct span body, struct api_response *out, struct err *err)
{
	struct buf text = {0};
	bool good = json_kind(body) == JSON_STRING;
	if (good) {
		json_string(body, &text);
		good = base64_decode(buf_view(&text), &out->body);
	}
	buf_free(&text);
	return good ? 0
	            : err_set(err, E_INVALID, CODE,
	                      "'body' must be a text in base64, as 'body_encoding' says");
}

static void set_type(struct api_response *out, struct span type)
{
	if (out->content_type.len == 0) {
		buf_span(&out->content_type, type);
	}
}

static int read_body(struct span body, struct span encoding, struct api_response *out,
                     struct err *err)
{
	if (body.ptr == NULL || json_is_null(body)) {
		return 0;
	}
	if (encoding.ptr != NULL && json_string_is(encoding, SPAN("base64"))) {
		set_type(out, SPAN("application/octet-stream"));
		return read_base64(body, out, err);
	}
	if (read_buffer(body, &out->body)) {
		set_type(out, SPAN("application/octet-stream"));
		return 0;
	}
	set_type(out, SPAN("application/json"));
	if (json_kind(body) == JSON_STRING &&
	    !media_is_json(media_type(buf_view(&out->content_type)))) {
		json_string(body, &out->body);
	} else {
		buf_span(&out->body, body);
	}
	return 0;
}

/* ---- the whole ---- */

static int read_status(struct span status_code, struct api_response *out, struct err *err)
{
	int64_t status = 200;
	if (status_code.ptr != NULL && !json_is_null(status_code) &&
	    (!json_int64(status_code, &status) || status < 200 || status > 599)) {
		return err_set(err, E_INVALID, CODE,
		               "'status_code' must be a number from 200 to 599");
	}
	out->status = (int)status;
	return 0;
}

int api_response_read(struct span result, struct api_response *out, struct err *err)
{
	enum { STATUS, HEADERS, BODY, ENCODING, COUNT };
	static const struct span names[COUNT] = {
	        {"status_code", 11}, {"headers", 7}, {"body", 4}, {"body_encoding", 13}};
	struct span found[COUNT] = {0};
	if (json_is_null(result)) {
		out->status = 204;
		return 0;
	}
	if (json_kind(result) == JSON_OBJECT) {
		json_get_many(result, names, COUNT, found);
	}
	if (found[STATUS].ptr == NULL && found[HEADERS].ptr == NULL && found[BODY].ptr == NULL) {
		found[BODY] = result;
		found[ENCODING] = SPAN_NONE;
	}
	int status = read_status(found[STATUS], out, err);
	if (status == 0) {
		status = read_headers(found[HEADERS], out, err);
	}
	if (status == 0) {
		status = read_body(found[BODY], found[ENCODING], out, err);
	}
	if (out->status == 204 || out->status == 304) {
		buf_clear(&out->body); /* neither may have one */
	}
	return status;
}

void api_response_close(struct api_response *response)
{
	buf_free(&response->content_type);
	buf_free(&response->headers);
	buf_free(&response->body);
}
