/* This file keeps deliveries of one key in order: each waits behind the one before it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ORDER_H
#define ENGINE_CORE_ORDER_H

#include "base/map.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/delivery.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Deliveries of one (trigger, scope, key) form a lane, first in first out. A lane is known
 * by 64 bits of hash alone: two keys that share them merely wait for each other. Only the head is
 * in the map; the others hang behind it, so that the usual lane of one costs no memory of its own.
 */
struct order {
	struct map heads;
};

void order_close(struct order *order); /* all lanes are empty */
/* Which lane a delivery belongs to, by the binding's policy. */
uint64_t order_lane(const struct binding *binding, uint64_t seq, struct span scope,
                    struct span key);
/* Takes its place behind the others of delivery->lane. True: there are none, it is the head. */
bool order_enter(struct order *order, struct delivery *delivery);
/* Leaves; the one that becomes head thereby is returned, NULL if none does. */
struct delivery *order_leave(struct order *order, struct delivery *delivery);
struct delivery *order_head(const struct order *order, const struct delivery *delivery);

#endif
