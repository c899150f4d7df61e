/* This file compares texts of equal length, short ones without a call. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_TEXT_EQUAL_H
#define TRIGGERS_EXPR_TEXT_EQUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t text_word(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return word;
}

static inline uint32_t text_half(const char *text)
{
	uint32_t half;
	memcpy(&half, text, sizeof half);
	return half;
}

/* Names of fields and constants of conditions are mostly this short: the first bytes and the last,
 * which may overlap, are all of them. */
static inline bool text_equal(const char *a, const char *b, size_t len)
{
	if (len > 2 * sizeof(uint64_t)) {
		return memcmp(a, b, len) == 0;
	}
	if (len >= sizeof(uint64_t)) {
		size_t last = len - sizeof(uint64_t);
		return text_word(a) == text_word(b) && text_word(a + last) == text_word(b + last);
	}
	if (len >= sizeof(uint32_t)) {
		size_t last = len - sizeof(uint32_t);
		return text_half(a) == text_half(b) && text_half(a + last) == text_half(b + last);
	}
	return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

#endif
