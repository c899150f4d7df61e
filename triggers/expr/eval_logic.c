/* This file evaluates what decides: && || ! ?:, and what gives names to values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"

/*
 * DESIGN. `&&` and `||` take their operands in any number. An operand that decides wins over errors
 * on either side of it; so the first error is kept until all have been asked. Whatever is no bool
 * is an error here.
 */
static struct value decide(struct activation *activation, struct node *node, bool decisive)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value kept = value_bool(!decisive);
	for (uint32_t i = 0; i < node->slot; i++) {
		struct value value = list->args[i]->eval(activation, list->args[i]);
		if (value.tag == VALUE_BOOL) {
			if (value.as.b == decisive) {
				return value;
			}
			continue;
		}
		if (node_is_over(value)) {
			return value;
		}
		if (kept.tag != VALUE_ERROR) {
			kept = value.tag == VALUE_ERROR
			               ? value
			               : node_unfit(node, decisive ? "||" : "&&", &value, NULL);
		}
	}
	return kept;
}

struct value eval_and(struct activation *activation, struct node *node)
{
	return decide(activation, node, false);
}

struct value eval_or(struct activation *activation, struct node *node)
{
	return decide(activation, node, true);
}

struct value eval_not(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value value = list->args[0]->eval(activation, list->args[0]);
	if (value.tag == VALUE_BOOL) {
		return value_bool(!value.as.b);
	}
	return value.tag == VALUE_ERROR ? value : node_unfit(node, "!", &value, NULL);
}

struct value eval_choice(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value value = list->args[0]->eval(activation, list->args[0]);
	if (value.tag == VALUE_BOOL) {
		struct node *chosen = list->args[value.as.b ? 1 : 2];
		return chosen->eval(activation, chosen);
	}
	return value.tag == VALUE_ERROR ? value : node_unfit(node, "?:", &value, NULL);
}

/* ---- what macros make: an error counts as absent ---- */

struct value eval_is_true(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value value = list->args[0]->eval(activation, list->args[0]);
	return node_is_over(value) ? value : value_bool(value_is_true(value));
}

struct value eval_differ(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value a_room;
	struct value b_room;
	struct value *a = node_place(activation, list->args[0], &a_room);
	struct value *b = node_place(activation, list->args[1], &b_room);
	if (node_is_over(*a) || node_is_over(*b)) {
		return node_is_over(*a) ? *a : *b;
	}
	if (a->tag == VALUE_ERROR || b->tag == VALUE_ERROR) {
		return value_bool(a->tag != b->tag);
	}
	struct value equal = value_equal(&activation->allowance, a, b);
	return equal.tag == VALUE_BOOL ? value_bool(!equal.as.b) : node_placed(node, equal);
}

/* ---- names ---- */

/* A value that is an error is one where it is used. */
struct value eval_bind(struct activation *activation, struct node *node)
{
	struct node_loop *bind = (struct node_loop *)(void *)node;
	struct value value = bind->range->eval(activation, bind->range);
	if (node_is_over(value)) {
		return value;
	}
	activation->locals[node->slot] = value;
	return bind->body->eval(activation, bind->body);
}

struct value eval_opt_map(struct activation *activation, struct node *node)
{
	struct node_loop *map = (struct node_loop *)(void *)node;
	struct value optional = map->range->eval(activation, map->range);
	if (optional.tag == VALUE_ERROR) {
		return optional;
	}
	const char *name = node->op ? "optFlatMap" : "optMap";
	if (optional.tag != VALUE_OPTIONAL) {
		return node_unfit(node, name, &optional, NULL);
	}
	if (optional.as.inner == NULL) {
		return optional;
	}
	activation->locals[node->slot] = *optional.as.inner;
	struct value value = map->body->eval(activation, map->body);
	if (value.tag == VALUE_ERROR) {
		return value;
	}
	if (!node->op) {
		return node_optional(activation, node, value);
	}
	return value.tag == VALUE_OPTIONAL ? value : node_unfit(node, name, &value, NULL);
}
