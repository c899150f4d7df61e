/* This file finds the overloads of a function by its name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_OVERLOADS_H
#define TRIGGERS_EXPR_OVERLOADS_H

#include "base/span.h"
#include "triggers/expr/overload.h"

enum { OVERLOADS_MAX = 32 };

/* All rows of a name that may be called so: out[0..n), n at most OVERLOADS_MAX. 0: there is none.
 */
size_t overloads_find(struct span name, bool method, size_t arg_count,
                      const struct overload *out[]);
/* Is there a function of that name with any count of arguments, as a method or not? */
bool overloads_know(struct span name);
/* The known name that looks most like it, or NULL. */
const char *overloads_nearest(struct span name);

#endif
