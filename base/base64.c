/* This file turns bytes into base64 and back (RFC 4648, section 4). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span bytes, struct buf *out)
{
	const unsigned char *in = (const unsigned char *)bytes.ptr;
	(void)buf_reserve(out, (bytes.len + 2) / 3 * 4);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		unsigned second = left > 1 ? in[i + 1] : 0;
		unsigned third = left > 2 ? in[i + 2] : 0;
		unsigned bits = (unsigned)in[i] << 16 | second << 8 | third;
		buf_byte(out, alphabet[bits >> 18]);
		buf_byte(out, alphabet[bits >> 12 & 63]);
		buf_byte(out, left > 1 ? alphabet[bits >> 6 & 63] : '=');
		buf_byte(out, left > 2 ? alphabet[bits & 63] : '=');
	}
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to four digits, of which `count` are no padding. */
static bool decode_group(const char *digits, size_t count, struct buf *out)
{
	unsigned bits = 0;
	for (size_t i = 0; i < 4; i++) {
		int value = i < count ? digit_value(digits[i]) : 0;
		if (value < 0) {
			return false;
		}
		bits = bits << 6 | (unsigned)value;
	}
	unsigned stray = count == 4 ? 0 : count == 3 ? bits & 0xff : bits & 0xffff;
	if (stray != 0) {
		return false;
	}
	buf_byte(out, (char)(bits >> 16));
	if (count > 2) {
		buf_byte(out, (char)(bits >> 8 & 0xff));
	}
	if (count > 3) {
		buf_byte(out, (char)(bits & 0xff));
	}
	return true;
}

bool base64_decode(struct span text, struct buf *out)
{
	return text.len % 4 == 0 && base64_decode_bare(text, out);
}

/* Digits of the group, of which padding may be the end where it is the last one. */
static size_t count_digits(struct span group)
{
	size_t count = group.len;
	while (group.len == 4 && count > 2 && group.ptr[count - 1] == '=') {
		count--;
	}
	return count;
}

bool base64_decode_bare(struct span text, struct buf *out)
{
	size_t before = out->len;
	for (size_t i = 0; i < text.len; i += 4) {
		bool is_last = text.len - i <= 4;
		struct span group = span_make(text.ptr + i, is_last ? text.len - i : 4);
		size_t count = is_last ? count_digits(group) : 4;
		if (count < 2 || !decode_group(group.ptr, count, out)) {
			out->len = before;
			return false;
		}
	}
	return true;
}
