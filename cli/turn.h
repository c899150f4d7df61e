/* This file turns the clock of a running engine, however often it has to be asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TURN_H
#define CLI_TURN_H

#include "base/span.h"

struct invocation;

/* Each returns an enum exit_code and has printed what there is to say. */
int turn_advance(const struct invocation *invocation); /* by a duration */
int turn_to(const struct invocation *invocation);      /* up to a time */

/* One answer of the engine's as a line. */
void turn_show(struct span answer);

#endif
