/* This file reads what a trigger of type "http" asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_HTTP_H
#define TRIGGERS_ON_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/* DESIGN. It is woken by requests, not by events: its filter wants no kind of event, and holds a
 * rule (http_rule.h) instead. Errors as on_state_parse. */
int on_http_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err);

/* Appends its fields as text, a paragraph each, for the manual. */
void on_http_print(const char *prefix, struct buf *out);

#endif
