/* This file reads what a trigger of type "event" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_EVENT_H
#define TRIGGERS_ON_EVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/* DESIGN. It asks for CloudEvents by their type, source and subject. Its condition, its selection
 * and how it is delivered are those of a state trigger, whose own fields (scope, key, events, ...)
 * it has not. Errors as on_state_parse. */
int on_event_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err);

/* Appends its own fields as text, a paragraph each, for the manual. */
void on_event_print(const char *prefix, struct buf *out);

#endif
