/* This file keeps the queues in front of keys that are not to be had at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/lane.h"

#include "base/err.h"
#include "base/hash.h"

struct lane {
	struct map_node node;
	struct list places;
	struct record_key key; /* owned */
};

static uint64_t hash_key(struct record_key key)
{
	return hash_bytes(key.key, hash_bytes(key.part, (uint64_t)key.space));
}

static bool key_is(const struct map_node *node, const void *wanted)
{
	const struct lane *lane = MEM_CONTAINER(node, struct lane, node);
	const struct record_key *key = wanted;
	return lane->key.space == key->space && span_equal(lane->key.part, key->part) &&
	       span_equal(lane->key.key, key->key);
}

void lanes_init(struct lanes *lanes)
{
	lanes->by_key = (struct map){0};
	list_init(&lanes->may_go);
}

void lanes_close(struct lanes *lanes)
{
	PRE(lanes_are_empty(lanes));
	map_close(&lanes->by_key);
}

bool lanes_are_busy(const struct lanes *lanes, struct record_key key)
{
	return !lanes_are_empty(lanes) &&
	       map_get(&lanes->by_key, hash_key(key), &key, key_is) != NULL;
}

void lane_holder_init(struct lane_holder *holder)
{
	list_init(&holder->link);
	holder->behind = 0;
}

static struct lane *need_lane(struct lanes *lanes, struct record_key key)
{
	uint64_t hash = hash_key(key);
	struct map_node *node = map_get(&lanes->by_key, hash, &key, key_is);
	if (node != NULL) {
		return MEM_CONTAINER(node, struct lane, node);
	}
	struct lane *lane = MEM_NEW(struct lane);
	lane->key = (struct record_key){key.space, mem_span(key.part), mem_span(key.key)};
	list_init(&lane->places);
	map_add(&lanes->by_key, &lane->node, hash);
	return lane;
}

static void free_lane(struct lanes *lanes, struct lane *lane)
{
	map_remove(&lanes->by_key, &lane->node);
	mem_free((char *)lane->key.part.ptr);
	mem_free((char *)lane->key.key.ptr);
	mem_free(lane);
}

void lane_enter(struct lanes *lanes, struct lane_holder *holder, struct lane_place *place,
                struct record_key key)
{
	struct lane *lane = need_lane(lanes, key);
	if (!list_is_empty(&lane->places)) {
		struct lane_place *last = MEM_CONTAINER(lane->places.prev, struct lane_place, link);
		if (last->holder == holder) {
			return;
		}
		holder->behind++;
	}
	place->lane = lane;
	place->holder = holder;
	list_push(&lane->places, &place->link);
}

void lane_leave(struct lanes *lanes, struct lane_place *place)
{
	struct lane *lane = place->lane;
	if (lane == NULL) {
		return;
	}
	PRE(lane->places.next == &place->link);
	list_remove(&place->link);
	*place = (struct lane_place){0};
	struct lane_place *first = LIST_FIRST(&lane->places, struct lane_place, link);
	if (first == NULL) {
		free_lane(lanes, lane);
	} else if (--first->holder->behind == 0) {
		list_push(&lanes->may_go, &first->holder->link);
	}
}

struct lane_holder *lanes_next(struct lanes *lanes)
{
	struct lane_holder *holder = LIST_FIRST(&lanes->may_go, struct lane_holder, link);
	if (holder != NULL) {
		list_remove(&holder->link);
	}
	return holder;
}
