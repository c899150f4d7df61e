/* This file measures and writes single characters of UTF-8 (RFC 3629). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_CHAR_H
#define BASE_UTF8_CHAR_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_CHAR_MAX = 4, UTF8_REPLACEMENT = 0xfffd };

/* Bytes of the character at `at` < `end`; 0 when it is cut off, overlong, a surrogate or beyond
 * U+10FFFF. */
static inline size_t utf8_char_len(const char *at, const char *end)
{
	const unsigned char *b = (const unsigned char *)at;
	size_t left = (size_t)(end - at);
	if (b[0] < 0x80) {
		return 1;
	}
	if (b[0] < 0xe0) {
		return b[0] >= 0xc2 && left >= 2 && (b[1] & 0xc0) == 0x80 ? 2 : 0;
	}
	if (b[0] < 0xf0) {
		unsigned least = b[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned most = b[0] == 0xed ? 0x9f : 0xbf;
		return left >= 3 && b[1] >= least && b[1] <= most && (b[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	unsigned least = b[0] == 0xf0 ? 0x90 : 0x80;
	unsigned most = b[0] == 0xf4 ? 0x8f : 0xbf;
	return b[0] <= 0xf4 && left >= 4 && b[1] >= least && b[1] <= most &&
	                       (b[2] & 0xc0) == 0x80 && (b[3] & 0xc0) == 0x80
	               ? 4
	               : 0;
}

/* Writes a code point (at most U+10FFFF, no surrogate) and returns its bytes. */
static inline size_t utf8_char_put(uint32_t point, char out[UTF8_CHAR_MAX])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | (point >> 6));
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | (point >> 12));
		out[1] = (char)(0x80 | ((point >> 6) & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (point >> 18));
	out[1] = (char)(0x80 | ((point >> 12) & 0x3f));
	out[2] = (char)(0x80 | ((point >> 6) & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

#endif
