/* This file walks a pattern and a text side by side, going back only to the last star. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/glob.h"

#include <stdint.h>

bool glob_is_pattern(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (memchr("*?[\\", text.ptr[i], 4) != NULL) {
			return true;
		}
	}
	return false;
}

struct span glob_prefix(struct span pattern)
{
	size_t len = 0;
	while (len < pattern.len && memchr("*?[\\", pattern.ptr[len], 4) == NULL) {
		len++;
	}
	return span_make(pattern.ptr, len);
}

/* The index of the set's closing bracket; pattern.len when it is open. `at` is that of the opening
 * one. */
static size_t set_end(struct span pattern, size_t at)
{
	size_t i = at + 1;
	i += i < pattern.len && pattern.ptr[i] == '!';
	size_t first = i;
	while (i < pattern.len && (pattern.ptr[i] != ']' || i == first)) {
		i++;
	}
	return i;
}

int glob_check(struct span pattern, struct err *err)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.ptr[i] == '\\' && ++i == pattern.len) {
			return err_set(err, E_INVALID, "invalid_glob",
			               "the pattern ends with \"\\\"; write \"\\\\\" for the "
			               "character itself");
		}
		if (pattern.ptr[i] == '[') {
			size_t end = set_end(pattern, i);
			if (end == pattern.len) {
				return err_set(err, E_INVALID, "invalid_glob",
				               "the set that begins at byte %zu has no \"]\"; "
				               "write \"\\[\" for the "
				               "character itself",
				               i + 1);
			}
			i = end;
		}
	}
	return 0;
}

static bool in_set(struct span pattern, size_t at, size_t end, unsigned char byte)
{
	size_t i = at + 1;
	bool negated = pattern.ptr[i] == '!';
	i += negated;
	bool found = false;
	while (i < end) {
		unsigned char low = (unsigned char)pattern.ptr[i];
		unsigned char high = low;
		if (i + 2 < end && pattern.ptr[i + 1] == '-') {
			high = (unsigned char)pattern.ptr[i + 2];
			i += 2;
		}
		found = found || (low <= byte && byte <= high);
		i++;
	}
	return found != negated;
}

static size_t character_len(struct span text, size_t at)
{
	size_t len = 1;
	while (at + len < text.len && ((unsigned char)text.ptr[at + len] & 0xc0) == 0x80) {
		len++;
	}
	return len;
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
	case '[': {
		size_t end = set_end(pattern, p);
		*out_p = end + 1 - p;
		*out_t = character_len(text, t);
		return in_set(pattern, p, end, (unsigned char)text.ptr[t]);
	}
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
