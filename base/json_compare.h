/* This file compares valid JSON values and brings them into one form. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_COMPARE_H
#define BASE_JSON_COMPARE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* Same value: numbers by value (exact decimal value, 1 equals 1.0), strings unescaped, objects
 * regardless of order. Bounded by the size of the inputs times their depth. */
bool json_equal(struct span a, struct span b);
/* Same bytes once insignificant white space is dropped: the no-op test of a write. */
bool json_same_text(struct span a, struct span b);
/* Appends the value without insignificant white space. */
void json_compact(struct span value, struct buf *out);
/* Appends a canonical form: compact, members sorted by name bytes, last duplicate only, nothing
 * escaped in strings that need not be. Numbers keep their text. */
void json_canonical(struct span value, struct buf *out);

#endif
