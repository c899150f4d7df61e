/* This file gives the literals of an expression their values. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_LITERAL_H
#define TRIGGERS_EXPR_LITERAL_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/value.h"
#include <stdbool.h>

/* Both begin at `at` in the source (valid UTF-8, with a NUL behind), and give the place behind the
 * literal. E_INVALID: the fault tells. */

/* At a digit, or a point with a digit behind. An int is its amount, as.u, up to 2^63: the minus
 * sign stands before it. */
int literal_number(struct span source, const char *at, const char **out_end, struct value *out,
                   struct fault *fault);
int literal_too_large(struct span source, size_t at, struct fault *fault);
/* At a quote, or at the letters (r, b, br) before one. */
int literal_text(struct span source, const char *at, struct arena *arena, const char **out_end,
                 struct value *out, struct fault *fault);
/* Do a quote, or letters and then a quote, stand here? */
static inline bool literal_is_text(const char *at)
{
	at += *at == 'b' || *at == 'B';
	at += *at == 'r' || *at == 'R';
	return *at == '"' || *at == '\'';
}

#endif
