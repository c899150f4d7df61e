/* This file checks that bytes are UTF-8, also when they come in pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* All zero is the beginning of a text. No surrogates, nothing overlong, nothing over U+10FFFF. */
struct utf8 {
	uint8_t missing; /* continuation bytes that the open character still needs */
	uint8_t low;     /* the range of the next one */
	uint8_t high;
};

bool utf8_feed(struct utf8 *utf8, struct span bytes); /* false at the first wrong byte */
bool utf8_check(struct span whole);

static inline bool utf8_is_whole(const struct utf8 *utf8)
{
	return utf8->missing == 0;
}

#endif
