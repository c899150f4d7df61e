/* This file reads what a trigger of type "dead" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_DEAD_H
#define TRIGGERS_ON_DEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/* DESIGN. It asks for dead letters by the trigger and function whose delivery died, by the reason,
 * and by scope and key of the event that was not delivered. Its condition, its selection and how it
 * is delivered are those of a state trigger. Errors as on_state_parse. */
int on_dead_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err);

/* Appends its own fields as text, a paragraph each, for the manual. */
void on_dead_print(const char *prefix, struct buf *out);

#endif
