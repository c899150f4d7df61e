/* This file reads query parameters by the types that a table of routes gives them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PARAM_H
#define ENGINE_API_PARAM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

/* The next word of a route's list ("limit:int"): its name and its type, which may be empty. Moves
 * *list on; false at the end. */
bool param_next(const char **list, struct span *out_name, struct span *out_type);
/* Is the name in a route's list of words ("prefix limit:int reverse:bool")? */
bool param_find(const char *params, struct span name, struct span *out_type);
/* Replaces the decoded text of a parameter by what it is in JSON. E_INVALID "invalid_parameter". */
int param_to_json(struct span name, struct span type, struct buf *text, struct err *err);

#endif
