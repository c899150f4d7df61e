/* This file says what is wrong with the text of an expression, and where. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_FAULT_H
#define TRIGGERS_EXPR_FAULT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stddef.h>

struct fault {
	size_t at;      /* byte offset in the text */
	size_t line;    /* from 1 */
	size_t column;  /* from 1, in characters */
	char text[256]; /* what is wrong; empty: nothing */
	char hint[160]; /* what to write instead; may be empty */
};

/* Fills the fault (unless one is there already) and returns E_INVALID. `source` is the expression.
 */
int fault_set(struct fault *fault, struct span source, size_t at, const char *hint,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "what is wrong (line 1, column 7); hint", the line of the source and a caret under the place:
 * three lines. */
void fault_print(const struct fault *fault, struct span source, struct buf *out);
/* The first of these lines as an error of the given code: E_INVALID "invalid_expression". */
int fault_err(const struct fault *fault, struct err *err);

#endif
