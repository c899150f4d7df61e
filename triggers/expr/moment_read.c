/* This file reads points and lengths of time from their text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/moment_read.h"

#include "base/civil.h"
#include <stddef.h>

enum { NANOS_DIGITS = 9 };

static bool take(struct span *text, char wanted)
{
	if (text->len == 0 || *text->ptr != wanted) {
		return false;
	}
	*text = span_make(text->ptr + 1, text->len - 1);
	return true;
}

static size_t count_digits(struct span text)
{
	size_t count = 0;
	while (count < text.len && text.ptr[count] >= '0' && text.ptr[count] <= '9') {
		count++;
	}
	return count;
}

static struct span take_digits(struct span *text)
{
	struct span digits = {text->ptr, count_digits(*text)};
	*text = span_make(text->ptr + digits.len, text->len - digits.len);
	return digits;
}

/* ---- timestamps ---- */

/* Exactly so many digits. */
static bool take_number(struct span *text, size_t digits, int most, int *out)
{
	int number = 0;
	if (text->len < digits || count_digits(span_make(text->ptr, digits)) != digits) {
		return false;
	}
	for (size_t i = 0; i < digits; i++) {
		number = number * 10 + (text->ptr[i] - '0');
	}
	*text = span_make(text->ptr + digits, text->len - digits);
	*out = number;
	return number <= most;
}

/* [.digits] */
static bool take_nanos(struct span *text, uint32_t *out)
{
	uint32_t nanos = 0;
	if (take(text, '.')) {
		struct span digits = take_digits(text);
		if (digits.len == 0 || digits.len > NANOS_DIGITS) {
			return false;
		}
		for (size_t i = 0; i < NANOS_DIGITS; i++) {
			uint32_t digit = i < digits.len ? (uint32_t)(digits.ptr[i] - '0') : 0;
			nanos = nanos * 10 + digit;
		}
	}
	*out = nanos;
	return true;
}

/* Z or +hh:mm: seconds ahead of UTC. */
static bool take_offset(struct span *text, int *out)
{
	int hours = 0;
	int minutes = 0;
	if (take(text, 'Z') || take(text, 'z')) {
		*out = 0;
		return true;
	}
	bool is_behind = take(text, '-');
	if ((!is_behind && !take(text, '+')) || !take_number(text, 2, 23, &hours) ||
	    !take(text, ':') || !take_number(text, 2, 59, &minutes)) {
		return false;
	}
	int offset = (hours * 60 + minutes) * 60;
	*out = is_behind ? -offset : offset;
	return true;
}

int moment_read_timestamp(struct span text, int64_t *out_seconds, uint32_t *out_nanos)
{
	int year = 0;
	int month = 0;
	int day = 0;
	int hour = 0;
	int minute = 0;
	int second = 0;
	int offset = 0;
	uint32_t nanos = 0;
	bool is_date = take_number(&text, 4, 9999, &year) && take(&text, '-') &&
	               take_number(&text, 2, 12, &month) && take(&text, '-') &&
	               take_number(&text, 2, 31, &day);
	struct civil_date date = {year, month, day};
	if (!is_date || !civil_date_is_valid(date) || !(take(&text, 'T') || take(&text, 't'))) {
		return E_INVALID;
	}
	bool is_time = take_number(&text, 2, 23, &hour) && take(&text, ':') &&
	               take_number(&text, 2, 59, &minute) && take(&text, ':') &&
	               take_number(&text, 2, 59, &second) && take_nanos(&text, &nanos) &&
	               take_offset(&text, &offset);
	if (!is_time || text.len != 0) {
		return E_INVALID;
	}
	int of_day = (hour * 60 + minute) * 60 + second;
	int64_t seconds = civil_days(date) * CIVIL_DAY_SECONDS + of_day - offset;
	if (!moment_timestamp_fits(seconds)) {
		return E_LIMIT;
	}
	*out_seconds = seconds;
	*out_nanos = nanos;
	return 0;
}

/* ---- durations ---- */

struct unit {
	const char *name;
	int64_t nanos;
};

static const struct unit units[] = {
        {"h", INT64_C(3600000000000)},
        {"m", INT64_C(60000000000)},
        {"s", MOMENT_SECOND_NANOS},
        {"ms", 1000000},
        {"us", 1000},
        {"\xc2\xb5s", 1000}, /* the micro sign */
        {"\xce\xbcs", 1000}, /* the Greek letter */
        {"ns", 1},
};

/* All up to the next number. */
static const struct unit *take_unit(struct span *text)
{
	size_t len = 0;
	while (len < text->len && text->ptr[len] != '.' &&
	       count_digits(span_make(text->ptr + len, 1)) == 0) {
		len++;
	}
	struct span name = {text->ptr, len};
	*text = span_make(text->ptr + len, text->len - len);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (span_is(name, units[i].name)) {
			return &units[i];
		}
	}
	return NULL;
}

struct sum {
	int64_t seconds;
	int64_t nanos; /* less than a second */
	bool is_too_big;
};

static void add(struct sum *sum, int64_t seconds, int64_t nanos)
{
	sum->nanos += nanos;
	sum->seconds += seconds + sum->nanos / MOMENT_SECOND_NANOS;
	sum->nanos %= MOMENT_SECOND_NANOS;
	sum->is_too_big |= sum->seconds > MOMENT_DURATION_MAX;
	if (sum->is_too_big) {
		sum->seconds = 0; /* so that nothing overflows while the rest is read */
	}
}

static void add_whole(struct sum *sum, struct span digits, int64_t unit)
{
	int64_t number = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (number > INT64_MAX / 10 - 1) {
			sum->is_too_big = true;
			return;
		}
		number = number * 10 + (digits.ptr[i] - '0');
	}
	if (unit < MOMENT_SECOND_NANOS) {
		int64_t of_second = MOMENT_SECOND_NANOS / unit;
		add(sum, number / of_second, number % of_second * unit);
	} else if (number > MOMENT_DURATION_MAX) {
		sum->is_too_big = true;
	} else {
		add(sum, number * (unit / MOMENT_SECOND_NANOS), 0);
	}
}

/* From the last digit to the first: rounding down after every digit is rounding down once. */
static void add_fraction(struct sum *sum, struct span digits, int64_t unit)
{
	int64_t nanos = 0;
	for (size_t i = digits.len; i-- != 0;) {
		nanos = ((digits.ptr[i] - '0') * unit + nanos) / 10;
	}
	add(sum, nanos / MOMENT_SECOND_NANOS, nanos % MOMENT_SECOND_NANOS);
}

/* All its terms; false: it is not made of such. */
static bool add_terms(struct sum *sum, struct span text)
{
	while (text.len != 0) {
		struct span whole = take_digits(&text);
		struct span fraction = {"", 0};
		if (take(&text, '.')) {
			fraction = take_digits(&text);
		}
		const struct unit *unit = take_unit(&text);
		if (whole.len + fraction.len == 0 || unit == NULL) {
			return false;
		}
		add_whole(sum, whole, unit->nanos);
		add_fraction(sum, fraction, unit->nanos);
	}
	return true;
}

int moment_read_duration(struct span text, int64_t *out_seconds, uint32_t *out_nanos)
{
	struct sum sum = {0};
	bool is_negative = take(&text, '-');
	if (!is_negative) {
		(void)take(&text, '+');
	}
	if (text.len == 0 || (!span_is(text, "0") && !add_terms(&sum, text))) {
		return E_INVALID;
	}
	int64_t seconds = sum.seconds;
	int64_t nanos = sum.nanos;
	if (is_negative) {
		seconds = -seconds - (nanos != 0);
		nanos = nanos == 0 ? 0 : MOMENT_SECOND_NANOS - nanos;
	}
	if (sum.is_too_big || !moment_duration_fits(seconds, (uint32_t)nanos)) {
		return E_LIMIT;
	}
	*out_seconds = seconds;
	*out_nanos = (uint32_t)nanos;
	return 0;
}
