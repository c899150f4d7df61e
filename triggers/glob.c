/* This file walks a pattern and a text side by side, going back only to the last star. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/glob.h"

#include <stdint.h>

static bool is_special(char byte)
{
	return byte == '*' || byte == '?' || byte == '[';
}

bool glob_is_pattern(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_special(text.ptr[i])) {
			return true;
		}
		i += text.ptr[i] == '\\';
	}
	return false;
}

struct span glob_prefix(struct span pattern)
{
	size_t len = 0;
	while (len < pattern.len && !is_special(pattern.ptr[len]) && pattern.ptr[len] != '\\') {
		len++;
	}
	return span_make(pattern.ptr, len);
}

void glob_unescape(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		i += text.ptr[i] == '\\';
		buf_byte(out, text.ptr[i]);
	}
}

/* ---- checking ---- */

static int refuse(size_t at, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, "invalid_glob", "byte %zu: %s", at + 1, what);
}

/* One member of a set, at *at; moves behind it. */
static int check_member(struct span pattern, size_t *at, unsigned char *out, struct err *err)
{
	*at += pattern.ptr[*at] == '\\';
	if (*at == pattern.len) {
		return refuse(*at - 1, "the pattern ends within a set; write \\[ for the character",
		              err);
	}
	*out = (unsigned char)pattern.ptr[*at];
	if (*out >= 0x80) {
		return refuse(*at, "a set holds ASCII characters only; write ? or * for others",
		              err);
	}
	++*at;
	return 0;
}

/* The set that opens at `open`; *out_end is behind its bracket. */
static int check_set(struct span pattern, size_t open, size_t *out_end, struct err *err)
{
	size_t at = open + 1;
	at += at < pattern.len && (pattern.ptr[at] == '!' || pattern.ptr[at] == '^');
	size_t first = at;
	while (at < pattern.len && (pattern.ptr[at] != ']' || at == first)) {
		if (pattern.ptr[at] == ']') {
			return refuse(open, "the set is empty; write \\] for a bracket in it", err);
		}
		size_t start = at;
		unsigned char low = 0;
		unsigned char high = 0;
		if (check_member(pattern, &at, &low, err) != 0) {
			return E_INVALID;
		}
		if (at + 1 < pattern.len && pattern.ptr[at] == '-' && pattern.ptr[at + 1] != ']') {
			at++;
			if (check_member(pattern, &at, &high, err) != 0) {
				return E_INVALID;
			}
			if (high < low) {
				return refuse(start, "the range runs backwards; turn its ends",
				              err);
			}
		}
	}
	if (at >= pattern.len) {
		return refuse(open, "the set has no ]; write \\[ for the character", err);
	}
	*out_end = at + 1;
	return 0;
}

int glob_check(struct span pattern, struct err *err)
{
	if (pattern.len > GLOB_PATTERN_MAX && glob_is_pattern(pattern)) {
		return err_set(err, E_LIMIT, "invalid_glob",
		               "the pattern has %zu bytes, %d are allowed; make it shorter",
		               pattern.len, GLOB_PATTERN_MAX);
	}
	size_t at = 0;
	while (at < pattern.len) {
		if (pattern.ptr[at] == '[') {
			if (check_set(pattern, at, &at, err) != 0) {
				return E_INVALID;
			}
			continue;
		}
		bool is_escape = pattern.ptr[at] == '\\';
		if (is_escape && at + 1 == pattern.len) {
			return refuse(at, "a backslash at the end; write \\\\ for the character",
			              err);
		}
		at += is_escape ? 2 : 1;
	}
	return 0;
}

/* ---- matching ---- */

static size_t character_len(struct span text, size_t at)
{
	size_t len = 1;
	while (at + len < text.len && ((unsigned char)text.ptr[at + len] & 0xc0) == 0x80) {
		len++;
	}
	return len;
}

/* Is the byte in the checked set that opens at `at`? *out_len is the set's length. */
static bool in_set(struct span pattern, size_t at, unsigned char byte, size_t *out_len)
{
	size_t i = at + 1;
	bool negated = pattern.ptr[i] == '!' || pattern.ptr[i] == '^';
	bool found = false;
	for (i += negated; pattern.ptr[i] != ']'; i++) {
		i += pattern.ptr[i] == '\\';
		unsigned char low = (unsigned char)pattern.ptr[i];
		unsigned char high = low;
		if (pattern.ptr[i + 1] == '-' && pattern.ptr[i + 2] != ']') {
			i += 2;
			i += pattern.ptr[i] == '\\';
			high = (unsigned char)pattern.ptr[i];
		}
		found = found || (low <= byte && byte <= high);
	}
	*out_len = i + 1 - at;
	return found != negated;
}

/* One step that is no star: how many bytes of pattern and text it takes. False: it does not fit. */
static bool step(struct span pattern, size_t p, struct span text, size_t t, size_t *out_p,
                 size_t *out_t)
{
	*out_t = 1;
	*out_p = 1;
	switch (pattern.ptr[p]) {
	case '?':
		*out_t = character_len(text, t);
		return true;
	case '[':
		*out_t = character_len(text, t);
		return in_set(pattern, p, (unsigned char)text.ptr[t], out_p);
	case '\\':
		*out_p = 2;
		return pattern.ptr[p + 1] == text.ptr[t];
	default:
		return pattern.ptr[p] == text.ptr[t];
	}
}

bool glob_matches(struct span pattern, struct span text)
{
	size_t p = 0;
	size_t t = 0;
	size_t star = SIZE_MAX; /* behind the last star */
	size_t star_t = 0;      /* where the text behind it was tried */
	while (t < text.len) {
		size_t more_p;
		size_t more_t;
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = ++p;
			star_t = t;
		} else if (p < pattern.len && step(pattern, p, text, t, &more_p, &more_t)) {
			p += more_p;
			t += more_t;
		} else if (star != SIZE_MAX) {
			p = star;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*') {
		p++;
	}
	return p == pattern.len;
}
