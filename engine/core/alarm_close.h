/* This file ends the firings of alarms: the record says how it went when nobody owes one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_CLOSE_H
#define ENGINE_CORE_ALARM_CLOSE_H

#include "base/span.h"
#include "engine/core/alarm_store.h"
#include "engine/core/core.h"
#include "engine/core/dispatch.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. An event `alarm:due` may wake several triggers, or none. Each delivery of one that ends
 * tells so, and so does react when an event has been matched; then:
 *
 *   somebody still owes it? --yes--> a failure is noted in the record; the rest comes later
 *        | no
 *        v
 *   its record (if it still runs this event): done --> removed, or due again
 *                                             failed --> failed, with an event `alarm:failed`
 *
 * The record and the event are one group, mostly that in which the delivery has ended. If it is
 * lost the closing is done again. After a crash nobody may know how the firing went: then a dead
 * letter of its event says that it failed. One that no trigger is for has failed, too; one that a
 * trigger is for but does not want (`when`) is done.
 */
struct alarm_closings;

struct alarm_closings *alarm_closings_new(const struct core *core, struct alarm_store *alarms);
void alarm_closings_free(struct alarm_closings *closings);

/* A delivery of a trigger of type alarm has ended: dispatch_alarm_fn. */
void alarm_close_ended(void *closings, uint64_t seq, const struct dispatch_alarm_end *end);
/* An event `alarm:due` was matched; `taken`: a delivery of it was made. */
void alarm_close_matched(void *closings, const struct event *event, bool taken);
/* A record says that this runs: does it still? */
void alarm_close_look(struct alarm_closings *closings, const struct alarm_address *address,
                      uint64_t seq);

/* Those that are not durable yet, and how many have failed since the start. */
void alarm_closings_count(const struct alarm_closings *closings, size_t *out_open,
                          uint64_t *out_failed);

#endif
