/* This file evaluates the loops that answer yes or no: all, exists, exists_one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"
#include "triggers/expr/loop_range.h"

/* The body's answer about one item: a bool or an error. */
static inline struct value ask(struct activation *activation, struct node_loop *loop,
                               const struct loop_range *range, size_t i)
{
	if (!allowance_spend(&activation->allowance, loop->cost)) {
		return node_over(activation, &loop->node);
	}
	loop_range_bind(activation, loop, range, i);
	struct value value = loop->body->eval(activation, loop->body);
	loop_range_done(activation, loop, range, i);
	if (value.tag != VALUE_BOOL && value.tag != VALUE_ERROR) {
		return node_unfit(&loop->node, LOOP_BODY, &value, NULL);
	}
	return value;
}

/* all is one long &&, exists one long ||: an item that decides wins over errors of others. */
static struct value decide(struct activation *activation, struct node_loop *loop,
                           const struct loop_range *range)
{
	bool decisive = loop->node.op == LOOP_EXISTS;
	struct value kept = value_bool(!decisive);
	for (size_t i = 0; i < range->count; i++) {
		struct value value = ask(activation, loop, range, i);
		if (value.tag == VALUE_ERROR) {
			if (node_is_over(value)) {
				return value;
			}
			kept = kept.tag == VALUE_ERROR ? kept : value;
		} else if (value.as.b == decisive) {
			return value;
		}
	}
	return kept;
}

/* All are asked: an error of any is one of the whole. */
static struct value exactly_one(struct activation *activation, struct node_loop *loop,
                                const struct loop_range *range)
{
	size_t found = 0;
	for (size_t i = 0; i < range->count; i++) {
		struct value value = ask(activation, loop, range, i);
		if (value.tag == VALUE_ERROR) {
			return value;
		}
		found += value.as.b;
	}
	return value_bool(found == 1);
}

struct value eval_loop_bool(struct activation *activation, struct node *node)
{
	struct node_loop *loop = (struct node_loop *)(void *)node;
	struct value room;
	struct value *from = node_place(activation, loop->range, &room);
	struct loop_range range;
	struct value error = loop_range_open(activation, loop, from, &range);
	if (error.tag == VALUE_ERROR) {
		return error;
	}
	return node->op == LOOP_EXISTS_ONE ? exactly_one(activation, loop, &range)
	                                   : decide(activation, loop, &range);
}
