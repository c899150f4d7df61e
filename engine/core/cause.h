/* This file finds the delivery on whose behalf a handler writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CAUSE_H
#define ENGINE_CORE_CAUSE_H

#include "base/err.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/attempt.h"
#include "engine/core/delivery.h"
#include "triggers/event.h"

/* Deliveries that have been tried and are not settled, by trigger id and seq. */
struct causes {
	struct map tried; /* delivery.tried */
	struct buf text;  /* what the last answer points into */
	struct buf scratch;
	char log[ADAPTER_LOG_LEN + 1];
};

void causes_close(struct causes *causes);                          /* nothing is tried any more */
void causes_add(struct causes *causes, struct delivery *delivery); /* harmless when it is there */
void causes_remove(struct causes *causes, struct delivery *delivery); /* harmless when it is not */

/* From the baggage of a frame or request. 0 with `cause` filled, and whose
 * delivery it is (good until the loop is returned to), or both left alone when no running attempt
 * is named; E_CONFLICT "stale_delivery" when a later attempt has taken its place. */
int causes_find(struct causes *causes, struct span baggage, struct event_cause *cause,
                struct binding **out_by, struct err *err);

#endif
