/* This file walks over valid UTF-8 code point by code point. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/text_unicode.h"

#include <stdbool.h>

/* Every byte but a continuation begins a code point. */
static bool begins(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t text_count(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		count += begins(text.ptr[i]);
	}
	return count;
}

ptrdiff_t text_offset(struct span text, int64_t index)
{
	if (index < 0) {
		return TEXT_NONE;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (begins(text.ptr[i]) && index-- == 0) {
			return (ptrdiff_t)i;
		}
	}
	return index == 0 ? (ptrdiff_t)text.len : TEXT_NONE;
}

ptrdiff_t text_find(struct span text, struct span needle, size_t from)
{
	if (needle.len == 0) {
		return (ptrdiff_t)from;
	}
	if (text.len - from < needle.len) {
		return TEXT_NONE;
	}
	const char *found = memmem(text.ptr + from, text.len - from, needle.ptr, needle.len);
	return found != NULL ? found - text.ptr : TEXT_NONE;
}

size_t text_char_len(struct span text, size_t at)
{
	size_t end = at + 1;
	while (end < text.len && !begins(text.ptr[end])) {
		end++;
	}
	return end - at;
}

static uint32_t point_of(const char *at, size_t len)
{
	const unsigned char *b = (const unsigned char *)at;
	switch (len) {
	case 1:
		return b[0];
	case 2:
		return (b[0] & 0x1fU) << 6 | (b[1] & 0x3fU);
	case 3:
		return (b[0] & 0xfU) << 12 | (b[1] & 0x3fU) << 6 | (b[2] & 0x3fU);
	default:
		return (b[0] & 0x7U) << 18 | (b[1] & 0x3fU) << 12 | (b[2] & 0x3fU) << 6 |
		       (b[3] & 0x3fU);
	}
}

/* The property White_Space of Unicode. */
static bool is_space(uint32_t point)
{
	return (point >= 0x9 && point <= 0xd) || point == 0x20 || point == 0x85 || point == 0xa0 ||
	       point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
	       point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

struct span text_trim(struct span text)
{
	size_t from = 0;
	while (from < text.len) {
		size_t len = text_char_len(text, from);
		if (!is_space(point_of(text.ptr + from, len))) {
			break;
		}
		from += len;
	}
	size_t to = text.len;
	while (to > from) {
		size_t last = to - 1;
		while (last > from && !begins(text.ptr[last])) {
			last--;
		}
		if (!is_space(point_of(text.ptr + last, to - last))) {
			break;
		}
		to = last;
	}
	return span_make(text.ptr + from, to - from);
}
