/* This file computes < <= > >= and the operator `in`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"

/* Looking at two texts costs by the shorter one. False: over the allowance. */
static bool pay(struct allowance *allowance, const struct value args[])
{
	if (args[0].tag != VALUE_STRING && args[0].tag != VALUE_BYTES) {
		return true;
	}
	return text_spend(allowance, args[0].len < args[1].len ? args[0].len : args[1].len);
}

static struct value less(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	int order = 0;
	if (!pay(allowance, args)) {
		return allowance_error(allowance);
	}
	return value_bool(value_compare(args[0], args[1], &order) && order < 0);
}

static struct value less_equal(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	int order = 0;
	if (!pay(allowance, args)) {
		return allowance_error(allowance);
	}
	return value_bool(value_compare(args[0], args[1], &order) && order <= 0);
}

static struct value greater(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	int order = 0;
	if (!pay(allowance, args)) {
		return allowance_error(allowance);
	}
	return value_bool(value_compare(args[0], args[1], &order) && order > 0);
}

static struct value greater_equal(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	int order = 0;
	if (!pay(allowance, args)) {
		return allowance_error(allowance);
	}
	return value_bool(value_compare(args[0], args[1], &order) && order >= 0);
}

static struct value in_list(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[1]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!allowance_spend(allowance, 1)) {
			return allowance_error(allowance);
		}
		struct value equal = value_equal(allowance, &args[0], &list->items[i]);
		if (value_is_error(equal) || value_is_true(equal)) {
			return equal;
		}
	}
	return value_bool(false);
}

static struct value in_map(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_map *map = value_map(allowance, &args[1]);
	bool text = args[0].tag == VALUE_STRING;
	if (map == NULL || !text_spend(allowance, text ? args[0].len : 0)) {
		return allowance_error(allowance);
	}
	return value_bool(value_map_get(map, args[0]) != NULL);
}

#define ROW(name, takes, fn)                                                                       \
	{                                                                                          \
		(name), false, 2, false, {(takes), (takes)}, TAKES_BOOL, (fn)                      \
	}
#define ORDER(name, fn)                                                                            \
	ROW(name, TAKES_NUMBER, fn), ROW(name, TAKES_STRING, fn), ROW(name, TAKES_BOOL, fn),       \
	        ROW(name, TAKES_BYTES, fn), ROW(name, TAKES_TIMESTAMP, fn),                        \
	        ROW(name, TAKES_DURATION, fn)

const struct overload overload_compare[] = {
        ORDER("_<_", less),
        ORDER("_<=_", less_equal),
        ORDER("_>_", greater),
        ORDER("_>=_", greater_equal),
        {"@in", false, 2, false, {TAKES_ANY, TAKES_LIST}, TAKES_BOOL, in_list},
        {"@in", false, 2, false, {TAKES_ANY, TAKES_MAP}, TAKES_BOOL, in_map},
        {0},
};
