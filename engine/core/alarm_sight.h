/* This file looks, for an attempt, whether an alarm still runs and what its object is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_SIGHT_H
#define ENGINE_CORE_ALARM_SIGHT_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/core/alarm_store.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include <stdbool.h>

/* Embedded in who asks, all zero before the first use but for `done`; not to be freed or used again
 * before that. */
struct alarm_sight {
	/* Once, perhaps from inside alarm_sight_start. */
	void (*done)(struct alarm_sight *sight, int status, const struct err *err);
	bool runs;        /* the record says that this event is what it has fired */
	struct buf value; /* the state record of (scope, key); empty: there is none */
	/* its own */
	struct store *store;
	uint64_t seq;
	struct alarm_visit visit;
	struct store_fetch fetch;
	struct store_waiter waiter;
};

/* The event is an EVENT_ALARM_DUE; what is needed of it is copied. What was seen is durable when
 * `done` comes. */
void alarm_sight_start(struct store *store, struct alarm_sight *sight, const struct event *event);
void alarm_sight_close(struct alarm_sight *sight);

#endif
