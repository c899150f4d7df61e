/* This file evaluates the loops that make lists and maps: map, filter, transform... */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"
#include "triggers/expr/loop_range.h"

/* One step: is the item wanted, and what does the body make of it? UNSET: not wanted. */
static struct value step(struct activation *activation, struct node_loop *loop,
                         const struct loop_range *range, size_t i)
{
	if (!allowance_spend(&activation->allowance, loop->cost)) {
		return node_over(activation, &loop->node);
	}
	loop_range_bind(activation, loop, range, i);
	struct node *condition = loop->node.op == LOOP_FILTER ? loop->body : loop->filter;
	struct value value = value_bool(true);
	if (condition != NULL) {
		value = condition->eval(activation, condition);
		if (value.tag != VALUE_BOOL) {
			return value.tag == VALUE_ERROR
			               ? value
			               : node_unfit(&loop->node, LOOP_BODY, &value, NULL);
		}
	}
	if (!value.as.b) {
		value = (struct value){0};
	} else if (loop->node.op == LOOP_FILTER) {
		value = activation->locals[loop->node.slot];
	} else {
		value = loop->body->eval(activation, loop->body);
	}
	loop_range_done(activation, loop, range, i);
	return value;
}

struct value eval_loop_list(struct activation *activation, struct node *node)
{
	struct node_loop *loop = (struct node_loop *)(void *)node;
	struct value room;
	struct value *from = node_place(activation, loop->range, &room);
	struct loop_range range;
	struct value error = loop_range_open(activation, loop, from, &range);
	if (error.tag == VALUE_ERROR) {
		return error;
	}
	struct value *items = ARENA_ARRAY(&activation->allowance.arena, struct value, range.count);
	if (items == NULL) {
		return node_over(activation, node);
	}
	size_t count = 0;
	for (size_t i = 0; i < range.count; i++) {
		struct value value = step(activation, loop, &range, i);
		if (value.tag == VALUE_ERROR) {
			return value;
		}
		if (value.tag != VALUE_UNSET) {
			items[count++] = value;
		}
	}
	return node_placed(node, value_of_list(&activation->allowance, items, count));
}

/* ---- maps ---- */

struct pairs {
	struct value_pair *pairs;
	size_t count;
	size_t room;
};

static bool pairs_reserve(struct activation *activation, struct pairs *pairs, size_t extra)
{
	if (pairs->count + extra <= pairs->room) {
		return true;
	}
	size_t room =
	        pairs->room * 2 > pairs->count + extra ? pairs->room * 2 : pairs->count + extra;
	struct value_pair *grown =
	        ARENA_ARRAY(&activation->allowance.arena, struct value_pair, room);
	if (grown == NULL) {
		return false;
	}
	if (pairs->count != 0) {
		memcpy(grown, pairs->pairs, pairs->count * sizeof *grown);
	}
	pairs->pairs = grown;
	pairs->room = room;
	return true;
}

/* UNSET, or the error. */
static struct value add_entries(struct activation *activation, const struct node *node,
                                struct pairs *pairs, struct value entries)
{
	if (entries.tag != VALUE_MAP) {
		return node_unfit(node, "transformMapEntry", &entries, NULL);
	}
	const struct value_map *map = value_map(&activation->allowance, &entries);
	if (map == NULL || !allowance_spend(&activation->allowance, (int64_t)map->count) ||
	    !pairs_reserve(activation, pairs, map->count)) {
		return node_over(activation, node);
	}
	for (size_t i = 0; i < map->count; i++) {
		pairs->pairs[pairs->count++] = map->pairs[i];
	}
	return (struct value){0};
}

struct value eval_loop_map(struct activation *activation, struct node *node)
{
	struct node_loop *loop = (struct node_loop *)(void *)node;
	struct value room;
	struct value *from = node_place(activation, loop->range, &room);
	struct loop_range range;
	struct value error = loop_range_open(activation, loop, from, &range);
	struct pairs pairs = {0};
	if (error.tag != VALUE_ERROR && !pairs_reserve(activation, &pairs, range.count)) {
		error = node_over(activation, node);
	}
	for (size_t i = 0; error.tag != VALUE_ERROR && i < range.count; i++) {
		struct value value = step(activation, loop, &range, i);
		if (value.tag == VALUE_ERROR) {
			return value;
		}
		if (value.tag == VALUE_UNSET) {
			continue;
		}
		if (node->op == LOOP_TRANSFORM_MAP_ENTRY) {
			error = add_entries(activation, node, &pairs, value);
			continue;
		}
		struct value key =
		        range.list != NULL ? value_int((int64_t)i) : range.map->pairs[i].key;
		pairs.pairs[pairs.count++] = (struct value_pair){key, value};
	}
	if (error.tag == VALUE_ERROR) {
		return error;
	}
	return node_placed(node, value_of_map(&activation->allowance, pairs.pairs, pairs.count));
}
