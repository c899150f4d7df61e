/* This file reads timestamps and durations, and knows how far they reach. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_MOMENT_READ_H
#define TRIGGERS_EXPR_MOMENT_READ_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Seconds are rounded down, with 0..999999999 nanoseconds on top of them, as a value has them. */
enum { MOMENT_SECOND_NANOS = 1000000000 };

#define MOMENT_TIMESTAMP_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define MOMENT_TIMESTAMP_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define MOMENT_DURATION_MAX  INT64_C(315576000000) /* 10,000 years, either way */

static inline bool moment_timestamp_fits(int64_t seconds)
{
	return seconds >= MOMENT_TIMESTAMP_MIN && seconds <= MOMENT_TIMESTAMP_MAX;
}

static inline bool moment_duration_fits(int64_t seconds, uint32_t nanos)
{
	return seconds >= -MOMENT_DURATION_MAX && seconds + (nanos != 0) <= MOMENT_DURATION_MAX;
}

/* RFC 3339, up to nine digits of a second: "2009-02-13T23:31:30.5+01:00"; t and z may be small.
 * E_INVALID: it is not that; E_LIMIT: out of range. */
int moment_read_timestamp(struct span text, int64_t *out_seconds, uint32_t *out_nanos);

/* Numbers with units h, m, s, ms, us (also with a micro sign) and ns: "1h30m", "-1.5s", ".5ms",
 * "0". What is less than a nanosecond is cut off. E_INVALID, E_LIMIT as above. */
int moment_read_duration(struct span text, int64_t *out_seconds, uint32_t *out_nanos);

#endif
