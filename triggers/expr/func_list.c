/* This file computes size() and the functions of lists. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"
#include "triggers/expr/text_unicode.h"

#include <stdlib.h>

/* Lists nest no deeper than JSON and expressions do. */
enum { FLATTEN_DEPTH_MAX = 600 };

/* ---- size ---- */

static struct value size_of_string(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	if (!text_spend(allowance, args[0].len)) {
		return allowance_error(allowance);
	}
	return value_int((int64_t)text_count(value_text(args[0])));
}

static struct value size_of_bytes(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_int(args[0].len);
}

static struct value size_of_list(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	return list != NULL ? value_int((int64_t)list->count) : allowance_error(allowance);
}

static struct value size_of_map(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_map *map = value_map(allowance, &args[0]);
	return map != NULL ? value_int((int64_t)map->count) : allowance_error(allowance);
}

/* ---- join ---- */

static struct value join_with(struct allowance *allowance, struct value args[], size_t count)
{
	struct span between = count == 2 ? value_text(args[1]) : SPAN("");
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	struct text_builder out = {.allowance = allowance};
	for (size_t i = 0; i < list->count && !out.failed; i++) {
		if (value_is_error(list->items[i])) {
			return list->items[i];
		}
		if (list->items[i].tag != VALUE_STRING) {
			return value_error(ERROR_NO_SUCH_OVERLOAD,
			                   "the list holds other than strings");
		}
		if (i != 0) {
			text_builder_add(&out, between);
		}
		text_builder_add(&out, value_text(list->items[i]));
	}
	return text_builder_string(&out);
}

/* ---- parts and orders ---- */

/* Room for so many items (none is room too), which the caller fills: each is paid for. NULL: over
 * the allowance. */
static struct value *take_items(struct allowance *allowance, size_t count)
{
	if (!allowance_spend(allowance, (int64_t)count)) {
		return NULL;
	}
	return ARENA_ARRAY(&allowance->arena, struct value, count + 1);
}

static struct value slice(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	int64_t from = args[1].as.i;
	int64_t to = args[2].as.i;
	if (from < 0 || to < from || (uint64_t)to > list->count) {
		return value_error(ERROR_OUT_OF_BOUNDS, NULL);
	}
	return value_of_list(allowance, list->items + from, (size_t)(to - from));
}

static struct value reverse(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	struct value *items = list != NULL ? take_items(allowance, list->count) : NULL;
	if (items == NULL) {
		return allowance_error(allowance);
	}
	for (size_t i = 0; i < list->count; i++) {
		items[i] = list->items[list->count - 1 - i];
	}
	return value_of_list(allowance, items, list->count);
}

/* The numbers from 0 to below the argument. */
static struct value range(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	size_t size = args[0].as.i > 0 ? (size_t)args[0].as.i : 0;
	struct value *items = take_items(allowance, size);
	if (items == NULL) {
		return allowance_error(allowance);
	}
	for (size_t i = 0; i < size; i++) {
		items[i] = value_int((int64_t)i);
	}
	return value_of_list(allowance, items, size);
}

/* Is the item equal to one of those? An error when the allowance does not say. */
static struct value is_among(struct allowance *allowance, struct value *item, struct value *those,
                             size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!allowance_spend(allowance, 1)) {
			return allowance_error(allowance);
		}
		struct value equal = value_equal(allowance, item, &those[i]);
		if (value_is_error(equal) || value_is_true(equal)) {
			return equal;
		}
	}
	return value_bool(false);
}

static struct value distinct(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	struct value *items = list != NULL ? take_items(allowance, list->count) : NULL;
	if (items == NULL) {
		return allowance_error(allowance);
	}
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct value known = is_among(allowance, &list->items[i], items, kept);
		if (value_is_error(known)) {
			return known;
		}
		if (!value_is_true(known)) {
			items[kept++] = list->items[i];
		}
	}
	return value_of_list(allowance, items, kept);
}

static int by_order(const void *a, const void *b)
{
	int order = 0;
	(void)value_compare(*(const struct value *)a, *(const struct value *)b, &order);
	return order;
}

/* Every item has an order to the first, and itself one (NaN has not); then all have to all. */
static bool have_order(const struct value_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct value item = list->items[i];
		int order = 0;
		if (!value_compare(item, list->items[0], &order) ||
		    !value_compare(item, item, &order)) {
			return false;
		}
	}
	return true;
}

/* The steps that comparing costs: each item about as often as the list can be halved. */
static int64_t cost_of_sorting(const struct value_list *list)
{
	int64_t once = 0;
	for (size_t i = 0; i < list->count; i++) {
		bool text = list->items[i].tag == VALUE_STRING || list->items[i].tag == VALUE_BYTES;
		once += 1 + (text ? list->items[i].len / TEXT_BYTES_PER_STEP : 0);
	}
	int64_t halvings = 1;
	for (size_t left = list->count; left > 1; left /= 2) {
		halvings++;
	}
	return once * halvings;
}

static struct value sort(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	struct value *items = list != NULL ? take_items(allowance, list->count) : NULL;
	if (items == NULL || !allowance_spend(allowance, cost_of_sorting(list))) {
		return allowance_error(allowance);
	}
	if (!have_order(list)) {
		return value_error(ERROR_INVALID_ARGUMENT, "the items of the list have no order");
	}
	for (size_t i = 0; i < list->count; i++) {
		items[i] = list->items[i];
	}
	qsort(items, list->count, sizeof *items, by_order);
	return value_of_list(allowance, items, list->count);
}

/* ---- flatten ---- */

struct flat {
	struct allowance *allowance;
	struct value *items;
	size_t count;
	size_t cap;
};

static bool flat_add(struct flat *flat, struct value item)
{
	if (flat->count == flat->cap) {
		size_t cap = flat->cap != 0 ? flat->cap * 2 : 8;
		struct value *items = ARENA_ARRAY(&flat->allowance->arena, struct value, cap);
		if (items == NULL) {
			return false;
		}
		memcpy(items, flat->items, flat->count * sizeof *items);
		flat->items = items;
		flat->cap = cap;
	}
	flat->items[flat->count++] = item;
	return allowance_spend(flat->allowance, 1);
}

static bool flat_fill(struct flat *flat, struct value *list, int64_t depth)
{
	const struct value_list *items = value_list(flat->allowance, list);
	bool ok = items != NULL;
	for (size_t i = 0; ok && i < items->count; i++) {
		if (items->items[i].tag == VALUE_LIST && depth > 0) {
			ok = flat_fill(flat, &items->items[i], depth - 1);
		} else {
			ok = flat_add(flat, items->items[i]);
		}
	}
	return ok;
}

static struct value flatten(struct allowance *allowance, struct value args[], size_t count)
{
	int64_t depth = count == 2 ? args[1].as.i : 1;
	if (depth < 0) {
		return value_error(ERROR_INVALID_ARGUMENT, "the depth is negative");
	}
	if (depth > FLATTEN_DEPTH_MAX) {
		depth = FLATTEN_DEPTH_MAX;
	}
	struct flat flat = {.allowance = allowance};
	flat.items = ARENA_NEW(&allowance->arena, struct value);
	if (flat.items == NULL || !flat_fill(&flat, &args[0], depth)) {
		return allowance_error(allowance);
	}
	return value_of_list(allowance, flat.items, flat.count);
}

#define SIZE(method, takes, fn)                                                                    \
	{                                                                                          \
		"size", (method), 1, false, {(takes)}, TAKES_INT, (fn)                             \
	}

const struct overload overload_list[] = {
        SIZE(false, TAKES_STRING, size_of_string),
        SIZE(false, TAKES_LIST, size_of_list),
        SIZE(false, TAKES_MAP, size_of_map),
        SIZE(false, TAKES_BYTES, size_of_bytes),
        SIZE(true, TAKES_STRING, size_of_string),
        SIZE(true, TAKES_LIST, size_of_list),
        SIZE(true, TAKES_MAP, size_of_map),
        SIZE(true, TAKES_BYTES, size_of_bytes),
        {"join", true, 1, false, {TAKES_LIST}, TAKES_STRING, join_with},
        {"join", true, 2, false, {TAKES_LIST, TAKES_STRING}, TAKES_STRING, join_with},
        {"slice", true, 3, false, {TAKES_LIST, TAKES_INT, TAKES_INT}, TAKES_LIST, slice},
        {"reverse", true, 1, false, {TAKES_LIST}, TAKES_LIST, reverse},
        {"distinct", true, 1, false, {TAKES_LIST}, TAKES_LIST, distinct},
        {"sort", true, 1, false, {TAKES_LIST}, TAKES_LIST, sort},
        {"flatten", true, 1, false, {TAKES_LIST}, TAKES_LIST, flatten},
        {"flatten", true, 2, false, {TAKES_LIST, TAKES_INT}, TAKES_LIST, flatten},
        {"lists.range", false, 1, false, {TAKES_INT}, TAKES_LIST, range},
        {0},
};
