/* This file builds tests: one node for a path, or anything, against a constant. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_BUILD_TEST_H
#define TRIGGERS_EXPR_BUILD_TEST_H

#include "triggers/expr/assembly.h"

/* `constant` is kept (TEST_IN: a list). */
struct node *build_test(struct assembly *assembly, const struct ast *ast, enum node_test_op op,
                        const struct part *subject, struct value constant);
struct node *build_test_has(struct assembly *assembly, const struct ast *ast, uint32_t slot);
/* NULL, with the fault: the pattern is constant and wrong. */
struct node *build_test_matches(struct assembly *assembly, const struct ast *ast,
                                const struct part *subject, const struct part *pattern);

#endif
