/* This file finds the next byte that matters in JSON text, many bytes at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/*
 * DESIGN. Every function takes [at, end), never reads outside it, and returns `end` when it finds
 * nothing. Sixteen bytes a step with SSE2; elsewhere eight bytes a step in an ordinary word, which
 * only says that something is in there; then byte by byte. The word's tests may also be true
 * for a byte that does not match, if a lower one does: that costs time, never the answer.
 */
static inline bool json_is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline const char *json_skip_space(const char *at, const char *end)
{
	while (at < end && json_is_space(*at)) {
		at++;
	}
	return at;
}

#define JSON_EACH_BYTE (~UINT64_C(0) / 255)

#if !defined(__SSE2__)
static inline uint64_t json_word(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

static inline uint64_t json_word_below(uint64_t word, unsigned char byte)
{
	return (word - JSON_EACH_BYTE * byte) & ~word & (JSON_EACH_BYTE * 0x80);
}

static inline uint64_t json_word_has(uint64_t word, char byte)
{
	return json_word_below(word ^ (JSON_EACH_BYTE * (unsigned char)byte), 1);
}
#endif

/* A quote, a backslash, a control character, or a byte that is not ASCII. */
static inline const char *json_scan_special(const char *at, const char *end)
{
#if defined(__SSE2__)
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		/* Signed: the bytes over 0x7f are below the space as well. */
		hits = _mm_or_si128(hits, _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
		int mask = _mm_movemask_epi8(hits);
		if (mask != 0) {
			return at + __builtin_ctz((unsigned)mask);
		}
	}
#else
	for (; end - at >= 8; at += 8) {
		uint64_t word = json_word(at);
		uint64_t high = word & (JSON_EACH_BYTE * 0x80);
		if ((high | json_word_below(word, ' ') | json_word_has(word, '"') |
		     json_word_has(word, '\\')) != 0) {
			break;
		}
	}
#endif
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)(*at - ' ') < 0x60) {
		at++;
	}
	return at;
}

/* A byte that is not ASCII. */
static inline const char *json_scan_not_ascii(const char *at, const char *end)
{
	for (; end - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof word);
		if ((word & (JSON_EACH_BYTE * 0x80)) != 0) {
			break;
		}
	}
	while (at < end && (unsigned char)*at < 0x80) {
		at++;
	}
	return at;
}

/* A quote or a backslash. */
static inline const char *json_scan_quote(const char *at, const char *end)
{
#if defined(__SSE2__)
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		int mask = _mm_movemask_epi8(hits);
		if (mask != 0) {
			return at + __builtin_ctz((unsigned)mask);
		}
	}
#else
	for (; end - at >= 8; at += 8) {
		uint64_t word = json_word(at);
		if ((json_word_has(word, '"') | json_word_has(word, '\\')) != 0) {
			break;
		}
	}
#endif
	while (at < end && *at != '"' && *at != '\\') {
		at++;
	}
	return at;
}

/* A quote or a bracket of either kind. `| 0x20` makes [ ] and { } the same two bytes. */
static inline const char *json_scan_bracket(const char *at, const char *end)
{
#if defined(__SSE2__)
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
		__m128i hits = _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')),
		                            _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
		hits = _mm_or_si128(hits, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
		int mask = _mm_movemask_epi8(hits);
		if (mask != 0) {
			return at + __builtin_ctz((unsigned)mask);
		}
	}
#else
	for (; end - at >= 8; at += 8) {
		uint64_t word = json_word(at);
		uint64_t folded = word | (JSON_EACH_BYTE * 0x20);
		if ((json_word_has(folded, '{') | json_word_has(folded, '}') |
		     json_word_has(word, '"')) != 0) {
			break;
		}
	}
#endif
	while (at < end && (*at | 0x20) != '{' && (*at | 0x20) != '}' && *at != '"') {
		at++;
	}
	return at;
}

/* `at` is behind the opening quote of a valid string; returns its closing quote. */
static inline const char *json_scan_string(const char *at, const char *end)
{
	at = json_scan_quote(at, end);
	while (at < end && *at == '\\') {
		at = end - at >= 2 ? json_scan_quote(at + 2, end) : end;
	}
	return at;
}

/* `at` is a bracket or an opening quote, `depth` brackets are open before it; returns the byte
 * behind the one that closes the last of them. */
static inline const char *json_skip_steps(const char *at, const char *end, size_t depth)
{
	do {
		if (*at == '"') {
			at = json_scan_string(at + 1, end);
		} else {
			depth += (*at | 0x20) == '{' ? 1 : (size_t)-1;
		}
		at = at < end ? at + 1 : end;
		at = depth != 0 ? json_scan_bracket(at, end) : at;
	} while (depth != 0 && at < end);
	return at;
}

#if defined(__SSE2__)
/* Of 16 bits: each is whether an odd number of bits is set up to it. Between quotes, that is. */
static inline unsigned json_odd_bits(unsigned bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	return bits ^ bits << 8;
}

static inline unsigned json_bits_of(__m128i bytes, char byte)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)));
}
#endif

/* `at` is the bracket that opens a valid container; returns the byte behind the one that closes it.
 * Sixteen bytes a step, whatever is in them, up to the first backslash. */
static inline const char *json_skip_container(const char *at, const char *end)
{
	size_t depth = 0;
#if defined(__SSE2__)
	unsigned in_string = 0; /* all bits, or none */
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		if (json_bits_of(bytes, '\\') != 0) {
			break;
		}
		__m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
		unsigned strings = json_odd_bits(json_bits_of(bytes, '"')) ^ in_string;
		unsigned opening = json_bits_of(folded, '{') & ~strings;
		unsigned closing = json_bits_of(folded, '}') & ~strings;
		for (unsigned left = opening | closing; left != 0; left &= left - 1) {
			depth += (opening & left & (0 - left)) != 0 ? 1 : (size_t)-1;
			if (depth == 0) {
				return at + __builtin_ctz(left) + 1;
			}
		}
		in_string = 0 - (strings >> 15 & 1);
	}
	if (in_string != 0) {
		at = json_scan_string(at, end);
		at = at < end ? at + 1 : end;
	}
	at = depth != 0 ? json_scan_bracket(at, end) : at;
	if (at == end) {
		return end;
	}
#endif
	return json_skip_steps(at, end, depth);
}

/* `at` is the first byte of a valid value; returns the byte behind it. */
static inline const char *json_skip_value(const char *at, const char *end)
{
	if (at == end) {
		return end;
	}
	if (*at == '"') {
		at = json_scan_string(at + 1, end);
		return at < end ? at + 1 : end;
	}
	if ((*at | 0x20) == '{') {
		return json_skip_container(at, end);
	}
	/* No number or word holds anything below the space. */
	while (at < end && (unsigned char)*at > ' ' && *at != ',' && (*at | 0x20) != '}') {
		at++;
	}
	return at;
}

#endif
