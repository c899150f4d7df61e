/* This file runs the commands that show events: those of the past, and those that come. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

struct invocation;

/* Each returns an enum exit_code and has printed what there is to say. A stream that was cut off
 * goes on behind the last event; it ends when the engine refuses, or by a signal. */
int follow_events(const struct invocation *invocation);
int follow_watch(const struct invocation *invocation);

#endif
