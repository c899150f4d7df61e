/* This file is the one timer of the engine: whatever must happen later waits in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_ALARM_H
#define ENGINE_DURABLE_ALARM_H

#include "base/heap.h"
#include "base/histogram.h"
#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. An alarm is embedded in its owner and holds nothing durable: who needs it again after a
 * restart keeps a record and sets it again. Three kinds, by the clock that it follows
 * (base/clock.h):
 *
 *   alarm_set       due times of records: wall clock
 *   alarm_set_in    waits that people have asked for (timeouts, grace periods): monotonic
 *   alarm_set_real  peers, processes, and our own bookkeeping: real time
 *
 * One uv timer is armed for the first of all; nothing is armed when nothing is set. Since a wall
 * clock can jump, it is read again at least every minute while such an alarm is set.
 *
 * At most ALARM_TURN_MAX alarms fire in a turn of the loop. What an alarm's function sets in the
 * past fires in the next turn, so that it cannot keep the loop to itself.
 *
 * While the clock is virtual the first two kinds fire when they are due as always, but only
 * alarms_turn makes them due. While it is manual nothing fires by itself: turn the clock, then call
 * alarms_run_due.
 */
enum { ALARM_TURN_MAX = 256 };

struct alarms;
struct uv_loop_s;

enum alarm_state { ALARM_OFF, ALARM_WALL, ALARM_MONO, ALARM_REAL, ALARM_DUE };

/* All zero is an alarm that is not set. `fn` is called once for each time that it was set; it may
 * set or clear any alarm and may free its own. */
struct alarm {
	struct heap_node node;
	struct list due; /* while state is ALARM_DUE */
	enum alarm_state state;
	void (*fn)(struct alarm *alarm);
};

struct alarms *alarms_new(struct uv_loop_s *loop);
/* Drops what is set without calling it. Freed behind `closed` (may be NULL). */
void alarms_close(struct alarms *alarms, void (*closed)(void *ctx), void *ctx);

/* Setting one that is set moves it. A time in the past fires promptly, in a later turn. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t wall_ms);
void alarm_set_in(struct alarms *alarms, struct alarm *alarm, int64_t wait_ms);
void alarm_set_real(struct alarms *alarms, struct alarm *alarm, int64_t wait_ms);
void alarm_clear(struct alarms *alarms, struct alarm *alarm); /* harmless when it is not set */
bool alarm_is_set(const struct alarm *alarm);

/* Fires what is due now, the longest overdue first; returns how many. */
size_t alarms_run_due(struct alarms *alarms);

/* ---- those of the first two kinds ---- */

/* Wall time of the next one; INT64_MAX: there is none. */
int64_t alarms_next_ms(const struct alarms *alarms);
/* Turns a virtual clock; what is due then fires in the next turns of the loop. */
void alarms_turn(struct alarms *alarms, int64_t by_ms);

struct alarm_stats {
	size_t pending;
	size_t overdue; /* of those: should have fired before now */
	uint64_t fired;
	struct histogram late; /* of those: by how many ms */
};

void alarms_stats(const struct alarms *alarms, struct alarm_stats *out);

#endif
