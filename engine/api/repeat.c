/* This file reads the field Idempotency-Key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/repeat.h"

#include "base/json.h"

static const char CODE[] = "invalid_idempotency_key";

/* RFC 9651, 3.3.3: in a quoted string `\` stands before `"` and `\` only. */
static bool unquote(struct span field, struct buf *out)
{
	for (size_t i = 1; i + 1 < field.len; i++) {
		char byte = field.ptr[i];
		if (byte == '"') {
			return false;
		}
		if (byte == '\\') {
			byte = field.ptr[++i];
			if (i + 1 == field.len || (byte != '"' && byte != '\\')) {
				return false;
			}
		}
		buf_byte(out, byte);
	}
	return field.len >= 2 && field.ptr[field.len - 1] == '"';
}

static bool is_safe(const struct http_request *http)
{
	return span_is(http->method, "GET") || span_is(http->method, "HEAD");
}

static int add(struct span field, struct buf *data, struct err *err)
{
	struct buf plain = {0};
	bool good = true;
	if (field.len != 0 && field.ptr[0] == '"') {
		good = unquote(field, &plain);
	} else {
		buf_span(&plain, field);
	}
	good = good && json_utf8_valid(buf_view(&plain));
	if (good) {
		json_write_member_string(data, "idempotency_key", buf_view(&plain));
	}
	buf_free(&plain);
	return good ? 0
	            : err_set(err, E_INVALID, CODE,
	                      "Idempotency-Key is a text of UTF-8, or one in double quotes");
}

int repeat_read(const struct http_request *http, bool may_have, struct buf *data, struct err *err)
{
	struct span field = http_request_header(http, SPAN("idempotency-key"));
	if (field.ptr == NULL || is_safe(http)) {
		return 0;
	}
	if (!may_have) {
		return err_set(err, E_INVALID, CODE,
		               "this operation takes no Idempotency-Key: send it without one");
	}
	size_t count = 0;
	for (size_t i = 0; i < http->header_count; i++) {
		count += http_text_equal(http->headers[i].name, SPAN("idempotency-key"));
	}
	return count == 1 ? add(field, data, err)
	                  : err_set(err, E_INVALID, CODE,
	                            "there is more than one Idempotency-Key; send one");
}
