/* This file writes JSON strings and members into a buffer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include "base/err.h"
#include "base/json_scan.h"
#include "base/utf8_char.h"

static void write_escape(struct buf *out, char byte)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[] = "btn\0fr"; /* from U+0008 on; U+000B has no letter */
	unsigned char code = (unsigned char)byte;
	buf_byte(out, '\\');
	if (code == '"' || code == '\\') {
		buf_byte(out, byte);
	} else if (code >= 8 && code <= 13 && code != 11) {
		buf_byte(out, letters[code - 8]);
	} else {
		BUF_LITERAL(out, "u00");
		buf_byte(out, digits[code >> 4]);
		buf_byte(out, digits[code & 15]);
	}
}

void json_write_string(struct buf *out, struct span plain)
{
	const char *at = plain.ptr ? plain.ptr : "";
	const char *end = at + plain.len;
	(void)buf_reserve(out, plain.len + 2);
	buf_byte(out, '"');
	while (at < end) {
		const char *special = json_scan_special(at, end);
		buf_add(out, at, (size_t)(special - at));
		at = special;
		if (at == end) {
			break;
		}
		if ((unsigned char)*at < 0x80) {
			write_escape(out, *at);
			at++;
			continue;
		}
		size_t len = utf8_char_len(at, end);
		if (len != 0) {
			buf_add(out, at, len);
			at += len;
		} else {
			BUF_LITERAL(out, "\xef\xbf\xbd");
			at++;
		}
	}
	buf_byte(out, '"');
}

void json_write_comma(struct buf *out)
{
	if (out->len != 0 && (out->ptr[out->len - 1] | 0x20) != '{') {
		buf_byte(out, ',');
	}
}

void json_write_name(struct buf *out, const char *name)
{
	json_write_comma(out);
	json_write_string(out, span_of(name));
	buf_byte(out, ':');
}

void json_write_member_string(struct buf *out, const char *name, struct span plain)
{
	json_write_name(out, name);
	json_write_string(out, plain);
}

void json_write_member_raw(struct buf *out, const char *name, struct span value)
{
	PRE(value.len != 0);
	json_write_name(out, name);
	buf_span(out, value);
}

void json_write_member_int(struct buf *out, const char *name, int64_t value)
{
	json_write_name(out, name);
	buf_int(out, value);
}

void json_write_member_uint(struct buf *out, const char *name, uint64_t value)
{
	json_write_name(out, name);
	buf_uint(out, value);
}

void json_write_member_bool(struct buf *out, const char *name, bool value)
{
	json_write_name(out, name);
	buf_span(out, value ? SPAN("true") : SPAN("false"));
}
