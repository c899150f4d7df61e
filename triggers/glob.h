/* This file matches keys against glob patterns. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_GLOB_H
#define TRIGGERS_GLOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * DESIGN. `*` is any run of bytes, also none; '/' and ':' are ordinary bytes for it. `?` is one
 * character of UTF-8, `[a-z]` one ASCII character of a set, `[!a-z]` or `[^a-z]` one character that
 * is not in it. `\` takes the next byte as it is, in a set too. Nothing is anchored elsewhere: the
 * whole text has to match.
 *
 * A match goes back to the last star only, never to one before it, so it takes at most as many
 * steps as pattern and text have bytes, multiplied; the pattern is bounded, so that this is linear
 * in the text.
 */
enum { GLOB_PATTERN_MAX = 256 };

/* Does it hold a `*`, `?` or `[` that no `\` stands before? */
bool glob_is_pattern(struct span text);
/* E_INVALID or E_LIMIT, "invalid_glob" with the byte and what to do. */
int glob_check(struct span pattern, struct err *err);
/* The pattern has been checked; the text is valid UTF-8. */
bool glob_matches(struct span pattern, struct span text);
/* The plain bytes that it begins with, as far as they need no unescaping. */
struct span glob_prefix(struct span pattern);
/* Appends a checked text that is no pattern without its escapes: what it means exactly. */
void glob_unescape(struct span text, struct buf *out);

#endif
