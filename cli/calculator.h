/* This file evaluates expressions on the spot: a way to learn the language. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CALCULATOR_H
#define CLI_CALCULATOR_H

struct invocation;

/* Returns an enum exit_code and has printed what there is to say. */
int calculator_run(const struct invocation *invocation);

#endif
