/* This file gives JSON numbers their value: exactly, or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_NUMBER_H
#define BASE_JSON_NUMBER_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* All of these take a valid value; what is no number is answered with false. */

/* Exact or not at all: false when the text is not an integer of that range ("1.0" and "1e2" are;
 * "1.5" and "-0" as uint64 are not / is 0). */
bool json_int64(struct span value, int64_t *out);
bool json_uint64(struct span value, uint64_t *out);
/* Nearest double; false when it overflows to infinity. */
bool json_double(struct span value, double *out);
bool json_is_integer_text(struct span value); /* no '.', no exponent */

/* Same exact decimal value: 1 equals 1.0 and 10e-1. Takes time by the length of the texts only. */
bool json_number_equal(struct span a, struct span b);

/* The shortest of 15, 16 or 17 digits that reads back the same; an integer up to 2^53 without an
 * exponent; null for what JSON cannot say (infinity, not a number). */
void json_write_double(struct buf *out, double value);

#endif
