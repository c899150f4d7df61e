/* This file finds the fewest digits of a double and lays them out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/double_text.h"

#include "base/err.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number is 0.d1d2d3... times ten to the power of `point`. */
struct digits {
	char text[24];
	size_t count;
	int point;
};

/* whole * 10^exponent */
static bool reads_back(uint64_t whole, int exponent, double value)
{
	char text[40];
	(void)snprintf(text, sizeof text, "%" PRIu64 "e%d", whole, exponent);
	return strtod(text, NULL) == value;
}

/* The nearest number of `count` digits: *out_whole * 10^*out_exponent. */
static void round_to(double value, int count, uint64_t *out_whole, int *out_exponent)
{
	char text[48];
	(void)snprintf(text, sizeof text, "%.*e", count - 1, value);
	uint64_t whole = 0;
	const char *at = text;
	for (; *at != 'e'; at++) {
		if (*at >= '0' && *at <= '9') {
			whole = whole * 10 + (uint64_t)(*at - '0');
		}
	}
	*out_whole = whole;
	*out_exponent = (int)strtol(at + 1, NULL, 10) - (count - 1);
}

/* Fifteen digits always survive the way through a double and back, so what is shorter is found
 * among them, but for the subnormal. Above a power of two the next double is twice as far as below:
 * there a number of sixteen digits that is not the nearest may still read back. */
static void find_fewest(double value, uint64_t *out_whole, int *out_exponent)
{
	int half = 0;
	bool power_of_two = frexp(value, &half) == 0.5;
	for (int count = value < DBL_MIN ? 1 : DBL_DIG; count <= DBL_DECIMAL_DIG; count++) {
		round_to(value, count, out_whole, out_exponent);
		if (reads_back(*out_whole, *out_exponent, value)) {
			return;
		}
		if (power_of_two && reads_back(*out_whole + 1, *out_exponent, value)) {
			*out_whole += 1;
			return;
		}
	}
	NEVER("seventeen digits tell every double from the others");
}

/* Of a finite number that is not negative. */
static struct digits digits_of(double value)
{
	if (value == 0) {
		return (struct digits){.text = "0", .count = 1, .point = 1};
	}
	uint64_t whole = 0;
	int exponent = 0;
	find_fewest(value, &whole, &exponent);
	while (whole % 10 == 0) {
		whole /= 10;
		exponent++;
	}
	struct digits digits = {0};
	digits.count = (size_t)snprintf(digits.text, sizeof digits.text, "%" PRIu64, whole);
	digits.point = (int)digits.count + exponent;
	return digits;
}

static size_t put(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return len;
}

static size_t put_zeros(char *out, int count)
{
	memset(out, '0', (size_t)count);
	return (size_t)count;
}

static size_t lay_out_plain(const struct digits *digits, char *out)
{
	size_t len = 0;
	if (digits->point <= 0) {
		len += put(out, "0.", 2);
		len += put_zeros(out + len, -digits->point);
		return len + put(out + len, digits->text, digits->count);
	}
	size_t whole = (size_t)digits->point;
	if (whole >= digits->count) {
		len += put(out, digits->text, digits->count);
		return len + put_zeros(out + len, (int)(whole - digits->count));
	}
	len += put(out, digits->text, whole);
	out[len++] = '.';
	return len + put(out + len, digits->text + whole, digits->count - whole);
}

static size_t lay_out_exponent(const struct digits *digits, char *out)
{
	size_t len = put(out, digits->text, 1);
	if (digits->count > 1) {
		out[len++] = '.';
		len += put(out + len, digits->text + 1, digits->count - 1);
	}
	int exponent = digits->point - 1;
	return len + (size_t)sprintf(out + len, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

size_t double_text_short(double value, char out[DOUBLE_TEXT_MAX])
{
	enum { EXPONENT_LEAST = -4, EXPONENT_MOST = 6 };
	if (isnan(value)) {
		return put(out, "NaN", 3);
	}
	if (isinf(value)) {
		return put(out, value < 0 ? "-Inf" : "+Inf", 4);
	}
	size_t sign = signbit(value) ? put(out, "-", 1) : 0;
	struct digits digits = digits_of(fabs(value));
	int exponent = digits.point - 1;
	if (exponent < EXPONENT_LEAST || exponent >= EXPONENT_MOST) {
		return sign + lay_out_exponent(&digits, out + sign);
	}
	return sign + lay_out_plain(&digits, out + sign);
}

size_t double_text_plain(double value, char out[DOUBLE_TEXT_MAX])
{
	if (isnan(value)) {
		return put(out, "NaN", 3);
	}
	if (isinf(value)) {
		return value < 0 ? put(out, "-Infinity", 9) : put(out, "Infinity", 8);
	}
	size_t sign = signbit(value) ? put(out, "-", 1) : 0;
	struct digits digits = digits_of(fabs(value));
	return sign + lay_out_plain(&digits, out + sign);
}
