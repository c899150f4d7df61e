/* This file steps through valid JSON text and unescapes its strings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_read.h"

#include "base/err.h"
#include "base/id.h"
#include "base/json_scan.h"
#include "base/utf8_char.h"

enum json_kind json_kind(struct span value)
{
	PRE(value.len != 0);
	switch (value.ptr[0]) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return JSON_NUMBER;
	}
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {"null",   "boolean", "number",
	                                    "string", "array",   "object"};
	PRE((size_t)kind < sizeof names / sizeof *names);
	return names[kind];
}

bool json_is_null(struct span value)
{
	return value.ptr == NULL || span_equal(value, SPAN("null"));
}

bool json_is_true(struct span value)
{
	return span_equal(value, SPAN("true"));
}

/* ---- members and items ---- */

struct json_iter json_iter(struct span container)
{
	PRE(container.len >= 2);
	return (struct json_iter){container.ptr + 1, container.ptr + container.len - 1};
}

/* To the next name or item; false at the end. */
static inline bool skip_to_next(struct json_iter *iter)
{
	const char *at = json_skip_space(iter->at, iter->end);
	if (at < iter->end && *at == ',') {
		at = json_skip_space(at + 1, iter->end);
	}
	iter->at = at;
	return at < iter->end;
}

bool json_next_item(struct json_iter *iter, struct span *out_value)
{
	if (!skip_to_next(iter)) {
		return false;
	}
	const char *behind = json_skip_value(iter->at, iter->end);
	*out_value = (struct span){iter->at, (size_t)(behind - iter->at)};
	iter->at = behind;
	return true;
}

bool json_next_member(struct json_iter *iter, struct span *out_name, struct span *out_value)
{
	if (!skip_to_next(iter)) {
		return false;
	}
	const char *name_at = iter->at + 1;
	const char *quote = json_scan_string(name_at, iter->end);
	PRE(iter->end - quote >= 3);
	const char *colon = json_skip_space(quote + 1, iter->end);
	PRE(colon < iter->end);
	const char *value_at = json_skip_space(colon + 1, iter->end);
	*out_name = (struct span){name_at, (size_t)(quote - name_at)};
	iter->at = json_skip_value(value_at, iter->end);
	*out_value = (struct span){value_at, (size_t)(iter->at - value_at)};
	return true;
}

/* ---- escapes ---- */

/* Four hexadecimal digits. */
static uint32_t hex_unit(const char *at)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		uint32_t digit = (uint32_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
		unit = unit << 4 | digit;
		at++;
	}
	return unit;
}

/* `*at` is at the `u` of an escape; a pair of surrogates is one code point. */
static uint32_t unescape_unit(const char **at, const char *end)
{
	uint32_t unit = hex_unit(*at + 1);
	*at += 5;
	if (unit < 0xd800 || unit > 0xdfff) {
		return unit;
	}
	if (unit <= 0xdbff && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
		uint32_t low = hex_unit(*at + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*at += 6;
			return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return UTF8_REPLACEMENT;
}

/* The byte or the escaped character at *at < end of a valid string; moves behind it. */
static size_t unescape(const char **at, const char *end, char out[UTF8_CHAR_MAX])
{
	static const char letters[] = "bfnrt";
	static const char controls[] = "\b\f\n\r\t";
	char byte = *(*at)++;
	if (byte == '\\') {
		PRE(*at < end);
		if (**at == 'u') {
			PRE(end - *at >= 5);
			return utf8_char_put(unescape_unit(at, end), out);
		}
		byte = *(*at)++;
		const char *letter = strchr(letters, byte);
		byte = letter ? controls[letter - letters] : byte;
	}
	out[0] = byte;
	return 1;
}

static bool is_escaped(struct span token)
{
	return token.len != 0 && memchr(token.ptr, '\\', token.len) != NULL;
}

static void add_unescaped(struct span token, struct buf *out)
{
	const char *at = token.ptr;
	const char *end = token.ptr + token.len;
	(void)buf_reserve(out, token.len); /* an escape is longer than what it stands for */
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *plain_end = escape ? escape : end;
		buf_add(out, at, (size_t)(plain_end - at));
		at = plain_end;
		if (at < end) {
			char bytes[UTF8_CHAR_MAX];
			size_t len = unescape(&at, end, bytes);
			buf_add(out, bytes, len);
		}
	}
}

int json_name_compare(struct span escaped_a, struct span escaped_b)
{
	if (!is_escaped(escaped_a) && !is_escaped(escaped_b)) {
		return span_compare(escaped_a, escaped_b);
	}
	const char *at[2] = {escaped_a.ptr, escaped_b.ptr};
	const char *end[2] = {escaped_a.ptr + escaped_a.len, escaped_b.ptr + escaped_b.len};
	unsigned char bytes[2][UTF8_CHAR_MAX];
	size_t len[2] = {0, 0};
	size_t used[2] = {0, 0};
	for (;;) {
		for (int i = 0; i < 2; i++) {
			if (used[i] == len[i] && at[i] < end[i]) {
				len[i] = unescape(&at[i], end[i], (char *)bytes[i]);
				used[i] = 0;
			}
		}
		bool a_ended = used[0] == len[0];
		bool b_ended = used[1] == len[1];
		if (a_ended || b_ended) {
			return a_ended && b_ended ? 0 : a_ended ? -1 : 1;
		}
		int order = (int)bytes[0][used[0]++] - (int)bytes[1][used[1]++];
		if (order != 0) {
			return order;
		}
	}
}

bool json_name_is(struct span escaped, struct span plain)
{
	/* An escape is always longer than what it stands for. */
	if (escaped.len <= plain.len) {
		return span_equal(escaped, plain) && !is_escaped(escaped);
	}
	if (!is_escaped(escaped)) {
		return false;
	}
	const char *at = escaped.ptr;
	const char *end = escaped.ptr + escaped.len;
	while (at < end) {
		char bytes[UTF8_CHAR_MAX];
		struct span next = {bytes, unescape(&at, end, bytes)};
		if (!span_starts_with(plain, next)) {
			return false;
		}
		plain = (struct span){plain.ptr + next.len, plain.len - next.len};
	}
	return plain.len == 0;
}

/* ---- strings ---- */

static struct span between_quotes(struct span value)
{
	PRE(value.len >= 2 && value.ptr[0] == '"');
	return (struct span){value.ptr + 1, value.len - 2};
}

void json_string(struct span value, struct buf *out)
{
	add_unescaped(between_quotes(value), out);
}

struct span json_copy_text(struct span value, struct buf *scratch)
{
	if (value.ptr == NULL || json_kind(value) != JSON_STRING) {
		return SPAN_NONE;
	}
	size_t began_at = scratch->len;
	json_string(value, scratch);
	return (struct span){scratch->ptr + began_at, scratch->len - began_at};
}

struct span json_plain(struct span value, struct buf *scratch)
{
	struct span token = between_quotes(value);
	if (!is_escaped(token)) {
		return token;
	}
	size_t began_at = scratch->len;
	add_unescaped(token, scratch);
	return (struct span){scratch->ptr + began_at, scratch->len - began_at};
}

bool json_string_is(struct span value, struct span plain)
{
	return value.len >= 2 && value.ptr[0] == '"' && json_name_is(between_quotes(value), plain);
}

/* ---- finding ---- */

bool json_get(struct span object, struct span name, struct span *out)
{
	json_get_many(object, &name, 1, out);
	return out->ptr != NULL;
}

static inline uint64_t length_bit(size_t len)
{
	return UINT64_C(1) << (len < 63 ? len : 63);
}

void json_get_many(struct span object, const struct span names[], size_t count, struct span out[])
{
	PRE(count <= JSON_NAMES_MAX);
	uint64_t lengths = 0; /* most names are not wanted, and their length tells */
	for (size_t i = 0; i < count; i++) {
		out[i] = SPAN_NONE;
		lengths |= length_bit(names[i].len);
	}
	struct json_iter iter = json_iter(object);
	struct span name;
	struct span value;
	while (json_next_member(&iter, &name, &value)) {
		bool escaped = is_escaped(name);
		if (!escaped && (lengths & length_bit(name.len)) == 0) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (escaped ? json_name_is(name, names[i]) : span_equal(name, names[i])) {
				out[i] = value;
			}
		}
	}
}

static bool get_item(struct span array, struct span index_text, struct span *out)
{
	uint64_t index;
	if (!id_parse_uint(index_text, &index)) {
		return false;
	}
	struct json_iter iter = json_iter(array);
	struct span item;
	while (json_next_item(&iter, &item)) {
		if (index-- == 0) {
			*out = item;
			return true;
		}
	}
	return false;
}

bool json_at(struct span value, const struct span segments[], size_t count, struct span *out)
{
	bool found = value.len != 0;
	for (size_t i = 0; found && i < count; i++) {
		enum json_kind kind = json_kind(value);
		found = kind == JSON_OBJECT  ? json_get(value, segments[i], &value)
		        : kind == JSON_ARRAY ? get_item(value, segments[i], &value)
		                             : false;
	}
	*out = found ? value : SPAN_NONE;
	return found;
}
