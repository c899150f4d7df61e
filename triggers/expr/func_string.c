/* This file computes the functions of strings: the language's and those of the extension. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"
#include "triggers/expr/text_unicode.h"

/*
 * DESIGN. Every index is one of code points, from 0. Whoever looks at a text has paid for all of it
 * first (text_spend). Parts of a string are not copied: they point into it.
 */

/* ---- of the language ---- */

static struct value starts_with(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, args[1].len)) {
		return allowance_error(allowance);
	}
	return value_bool(span_starts_with(value_text(args[0]), value_text(args[1])));
}

static struct value ends_with(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, args[1].len)) {
		return allowance_error(allowance);
	}
	struct span text = value_text(args[0]);
	struct span suffix = value_text(args[1]);
	if (suffix.len > text.len) {
		return value_bool(false);
	}
	struct span end = span_make(text.ptr + (text.len - suffix.len), suffix.len);
	return value_bool(span_equal(end, suffix));
}

static struct value contains(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, (size_t)args[0].len + args[1].len)) {
		return allowance_error(allowance);
	}
	return value_bool(text_find(value_text(args[0]), value_text(args[1]), 0) != TEXT_NONE);
}

/* ---- places ---- */

static struct value char_at(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	if (!text_spend(allowance, text.len)) {
		return allowance_error(allowance);
	}
	ptrdiff_t at = text_offset(text, args[1].as.i);
	if (at == TEXT_NONE) {
		return value_error(ERROR_OUT_OF_BOUNDS, NULL);
	}
	if ((size_t)at == text.len) {
		return value_string(SPAN(""));
	}
	return value_string(span_make(text.ptr + at, text_char_len(text, (size_t)at)));
}

/* The index of the code point that begins at a byte offset, -1 of TEXT_NONE. */
static struct value index_at(struct span text, ptrdiff_t at)
{
	return value_int(at == TEXT_NONE ? -1
	                                 : (int64_t)text_count(span_make(text.ptr, (size_t)at)));
}

static struct value index_of(struct allowance *allowance, struct value args[], size_t count)
{
	struct span text = value_text(args[0]);
	struct span needle = value_text(args[1]);
	if (!text_spend(allowance, text.len + needle.len)) {
		return allowance_error(allowance);
	}
	ptrdiff_t from = count == 3 ? text_offset(text, args[2].as.i) : 0;
	if (from == TEXT_NONE) {
		return value_error(ERROR_OUT_OF_BOUNDS, NULL);
	}
	return index_at(text, text_find(text, needle, (size_t)from));
}

/* The last place of `needle`, not empty, that begins at or before `from`; *out TEXT_NONE: there is
 * none. Every place where it might begin costs as if all of it were compared. False: over the
 * allowance. */
static bool find_last(struct allowance *allowance, struct span text, struct span needle,
                      size_t from, ptrdiff_t *out)
{
	*out = TEXT_NONE;
	if (text.len < needle.len) {
		return true;
	}
	size_t end = (from < text.len - needle.len ? from : text.len - needle.len) + 1;
	const char *at = memrchr(text.ptr, needle.ptr[0], end);
	while (at != NULL && *out == TEXT_NONE) {
		if (!text_spend(allowance, needle.len)) {
			return false;
		}
		if (memcmp(at, needle.ptr, needle.len) == 0) {
			*out = at - text.ptr;
		}
		at = memrchr(text.ptr, needle.ptr[0], (size_t)(at - text.ptr));
	}
	return true;
}

static struct value last_index_of(struct allowance *allowance, struct value args[], size_t count)
{
	struct span text = value_text(args[0]);
	struct span needle = value_text(args[1]);
	if (!text_spend(allowance, text.len)) {
		return allowance_error(allowance);
	}
	ptrdiff_t from = count == 3 ? text_offset(text, args[2].as.i) : (ptrdiff_t)text.len;
	if (from == TEXT_NONE) {
		return value_error(ERROR_OUT_OF_BOUNDS, NULL);
	}
	ptrdiff_t found = from; /* where the empty string is */
	if (needle.len != 0 && !find_last(allowance, text, needle, (size_t)from, &found)) {
		return allowance_error(allowance);
	}
	return index_at(text, found);
}

static struct value substring(struct allowance *allowance, struct value args[], size_t count)
{
	struct span text = value_text(args[0]);
	if (!text_spend(allowance, text.len)) {
		return allowance_error(allowance);
	}
	ptrdiff_t from = text_offset(text, args[1].as.i);
	ptrdiff_t to = count == 3 ? text_offset(text, args[2].as.i) : (ptrdiff_t)text.len;
	if (from == TEXT_NONE || to == TEXT_NONE) {
		return value_error(ERROR_OUT_OF_BOUNDS, NULL);
	}
	if (from > to) {
		return value_error(ERROR_INVALID_ARGUMENT, "the end is before the beginning");
	}
	return value_string(span_make(text.ptr + from, (size_t)(to - from)));
}

static struct value trim(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, args[0].len)) {
		return allowance_error(allowance);
	}
	return value_string(text_trim(value_text(args[0])));
}

/* ---- copies ---- */

/* A copy with each letter of `from`..`to` moved by the distance between the cases. */
static struct value with_case(struct allowance *allowance, struct value string, char from, char to)
{
	struct text_builder out = {.allowance = allowance};
	text_builder_add(&out, value_text(string));
	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] >= from && out.ptr[i] <= to) {
			out.ptr[i] = (char)(out.ptr[i] ^ ('a' - 'A'));
		}
	}
	return text_builder_string(&out);
}

static struct value lower_ascii(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	return with_case(allowance, args[0], 'A', 'Z');
}

static struct value upper_ascii(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	return with_case(allowance, args[0], 'a', 'z');
}

static struct value reverse(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	struct text_builder out = {.allowance = allowance};
	text_builder_add(&out, text);
	for (size_t at = 0; !out.failed && at < text.len;) {
		size_t len = text_char_len(text, at);
		memcpy(out.ptr + (text.len - at - len), text.ptr + at, len);
		at += len;
	}
	return text_builder_string(&out);
}

/* Where the next `needle` is at or after `from`. An empty one stands before every code point and at
 * the end; when it is not the first, the one at `from` is done. */
static ptrdiff_t next_place(struct span text, struct span needle, size_t from, bool is_first)
{
	if (needle.len != 0 || is_first) {
		return text_find(text, needle, from);
	}
	return from < text.len ? (ptrdiff_t)(from + text_char_len(text, from)) : TEXT_NONE;
}

static struct value replace(struct allowance *allowance, struct value args[], size_t count)
{
	struct span text = value_text(args[0]);
	struct span needle = value_text(args[1]);
	int64_t left = count == 4 ? args[3].as.i : -1; /* below zero: all */
	if (!text_spend(allowance, text.len + needle.len)) {
		return allowance_error(allowance);
	}
	struct text_builder out = {.allowance = allowance};
	size_t done = 0;
	bool is_first = true;
	while (left != 0 && !out.failed) {
		ptrdiff_t found = next_place(text, needle, done, is_first);
		if (found == TEXT_NONE) {
			break;
		}
		text_builder_add(&out, span_make(text.ptr + done, (size_t)found - done));
		text_builder_add(&out, value_text(args[2]));
		done = (size_t)found + needle.len;
		is_first = false;
		left -= left > 0;
	}
	text_builder_add(&out, span_make(text.ptr + done, text.len - done));
	return text_builder_string(&out);
}

/* ---- split ---- */

/* The end of the part that begins at `from`: where the separator stands, without one after each
 * code point; TEXT_NONE: it is the last part. */
static ptrdiff_t end_of_part(struct span text, struct span separator, size_t from)
{
	if (separator.len != 0) {
		return text_find(text, separator, from);
	}
	size_t end = from < text.len ? from + text_char_len(text, from) : text.len;
	return end < text.len ? (ptrdiff_t)end : TEXT_NONE;
}

/* At most `most` parts, the last one being the rest. `items` NULL: only counts them. */
static size_t split_parts(struct span text, struct span separator, uint64_t most,
                          struct value *items)
{
	size_t count = 0;
	size_t from = 0;
	while (count < most) {
		ptrdiff_t end = count + 1 < most ? end_of_part(text, separator, from) : TEXT_NONE;
		size_t to = end != TEXT_NONE ? (size_t)end : text.len;
		if (items != NULL) {
			items[count] = value_string(span_make(text.ptr + from, to - from));
		}
		count++;
		if (end == TEXT_NONE) {
			break;
		}
		from = to + separator.len;
	}
	return count;
}

static struct value split(struct allowance *allowance, struct value args[], size_t count)
{
	struct span text = value_text(args[0]);
	struct span separator = value_text(args[1]);
	uint64_t most = count == 3 && args[2].as.i >= 0 ? args[2].as.u : UINT64_MAX;
	if (text.len == 0 && separator.len == 0) {
		most = 0; /* there is no code point to be a part */
	}
	if (!text_spend(allowance, 2 * (text.len + separator.len))) {
		return allowance_error(allowance);
	}
	size_t parts = split_parts(text, separator, most, NULL);
	if (!allowance_spend(allowance, (int64_t)parts)) {
		return allowance_error(allowance);
	}
	struct value *items = ARENA_ARRAY(&allowance->arena, struct value, parts + 1);
	if (items == NULL) {
		return allowance_error(allowance);
	}
	(void)split_parts(text, separator, most, items);
	return value_of_list(allowance, items, parts);
}

enum { S = TAKES_STRING, I = TAKES_INT };

#define ONE(name, gives, fn)                                                                       \
	{                                                                                          \
		(name), true, 1, false, {S}, (gives), (fn)                                         \
	}
#define TWO(name, b, gives, fn)                                                                    \
	{                                                                                          \
		(name), true, 2, false, {S, (b)}, (gives), (fn)                                    \
	}
#define THREE(name, b, c, gives, fn)                                                               \
	{                                                                                          \
		(name), true, 3, false, {S, (b), (c)}, (gives), (fn)                               \
	}

const struct overload overload_string[] = {
        TWO("startsWith", S, TAKES_BOOL, starts_with),
        TWO("endsWith", S, TAKES_BOOL, ends_with),
        TWO("contains", S, TAKES_BOOL, contains),
        TWO("charAt", I, TAKES_STRING, char_at),
        TWO("indexOf", S, TAKES_INT, index_of),
        THREE("indexOf", S, I, TAKES_INT, index_of),
        TWO("lastIndexOf", S, TAKES_INT, last_index_of),
        THREE("lastIndexOf", S, I, TAKES_INT, last_index_of),
        TWO("substring", I, TAKES_STRING, substring),
        THREE("substring", I, I, TAKES_STRING, substring),
        ONE("trim", TAKES_STRING, trim),
        ONE("lowerAscii", TAKES_STRING, lower_ascii),
        ONE("upperAscii", TAKES_STRING, upper_ascii),
        ONE("reverse", TAKES_STRING, reverse),
        THREE("replace", S, S, TAKES_STRING, replace),
        {"replace", true, 4, false, {S, S, S, I}, TAKES_STRING, replace},
        TWO("split", S, TAKES_LIST, split),
        THREE("split", S, I, TAKES_LIST, split),
        {0},
};
