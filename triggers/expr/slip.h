/* This file guesses what somebody meant who wrote an expression that does not parse. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_SLIP_H
#define TRIGGERS_EXPR_SLIP_H

#include "base/span.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/lexer.h"

/* `next` cannot stand behind `previous`, where something is complete. `wanted` says what could,
 * `open` is the bracket or the '?' that waits for its other half,
 * or NULL. Sets the fault. */
void slip_explain(struct span source, const struct token *previous, const struct token *next,
                  const struct token *open, const char *wanted, struct fault *fault);
/* `next` stands where a value must begin. `previous` is a TOKEN_END at the very beginning. */
void slip_explain_operand(struct span source, const struct token *previous,
                          const struct token *next, struct fault *fault);
/* What to write instead of the variable None, nil, True ..., the function not; NULL for every other
 * name. */
const char *slip_foreign_word(struct span name, bool is_called);
/* What to write instead of a function of another language (includes, toLowerCase ...), or NULL. */
const char *slip_foreign_function(struct span name);

#endif
