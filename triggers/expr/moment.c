/* This file writes points and lengths of time with up to nine digits behind the second. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/moment.h"

#include "base/civil.h"
#include "base/err.h"

enum { NANOS_DIGITS = 9, NANOS_OF_SECOND = 1000000000 };

static void write_fraction(uint32_t nanos, struct buf *out)
{
	PRE(nanos < NANOS_OF_SECOND);
	char digits[NANOS_DIGITS];
	size_t len = nanos == 0 ? 0 : NANOS_DIGITS;
	for (size_t i = NANOS_DIGITS; i-- != 0; nanos /= 10) {
		digits[i] = (char)('0' + nanos % 10);
	}
	while (len != 0 && digits[len - 1] == '0') {
		len--;
	}
	if (len != 0) {
		buf_byte(out, '.');
		buf_add(out, digits, len);
	}
}

void moment_write_timestamp(int64_t seconds, uint32_t nanos, struct buf *out)
{
	int second;
	struct civil_date date = civil_date_of(civil_split(seconds, &second));
	buf_format(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)date.year, date.month,
	           date.day, second / 3600, second / 60 % 60, second % 60);
	write_fraction(nanos, out);
	buf_byte(out, 'Z');
}

void moment_write_duration(int64_t seconds, uint32_t nanos, struct buf *out)
{
	uint64_t whole = (uint64_t)seconds;
	if (seconds < 0) {
		whole = 0 - (uint64_t)seconds;
		if (nanos != 0) {
			/* Rounded down is away from zero: what is left of the last second counts
			 * back. */
			whole--;
			nanos = NANOS_OF_SECOND - nanos;
		}
		buf_byte(out, '-');
	}
	buf_uint(out, whole);
	write_fraction(nanos, out);
	buf_byte(out, 's');
}
