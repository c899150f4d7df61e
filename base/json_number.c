/* This file reads the value of JSON numbers from their decimal text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_number.h"

#include "base/err.h"
#include "base/mem.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * DESIGN. A number is taken apart where it stands: its value is 0.DDD x 10^(point + exponent),
 * where DDD are its digits without zeros at either end. The exponent stays text, because nothing
 * bounds it: two of them are compared by their difference, and where a sum is needed it is cut off
 * far outside of every range that could matter.
 */
struct decimal {
	bool is_negative;
	struct span whole;    /* digits before the point */
	struct span fraction; /* digits behind it */
	size_t first;         /* DDD in whole and fraction taken as one row */
	size_t count;         /* of DDD; 0: the number is zero */
	int64_t point;
	bool exponent_is_negative;
	struct span exponent; /* its digits */
};

enum { DIGITS_FAST = 15, POWER_FAST = 22, DOUBLE_TEXT = 64 };

/* Beyond the point of any text that fits in memory, so that adding one never brings it back. */
#define EXPONENT_FAR (INT64_C(1) << 56)

static bool is_number(struct span value)
{
	return value.len != 0 && (value.ptr[0] == '-' || (unsigned char)(value.ptr[0] - '0') <= 9);
}

static int digit_at(const struct decimal *number, size_t index)
{
	size_t whole = number->whole.len;
	return (index < whole ? number->whole.ptr[index] : number->fraction.ptr[index - whole]) -
	       '0';
}

static struct span take_digits(const char **at, const char *end)
{
	const char *from = *at;
	while (*at < end && (unsigned char)(**at - '0') <= 9) {
		(*at)++;
	}
	return (struct span){from, (size_t)(*at - from)};
}

static struct decimal take_apart(struct span text)
{
	struct decimal number = {0};
	const char *at = text.ptr;
	const char *end = text.ptr + text.len;
	number.is_negative = *at == '-';
	at += number.is_negative;
	number.whole = take_digits(&at, end);
	if (at < end && *at == '.') {
		at++;
		number.fraction = take_digits(&at, end);
	}
	if (at < end && (*at | 0x20) == 'e') {
		at++;
		if (at < end && (*at == '-' || *at == '+')) {
			number.exponent_is_negative = *at == '-';
			at++;
		}
		number.exponent = take_digits(&at, end);
	}
	size_t behind = number.whole.len + number.fraction.len;
	while (number.first < behind && digit_at(&number, number.first) == 0) {
		number.first++;
	}
	while (behind > number.first && digit_at(&number, behind - 1) == 0) {
		behind--;
	}
	number.count = behind - number.first;
	number.point = (int64_t)number.whole.len - (int64_t)number.first;
	return number;
}

/* Exponent of the last digit: the number is the integer DDD x 10^this. Cut off when far away. */
static int64_t last_exponent(const struct decimal *number)
{
	int64_t exponent = 0;
	for (size_t i = 0; i < number->exponent.len && exponent < EXPONENT_FAR; i++) {
		exponent = exponent * 10 + (number->exponent.ptr[i] - '0');
	}
	exponent = number->exponent_is_negative ? -exponent : exponent;
	return exponent + number->point - (int64_t)number->count;
}

static bool magnitude(const struct decimal *number, uint64_t *out)
{
	*out = 0;
	if (number->count == 0) {
		return true;
	}
	int64_t zeros = last_exponent(number);
	if (zeros < 0 || zeros > 20 || number->count + (size_t)zeros > 20) {
		return false;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < number->count + (size_t)zeros; i++) {
		unsigned digit =
		        i < number->count ? (unsigned)digit_at(number, number->first + i) : 0;
		if (value > (UINT64_MAX - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool json_uint64(struct span value, uint64_t *out)
{
	if (!is_number(value)) {
		return false;
	}
	struct decimal number = take_apart(value);
	uint64_t size;
	if (!magnitude(&number, &size) || (number.is_negative && size != 0)) {
		return false;
	}
	*out = size;
	return true;
}

bool json_int64(struct span value, int64_t *out)
{
	if (!is_number(value)) {
		return false;
	}
	struct decimal number = take_apart(value);
	uint64_t size;
	if (!magnitude(&number, &size) || size > (uint64_t)INT64_MAX + number.is_negative) {
		return false;
	}
	*out = !number.is_negative ? (int64_t)size : size == 0 ? 0 : -(int64_t)(size - 1) - 1;
	return true;
}

/* Few digits and a small power of ten are both exact in a double, so that one operation on them is
 * rounded correctly (Clinger, 1990). */
static bool double_fast(const struct decimal *number, double *out)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
	                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int64_t exponent = number->count ? last_exponent(number) : 0;
	if (FLT_EVAL_METHOD != 0 || number->count > DIGITS_FAST || exponent < -POWER_FAST ||
	    exponent > POWER_FAST) {
		return false;
	}
	int64_t digits = 0;
	for (size_t i = 0; i < number->count; i++) {
		digits = digits * 10 + digit_at(number, number->first + i);
	}
	double size = exponent < 0 ? (double)digits / powers[-exponent]
	                           : (double)digits * powers[exponent];
	*out = number->is_negative ? -size : size;
	return true;
}

/* The library's own locale object: costs nothing, needs no freeing. */
static locale_t c_locale(void)
{
	locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	PRE(locale != (locale_t)0);
	return locale;
}

bool json_double(struct span value, double *out)
{
	if (!is_number(value)) {
		return false;
	}
	struct decimal number = take_apart(value);
	if (double_fast(&number, out)) {
		return true;
	}
	char small[DOUBLE_TEXT];
	char *text = value.len < sizeof small ? small : mem_raw(value.len + 1);
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	locale_t locale = c_locale();
	double nearest = strtod_l(text, NULL, locale);
	freelocale(locale);
	if (text != small) {
		mem_free(text);
	}
	if (isinf(nearest)) {
		return false;
	}
	*out = nearest;
	return true;
}

bool json_is_integer_text(struct span value)
{
	if (!is_number(value)) {
		return false;
	}
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '.' || (value.ptr[i] | 0x20) == 'e') {
			return false;
		}
	}
	return true;
}

/* The digit of an exponent, counted from its end, with its sign. */
static int64_t signed_digit(const struct decimal *number, size_t from_end)
{
	struct span digits = number->exponent;
	if (from_end >= digits.len) {
		return 0;
	}
	int64_t digit = digits.ptr[digits.len - 1 - from_end] - '0';
	return number->exponent_is_negative ? -digit : digit;
}

/* Exponent of a less that of b. Once far from zero it can only go further, so it stops there. */
static int64_t exponent_difference(const struct decimal *a, const struct decimal *b)
{
	size_t longer = a->exponent.len > b->exponent.len ? a->exponent.len : b->exponent.len;
	int64_t difference = 0;
	for (size_t i = longer; i-- != 0 && llabs(difference) < EXPONENT_FAR;) {
		difference = difference * 10 + signed_digit(a, i) - signed_digit(b, i);
	}
	return difference;
}

bool json_number_equal(struct span a, struct span b)
{
	if (!is_number(a) || !is_number(b)) {
		return false;
	}
	if (span_equal(a, b)) {
		return true;
	}
	struct decimal x = take_apart(a);
	struct decimal y = take_apart(b);
	if (x.count == 0 || y.count == 0) {
		return x.count == y.count;
	}
	if (x.is_negative != y.is_negative || x.count != y.count ||
	    exponent_difference(&x, &y) != y.point - x.point) {
		return false;
	}
	for (size_t i = 0; i < x.count; i++) {
		if (digit_at(&x, x.first + i) != digit_at(&y, y.first + i)) {
			return false;
		}
	}
	return true;
}

void json_write_double(struct buf *out, double value)
{
	if (!isfinite(value)) {
		BUF_LITERAL(out, "null");
		return;
	}
	if (value == 0) {
		buf_span(out, signbit(value) ? SPAN("-0") : SPAN("0"));
		return;
	}
	if (fabs(value) <= 9007199254740992.0 && value == floor(value)) {
		buf_int(out, (int64_t)value);
		return;
	}
	char text[DOUBLE_TEXT];
	locale_t locale = c_locale();
	locale_t before = uselocale(locale);
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, value);
		double back = strtod(text, NULL);
		if (back >= value && back <= value) { /* the same; they are no NaN */
			break;
		}
	}
	(void)uselocale(before);
	freelocale(locale);
	buf_span(out, span_of(text));
}
