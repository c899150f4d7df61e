/* This file hangs deliveries behind the head of their lane. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/order.h"

#include "base/hash.h"
#include "base/mem.h"

void order_close(struct order *order)
{
	PRE(order->heads.count == 0);
	map_close(&order->heads);
}

uint64_t order_lane(const struct binding *binding, uint64_t seq, struct span scope, struct span key)
{
	uint64_t lane = hash_bytes(binding->id, 0);
	/* A message without a key has no order. */
	bool is_free = key.len == 0 && binding->policy.order == ORDER_KEY &&
	               filter_is_message(binding->filter);
	switch (is_free ? ORDER_NONE : binding->policy.order) {
	case ORDER_TRIGGER:
		return lane;
	case ORDER_NONE:
		return lane ^ (seq * 0x9e3779b97f4a7c15u);
	case ORDER_KEY:
		break;
	}
	return hash_bytes(key, hash_bytes(scope, lane));
}

/* The map compares the 64 bits of the hash before it asks: they are the lane. */
static bool is_lane(const struct map_node *node, const void *key)
{
	(void)key;
	return node != NULL;
}

struct delivery *order_head(const struct order *order, const struct delivery *delivery)
{
	struct map_node *node = map_get(&order->heads, delivery->lane, NULL, is_lane);
	return node ? MEM_CONTAINER(node, struct delivery, in_lanes) : NULL;
}

bool order_enter(struct order *order, struct delivery *delivery)
{
	struct delivery *head = order_head(order, delivery);
	if (head == NULL) {
		delivery->lane_tail = delivery;
		map_add(&order->heads, &delivery->in_lanes, delivery->lane);
		return true;
	}
	head->lane_tail->behind = delivery;
	head->lane_tail = delivery;
	return false;
}

struct delivery *order_leave(struct order *order, struct delivery *delivery)
{
	struct delivery *head = order_head(order, delivery);
	if (head == delivery) {
		struct delivery *next = delivery->behind;
		map_remove(&order->heads, &delivery->in_lanes);
		if (next != NULL) {
			next->lane_tail = delivery->lane_tail;
			map_add(&order->heads, &next->in_lanes, next->lane);
		}
		return next;
	}
	struct delivery *before = head;
	while (before->behind != delivery) {
		before = before->behind;
	}
	before->behind = delivery->behind;
	if (head->lane_tail == delivery) {
		head->lane_tail = before;
	}
	return NULL;
}
