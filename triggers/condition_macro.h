/* This file defines the helpers of conditions: changed, became, created, updated, deleted. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_CONDITION_MACRO_H
#define TRIGGERS_CONDITION_MACRO_H

#include "triggers/expr/ast.h"

/*
 * DESIGN. A helper is a tree over the paths of old_value and new_value, so that it costs what its
 * spelled-out form costs and the index sees into it:
 *
 *   created()        event_type == "state:created"
 *   changed(p)       @differ(new_value.p, old_value.p)
 *   became(p, v)     new_value.p == v && @is_true(new_value.p == v) && !@is_true(old_value.p == v)
 *
 * A path is a name, a JSON Pointer or a list of segments, and must be written out. A segment of
 * digits is a name in an object and an index in a list: both forms are asked.
 */
extern const struct ast_macro condition_macros[];

#endif
