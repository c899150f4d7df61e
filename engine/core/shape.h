/* This file lets events join the windows of their trigger, and closes windows in time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_SHAPE_H
#define ENGINE_CORE_SHAPE_H

#include "base/err.h"
#include "engine/core/binding.h"
#include "engine/core/dispatch.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "triggers/matching.h"

/* See window.h for what is kept, and where. */
struct shape;

struct shape *shape_new(struct store *store, struct dispatch *dispatch, struct alarms *alarms);
/* Every binding has left; windows that wait for their group go by themselves. */
void shape_free(struct shape *shape);

/* The event that `matching` has begun is one that the binding (which has windows) wants; nothing
 * happens if it has joined before the start already. */
void shape_join(struct shape *shape, struct binding *binding, struct matching *matching,
                const struct delivery_groups *groups);
/* No event of this version comes any more: nothing of a younger one is to go before it. */
void shape_close_all(struct shape *shape, struct binding *binding);
/* A record of space `window`, at the start. `first_seq` 0: a mark. E_VERSION, E_DAMAGED. */
int shape_adopt(struct shape *shape, struct binding *binding, uint64_t first_seq, struct span value,
                struct err *err);

#endif
