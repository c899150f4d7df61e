/* This file turns a virtual clock, and lets everything happen on the way that is due on the way. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CLOCK_TURN_H
#define ENGINE_CORE_CLOCK_TURN_H

#include "base/err.h"
#include "engine/core/core.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store_waiter.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The clock goes from one due time to the next and stands there until the engine has come
 * to rest: nothing is due any more, what was put is durable and has been matched, what is read has
 * been read. Then deliveries that run have settle_ms of real time, in all, to end.
 *
 *   start --> resting --rests, an alarm is due by to_ms--> turned to its time --> resting
 *                |
 *                +--rests, none is due by to_ms--> turned to to_ms --> done
 *                +--fire_max alarms have fired, or it does not rest--> done, more
 */
enum { CLOCK_TURN_REST_MS = 5000 }; /* of real time; without rest for so long it is given up */

/* Embedded in who asks. */
struct clock_turn {
	/* set by the caller */
	struct core *core;
	int64_t to_ms;     /* wall clock; not before now */
	uint64_t fire_max; /* looked at between two due times */
	int64_t settle_ms;
	/* Once, later. E_CANCELED "shutting_down". */
	void (*done)(struct clock_turn *turn, int status, const struct err *err);
	/* the outcome */
	uint64_t fired;
	bool more; /* it has not got as far as to_ms */
	bool at_rest;
	/* its own */
	uint64_t fired_before;
	int64_t since_ms; /* real: the clock stands where it does since then */
	int64_t looked_ms;
	int64_t settled_ms;
	bool has_looked; /* after the journal */
	unsigned calm;   /* looks in a row that found it at rest */
	struct alarm look;
	struct store_waiter waiter;
};

/* The clock is virtual and core->turn is NULL: it is this one until done. */
void clock_turn_start(struct clock_turn *turn);
/* The engine ends: a turn that waits for a time is done. One that waits for the store is when that
 * closes. */
void clock_turn_stop(struct core *core);

#endif
