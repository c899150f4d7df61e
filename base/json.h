/* This file reads, writes and splices JSON text without ever building a tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"
#include "base/json_compare.h"
#include "base/json_number.h"
#include "base/json_read.h"
#include "base/json_splice.h"
#include "base/json_write.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A document is its bytes. One pass validates it (RFC 8259, strict UTF-8, depth at most
 * JSON_DEPTH_MAX); everything after that works on spans of text known to be valid ("valid value":
 * one JSON value with no white space around it). Duplicate names: the last one wins, everywhere.
 * Numbers keep their text; they are converted only when somebody asks, exactly or not at all.
 *
 * This header holds the check of what comes from outside, and gives the rest by noun: json_read
 * (members, items, strings), json_number, json_compare (equal, compact, canonical), json_write,
 * json_splice. What was decided where the standard leaves a choice: docs/json.md.
 */
enum { JSON_DEPTH_MAX = 512 };

/* Validates a whole document. *out_value (may be NULL) is the value without the white space around
 * it. E_INVALID with code "invalid_json" and the byte offset and reason in the text. */
int json_check(struct span text, struct span *out_value, struct err *err);

/* Validates a whole document that must be an object, and finds the members `names` of its top level
 * in the same pass: out[i] is the value of names[i], or absent. At most JSON_NAMES_MAX names. */
int json_check_object(struct span text, const struct span names[], size_t count, struct span out[],
                      struct err *err);

bool json_utf8_valid(struct span bytes); /* RFC 3629: no surrogates, no overlong forms */

#endif
