/* This file evaluates calls of functions, and lists and maps that are written out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"

enum {
	FEW_ARGS = 8,
	TAG_BITS = 8,
	REMEMBERED_ARGS = 4 /* whose tags fit 32 bits */
};

/* ---- calls ---- */

static bool row_fits(const struct overload *row, const struct value args[], uint32_t count)
{
	uint32_t named = row->count < OVERLOAD_ARGS_MAX ? row->count : OVERLOAD_ARGS_MAX;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = i < named ? i : named - 1;
		if ((row->takes[at] & (1u << args[i].tag)) == 0) {
			return false;
		}
	}
	return true;
}

/* The first row that takes these arguments. The same types take the same way again. */
static const struct overload *choose(struct node_call *call, const struct value args[])
{
	uint32_t tags = 0;
	for (uint32_t i = 0; i < call->count && i < REMEMBERED_ARGS; i++) {
		tags |= (uint32_t)args[i].tag << (i * TAG_BITS);
	}
	if (call->node.slot == tags && call->count <= REMEMBERED_ARGS && tags != 0) {
		return call->rows[call->row];
	}
	for (uint32_t i = 0; i < call->row_count; i++) {
		if (row_fits(call->rows[i], args, call->count)) {
			call->node.slot = tags;
			call->row = i;
			return call->rows[i];
		}
	}
	return NULL;
}

/* A list or map whose text was parsed for the call stays parsed where it came from. */
static void keep_parsed(struct value *const places[], const struct value args[], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if ((places[i]->flags & VALUE_TEXT) != 0 && (args[i].flags & VALUE_TEXT) == 0 &&
		    places[i]->tag == args[i].tag) {
			*places[i] = args[i];
		}
	}
}

/* No row takes these arguments. */
static struct value unfit(const struct node_call *call, const struct value args[])
{
	struct value error = node_error(&call->node, ERROR_NO_SUCH_OVERLOAD, call->name);
	for (uint32_t i = 0; i < call->count && i < VALUE_TYPES_MOST; i++) {
		error.types |= (uint16_t)(args[i].tag << (i * VALUE_TAG_BITS));
	}
	return error;
}

static struct value call_with(struct activation *activation, struct node_call *call,
                              struct value args[], struct value *places[])
{
	for (uint32_t i = 0; i < call->count; i++) {
		places[i] = node_place(activation, call->args[i], &args[i]);
		if (places[i]->tag == VALUE_ERROR) {
			return *places[i];
		}
		if (places[i] != &args[i]) {
			args[i] = *places[i];
		}
	}
	if (!allowance_spend(&activation->allowance, 1)) {
		return node_over(activation, &call->node);
	}
	const struct overload *row = choose(call, args);
	if (row == NULL) {
		return unfit(call, args);
	}
	struct value value = row->fn(&activation->allowance, args, call->count);
	keep_parsed(places, args, call->count);
	return node_placed(&call->node, value);
}

struct value eval_call(struct activation *activation, struct node *node)
{
	struct node_call *call = (struct node_call *)(void *)node;
	if (call->count <= FEW_ARGS) {
		struct value args[FEW_ARGS];
		struct value *places[FEW_ARGS];
		return call_with(activation, call, args, places);
	}
	struct arena *arena = &activation->allowance.arena;
	struct value *args = ARENA_ARRAY(arena, struct value, call->count);
	struct value **places = ARENA_ARRAY(arena, struct value *, call->count);
	return args != NULL && places != NULL ? call_with(activation, call, args, places)
	                                      : node_over(activation, node);
}

/* ---- literals ---- */

/* [?x], {?k: x}: *out is what the optional holds; false: it holds nothing, or *out is an error. */
static bool unwrap(const struct node *node, struct value *value)
{
	if (value->tag == VALUE_OPTIONAL) {
		if (value->as.inner == NULL) {
			return false;
		}
		*value = *value->as.inner;
		return true;
	}
	if (value->tag != VALUE_ERROR) {
		*value = node_unfit(node, "?", value, NULL);
	}
	return false;
}

struct value eval_list(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct arena *arena = &activation->allowance.arena;
	struct value *items = ARENA_ARRAY(arena, struct value, node->slot);
	if (items == NULL || !allowance_spend(&activation->allowance, node->slot)) {
		return node_over(activation, node);
	}
	size_t count = 0;
	for (uint32_t i = 0; i < node->slot; i++) {
		struct value item = list->args[i]->eval(activation, list->args[i]);
		bool there = list->optionals == NULL || !list->optionals[i] || unwrap(node, &item);
		if (item.tag == VALUE_ERROR) {
			return item;
		}
		if (there) {
			items[count++] = item;
		}
	}
	return node_placed(node, value_of_list(&activation->allowance, items, count));
}

static bool may_be_key(struct value key)
{
	return key.tag == VALUE_BOOL || key.tag == VALUE_INT || key.tag == VALUE_UINT ||
	       key.tag == VALUE_STRING;
}

struct value eval_map(struct activation *activation, struct node *node)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct arena *arena = &activation->allowance.arena;
	uint32_t most = node->slot / 2;
	struct value_pair *pairs = ARENA_ARRAY(arena, struct value_pair, most);
	if (pairs == NULL || !allowance_spend(&activation->allowance, node->slot)) {
		return node_over(activation, node);
	}
	size_t count = 0;
	for (uint32_t i = 0; i < most; i++) {
		struct value key = list->args[2 * i]->eval(activation, list->args[2 * i]);
		if (!may_be_key(key)) {
			return key.tag == VALUE_ERROR ? key : node_unfit(node, "{}", &key, NULL);
		}
		struct node *arg = list->args[2 * i + 1];
		struct value value = arg->eval(activation, arg);
		bool there = list->optionals == NULL || !list->optionals[i] || unwrap(node, &value);
		if (value.tag == VALUE_ERROR) {
			return value;
		}
		if (there) {
			pairs[count++] = (struct value_pair){key, value};
		}
	}
	return node_placed(node, value_of_map(&activation->allowance, pairs, count));
}
