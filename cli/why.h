/* This file asks a running engine why events fire, or would fire, triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "base/span.h"

struct invocation;

/* Each returns an enum exit_code and has printed what there is to say. */
int why_explain(const struct invocation *invocation);
int why_test(const struct invocation *invocation);

/* How a terminal shows the answers: valid JSON. */
void why_show_explanation(struct span answer);
void why_show_trial(struct span answer);
/* Of a list of triggers, a line each: the last error of a condition that had one, a warning. */
void why_show_errors(struct span triggers);

#endif
