/* This file reads what a trigger of type "alarm" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_ALARM_H
#define TRIGGERS_ON_ALARM_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/* DESIGN. It asks for alarms by scope, key and name. Its condition, its selection and how it is
 * delivered are those of a state trigger; alarms are never shaped, for each is an errand of its
 * own. Errors as on_state_parse. */
int on_alarm_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err);

/* Appends its own fields as text, a paragraph each, for the manual. */
void on_alarm_print(const char *prefix, struct buf *out);

#endif
