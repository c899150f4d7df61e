/* This file counts, finds and trims in valid UTF-8 by code points. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_TEXT_UNICODE_H
#define TRIGGERS_EXPR_TEXT_UNICODE_H

#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

/* All of these take time by the length of the text only, and offsets are in bytes. */
enum { TEXT_NONE = -1 };

size_t text_count(struct span text); /* code points */
/* Where code point `index` begins; the end of the text when there are just so many before it;
 * TEXT_NONE below 0 and beyond. */
ptrdiff_t text_offset(struct span text, int64_t index);
/* The first place of `needle` at or after `from`, or TEXT_NONE. */
ptrdiff_t text_find(struct span text, struct span needle, size_t from);
size_t text_char_len(struct span text, size_t at); /* of the code point that begins there */
struct span text_trim(struct span text); /* without the white space of Unicode at both ends */

#endif
