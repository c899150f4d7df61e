/* This file lets those who want the same key pass one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_LANE_H
#define ENGINE_CORE_LANE_H

#include "adapters/batch.h"
#include "base/list.h"
#include "base/map.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A lane is a queue in front of one key; it exists only while somebody stands in it. Who
 * wants several keys enters all of their lanes before anybody else does anything, and has them when
 * he stands first in each: so two can never wait for each other.
 *
 * Leaving does not call those behind, it puts those who may go now on a list (lanes_next), so that
 * a long queue is a loop and not a deep stack.
 */
struct lanes {
	struct map by_key;
	struct list may_go; /* lane_holder.link */
};

/* Embedded in who wants the keys. */
struct lane_holder {
	struct list link;
	size_t behind; /* lanes in which somebody stands before him */
};

/* One for each key; all zero before the first use and after lane_leave. */
struct lane_place {
	struct list link;
	struct lane *lane;
	struct lane_holder *holder;
};

void lanes_init(struct lanes *lanes);
void lanes_close(struct lanes *lanes); /* nobody stands in one any more */

static inline bool lanes_are_empty(const struct lanes *lanes)
{
	return lanes->by_key.count == 0;
}

bool lanes_are_busy(const struct lanes *lanes, struct record_key key); /* is somebody in its lane */

void lane_holder_init(struct lane_holder *holder);
/* The key is copied. A holder that asks for a key twice gets one place; the other stays unused. */
void lane_enter(struct lanes *lanes, struct lane_holder *holder, struct lane_place *place,
                struct record_key key);
void lane_leave(struct lanes *lanes, struct lane_place *place); /* harmless for an unused place */
/* The next who has come to stand first in all of his lanes; NULL: nobody. */
struct lane_holder *lanes_next(struct lanes *lanes);

#endif
