/* This file steps through valid JSON text: kinds, members, items, strings. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

enum { JSON_NAMES_MAX = 32 };

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum json_kind json_kind(struct span value);
const char *json_kind_name(enum json_kind kind); /* "null", "boolean", "number", ... */
bool json_is_null(struct span value);            /* also true for an absent span */
bool json_is_true(struct span value);

/* Steps through the members of an object or the items of an array (a valid value of that kind). */
struct json_iter {
	const char *at;
	const char *end;
};
struct json_iter json_iter(struct span container);
bool json_next_member(struct json_iter *iter, struct span *out_name, struct span *out_value);
bool json_next_item(struct json_iter *iter, struct span *out_value);
/* out_name is the token between the quotes, still escaped: compare it with these. */
bool json_name_is(struct span escaped, struct span plain);
int json_name_compare(struct span escaped_a, struct span escaped_b); /* like span_compare */

/* The member of a valid object; false and *out absent when there is none. */
bool json_get(struct span object, struct span name, struct span *out);
/* Several at once in one pass; out[i] absent when there is none. At most JSON_NAMES_MAX names. */
void json_get_many(struct span object, const struct span names[], size_t count, struct span out[]);
/* Follows plain segments: names in objects, decimal indexes in arrays. False and *out absent when
 * one of them leads nowhere. */
bool json_at(struct span value, const struct span segments[], size_t count, struct span *out);

/* A valid string value with its quotes. json_string appends the unescaped bytes (an unpaired
 * surrogate escape becomes U+FFFD). json_plain gives the bytes between the quotes without a copy if
 * nothing in them is escaped, else appends the unescaped form to `scratch` and points there;
 * `scratch` must then not move while the span is in use. */
void json_string(struct span value, struct buf *out);
/* The unescaped text of a string, appended to `scratch` (which thereby may move); SPAN_NONE when
 * the value is absent or of another kind. */
struct span json_copy_text(struct span value, struct buf *scratch);
struct span json_plain(struct span value, struct buf *scratch);
bool json_string_is(struct span value, struct span plain); /* false for another kind */

#endif
