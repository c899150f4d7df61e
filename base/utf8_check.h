/* This file checks that text is UTF-8 although it comes in pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_CHECK_H
#define BASE_UTF8_CHECK_H

#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* All zero is the beginning of a text. No surrogates, nothing overlong, nothing over U+10FFFF. */
struct utf8_check {
	uint8_t missing; /* continuation bytes that the open character still needs */
	uint8_t low;     /* the range of the next one */
	uint8_t high;
};

bool utf8_check_feed(struct utf8_check *check, struct span piece); /* false at a wrong byte */

static inline bool utf8_check_is_whole(const struct utf8_check *check)
{
	return check->missing == 0;
}

#endif
