/* This file finds out before any evaluation what can never work, and says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_CHECK_H
#define TRIGGERS_EXPR_CHECK_H

#include "triggers/expr/assembly.h"

/* All of these fill the assembly's fault. */
void check_unknown_variable(struct assembly *assembly, const struct ast *ident);
/* No row of that name takes as many arguments, called like this. */
void check_unknown_function(struct assembly *assembly, const struct ast *call, struct span name,
                            bool method, size_t count);
void check_types(struct assembly *assembly, const struct ast *ast, struct span name,
                 const struct part parts[], size_t count);

/* False, with a fault: the part can be none of these types. Always true where nothing is checked.
 */
bool check_takes(struct assembly *assembly, const struct ast *ast, struct span name,
                 const struct part *part, uint32_t types);
/* ... of what a field is selected from. */
bool check_fields(struct assembly *assembly, const struct ast *select, const struct part *from,
                  uint32_t types);
/* ... of a call (==, !=, in) that asks a variable of few values for another one. */
bool check_choices(struct assembly *assembly, const struct ast *call);
/* Removes the rows that can never take such arguments; returns how many stay. */
size_t check_rows(const struct overload *rows[], size_t row_count, const struct part parts[],
                  size_t count);

#endif
