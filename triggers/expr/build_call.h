/* This file builds the node of a call or an operator whose operands are there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_BUILD_CALL_H
#define TRIGGERS_EXPR_BUILD_CALL_H

#include "triggers/expr/assembly.h"

/* All of these return PART_FAULTY with a fault. */

/* Any number of operands of && or ||. */
struct part build_logic(struct assembly *assembly, const struct ast *ast, bool is_and,
                        const struct part parts[], size_t count);
/* Functions, methods (parts[0] is the target) and all other operators. */
struct part build_call(struct assembly *assembly, const struct ast *ast, struct span name,
                       bool method, const struct part parts[], size_t count);
/* A list; a map of keys and values in turn. `optionals` may be NULL. */
struct part build_list(struct assembly *assembly, const struct ast *ast, const struct part parts[],
                       size_t count, const bool *optionals);
struct part build_map(struct assembly *assembly, const struct ast *ast, const struct part parts[],
                      size_t count, const bool *optionals);
/* x.name, x.?name, has(x.name) as the ast says. */
struct part build_select(struct assembly *assembly, const struct ast *ast, const struct part *from);

#endif
