/* This file runs the commands that need no running engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

struct invocation;

/* Each returns an enum exit_code and has printed what there is to say. */
int local_run(const struct invocation *invocation);
int local_check(const struct invocation *invocation);

#endif
