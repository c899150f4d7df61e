/* This file evaluates constants, paths, fields and indexes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"

#include "base/mem.h"
#include "triggers/expr/text_equal.h"
#include <math.h>

enum { KEY_TEXT_MAX = 64 }; /* bytes of a missing key that an error shows */

static struct value none(void)
{
	return (struct value){.tag = VALUE_OPTIONAL};
}

/* ---- constants, slots, locals ---- */

struct value eval_const(struct activation *activation, struct node *node)
{
	(void)activation;
	return node_placed(node, ((struct node_const *)(void *)node)->value);
}

struct value eval_slot(struct activation *activation, struct node *node)
{
	return node_placed(node, activation_get(activation, node->slot));
}

struct value eval_local(struct activation *activation, struct node *node)
{
	return activation->locals[node->slot];
}

/* ---- fields ---- */

/* value_map, without a call for what is parsed. */
static inline const struct value_map *members(struct activation *activation, struct value *map)
{
	return (map->flags & VALUE_TEXT) == 0 ? map->as.map
	                                      : value_map(&activation->allowance, map);
}

/* The pair of that name: where it was the last time, or wherever it is now. NULL: nowhere. */
static inline struct value *find_field(const struct value_map *map, struct node_select *select)
{
	uint32_t hint = select->node.slot;
	if (hint < map->count) {
		const struct value *key = &map->pairs[hint].key;
		if (key->tag == VALUE_STRING && key->len == select->name.len &&
		    text_equal(key->as.text, select->name.ptr, key->len)) {
			return &map->pairs[hint].value;
		}
	}
	struct value *found = value_map_get_name(map, select->name);
	if (found != NULL) {
		select->node.slot =
		        (uint32_t)(MEM_CONTAINER(found, struct value_pair, value) - map->pairs);
	}
	return found;
}

/* What is selected from an optional is an optional: none, if there is no such field. */
static struct value maybe_field(struct activation *activation, struct node *node,
                                struct value *from)
{
	struct node_select *select = (struct node_select *)(void *)node;
	if (from->tag == VALUE_NULL) {
		return none();
	}
	if (from->tag != VALUE_MAP) {
		return node_unfit(node, NULL, from, NULL);
	}
	const struct value_map *map = value_map(&activation->allowance, from);
	if (map == NULL) {
		return node_over(activation, node);
	}
	struct value *found = find_field(map, select);
	return found != NULL ? node_optional(activation, node, *found) : none();
}

static struct value field_of_optional(struct activation *activation, struct node *node,
                                      struct value optional)
{
	if (optional.as.inner == NULL) {
		return none();
	}
	struct value inner = *optional.as.inner;
	return maybe_field(activation, node, &inner);
}

static struct value *place_field(struct activation *activation, struct node *node,
                                 struct value *from, struct value *room)
{
	struct node_select *select = (struct node_select *)(void *)node;
	if (from->tag == VALUE_MAP) {
		const struct value_map *map = members(activation, from);
		struct value *found = map != NULL ? find_field(map, select) : NULL;
		if (found != NULL) {
			return found;
		}
		*room = map == NULL ? node_over(activation, node)
		                    : node_error(node, ERROR_NO_SUCH_KEY, select->name.ptr);
		return room;
	}
	if (from->tag == VALUE_OPTIONAL) {
		*room = field_of_optional(activation, node, *from);
		return room;
	}
	if (from->tag != VALUE_ERROR) {
		*room = node_unfit(node, NULL, from, NULL);
		return room;
	}
	return from;
}

struct value *node_slot_place(struct activation *activation, const struct node *node,
                              struct value *room)
{
	struct value *slot = &activation->slots[node->slot]; /* expr_eval made the room */
	if (slot->tag > VALUE_ERROR) {
		return slot;
	}
	*room = node_placed(node, activation_get(activation, node->slot));
	return value_is_error(*room) ? room : slot;
}

struct value *node_place(struct activation *activation, struct node *node, struct value *room)
{
	struct node_select *select = (struct node_select *)(void *)node;
	switch (node->kind) {
	case NODE_SLOT:
		return node_slot_place(activation, node, room);
	case NODE_LOCAL:
		return &activation->locals[node->slot];
	case NODE_SELECT:
		return place_field(activation, node,
		                   select->operand->kind == NODE_LOCAL
		                           ? &activation->locals[select->operand->slot]
		                           : node_place(activation, select->operand, room),
		                   room);
	default:
		*room = node->eval(activation, node);
		return room;
	}
}

struct value eval_select(struct activation *activation, struct node *node)
{
	struct node_select *select = (struct node_select *)(void *)node;
	struct value room;
	struct value *from = node_place(activation, select->operand, &room);
	if (node->op && from->tag != VALUE_ERROR && from->tag != VALUE_OPTIONAL) {
		return maybe_field(activation, node, from);
	}
	return *place_field(activation, node, from, &room);
}

struct value eval_has(struct activation *activation, struct node *node)
{
	struct node_select *select = (struct node_select *)(void *)node;
	struct value room;
	struct value *from = node_place(activation, select->operand, &room);
	if (from->tag == VALUE_ERROR) {
		return *from;
	}
	struct value inner;
	if (from->tag == VALUE_OPTIONAL && from->as.inner != NULL) {
		inner = *from->as.inner;
		from = &inner;
	}
	if (from->tag == VALUE_NULL || from->tag == VALUE_OPTIONAL) {
		return value_bool(false);
	}
	if (from->tag != VALUE_MAP) {
		return node_unfit(node, NULL, from, NULL);
	}
	const struct value_map *map = value_map(&activation->allowance, from);
	return map != NULL ? value_bool(find_field(map, select) != NULL)
	                   : node_over(activation, node);
}

/* ---- whether a slot is there ---- */

/* Of a slot that is an error: true if nothing worse happened than that the field is not in its
 * parent, or that the parent is null. */
static bool is_absent(struct activation *activation, uint32_t slot)
{
	uint32_t parent = paths_parent(activation->paths, slot);
	if (parent == PATHS_NONE) {
		return false;
	}
	struct value from = activation_get(activation, parent);
	return from.tag == VALUE_NULL ||
	       (from.tag == VALUE_MAP &&
	        activation_get(activation, slot).code == ERROR_NO_SUCH_KEY);
}

struct value eval_test_has(struct activation *activation, struct node *node)
{
	struct value value = activation_get(activation, node->slot);
	if (value.tag != VALUE_ERROR) {
		return value_bool(true);
	}
	return is_absent(activation, node->slot) ? value_bool(false) : node_placed(node, value);
}

struct value eval_slot_maybe(struct activation *activation, struct node *node)
{
	struct value value = activation_get(activation, node->slot);
	if (value.tag != VALUE_ERROR) {
		return node_optional(activation, node, value);
	}
	return is_absent(activation, node->slot) ? none() : node_placed(node, value);
}

/* ---- indexes ---- */

static bool list_index(struct value index, uint64_t *out)
{
	switch (index.tag) {
	case VALUE_INT:
	case VALUE_UINT:
		*out = index.as.u; /* a negative one is beyond every list */
		return true;
	case VALUE_DOUBLE:
		if (index.flags & (VALUE_EXACT | VALUE_EXACT_UNSIGNED)) {
			*out = index.as.u;
			return true;
		}
		if (index.as.d < 0 || index.as.d > (double)UINT32_MAX ||
		    index.as.d != floor(index.as.d)) {
			return false;
		}
		*out = (uint64_t)index.as.d;
		return true;
	default:
		return false;
	}
}

static struct value no_such_key(struct activation *activation, const struct node *node,
                                struct value key)
{
	const char *text = NULL;
	if (key.tag == VALUE_STRING && key.len <= KEY_TEXT_MAX) {
		text = arena_copy(&activation->allowance.arena, value_text(key)).ptr;
	}
	return node_error(node, ERROR_NO_SUCH_KEY, text);
}

/* *out: the item, or NULL with the error that says why there is none. */
static struct value find_item(struct activation *activation, const struct node *node,
                              struct value *from, struct value key, struct value **out)
{
	*out = NULL;
	if (from->tag == VALUE_LIST) {
		uint64_t index = 0;
		if (!list_index(key, &index)) {
			return key.tag == VALUE_DOUBLE
			               ? node_error(node, ERROR_INVALID_ARGUMENT, "[]")
			               : node_unfit(node, "[]", from, &key);
		}
		const struct value_list *list = value_list(&activation->allowance, from);
		if (list == NULL) {
			return node_over(activation, node);
		}
		if (index >= list->count) {
			return node_error(node, ERROR_OUT_OF_BOUNDS, NULL);
		}
		*out = &list->items[index];
		return value_bool(true);
	}
	if (from->tag != VALUE_MAP) {
		return node_unfit(node, "[]", from, &key);
	}
	const struct value_map *map = value_map(&activation->allowance, from);
	if (map == NULL) {
		return node_over(activation, node);
	}
	if (key.tag < VALUE_BOOL || key.tag > VALUE_STRING) {
		return node_unfit(node, "[]", from, &key);
	}
	*out = value_map_get(map, key);
	return *out != NULL ? value_bool(true) : no_such_key(activation, node, key);
}

static struct value index_maybe(struct activation *activation, struct node *node,
                                struct value *from, struct value key)
{
	if (from->tag == VALUE_NULL) {
		return none();
	}
	struct value *item = NULL;
	struct value error = find_item(activation, node, from, key, &item);
	if (item != NULL) {
		return node_optional(activation, node, *item);
	}
	bool absent = error.code == ERROR_NO_SUCH_KEY || error.code == ERROR_OUT_OF_BOUNDS;
	return absent ? none() : error;
}

static struct value index_of(struct activation *activation, struct node *node, bool maybe)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct value key_room;
	struct value key = *node_place(activation, list->args[1], &key_room);
	struct value room;
	struct value *from = node_place(activation, list->args[0], &room);
	if (from->tag == VALUE_ERROR) {
		return *from;
	}
	if (key.tag == VALUE_ERROR) {
		return key;
	}
	if (from->tag == VALUE_OPTIONAL) {
		if (from->as.inner == NULL) {
			return none();
		}
		struct value inner = *from->as.inner;
		return index_maybe(activation, node, &inner, key);
	}
	if (maybe) {
		return index_maybe(activation, node, from, key);
	}
	struct value *item = NULL;
	struct value error = find_item(activation, node, from, key, &item);
	return item != NULL ? *item : error;
}

struct value eval_index(struct activation *activation, struct node *node)
{
	return index_of(activation, node, false);
}

struct value eval_index_maybe(struct activation *activation, struct node *node)
{
	return index_of(activation, node, true);
}
