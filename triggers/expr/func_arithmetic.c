/* This file computes + - * / % and the unary minus. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"

#include <stdint.h>

/*
 * DESIGN. Integers are checked: what does not fit is an error, never wrapped. Where one side is a
 * double (a number of JSON is one) the other becomes a double too: that is an extension, the
 * language itself has no such overloads. int with uint has none, nor has the remainder of doubles.
 */

/* ---- int ---- */

static struct value int_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t sum = 0;
	if (__builtin_add_overflow(args[0].as.i, args[1].as.i, &sum)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(sum);
}

static struct value int_subtract(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t difference = 0;
	if (__builtin_sub_overflow(args[0].as.i, args[1].as.i, &difference)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(difference);
}

static struct value int_multiply(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t product = 0;
	if (__builtin_mul_overflow(args[0].as.i, args[1].as.i, &product)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(product);
}

static struct value int_divide(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[1].as.i == 0) {
		return value_error(ERROR_DIVIDE_BY_ZERO, NULL);
	}
	if (args[0].as.i == INT64_MIN && args[1].as.i == -1) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(args[0].as.i / args[1].as.i);
}

static struct value int_remainder(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[1].as.i == 0) {
		return value_error(ERROR_DIVIDE_BY_ZERO, "remainder of a division by zero");
	}
	if (args[0].as.i == INT64_MIN && args[1].as.i == -1) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(args[0].as.i % args[1].as.i);
}

static struct value int_negate(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[0].as.i == INT64_MIN) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(-args[0].as.i);
}

/* ---- uint ---- */

static struct value uint_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	uint64_t sum = 0;
	if (__builtin_add_overflow(args[0].as.u, args[1].as.u, &sum)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_uint(sum);
}

static struct value uint_subtract(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	uint64_t difference = 0;
	if (__builtin_sub_overflow(args[0].as.u, args[1].as.u, &difference)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_uint(difference);
}

static struct value uint_multiply(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	uint64_t product = 0;
	if (__builtin_mul_overflow(args[0].as.u, args[1].as.u, &product)) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_uint(product);
}

static struct value uint_divide(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[1].as.u == 0) {
		return value_error(ERROR_DIVIDE_BY_ZERO, NULL);
	}
	return value_uint(args[0].as.u / args[1].as.u);
}

static struct value uint_remainder(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[1].as.u == 0) {
		return value_error(ERROR_DIVIDE_BY_ZERO, "remainder of a division by zero");
	}
	return value_uint(args[0].as.u % args[1].as.u);
}

/* ---- double, and what a double makes one ---- */

static struct value double_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(value_double(args[0]) + value_double(args[1]));
}

static struct value double_subtract(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(value_double(args[0]) - value_double(args[1]));
}

static struct value double_multiply(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(value_double(args[0]) * value_double(args[1]));
}

static struct value double_divide(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(value_double(args[0]) / value_double(args[1]));
}

static struct value double_negate(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(-value_double(args[0]));
}

/* ---- joining ---- */

static void join(struct text_builder *out, const struct value args[])
{
	if (text_builder_reserve(out, (size_t)args[0].len + args[1].len)) {
		text_builder_add(out, value_text(args[0]));
		text_builder_add(out, value_text(args[1]));
	}
}

static struct value string_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct text_builder out = {.allowance = allowance};
	join(&out, args);
	return text_builder_string(&out);
}

static struct value bytes_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct text_builder out = {.allowance = allowance};
	join(&out, args);
	return text_builder_bytes(&out);
}

static struct value list_add(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *a = value_list(allowance, &args[0]);
	const struct value_list *b = a != NULL ? value_list(allowance, &args[1]) : NULL;
	if (b == NULL || !allowance_spend(allowance, (int64_t)(a->count + b->count))) {
		return allowance_error(allowance);
	}
	if (a->count == 0 || b->count == 0) {
		return args[a->count == 0 ? 1 : 0];
	}
	struct value *items = ARENA_ARRAY(&allowance->arena, struct value, a->count + b->count);
	if (items == NULL) {
		return allowance_error(allowance);
	}
	memcpy(items, a->items, a->count * sizeof *items);
	memcpy(items + a->count, b->items, b->count * sizeof *items);
	return value_of_list(allowance, items, a->count + b->count);
}

#define BOTH(takes, fn)  2, false, {(takes), (takes)}, (takes), (fn)
#define LEFT_DOUBLE(fn)  2, false, {TAKES_DOUBLE, TAKES_NUMBER}, TAKES_DOUBLE, (fn)
#define RIGHT_DOUBLE(fn) 2, false, {TAKES_NUMBER, TAKES_DOUBLE}, TAKES_DOUBLE, (fn)
#define ONE(takes, fn)   1, false, {(takes)}, (takes), (fn)

const struct overload overload_arithmetic[] = {
        {"_+_", false, BOTH(TAKES_INT, int_add)},
        {"_+_", false, LEFT_DOUBLE(double_add)},
        {"_+_", false, RIGHT_DOUBLE(double_add)},
        {"_+_", false, BOTH(TAKES_STRING, string_add)},
        {"_+_", false, BOTH(TAKES_UINT, uint_add)},
        {"_+_", false, BOTH(TAKES_LIST, list_add)},
        {"_+_", false, BOTH(TAKES_BYTES, bytes_add)},
        {"_-_", false, BOTH(TAKES_INT, int_subtract)},
        {"_-_", false, LEFT_DOUBLE(double_subtract)},
        {"_-_", false, RIGHT_DOUBLE(double_subtract)},
        {"_-_", false, BOTH(TAKES_UINT, uint_subtract)},
        {"_*_", false, BOTH(TAKES_INT, int_multiply)},
        {"_*_", false, LEFT_DOUBLE(double_multiply)},
        {"_*_", false, RIGHT_DOUBLE(double_multiply)},
        {"_*_", false, BOTH(TAKES_UINT, uint_multiply)},
        {"_/_", false, BOTH(TAKES_INT, int_divide)},
        {"_/_", false, LEFT_DOUBLE(double_divide)},
        {"_/_", false, RIGHT_DOUBLE(double_divide)},
        {"_/_", false, BOTH(TAKES_UINT, uint_divide)},
        {"_%_", false, BOTH(TAKES_INT, int_remainder)},
        {"_%_", false, BOTH(TAKES_UINT, uint_remainder)},
        {"-_", false, ONE(TAKES_INT, int_negate)},
        {"-_", false, ONE(TAKES_DOUBLE, double_negate)},
        {0},
};
