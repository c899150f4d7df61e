/* This file lets only so many deliveries of a trigger start in a time; the others wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_THROTTLE_H
#define ENGINE_CORE_THROTTLE_H

#include "base/list.h"
#include "base/map.h"
#include "engine/durable/alarm.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct binding;
struct delivery;
struct throttle;

/*
 * DESIGN. Each value of the key has a *pace*: the time before which none of its deliveries may
 * start. A delivery asks when it could start in every other respect, so that no slot passes unused
 * while it waits for a worker. If it is too early it is taken out of the line of those that are
 * ready, and stands behind the others of its pace. When the time comes the first of them is
 * *released*: ready again, and the only one of its pace that may start.
 *
 * A pace whose time is more than a second away is put with the cursors, so that a restart allows no
 * more than what was started since. One whose time has passed, with nobody waiting, is forgotten.
 */
struct pace {
	struct map_node node; /* by the key's 64 bits, which are all that is known of it */
	struct throttle *throttle;
	struct list waiting; /* delivery.in_queue */
	struct list in_dirty;
	struct alarm alarm;
	int64_t next_us;  /* wall clock, microseconds */
	bool is_released; /* one that stood there is ready */
	bool is_put;      /* has a record */
	bool is_gone;     /* nothing is left to be done but to delete that */
};

struct throttle {
	struct map paces;
	struct list dirty;
	struct binding *binding;
	struct alarms *alarms;
	int64_t interval_us;
	size_t waiting;
	/* It may start now. */
	void (*release)(struct delivery *delivery);
	/* A record is to be put or deleted. */
	void (*changed)(struct binding *binding);
};

struct throttle *throttle_new(struct binding *binding, struct alarms *alarms, int64_t interval_us);
void throttle_free(struct throttle *throttle); /* nobody waits; NULL is harmless */

/* It is ready and could start. True: it may, and this counts. False: it has been taken out of its
 * queue, and `release` comes for it. */
bool throttle_take(struct throttle *throttle, struct delivery *delivery);
/* One that is gone, and has no record any more. */
void throttle_forget(struct pace *pace);
/* It goes away, whether it waits or not. */
void throttle_leave(struct throttle *throttle, struct delivery *delivery);
/* At the start: what the record of a pace says. */
void throttle_adopt(struct throttle *throttle, uint64_t group, int64_t next_us);

#endif
