/* This file makes what the function of an HTTP trigger gets from the request that woke it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/api_request.h"

#include "base/base64.h"
#include "base/json.h"
#include "engine/api/media.h"
#include "engine/api/pairs.h"
#include "wire/url.h"

/* ---- the path ---- */

int api_path_read(struct span path, struct api_path *out, struct err *err)
{
	struct span rest = path;
	struct span raw;
	(void)buf_reserve(&out->text, path.len + 1); /* no longer than this: it does not move */
	while (url_next_segment(&rest, &raw)) {
		size_t at = out->text.len;
		if (out->count == API_SEGMENTS_MAX) {
			return err_set(err, E_LIMIT, "invalid_path",
			               "the path has more than %d segments", API_SEGMENTS_MAX);
		}
		if (!url_decode(raw, &out->text)) {
			return err_set(err, E_INVALID, "invalid_path",
			               "broken percent-encoding in the path");
		}
		struct span plain = span_make(out->text.ptr + at, out->text.len - at);
		if (!json_utf8_valid(plain)) {
			return err_set(err, E_INVALID, "invalid_path", "the path is not UTF-8");
		}
		out->segments[out->count++] = plain;
	}
	return 0;
}

void api_path_close(struct api_path *path)
{
	buf_free(&path->text);
}

static void write_rest(const struct api_path *path, size_t from, struct buf *out)
{
	struct buf joined = {0};
	for (size_t i = from; i < path->count; i++) {
		buf_span(&joined, i == from ? SPAN("") : SPAN("/"));
		buf_span(&joined, path->segments[i]);
	}
	json_write_string(out, buf_view(&joined));
	buf_free(&joined);
}

static void write_path_params(const struct http_rule *rule, const struct api_path *path,
                              struct buf *out)
{
	json_write_name(out, "path_params");
	buf_byte(out, '{');
	for (size_t i = 0; i < rule->count; i++) {
		const struct http_segment *segment = &rule->segments[i];
		if (segment->kind == HTTP_TEXT) {
			continue;
		}
		json_write_comma(out);
		json_write_string(out, segment->text);
		buf_byte(out, ':');
		if (segment->kind == HTTP_PARAM) {
			json_write_string(out, path->segments[i]);
		} else {
			write_rest(path, i, out);
		}
	}
	buf_byte(out, '}');
}

/* ---- query and fields ---- */

static int write_query(struct span query, struct buf *out, struct err *err)
{
	struct pairs pairs = {0};
	int status = 0;
	if (pairs_add_query(&pairs, query)) {
		json_write_name(out, "query_params");
		pairs_write(&pairs, out);
	} else {
		status = err_set(err, E_INVALID, "invalid_parameter",
		                 "broken percent-encoding in the query, or more than %d parameters",
		                 PAIRS_MAX);
	}
	pairs_close(&pairs);
	return status;
}

static void write_headers(const struct http_request *http, struct buf *out)
{
	struct pairs pairs = {0};
	struct buf name = {0};
	for (size_t i = 0; i < http->header_count; i++) {
		struct span from = http->headers[i].name;
		buf_clear(&name);
		for (size_t j = 0; j < from.len; j++) {
			char c = from.ptr[j];
			buf_byte(&name, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
		(void)pairs_add(&pairs, buf_view(&name), http->headers[i].value); /* few enough */
	}
	json_write_name(out, "headers");
	pairs_write(&pairs, out);
	buf_free(&name);
	pairs_close(&pairs);
}

/* ---- the body ---- */

static void write_bytes(const char *name, struct span bytes, struct buf *out)
{
	json_write_name(out, name);
	buf_byte(out, '"');
	base64_encode(bytes, out);
	buf_byte(out, '"');
}

static bool is_text(struct span type)
{
	struct span begin = SPAN("text/");
	struct span xml = SPAN("+xml");
	return (type.len > begin.len && http_text_equal(span_make(type.ptr, begin.len), begin)) ||
	       (type.len > xml.len &&
	        http_text_equal(span_make(type.ptr + type.len - xml.len, xml.len), xml)) ||
	       http_text_equal(type, SPAN("application/xml")) ||
	       http_text_equal(type, SPAN("application/javascript")) ||
	       http_text_equal(type, SPAN("application/graphql"));
}

static int write_form(struct span body, struct buf *out, struct err *err)
{
	struct pairs pairs = {0};
	int status = 0;
	if (pairs_add_query(&pairs, body)) {
		json_write_name(out, "body");
		pairs_write(&pairs, out);
	} else {
		status = err_set(err, E_INVALID, "invalid_form",
		                 "broken percent-encoding in the form, or more than %d fields",
		                 PAIRS_MAX);
	}
	pairs_close(&pairs);
	return status;
}

static void write_text_or_bytes(struct span body, bool is_text_type, struct buf *out)
{
	if (is_text_type && json_utf8_valid(body)) {
		json_write_member_string(out, "body", body);
	} else {
		write_bytes("body", body, out);
		json_write_member_string(out, "body_encoding", SPAN("base64"));
	}
}

static int write_body(const struct http_request *http, struct buf *out, struct err *err)
{
	struct span declared = http_request_header(http, SPAN("content-type"));
	struct span type = media_type(declared);
	struct span value;
	if (http->body.len == 0) {
		json_write_member_raw(out, "body", SPAN("null"));
		return 0;
	}
	if (http_text_equal(type, SPAN("application/x-www-form-urlencoded"))) {
		return write_form(http->body, out, err);
	}
	if (media_is_json(type)) {
		if (json_check(http->body, &value, err) != 0) {
			return err_wrap(err, "request body");
		}
		json_write_member_raw(out, "body", value);
	} else if (declared.ptr == NULL && json_check(http->body, &value, NULL) == 0) {
		json_write_member_raw(out, "body", value);
	} else {
		write_text_or_bytes(http->body, declared.ptr == NULL || is_text(type), out);
	}
	return 0;
}

/* ---- the whole ---- */

int api_request_write(const struct http_request *http, const struct http_rule *rule,
                      const struct api_path *path, struct buf *out, size_t *out_head,
                      struct err *err)
{
	size_t begin = out->len;
	(void)buf_reserve(out, http->body.len + http->target.len * 2 + 1024);
	buf_byte(out, '{');
	write_path_params(rule, path, out);
	int status = write_query(http->query, out, err);
	if (status != 0) {
		return status;
	}
	write_headers(http, out);
	json_write_member_string(out, "path", http->path);
	json_write_member_string(out, "method", http->method);
	*out_head = out->len - begin;
	json_write_name(out, "trigger");
	buf_byte(out, '{');
	json_write_member_string(out, "type", SPAN("http"));
	json_write_member_string(out, "path", rule->path);
	json_write_member_string(out, "method", rule->method);
	BUF_LITERAL(out, "},\"context\":{}");
	status = write_body(http, out, err);
	if (rule->raw_body) {
		write_bytes("raw_body", http->body, out);
	}
	buf_byte(out, '}');
	return status;
}
