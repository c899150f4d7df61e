/* This file computes the conversions between types, type() and dyn(). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/double_text.h"
#include "triggers/expr/moment.h"
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"

#include <math.h>
#include <stdint.h>

/*
 * DESIGN. What does not fit the new type is an error. A number of JSON whose text is an integer
 * converts by that integer, so no digit of a large id is lost on the way to int() or string().
 */
static const double TWO_TO_63 = 9223372036854775808.0;
static const double TWO_TO_64 = 18446744073709551616.0;

static struct value same(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[0];
}

static struct value type_of(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	struct span name = span_of(value_tag_name(args[0]));
	return (struct value){.tag = VALUE_TYPE, .len = (uint32_t)name.len, .as.text = name.ptr};
}

/* ---- to bool ---- */

static struct value bool_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	static const struct {
		const char *word;
		bool is;
	} WORDS[] = {
	        {"true", true}, {"false", false}, {"True", true}, {"False", false},
	        {"TRUE", true}, {"FALSE", false}, {"t", true},    {"f", false},
	        {"T", true},    {"F", false},     {"1", true},    {"0", false},
	};
	for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
		if (span_is(value_text(args[0]), WORDS[i].word)) {
			return value_bool(WORDS[i].is);
		}
	}
	return value_error(ERROR_INVALID_ARGUMENT, "the text is neither true nor false");
}

/* ---- to int ---- */

static struct value int_of_uint(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[0].as.u > INT64_MAX) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(args[0].as.i);
}

/* Towards zero. The least int is refused as a double: it may as well be what is left of another
 * number. */
static struct value int_of_double(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if ((args[0].flags & VALUE_EXACT) != 0) {
		return value_int(args[0].as.i);
	}
	double number = value_double(args[0]);
	if (!(number > -TWO_TO_63 && number < TWO_TO_63)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int((int64_t)number);
}

/* Decimal digits only, so many as fit. */
static enum value_error read_digits(struct span text, uint64_t *out)
{
	uint64_t number = 0;
	if (text.len == 0) {
		return ERROR_INVALID_ARGUMENT;
	}
	bool fits = true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return ERROR_INVALID_ARGUMENT;
		}
		fits = fits && !__builtin_mul_overflow(number, 10U, &number) &&
		       !__builtin_add_overflow(number, (uint64_t)(text.ptr[i] - '0'), &number);
	}
	*out = number;
	return fits ? ERROR_NONE : ERROR_OVERFLOW;
}

static struct value not_a_number(enum value_error failure)
{
	return value_error(failure,
	                   failure == ERROR_INVALID_ARGUMENT ? "the text is not a number" : NULL);
}

static struct value int_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	if (!text_spend(allowance, text.len)) {
		return allowance_error(allowance);
	}
	bool negative = text.len != 0 && text.ptr[0] == '-';
	bool has_sign = negative || (text.len != 0 && text.ptr[0] == '+');
	uint64_t size = 0;
	enum value_error failure =
	        read_digits(span_make(text.ptr + has_sign, text.len - has_sign), &size);
	if (failure != ERROR_NONE) {
		return not_a_number(failure);
	}
	if (size > (uint64_t)INT64_MAX + negative) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int((int64_t)(negative ? 0 - size : size));
}

static struct value int_of_timestamp(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_int(args[0].as.i);
}

/* In nanoseconds. */
static struct value int_of_duration(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t nanos = 0;
	if (__builtin_mul_overflow(args[0].as.i, INT64_C(1000000000), &nanos) ||
	    __builtin_add_overflow(nanos, (int64_t)args[0].len, &nanos)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(nanos);
}

/* ---- to uint ---- */

static struct value uint_of_int(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[0].as.i < 0) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_uint(args[0].as.u);
}

static struct value uint_of_double(struct allowance *allowance, struct value args[], size_t count)
{
	if ((args[0].flags & VALUE_EXACT_UNSIGNED) != 0) {
		return value_uint(args[0].as.u);
	}
	if ((args[0].flags & VALUE_EXACT) != 0) {
		return uint_of_int(allowance, args, count);
	}
	if (!(args[0].as.d >= 0 && args[0].as.d < TWO_TO_64)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_uint((uint64_t)args[0].as.d);
}

static struct value uint_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	uint64_t number = 0;
	if (!text_spend(allowance, args[0].len)) {
		return allowance_error(allowance);
	}
	enum value_error failure = read_digits(value_text(args[0]), &number);
	return failure == ERROR_NONE ? value_uint(number) : not_a_number(failure);
}

/* ---- to double ---- */

static struct value double_of_integer(struct allowance *allowance, struct value args[],
                                      size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(value_double(args[0]));
}

static bool is_word(struct span text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

static size_t skip_digits(struct span text, size_t at)
{
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
		at++;
	}
	return at;
}

/* Digits with a point anywhere, then an exponent or not: as JSON writes it, with digits on both
 * sides of the point and no zeros before them. False: it is no such text. */
static bool as_json(struct span text, struct text_builder *out)
{
	size_t whole = skip_digits(text, 0);
	bool has_point = whole < text.len && text.ptr[whole] == '.';
	size_t point = whole + has_point;
	size_t fraction = has_point ? skip_digits(text, point) : whole;
	size_t end = fraction;
	if (whole + (fraction - point) == 0) {
		return false;
	}
	if (end < text.len && (text.ptr[end] == 'e' || text.ptr[end] == 'E')) {
		size_t digits = end + 1;
		digits += digits < text.len && (text.ptr[digits] == '+' || text.ptr[digits] == '-');
		end = skip_digits(text, digits);
		if (end == digits) {
			return false;
		}
	}
	size_t zeros = 0;
	while (zeros < whole && text.ptr[zeros] == '0') {
		zeros++;
	}
	text_builder_add(out,
	                 zeros < whole ? span_make(text.ptr + zeros, whole - zeros) : SPAN("0"));
	if (fraction > point) {
		text_builder_byte(out, '.');
		text_builder_add(out, span_make(text.ptr + point, fraction - point));
	}
	text_builder_add(out, span_make(text.ptr + fraction, end - fraction));
	return end == text.len;
}

static struct value double_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	bool negative = text.len != 0 && text.ptr[0] == '-';
	bool has_sign = negative || (text.len != 0 && text.ptr[0] == '+');
	text = span_make(text.ptr + has_sign, text.len - has_sign);
	if (is_word(text, "inf") || is_word(text, "infinity")) {
		return value_double_of(negative ? -INFINITY : INFINITY);
	}
	if (is_word(text, "nan") && !has_sign) {
		return value_double_of(NAN);
	}
	struct text_builder json = {.allowance = allowance};
	if (!as_json(text, &json)) {
		return not_a_number(ERROR_INVALID_ARGUMENT);
	}
	struct value written = text_builder_string(&json);
	if (value_is_error(written)) {
		return written;
	}
	double number = 0;
	if (!json_double(value_text(written), &number)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_double_of(negative ? -number : number);
}

/* ---- to string ---- */

static struct value copied(struct allowance *allowance, struct span text)
{
	struct span copy = arena_copy(&allowance->arena, text);
	return copy.ptr != NULL ? value_string(copy) : allowance_error(allowance);
}

static struct value string_of_bool(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_string(args[0].as.b ? SPAN("true") : SPAN("false"));
}

static struct value string_of_int(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct buf text = {0};
	buf_int(&text, args[0].as.i);
	struct value string = copied(allowance, buf_view(&text));
	buf_free(&text);
	return string;
}

static struct value string_of_uint(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct buf text = {0};
	buf_uint(&text, args[0].as.u);
	struct value string = copied(allowance, buf_view(&text));
	buf_free(&text);
	return string;
}

static struct value string_of_double(struct allowance *allowance, struct value args[], size_t count)
{
	if ((args[0].flags & VALUE_EXACT) != 0) {
		return string_of_int(allowance, args, count);
	}
	if ((args[0].flags & VALUE_EXACT_UNSIGNED) != 0) {
		return string_of_uint(allowance, args, count);
	}
	char text[DOUBLE_TEXT_MAX];
	size_t len = double_text_short(args[0].as.d, text);
	return copied(allowance, span_make(text, len));
}

static struct value string_of_bytes(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, args[0].len)) {
		return allowance_error(allowance);
	}
	if (!json_utf8_valid(value_text(args[0]))) {
		return value_error(ERROR_INVALID_ARGUMENT, "the bytes are not UTF-8");
	}
	return value_string(value_text(args[0]));
}

static struct value string_of_timestamp(struct allowance *allowance, struct value args[],
                                        size_t count)
{
	(void)count;
	struct buf text = {0};
	moment_write_timestamp(args[0].as.i, args[0].len, &text);
	struct value string = copied(allowance, buf_view(&text));
	buf_free(&text);
	return string;
}

static struct value string_of_duration(struct allowance *allowance, struct value args[],
                                       size_t count)
{
	(void)count;
	struct buf text = {0};
	moment_write_duration(args[0].as.i, args[0].len, &text);
	struct value string = copied(allowance, buf_view(&text));
	buf_free(&text);
	return string;
}

/* ---- to bytes ---- */

static struct value bytes_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_bytes(value_text(args[0]));
}

#define ROW(name, takes, gives, fn)                                                                \
	{                                                                                          \
		(name), false, 1, false, {(takes)}, (gives), (fn)                                  \
	}

const struct overload overload_convert[] = {
        ROW("bool", TAKES_BOOL, TAKES_BOOL, same),
        ROW("bool", TAKES_STRING, TAKES_BOOL, bool_of_string),
        ROW("int", TAKES_INT, TAKES_INT, same),
        ROW("int", TAKES_DOUBLE, TAKES_INT, int_of_double),
        ROW("int", TAKES_UINT, TAKES_INT, int_of_uint),
        ROW("int", TAKES_STRING, TAKES_INT, int_of_string),
        ROW("int", TAKES_TIMESTAMP, TAKES_INT, int_of_timestamp),
        ROW("int", TAKES_DURATION, TAKES_INT, int_of_duration),
        ROW("uint", TAKES_UINT, TAKES_UINT, same),
        ROW("uint", TAKES_DOUBLE, TAKES_UINT, uint_of_double),
        ROW("uint", TAKES_INT, TAKES_UINT, uint_of_int),
        ROW("uint", TAKES_STRING, TAKES_UINT, uint_of_string),
        ROW("double", TAKES_DOUBLE, TAKES_DOUBLE, same),
        ROW("double", TAKES_INT | TAKES_UINT, TAKES_DOUBLE, double_of_integer),
        ROW("double", TAKES_STRING, TAKES_DOUBLE, double_of_string),
        ROW("string", TAKES_STRING, TAKES_STRING, same),
        ROW("string", TAKES_DOUBLE, TAKES_STRING, string_of_double),
        ROW("string", TAKES_INT, TAKES_STRING, string_of_int),
        ROW("string", TAKES_UINT, TAKES_STRING, string_of_uint),
        ROW("string", TAKES_BOOL, TAKES_STRING, string_of_bool),
        ROW("string", TAKES_BYTES, TAKES_STRING, string_of_bytes),
        ROW("string", TAKES_TIMESTAMP, TAKES_STRING, string_of_timestamp),
        ROW("string", TAKES_DURATION, TAKES_STRING, string_of_duration),
        ROW("bytes", TAKES_BYTES, TAKES_BYTES, same),
        ROW("bytes", TAKES_STRING, TAKES_BYTES, bytes_of_string),
        ROW("type", TAKES_ANY, TAKES_TYPE, type_of),
        ROW("dyn", TAKES_ANY, TAKES_ANY, same),
        {0},
};
