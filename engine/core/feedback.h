/* This file suspects triggers whose own functions write what wakes them, for no known cause. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_FEEDBACK_H
#define ENGINE_CORE_FEEDBACK_H

#include "base/list.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A worker that brings no baggage back makes events without a cause, so that a loop through
 * it has no depth. It is noticed by its rate: more than `rate` events a second that wake a trigger
 * and were written by the worker that just then ran a delivery of this trigger for the same scope
 * and key. Whoever writes such a key from outside its handlers, too, and as often, is suspected as
 * well: the reason says what to do then.
 *
 * It costs nothing until a trigger is woken more often than that in all: react looks at each busy
 * one every second. From then on it is watched, and every write is compared with what it runs.
 *
 *   quiet --woken more than rate times a second--> watched --so many by itself--> suspected: quiet
 *     ^                                              |
 *     +----------------- woken less -----------------+
 */
struct feedback;
struct condition_env;

/* Going up: the trigger is to be paused. `reason` is borrowed. */
typedef void feedback_suspect_fn(void *ctx, struct binding *binding, struct span reason);

/* `log` is the journal's name, borrowed. */
struct feedback *feedback_new(struct condition_env *conditions, struct span log, uint64_t rate);
void feedback_free(struct feedback *feedback);
void feedback_configure(struct feedback *feedback, uint64_t rate); /* 0 = off */
void feedback_on_suspect(struct feedback *feedback, feedback_suspect_fn *suspect, void *ctx);

/* Looks at a binding that is busy, as often as one likes. */
void feedback_look(struct feedback *feedback, struct binding *binding);
void feedback_forget(struct binding *binding); /* it ends */

/* Somebody is watched: writes have to be told. */
bool feedback_is_on(const struct feedback *feedback);
/* A worker of this id writes this event, and nobody knows why. */
void feedback_wrote(struct feedback *feedback, struct span worker, const struct event *event);

#endif
