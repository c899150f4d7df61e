/* This file reads and writes the percent-encoding of paths and queries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/url.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(struct span text, bool plus_is_space, struct buf *out)
{
	size_t before = out->len;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%') {
			bool is_whole = i + 2 < text.len;
			int high = is_whole ? hex_value(text.ptr[i + 1]) : -1;
			int low = is_whole ? hex_value(text.ptr[i + 2]) : -1;
			int value = high < 0 || low < 0 ? 0 : high * 16 + low;
			c = (char)value;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0') {
			out->len = before;
			return false;
		}
		buf_byte(out, c);
	}
	return true;
}

bool url_decode(struct span text, struct buf *out)
{
	return decode(text, false, out);
}

bool url_decode_query(struct span text, struct buf *out)
{
	return decode(text, true, out);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void url_encode(struct span plain, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < plain.len; i++) {
		unsigned char c = (unsigned char)plain.ptr[i];
		if (is_unreserved((char)c)) {
			buf_byte(out, (char)c);
		} else {
			buf_byte(out, '%');
			buf_byte(out, digits[c >> 4]);
			buf_byte(out, digits[c & 15]);
		}
	}
}

/* What stands before `mark` or the end; *text moves behind the mark. */
static struct span take_until(struct span *text, char mark)
{
	const char *found = text->len > 0 ? memchr(text->ptr, mark, text->len) : NULL;
	struct span part = {text->ptr, found ? (size_t)(found - text->ptr) : text->len};
	size_t taken = part.len + (found ? 1 : 0);
	*text = span_make(text->ptr + taken, text->len - taken);
	return part;
}

bool url_next_segment(struct span *path, struct span *out_segment)
{
	if (path->len == 0 || path->ptr[0] != '/') {
		return false;
	}
	struct span rest = {path->ptr + 1, path->len - 1};
	const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
	size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;
	*out_segment = span_make(rest.ptr, len);
	*path = span_make(rest.ptr + len, rest.len - len);
	return true;
}

bool url_next_param(struct span *query, struct span *out_name, struct span *out_value)
{
	while (query->len > 0) {
		struct span pair = take_until(query, '&');
		if (pair.len == 0) {
			continue;
		}
		const char *equals = memchr(pair.ptr, '=', pair.len);
		size_t len = equals ? (size_t)(equals - pair.ptr) : pair.len;
		*out_name = span_make(pair.ptr, len);
		*out_value = equals ? span_make(equals + 1, pair.len - len - 1) : SPAN_NONE;
		return true;
	}
	return false;
}

bool url_param(struct span query, struct span name, struct span *out_value)
{
	struct span found;
	struct span value;
	while (url_next_param(&query, &found, &value)) {
		if (span_equal(found, name)) {
			*out_value = value;
			return true;
		}
	}
	return false;
}
