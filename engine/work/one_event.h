/* This file gets one event of the journal for a function that was told its seq. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_ONE_EVENT_H
#define ENGINE_WORK_ONE_EVENT_H

#include "base/span.h"
#include "engine/core/entry.h"
#include "triggers/event.h"
#include <stdint.h>

struct work;

/* Embedded in who asks; not to be freed before `done`. */
struct one_event {
	struct work *work; /* whose function it is */
	/* Once; may come from inside one_event_get (touch nothing behind the call). NULL: there is
	 * none, and the work is refused. Else borrowed for the time of the call. */
	void (*done)(struct one_event *one, const struct event *event);

	uint64_t seq;
	struct entry entry;
};

/* `seq` is a JSON number, or a string that holds one, as paths do. The work is refused with
 * "invalid_argument", "event_not_found" (not yet there), "event_gone" (not any more). */
void one_event_get(struct one_event *one, struct span seq);

#endif
