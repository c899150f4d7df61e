/* This file expands the macros of the language: has, the loops, cel.bind, optMap. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_MACRO_H
#define TRIGGERS_EXPR_MACRO_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/ast.h"
#include "triggers/expr/fault.h"
#include <stdbool.h>

/* Does a method of that name run its last argument for every item? */
bool macro_is_loop(struct span name);
/* What stands for the call: the call itself when neither the language nor `more` (may be NULL)
 * has such a macro. NULL: it is used wrongly, the fault tells. */
struct ast *macro_expand(struct arena *arena, struct span source, const struct ast_macro *more,
                         struct ast *call, struct fault *fault);

#endif
