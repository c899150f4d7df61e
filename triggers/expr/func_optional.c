/* This file computes the functions of optional values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"

static struct value none(void)
{
	return (struct value){.tag = VALUE_OPTIONAL, .as.inner = NULL};
}

/* An item of JSON may be the error that it did not fit the arena, which stays one. */
static struct value some(struct allowance *allowance, struct value value)
{
	if (value_is_error(value)) {
		return value;
	}
	struct value *inner = ARENA_NEW(&allowance->arena, struct value);
	if (inner == NULL) {
		return allowance_error(allowance);
	}
	*inner = value;
	return (struct value){.tag = VALUE_OPTIONAL, .as.inner = inner};
}

static struct value optional_of(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	return some(allowance, args[0]);
}

static struct value optional_none(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)args;
	(void)count;
	return none();
}

/* Is it what a variable of its type is when nobody has set it? */
static bool is_zero(struct value value)
{
	static const int64_t YEAR_ONE = -62135596800; /* timestamps begin there */
	switch (value.tag) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return !value.as.b;
	case VALUE_INT:
	case VALUE_UINT:
		return value.as.u == 0;
	case VALUE_DOUBLE:
		return value_double(value) == 0;
	case VALUE_STRING:
	case VALUE_BYTES:
		return value.len == 0;
	case VALUE_TIMESTAMP:
		return value.as.i == YEAR_ONE && value.len == 0;
	case VALUE_DURATION:
		return value.as.i == 0 && value.len == 0;
	default:
		return false;
	}
}

static struct value of_non_zero(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	return is_zero(args[0]) ? none() : some(allowance, args[0]);
}

static struct value of_non_empty_list(struct allowance *allowance, struct value args[],
                                      size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	return list->count == 0 ? none() : some(allowance, args[0]);
}

static struct value of_non_empty_map(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_map *map = value_map(allowance, &args[0]);
	if (map == NULL) {
		return allowance_error(allowance);
	}
	return map->count == 0 ? none() : some(allowance, args[0]);
}

static struct value has_value(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_bool(args[0].as.inner != NULL);
}

static struct value inner_value(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[0].as.inner != NULL ? *args[0].as.inner : value_error(ERROR_NO_VALUE, NULL);
}

static struct value or_optional(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[args[0].as.inner != NULL ? 0 : 1];
}

static struct value or_value(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[0].as.inner != NULL ? *args[0].as.inner : args[1];
}

/* The values of those that have one. */
static struct value unwrap(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL || !allowance_spend(allowance, (int64_t)list->count)) {
		return allowance_error(allowance);
	}
	struct value *items = ARENA_ARRAY(&allowance->arena, struct value, list->count + 1);
	if (items == NULL) {
		return allowance_error(allowance);
	}
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct value item = list->items[i];
		if (item.tag != VALUE_OPTIONAL) {
			return value_error(ERROR_NO_SUCH_OVERLOAD,
			                   "the list holds other than optionals");
		}
		if (item.as.inner != NULL) {
			items[kept++] = *item.as.inner;
		}
	}
	return value_of_list(allowance, items, kept);
}

static struct value first(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	return list->count != 0 ? some(allowance, list->items[0]) : none();
}

static struct value last(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	return list->count != 0 ? some(allowance, list->items[list->count - 1]) : none();
}

#define ONE(takes, gives, fn)  1, false, {(takes)}, (gives), (fn)
#define TWO(second, gives, fn) 2, false, {TAKES_OPTIONAL, (second)}, (gives), (fn)

const struct overload overload_optional[] = {
        {"optional.of", false, ONE(TAKES_ANY, TAKES_OPTIONAL, optional_of)},
        {"optional.none", false, 0, false, {0}, TAKES_OPTIONAL, optional_none},
        {"optional.ofNonZeroValue", false, ONE(TAKES_LIST, TAKES_OPTIONAL, of_non_empty_list)},
        {"optional.ofNonZeroValue", false, ONE(TAKES_MAP, TAKES_OPTIONAL, of_non_empty_map)},
        {"optional.ofNonZeroValue", false, ONE(TAKES_ANY, TAKES_OPTIONAL, of_non_zero)},
        {"hasValue", true, ONE(TAKES_OPTIONAL, TAKES_BOOL, has_value)},
        {"value", true, ONE(TAKES_OPTIONAL, TAKES_ANY, inner_value)},
        {"or", true, TWO(TAKES_OPTIONAL, TAKES_OPTIONAL, or_optional)},
        {"orValue", true, TWO(TAKES_ANY, TAKES_ANY, or_value)},
        {"optional.unwrap", false, ONE(TAKES_LIST, TAKES_LIST, unwrap)},
        {"unwrapOpt", true, ONE(TAKES_LIST, TAKES_LIST, unwrap)},
        {"first", true, ONE(TAKES_LIST, TAKES_OPTIONAL, first)},
        {"last", true, ONE(TAKES_LIST, TAKES_OPTIONAL, last)},
        {0},
};
