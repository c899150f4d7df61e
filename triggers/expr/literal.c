/* This file gives the literals of an expression their values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/literal.h"

#include "base/utf8_char.h"
#include <math.h>
#include <stdlib.h>

/* ---- numbers ---- */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Of a digit of base 16; more than that for what is none. */
static unsigned digit_value(char byte)
{
	if (is_digit(byte)) {
		return (unsigned)(byte - '0');
	}
	char letter = (char)(byte | 0x20);
	return letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10 : 99;
}

static const char *skip_digits(const char *at)
{
	while (is_digit(*at)) {
		at++;
	}
	return at;
}

/* Behind a fraction and an exponent; `at` itself when there are none. */
static const char *skip_fraction(const char *at)
{
	if (at[0] == '.' && is_digit(at[1])) {
		at = skip_digits(at + 1);
	}
	if ((at[0] | 0x20) == 'e') {
		const char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
		at = is_digit(*digits) ? skip_digits(digits) : at;
	}
	return at;
}

int literal_too_large(struct span source, size_t at, struct fault *fault)
{
	return fault_set(fault, source, at, "a literal with a point, like 1e20, is a double",
	                 "the number does not fit an integer of 64 bits");
}

static int read_integer(struct span source, const char *at, const char **out_end, struct value *out,
                        struct fault *fault)
{
	const char *start = at;
	bool is_hex = at[0] == '0' && at[1] == 'x' && digit_value(at[2]) < 16;
	unsigned base = is_hex ? 16 : 10;
	uint64_t amount = 0;
	bool is_over = false;
	for (at += is_hex ? 2 : 0; digit_value(*at) < base; at++) {
		is_over |= __builtin_mul_overflow(amount, base, &amount);
		is_over |= __builtin_add_overflow(amount, digit_value(*at), &amount);
	}
	bool is_unsigned = (*at | 0x20) == 'u';
	bool is_large = is_over || (!is_unsigned && amount > (uint64_t)INT64_MAX + 1);
	if (is_large) {
		return literal_too_large(source, (size_t)(start - source.ptr), fault);
	}
	*out = value_uint(amount);
	out->tag = is_unsigned ? VALUE_UINT : VALUE_INT;
	*out_end = at + is_unsigned;
	return 0;
}

int literal_number(struct span source, const char *at, const char **out_end, struct value *out,
                   struct fault *fault)
{
	const char *digits = skip_digits(at);
	const char *end = skip_fraction(digits);
	if (end == digits) {
		return read_integer(source, at, out_end, out, fault);
	}
	double number = strtod(at, NULL);
	if (isinf(number)) {
		return fault_set(fault, source, (size_t)(at - source.ptr), NULL,
		                 "the number does not fit a double");
	}
	*out = value_double_of(number);
	*out_end = end;
	return 0;
}

/* ---- strings and bytes ---- */

/* A literal that is being read, between its quotes. */
struct quoted {
	struct span source;
	struct fault *fault;
	const char *at;
	const char *end;
	bool is_bytes;
};

static size_t offset(const struct quoted *quoted, const char *at)
{
	return (size_t)(at - quoted->source.ptr);
}

static const char *skip_prefix(const char *at, bool *out_bytes, bool *out_raw)
{
	*out_bytes = (*at | 0x20) == 'b';
	at += *out_bytes;
	*out_raw = (*at | 0x20) == 'r';
	return at + *out_raw;
}

static int not_closed(struct span source, const char *open, bool at_line_end, struct fault *fault)
{
	if (at_line_end) {
		return fault_set(fault, source, (size_t)(open - source.ptr),
		                 "a line break is \\n, or write the text between three quotes",
		                 "the text that begins here is not closed on its line");
	}
	return fault_set(fault, source, (size_t)(open - source.ptr), "close it with the same quote",
	                 "the text that begins here is never closed");
}

/* The closing quote (the first of three), or NULL: the fault tells. */
static const char *find_close(struct span source, const char *open, bool raw, struct fault *fault)
{
	const char *end = source.ptr + source.len;
	char quote = *open;
	bool is_triple = open[1] == quote && open[2] == quote;
	for (const char *at = open + (is_triple ? 3 : 1); at < end; at++) {
		if (*at == quote && (!is_triple || (at[1] == quote && at[2] == quote))) {
			return at;
		}
		if (!is_triple && (*at == '\n' || *at == '\r')) {
			(void)not_closed(source, open, true, fault);
			return NULL;
		}
		at += *at == '\\' && !raw && at + 1 < end && at[1] != '\n' && at[1] != '\r';
	}
	(void)not_closed(source, open, false, fault);
	return NULL;
}

/* `count` digits of the base; false when they are not there. */
static bool read_digits(struct quoted *quoted, size_t count, unsigned base, uint32_t *out)
{
	uint32_t number = 0;
	for (size_t i = 0; i < count; i++) {
		if (quoted->end - quoted->at <= (ptrdiff_t)i ||
		    digit_value(quoted->at[i]) >= base) {
			return false;
		}
		number = number * base + digit_value(quoted->at[i]);
	}
	quoted->at += count;
	*out = number;
	return true;
}

/* The second half of a pair, when it follows as \uXXXX. */
static uint32_t join_pair(struct quoted *quoted, uint32_t high)
{
	const char *back = quoted->at;
	uint32_t low = 0;
	if (quoted->end - quoted->at >= 6 && quoted->at[0] == '\\' && quoted->at[1] == 'u') {
		quoted->at += 2;
		if (read_digits(quoted, 4, 16, &low) && low >= 0xdc00 && low <= 0xdfff) {
			return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		}
		quoted->at = back;
	}
	return high;
}

/* `at` is behind the backslash; the letter says how many digits follow. */
static int read_code(struct quoted *quoted, uint32_t *out)
{
	const char *start = quoted->at - 1;
	char letter = *quoted->at;
	bool is_octal = is_digit(letter);
	quoted->at += !is_octal;
	size_t count = is_octal ? 3 : letter == 'u' ? 4 : letter == 'U' ? 8 : 2;
	if (!read_digits(quoted, count, is_octal ? 8 : 16, out) || (is_octal && *out > 0xff)) {
		return fault_set(quoted->fault, quoted->source, offset(quoted, start),
		                 "\\xHH, \\uHHHH, \\UHHHHHHHH, or \\OOO from \\000 to \\377",
		                 "the escape needs %zu %s digits", count,
		                 is_octal ? "octal" : "hex");
	}
	if (quoted->is_bytes && count != 3 && count != 2) {
		return fault_set(quoted->fault, quoted->source, offset(quoted, start),
		                 "write the bytes, as \\xHH", "bytes have no \\%c", letter);
	}
	*out = *out >= 0xd800 && *out <= 0xdbff ? join_pair(quoted, *out) : *out;
	if ((*out >= 0xd800 && *out <= 0xdfff) || *out > 0x10ffff) {
		return fault_set(quoted->fault, quoted->source, offset(quoted, start), NULL,
		                 "the escape is no character of Unicode");
	}
	return 0;
}

/* `at` is at a backslash. */
static int read_escape(struct quoted *quoted, char **to)
{
	static const char FROM[] = "abfnrtv\\?\"'`";
	static const char TO[] = "\a\b\f\n\r\t\v\\?\"'`";
	const char *start = quoted->at++;
	char letter = quoted->at < quoted->end ? *quoted->at : '\0';
	const char *plain = letter ? strchr(FROM, letter) : NULL;
	if (plain != NULL) {
		*(*to)++ = TO[plain - FROM];
		quoted->at++;
		return 0;
	}
	if (letter == '\0' || (!is_digit(letter) && strchr("xXuU", letter) == NULL)) {
		return fault_set(
		        quoted->fault, quoted->source, offset(quoted, start),
		        "write \\\\ for a backslash, or r'...' for a text in which it is plain",
		        "this is no escape");
	}
	uint32_t code = 0;
	int status = read_code(quoted, &code);
	if (status != 0) {
		return status;
	}
	if (quoted->is_bytes) {
		*(*to)++ = (char)code;
	} else {
		*to += utf8_char_put(code, *to);
	}
	return 0;
}

/* What is unescaped is never longer than what it was. */
static int unescape(struct quoted *quoted, struct arena *arena, struct span *out)
{
	char *copy = arena_take(arena, (size_t)(quoted->end - quoted->at) + 1);
	char *to = copy;
	while (quoted->at < quoted->end) {
		if (*quoted->at != '\\') {
			*to++ = *quoted->at++;
			continue;
		}
		int status = read_escape(quoted, &to);
		if (status != 0) {
			return status;
		}
	}
	*out = span_make(copy, (size_t)(to - copy));
	return 0;
}

int literal_text(struct span source, const char *at, struct arena *arena, const char **out_end,
                 struct value *out, struct fault *fault)
{
	struct quoted quoted = {.source = source, .fault = fault};
	bool is_raw = false;
	const char *open = skip_prefix(at, &quoted.is_bytes, &is_raw);
	quoted.end = find_close(source, open, is_raw, fault);
	if (quoted.end == NULL) {
		return E_INVALID;
	}
	size_t quotes = open[1] == *open && open[2] == *open ? 3 : 1;
	quoted.at = open + quotes;
	struct span text = span_make(quoted.at, (size_t)(quoted.end - quoted.at));
	*out_end = quoted.end + quotes;
	if (!is_raw && text.len != 0 && memchr(text.ptr, '\\', text.len) != NULL) {
		int status = unescape(&quoted, arena, &text);
		if (status != 0) {
			return status;
		}
	}
	*out = quoted.is_bytes ? value_bytes(text) : value_string(text);
	return 0;
}
