/* This file walks what a loop goes over: the items of a list, the pairs of a map. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_LOOP_RANGE_H
#define TRIGGERS_EXPR_LOOP_RANGE_H

#include "triggers/expr/node.h"

static const char LOOP_RANGE[] = "a loop goes over a list or a map";
static const char LOOP_BODY[] = "what a loop asks is not true or false";

/* The range lives in its place, so that what a body parses of an item is parsed for all who ask for
 * it later: loop_range_done puts the items back. */
struct loop_range {
	const struct value_list *list; /* or NULL */
	const struct value_map *map;
	size_t count;
};

/* VALUE_UNSET, or the error that ends the loop before it begins. */
static inline struct value loop_range_open(struct activation *activation,
                                           const struct node_loop *loop, struct value *from,
                                           struct loop_range *out)
{
	*out = (struct loop_range){0};
	if (from->tag == VALUE_LIST) {
		out->list = value_list(&activation->allowance, from);
		out->count = out->list != NULL ? out->list->count : 0;
	} else if (from->tag == VALUE_MAP) {
		out->map = value_map(&activation->allowance, from);
		out->count = out->map != NULL ? out->map->count : 0;
	} else {
		return from->tag == VALUE_ERROR ? *from
		                                : node_unfit(&loop->node, LOOP_RANGE, from, NULL);
	}
	return out->list == NULL && out->map == NULL ? node_over(activation, &loop->node)
	                                             : (struct value){0};
}

/* Gives the variables their values of step `i`. */
static inline void loop_range_bind(struct activation *activation, const struct node_loop *loop,
                                   const struct loop_range *range, size_t i)
{
	struct value *locals = &activation->locals[loop->node.slot];
	if (range->list != NULL) {
		locals[0] = loop->two ? value_int((int64_t)i) : range->list->items[i];
		if (loop->two) {
			locals[1] = range->list->items[i];
		}
		return;
	}
	locals[0] = range->map->pairs[i].key;
	if (loop->two) {
		locals[1] = range->map->pairs[i].value;
	}
}

static inline void loop_range_done(struct activation *activation, const struct node_loop *loop,
                                   const struct loop_range *range, size_t i)
{
	struct value *local = &activation->locals[loop->node.slot + (loop->two ? 1 : 0)];
	struct value *from = range->list != NULL ? &range->list->items[i]
	                     : loop->two         ? &range->map->pairs[i].value
	                                         : local;
	if ((from->flags & VALUE_TEXT) != 0) {
		*from = *local;
	}
}

#endif
