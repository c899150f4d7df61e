/* This file matches regular expressions: pcre2 inside, the dialect of RE2 outside. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_REGEX_H
#define TRIGGERS_EXPR_REGEX_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * DESIGN. CEL says RE2, so what RE2 has not is refused when the pattern is made: backreferences,
 * look-around, recursion, possessive and atomic groups, verbs, \C, \Z, conditions, callouts. `$` is
 * the very end, `\s` has no vertical tab, lines end with LF. Searches are not anchored.
 *
 * Backtracking is bounded; hitting the bound is an error of the match, not an answer. The same
 * pattern is one program however many hold it. It is compiled for the machine when it is used for
 * the eighth time, while all such code together stays under 16 MiB; the others are interpreted,
 * under the same bounds. The programs, one stack of at most 512 KiB and one heap of at most 1 MiB
 * are the process's; all of this runs on one thread, the loop's.
 */
enum { REGEX_PATTERN_MAX = 1024 };

struct regex;

/* E_INVALID or E_LIMIT, "invalid_regex" with the column in the pattern and what to do. */
int regex_new(struct span pattern, struct regex **out, struct err *err);
struct regex *regex_take(struct regex *regex); /* one more user */
void regex_drop(struct regex *regex);          /* one less; the last frees it; NULL is harmless */

/* The subject must be valid UTF-8. E_LIMIT "regex_limit" when a bound was hit. */
int regex_matches(struct regex *regex, struct span subject, bool *out, struct err *err);

#endif
