/* This file reads a JSON object into a struct by a table of options. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FIELD_JSON_H
#define BASE_FIELD_JSON_H

#include "base/err.h"
#include "base/field_row.h"
#include "base/span.h"

/* Like field_read, but of a valid JSON object, and it stops at the first fault: E_INVALID with
 * `code` (static), E_UNSUPPORTED "not_available" for a reserved name. Null is the same as absent.
 * Integers are JSON numbers, durations and sizes text as in the file. A slot without a default that
 * is absent stays as it was; the strings in it must be NULL or owned. field_free is the caller's
 * to call, also on failure. FIELD_MAP and FIELD_OTHER are not read. */
int field_read_json(const struct field *fields, struct span object, const char *code, void *data,
                    struct err *err);

#endif
