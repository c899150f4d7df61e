/* This file shapes what a handler gets: the expressions of a trigger's `select`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_SELECTION_H
#define TRIGGERS_SELECTION_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/matching.h"

/* A list gives an array, a map an object, both may hold further ones. */
enum { SELECTION_DEPTH_MAX = 8, SELECTION_ITEMS_MAX = 64, SELECTION_BYTES_MAX = 8 << 20 };

struct selection;

/* `json` is valid JSON: text is an expression. E_INVALID "invalid_condition" where one is wrong
 * (kept in `where`, which may be NULL), else "invalid_trigger". */
int selection_new(struct condition_env *env, struct span json, struct selection **out,
                  struct condition_fault *where, struct err *err);
void selection_free(struct selection *selection); /* NULL is harmless */
size_t selection_bytes(const struct selection *selection);

/* Appends the JSON of the event that matching_begin was given. An optional without a value is left
 * out. E_INVALID "select_failed" with the expression; `out` is then as it was. */
int selection_write(const struct selection *selection, struct matching *matching,
                    struct span metadata, struct buf *out, struct err *err);

#endif
