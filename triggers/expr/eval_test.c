/* This file evaluates comparisons, above all of a path with a constant. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"

#include "triggers/expr/text_equal.h"
#include <math.h>

/* What the test asks, in its place: a slot, or an operand. */
static inline struct value *subject(struct activation *activation, struct node *node,
                                    struct value *room)
{
	if (node->kind == NODE_TEST) {
		struct value *slot = &activation->slots[node->slot];
		return slot->tag > VALUE_ERROR ? slot : node_slot_place(activation, node, room);
	}
	return node_place(activation, ((struct node_test_of *)(void *)node)->operand, room);
}

static inline bool is_wanted(const struct node *node, bool equal)
{
	return equal == (node->op == TEST_EQUAL);
}

/* Equality of any two values; the slower way. Parsing in place is for those who come here. */
static struct value test_equal(struct activation *activation, struct node *node, struct value *a,
                               struct value *b)
{
	struct value equal = value_equal(&activation->allowance, a, b);
	return equal.tag == VALUE_BOOL ? value_bool(is_wanted(node, equal.as.b))
	                               : node_placed(node, equal);
}

struct value eval_test_string(struct activation *activation, struct node *node)
{
	const struct value *constant = &((struct node_test *)(void *)node)->constant;
	struct value room;
	const struct value *value = subject(activation, node, &room);
	if (value->tag == VALUE_STRING) {
		bool equal = value->len == constant->len &&
		             text_equal(value->as.text, constant->as.text, value->len);
		return value_bool(is_wanted(node, equal));
	}
	return value->tag == VALUE_ERROR ? node_placed(node, *value)
	                                 : value_bool(is_wanted(node, false));
}

struct value eval_test_int(struct activation *activation, struct node *node)
{
	struct value *constant = &((struct node_test *)(void *)node)->constant;
	struct value room;
	struct value *value = subject(activation, node, &room);
	if (value->tag == VALUE_INT || (value->flags & VALUE_EXACT) != 0) {
		return value_bool(is_wanted(node, value->as.i == constant->as.i));
	}
	return test_equal(activation, node, value, constant);
}

struct value eval_test_equal(struct activation *activation, struct node *node)
{
	struct value *constant = &((struct node_test *)(void *)node)->constant;
	struct value room;
	struct value *value = subject(activation, node, &room);
	return test_equal(activation, node, value, constant);
}

/* ---- order ---- */

static inline bool fits(int order, uint8_t op)
{
	switch (op) {
	case TEST_LESS:
		return order < 0;
	case TEST_LESS_EQUAL:
		return order <= 0;
	case TEST_GREATER:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool is_number(const struct value *value)
{
	return value->tag >= VALUE_INT && value->tag <= VALUE_DOUBLE;
}

static bool is_rounded(const struct value *value)
{
	return value->tag == VALUE_DOUBLE &&
	       (value->flags & (VALUE_EXACT | VALUE_EXACT_UNSIGNED)) == 0;
}

/* The order of an integer and a double is that of two doubles, so the language has it: near 2^63
 * one of them is rounded. (Equality is exact, and so is a number of JSON that is written as an
 * integer.) */
static bool compare(const struct value *a, const struct value *b, int *out_order)
{
	if (is_number(a) && is_number(b) && is_rounded(a) != is_rounded(b)) {
		double x = value_double(*a);
		double y = value_double(*b);
		*out_order = (x > y) - (x < y);
		return !isnan(x) && !isnan(y);
	}
	return value_compare(*a, *b, out_order);
}

static struct value order_of(const struct node *node, const struct value *a, const struct value *b)
{
	if (a->tag == VALUE_ERROR || b->tag == VALUE_ERROR) {
		return node_placed(node, a->tag == VALUE_ERROR ? *a : *b);
	}
	int order = 0;
	if (compare(a, b, &order)) {
		return value_bool(fits(order, node->op));
	}
	/* A number that is none is neither less nor more than another. */
	static const char *const names[] = {
	        [TEST_LESS] = "<",
	        [TEST_LESS_EQUAL] = "<=",
	        [TEST_GREATER] = ">",
	        [TEST_GREATER_EQUAL] = ">=",
	};
	return is_number(a) && is_number(b) ? value_bool(false)
	                                    : node_unfit(node, names[node->op], a, b);
}

struct value eval_test_order(struct activation *activation, struct node *node)
{
	const struct value *constant = &((struct node_test *)(void *)node)->constant;
	struct value room;
	const struct value *value = subject(activation, node, &room);
	bool exact = value->tag == VALUE_INT || (value->flags & VALUE_EXACT) != 0;
	if (exact && constant->tag == VALUE_INT) {
		int order = (value->as.i > constant->as.i) - (value->as.i < constant->as.i);
		return value_bool(fits(order, node->op));
	}
	return order_of(node, value, constant);
}

struct value eval_order(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value a = list->args[0]->eval(activation, list->args[0]);
	if (a.tag == VALUE_ERROR) {
		return a;
	}
	struct value b = list->args[1]->eval(activation, list->args[1]);
	return order_of(node, &a, &b);
}

struct value eval_equal(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value a_room;
	struct value b_room;
	struct value *a = node_place(activation, list->args[0], &a_room);
	if (a->tag == VALUE_ERROR) {
		return *a;
	}
	struct value *b = node_place(activation, list->args[1], &b_room);
	if (b->tag == VALUE_ERROR) {
		return *b;
	}
	if (a->tag == VALUE_STRING && b->tag == VALUE_STRING) {
		return value_bool(is_wanted(node, span_equal(value_text(*a), value_text(*b))));
	}
	return test_equal(activation, node, a, b);
}

/* ---- in, has ---- */

/* Whether it can be looked up in a table of constants by its hash. */
static bool is_scalar(const struct value *value)
{
	return value->tag >= VALUE_NULL && value->tag <= VALUE_BYTES;
}

static struct value in_table(struct activation *activation, struct node_test_in *in,
                             struct value *value)
{
	struct value *items = in->test.test.constant.as.list->items;
	if (!is_scalar(value)) {
		return value_bool(false);
	}
	for (uint32_t at = (uint32_t)value_hash(*value, 0) & in->mask; in->table[at] != 0;
	     at = (at + 1) & in->mask) {
		struct value equal =
		        value_equal(&activation->allowance, value, &items[in->table[at] - 1]);
		if (equal.tag != VALUE_BOOL || equal.as.b) {
			return node_placed(&in->test.test.node, equal);
		}
	}
	return value_bool(false);
}

struct value eval_test_in(struct activation *activation, struct node *node)
{
	struct node_test_in *in = (struct node_test_in *)(void *)node;
	const struct value_list *list = in->test.test.constant.as.list;
	struct value room;
	struct value *value = subject(activation, node, &room);
	if (value->tag == VALUE_ERROR) {
		return node_placed(node, *value);
	}
	if (in->table != NULL) {
		return in_table(activation, in, value);
	}
	for (size_t i = 0; i < list->count; i++) {
		struct value *item = &list->items[i];
		if (item->tag == VALUE_STRING && value->tag == VALUE_STRING) {
			if (item->len == value->len &&
			    text_equal(item->as.text, value->as.text, item->len)) {
				return value_bool(true);
			}
			continue;
		}
		struct value equal = value_equal(&activation->allowance, value, item);
		if (equal.tag != VALUE_BOOL || equal.as.b) {
			return node_placed(node, equal);
		}
	}
	return value_bool(false);
}
