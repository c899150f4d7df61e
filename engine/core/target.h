/* This file lets messages of a queue wait for the functions that they name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TARGET_H
#define ENGINE_CORE_TARGET_H

#include "base/list.h"
#include "base/map.h"
#include "engine/core/addressee.h"
#include "engine/core/function.h"
#include <stdint.h>

struct binding;
struct delivery;
struct targets;

/*
 * DESIGN. A message is tried when its turn comes. Finds it that nobody serves its function, or that
 * whoever does has no room, it steps aside to the function's target and takes no room of the queue:
 * those behind it go on. The target watches the function; it is *open* when that can take a call
 * again, and then those who wait there go before the others.
 */
struct target {
	struct map_node node;
	struct targets *targets;
	struct function_watch watch;
	struct list waiting; /* delivery.in_queue */
	struct list in_open;
	int64_t absent_since_ms; /* monotonic; 0 = somebody serves it, or nobody waits */
};

struct targets {
	struct map by_function; /* target.node */
	struct list open;
	struct binding *binding;
	void (*changed)(struct binding *binding);
};

/* `changed` is called when a target has opened. */
void targets_init(struct targets *targets, struct binding *binding,
                  void (*changed)(struct binding *binding));
void targets_close(struct targets *targets); /* nobody waits any more */

/* Its function cannot take it now. */
void target_wait(struct targets *targets, struct functions *functions, const struct addressee *to,
                 struct delivery *delivery);
/* The next whose function can take it; NULL: none. */
struct delivery *target_next(struct targets *targets);
/* Somebody serves its function. */
bool target_is_served(const struct target *target);

/* Drops those at which nobody waits, and calls `absent` for those that have been waited at for
 * max_ms while nobody served the function. How long the others have; INT64_MAX: there are none. */
int64_t targets_sweep(struct targets *targets, int64_t now_ms, int64_t max_ms,
                      void (*absent)(struct target *target));

#endif
