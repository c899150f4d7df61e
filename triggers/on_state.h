/* This file reads what a trigger of type "state" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_STATE_H
#define TRIGGERS_ON_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/filter.h"

/* The config is a valid JSON object. Null is the same as absent. E_INVALID "invalid_trigger" names
 * the field, what is wrong and what to do, "invalid_condition" the place in an expression;
 * E_UNSUPPORTED "not_available" a field that is planned. The filter is the caller's to free. */
int on_state_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err);

/* Appends the fields as text, a paragraph each, for the manual; `prefix` comes before every name.
 */
void on_state_print(const char *prefix, struct buf *out);

#endif
