/* This file checks a regular expression against RE2's dialect and spells it for pcre2. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_REGEX_DIALECT_H
#define TRIGGERS_EXPR_REGEX_DIALECT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stddef.h>

enum { REGEX_REPEAT_MAX = 1000 }; /* RE2's */

/* Appends what pcre2 is to compile, so that it means what RE2 would have understood. E_INVALID
 * "invalid_regex" with the column and what to write instead where RE2 has no such thing, or pcre2
 * gives it another meaning that cannot be spelled. `pattern` is valid UTF-8. */
int regex_dialect_translate(struct span pattern, struct buf *out, struct err *err);

/* The column (in characters, from 1) of a pattern that translates, to which `offset` in its
 * translation belongs. */
size_t regex_dialect_column(struct span pattern, size_t offset);

#endif
