/* This file matches keys against glob patterns in linear time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_GLOB_H
#define TRIGGERS_GLOB_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * `*` any run of bytes (none included; '/' and ':' are ordinary), `?` one character of UTF-8,
 * `[a-z]` one ASCII character of a set, `[!a-z]` one that is not in it, `\` takes the next byte as
 * it is.
 */

/* Does it hold anything but plain bytes? */
bool glob_is_pattern(struct span text);
/* E_INVALID "invalid_glob" with the place: an open `[`, an empty set, a `\` at the end. */
int glob_check(struct span pattern, struct err *err);
/* The pattern has been checked. At most len(pattern) * len(text) steps; usually one for each byte.
 */
bool glob_matches(struct span pattern, struct span text);
/* The plain bytes that it begins with, as far as they need no unescaping. */
struct span glob_prefix(struct span pattern);

#endif
