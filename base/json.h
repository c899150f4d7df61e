/* This file reads, writes and splices JSON text without ever building a tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A document is its bytes. One pass validates it (RFC 8259, strict UTF-8, depth at most
 * JSON_DEPTH_MAX); everything after that works on spans of text known to be valid ("valid value":
 * one JSON value with no white space around it). Duplicate names: the last one wins, everywhere.
 * Numbers keep their text; they are converted only when somebody asks, exactly or not at all.
 */
enum { JSON_DEPTH_MAX = 512 };

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Validates a whole document. *out_value (may be NULL) is the value without the white space around
 * it. E_INVALID with code "invalid_json" and the byte offset and reason in the text. */
int json_check(struct span text, struct span *out_value, struct err *err);

/* Validates a whole document that must be an object, and finds the members `names` of its top level
 * in the same pass: out[i] is the value of names[i], or absent. At most 32 names. */
int json_check_object(struct span text, const struct span names[], size_t count, struct span out[],
                      struct err *err);

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
/* out_name is the token between the quotes, still escaped: compare it with this. */
bool json_name_is(struct span escaped, struct span plain);

/* The member of a valid object; false and *out absent when there is none. */
bool json_get(struct span object, struct span name, struct span *out);
/* Several at once in one pass; out[i] absent when there is none. At most 32 names. */
void json_get_many(struct span object, const struct span names[], size_t count, struct span out[]);
/* Follows plain segments: names in objects, decimal indexes in arrays. */
bool json_at(struct span value, const struct span segments[], size_t count, struct span *out);

/* A valid string value with its quotes. json_string appends the unescaped bytes (an unpaired
 * surrogate escape becomes U+FFFD). json_plain gives the bytes between the quotes without a copy if
 * nothing in them is escaped, else appends the unescaped form to `scratch` and points there;
 * `scratch` must then not move while the span is in use. */
void json_string(struct span value, struct buf *out);
struct span json_plain(struct span value, struct buf *scratch);
bool json_string_is(struct span value, struct span plain);

/* Exact or not at all: false when the text is not an integer of that range ("1.0" and "1e2" are;
 * "1.5" and "-0" as uint64 are not / is 0). */
bool json_int64(struct span value, int64_t *out);
bool json_uint64(struct span value, uint64_t *out);
/* Nearest double; false when it overflows to infinity. */
bool json_double(struct span value, double *out);
bool json_is_integer_text(struct span value); /* no '.', no exponent */

/* Same value: numbers by value (exact decimal value, 1 equals 1.0), strings unescaped, objects
 * regardless of order. Bounded by the size of the inputs times their fan-out. */
bool json_equal(struct span a, struct span b);
/* Same bytes once insignificant white space is dropped: the no-op test of a write. */
bool json_same_text(struct span a, struct span b);
/* Appends the value without insignificant white space. */
void json_compact(struct span value, struct buf *out);
/* Appends a canonical form: compact, members sorted by name bytes, last duplicate only. */
void json_canonical(struct span value, struct buf *out);

/* Writing. Plain bytes go in as UTF-8; what is not UTF-8 is written as U+FFFD. */
void json_write_string(struct buf *out, struct span plain);
/* Writes `,` unless the last byte is an opening bracket, then "name":  */
void json_write_name(struct buf *out, const char *name);
void json_write_member_string(struct buf *out, const char *name, struct span plain);
void json_write_member_raw(struct buf *out, const char *name, struct span value);
void json_write_member_int(struct buf *out, const char *name, int64_t value);
void json_write_member_uint(struct buf *out, const char *name, uint64_t value);
void json_write_member_bool(struct buf *out, const char *name, bool value);
void json_write_double(struct buf *out, double value); /* shortest text that reads back the same */

/* Splices: append to `out` a copy of the object in which one member is set or removed; every byte
 * that this does not touch stays as it was. A duplicated name is set in its last place (and removed
 * in all of them). json_set on a missing name adds it behind the last member. */
void json_set(struct span object, struct span plain_name, struct span value, struct buf *out);
bool json_remove(struct span object, struct span plain_name,
                 struct buf *out); /* false: not there */
/* Appends a copy of the array with one more item at its end. */
void json_append(struct span array, struct span value, struct buf *out);

bool json_utf8_valid(struct span bytes); /* RFC 3629: no surrogates, no overlong forms */

#endif
