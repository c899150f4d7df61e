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
 * the very end, `\s` has no vertical tab. Searches are not anchored. Backtracking is bounded;
 * hitting the bound is an error of the match, not an answer. A pattern is compiled for the machine
 * when it is used for the eighth time.
 */
enum { REGEX_PATTERN_MAX = 1024 };

struct regex;

/* E_INVALID "invalid_regex" with the place in the pattern and what to do. The pattern is UTF-8. */
int regex_new(struct span pattern, struct regex **out, struct err *err);
struct regex *regex_take(struct regex *regex); /* one more user */
void regex_drop(struct regex *regex);          /* one less; the last frees it */

/* The subject must be valid UTF-8. E_LIMIT "regex_limit" when the bound was hit. */
int regex_matches(struct regex *regex, struct span subject, bool *out, struct err *err);

#endif
