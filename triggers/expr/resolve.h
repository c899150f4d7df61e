/* This file resolves the names of an expression: its tree becomes nodes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_RESOLVE_H
#define TRIGGERS_EXPR_RESOLVE_H

#include "triggers/expr/assembly.h"

/*
 * DESIGN. Operands first, then what is made of them (build_call.h). A chain of names is the longest
 * variable that fits, a local of a loop or bind before all others; what is selected from a variable
 * is a slot. The parser bounds the height of the tree. PART_FAULTY: the fault says what is wrong.
 */
struct part resolve(struct assembly *assembly, const struct ast *ast);

#endif
