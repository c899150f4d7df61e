/* This file defines the expression by whose value the events of a trigger are told apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_GROUPING_H
#define TRIGGERS_GROUPING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/condition_env.h"
#include "triggers/matching.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grouping;

/* `member` (static) is the field that holds the expression. E_INVALID "invalid_condition"; `where`
 * may be NULL. `env` outlives the grouping. */
int grouping_new(struct condition_env *env, const char *member, struct span source,
                 struct grouping **out, struct condition_fault *where, struct err *err);
void grouping_free(struct grouping *grouping); /* NULL is harmless */

/* Appends the value as canonical JSON; false: the expression fails, and `out` is as it was. */
bool grouping_write(const struct grouping *grouping, struct matching *matching,
                    struct span metadata, struct buf *out);

/* Stable over restarts: 64 bits of hash of the value as canonical JSON, never 0. Values that share
 * them are taken for one, as are all events for which the expression fails: those have 1. */
uint64_t grouping_of(const struct grouping *grouping, struct matching *matching,
                     struct span metadata);

#endif
