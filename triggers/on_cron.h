/* This file reads what a trigger of type "cron" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_CRON_H
#define TRIGGERS_ON_CRON_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/* DESIGN. It is woken by its own times, which are events of kind EVENT_CRON in the scope that its
 * id is: whoever knows the id sets the filter's scope. Its filter holds a rule (cron_rule.h). An
 * expression that will never fire in its zone is refused. `overlap` says which order its deliveries
 * have. Errors as on_state_parse, cron_rule_new. */
int on_cron_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err);

/* Appends its own fields as text, a paragraph each, for the manual. */
void on_cron_print(const char *prefix, struct buf *out);

#endif
