/* This file reads the CloudEvents that a request brings, whichever way HTTP carries them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/ingest.h"

#include "base/json.h"
#include "engine/api/media.h"
#include "wire/cloudevent.h"
#include "wire/url.h"

static int read_attribute(const struct http_header *header, struct buf *out, struct err *err)
{
	struct buf plain = {0};
	struct buf name = {0};
	struct span raw_name = span_make(header->name.ptr + 3, header->name.len - 3);
	int status = 0;
	for (size_t i = 0; i < raw_name.len; i++) {
		char byte = raw_name.ptr[i];
		buf_byte(&name, byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte);
	}
	if (!url_decode(header->value, &plain) || !json_utf8_valid(buf_view(&plain))) {
		status = err_set(err, E_INVALID, "invalid_cloudevent",
		                 "the field ce-%.*s is no percent-encoded UTF-8",
		                 SPAN_ARG(buf_view(&name)));
	} else {
		json_write_comma(out);
		json_write_string(out, buf_view(&name));
		buf_byte(out, ':');
		json_write_string(out, buf_view(&plain));
	}
	buf_free(&name);
	buf_free(&plain);
	return status;
}

static bool is_attribute(const struct http_header *header)
{
	return header->name.len > 3 &&
	       http_text_equal(span_make(header->name.ptr, 3), SPAN("ce-")) &&
	       !http_text_equal(header->name, SPAN("ce-data")) &&
	       !http_text_equal(header->name, SPAN("ce-datacontenttype"));
}

static int read_binary(const struct http_request *http, struct span body, struct buf *out,
                       struct err *err)
{
	int status = 0;
	buf_byte(out, '{');
	for (size_t i = 0; status == 0 && i < http->header_count; i++) {
		if (is_attribute(&http->headers[i])) {
			status = read_attribute(&http->headers[i], out, err);
		}
	}
	if (body.len != 0) {
		json_write_member_string(out, "datacontenttype", SPAN("application/json"));
		json_write_member_raw(out, "data", body);
	}
	buf_byte(out, '}');
	return status;
}

int ingest_refuse_type(struct err *err)
{
	return err_set(
	        err, E_UNSUPPORTED, "not_a_cloudevent",
	        "a CloudEvent is " CLOUDEVENT_STRUCTURED ", several are " CLOUDEVENT_BATCH
	        ", or its attributes are fields such as ce-specversion and its data is JSON");
}

int ingest_read(const struct http_request *http, struct buf *out, struct err *err)
{
	struct span type = media_type(http_request_header(http, SPAN("content-type")));
	struct span body = SPAN_NONE;
	int status = http->body.len != 0 ? json_check(http->body, &body, err) : 0;
	if (status != 0) {
		return err_wrap(err, "request body");
	}
	BUF_LITERAL(out, "{\"events\":");
	if (http_text_equal(type, SPAN(CLOUDEVENT_BATCH))) {
		buf_span(out, body.len != 0 ? body : SPAN("[]"));
	} else if (http_text_equal(type, SPAN(CLOUDEVENT_STRUCTURED))) {
		buf_byte(out, '[');
		buf_span(out, body);
		buf_byte(out, ']');
	} else if (http_request_header(http, SPAN("ce-specversion")).ptr != NULL) {
		buf_byte(out, '[');
		status = read_binary(http, body, out, err);
		buf_byte(out, ']');
	} else {
		status = ingest_refuse_type(err);
	}
	buf_byte(out, '}');
	return status;
}
