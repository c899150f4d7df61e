/* This file computes the functions of math: the extremes, rounding, signs, kinds and bits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overload.h"

#include <math.h>
#include <stdint.h>

/* A number of JSON that is known to be an integer. */
static bool is_exact(struct value number)
{
	return (number.flags & (VALUE_EXACT | VALUE_EXACT_UNSIGNED)) != 0;
}

/* ---- the extremes ---- */

/* The first of the numbers that none of the others is beyond, as it is; side 1: the greatest. */
static struct value extreme(struct allowance *allowance, const struct value *numbers, size_t count,
                            int side)
{
	if (count == 0) {
		return value_error(ERROR_INVALID_ARGUMENT, "the list is empty");
	}
	if (!allowance_spend(allowance, (int64_t)count)) {
		return allowance_error(allowance);
	}
	struct value best = numbers[0];
	for (size_t i = 0; i < count; i++) {
		int order = 0;
		if (value_is_error(numbers[i])) {
			return numbers[i];
		}
		if ((1U << numbers[i].tag & TAKES_NUMBER) == 0) {
			return value_error(ERROR_NO_SUCH_OVERLOAD,
			                   "the list holds other than numbers");
		}
		if (value_compare(numbers[i], best, &order) && order * side > 0) {
			best = numbers[i];
		}
	}
	return best;
}

static struct value greatest(struct allowance *allowance, struct value args[], size_t count)
{
	return extreme(allowance, args, count, 1);
}

static struct value least(struct allowance *allowance, struct value args[], size_t count)
{
	return extreme(allowance, args, count, -1);
}

static struct value greatest_of(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	return list != NULL ? extreme(allowance, list->items, list->count, 1)
	                    : allowance_error(allowance);
}

static struct value least_of(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	const struct value_list *list = value_list(allowance, &args[0]);
	return list != NULL ? extreme(allowance, list->items, list->count, -1)
	                    : allowance_error(allowance);
}

/* ---- rounding ---- */

static struct value rounded(struct value number, double by(double))
{
	return is_exact(number) ? number : value_double_of(by(number.as.d));
}

static struct value math_ceil(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return rounded(args[0], ceil);
}

static struct value math_floor(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return rounded(args[0], floor);
}

static struct value math_round(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return rounded(args[0], round);
}

static struct value math_trunc(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return rounded(args[0], trunc);
}

static struct value math_sqrt(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(sqrt(value_double(args[0])));
}

/* ---- signs ---- */

static struct value int_abs(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	if (args[0].as.i == INT64_MIN) {
		return value_error(ERROR_OVERFLOW, NULL);
	}
	return value_int(args[0].as.i < 0 ? -args[0].as.i : args[0].as.i);
}

static struct value uint_abs(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return args[0];
}

static struct value double_abs(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_double_of(fabs(value_double(args[0])));
}

static struct value int_sign(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_int((args[0].as.i > 0) - (args[0].as.i < 0));
}

static struct value uint_sign(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_uint(args[0].as.u > 0);
}

/* Of NaN and of both zeros: itself. */
static struct value double_sign(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	double number = value_double(args[0]);
	return value_double_of(number > 0 ? 1 : number < 0 ? -1 : number);
}

/* ---- kinds ---- */

static struct value math_is_nan(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_bool(isnan(value_double(args[0])));
}

static struct value math_is_inf(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_bool(isinf(value_double(args[0])));
}

static struct value math_is_finite(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return value_bool(isfinite(value_double(args[0])));
}

/* ---- bits ---- */

/* The bits as a number of the kind of `like`. */
static struct value of_bits(struct value like, uint64_t bits)
{
	return like.tag == VALUE_INT ? value_int((int64_t)bits) : value_uint(bits);
}

static struct value bit_and(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return of_bits(args[0], args[0].as.u & args[1].as.u);
}

static struct value bit_or(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return of_bits(args[0], args[0].as.u | args[1].as.u);
}

static struct value bit_xor(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return of_bits(args[0], args[0].as.u ^ args[1].as.u);
}

static struct value bit_not(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	return of_bits(args[0], ~args[0].as.u);
}

static struct value shift_left(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t by = args[1].as.i;
	if (by < 0) {
		return value_error(ERROR_INVALID_ARGUMENT, "the shift is negative");
	}
	return of_bits(args[0], by < 64 ? args[0].as.u << by : 0);
}

/* Zeros come in from the left, also for an int. */
static struct value shift_right(struct allowance *allowance, struct value args[], size_t count)
{
	(void)allowance;
	(void)count;
	int64_t by = args[1].as.i;
	if (by < 0) {
		return value_error(ERROR_INVALID_ARGUMENT, "the shift is negative");
	}
	return of_bits(args[0], by < 64 ? args[0].as.u >> by : 0);
}

#define ONE(takes, gives, fn) false, 1, false, {(takes)}, (gives), (fn)
#define BITS(takes, fn)       false, 2, false, {(takes), (takes)}, (takes), (fn)
#define SHIFT(takes, fn)      false, 2, false, {(takes), TAKES_INT}, (takes), (fn)

const struct overload overload_math[] = {
        {"math.greatest", ONE(TAKES_LIST, TAKES_NUMBER, greatest_of)},
        {"math.greatest", false, 1, true, {TAKES_NUMBER}, TAKES_NUMBER, greatest},
        {"math.least", ONE(TAKES_LIST, TAKES_NUMBER, least_of)},
        {"math.least", false, 1, true, {TAKES_NUMBER}, TAKES_NUMBER, least},
        {"math.ceil", ONE(TAKES_DOUBLE, TAKES_DOUBLE, math_ceil)},
        {"math.floor", ONE(TAKES_DOUBLE, TAKES_DOUBLE, math_floor)},
        {"math.round", ONE(TAKES_DOUBLE, TAKES_DOUBLE, math_round)},
        {"math.trunc", ONE(TAKES_DOUBLE, TAKES_DOUBLE, math_trunc)},
        {"math.sqrt", ONE(TAKES_NUMBER, TAKES_DOUBLE, math_sqrt)},
        {"math.abs", ONE(TAKES_INT, TAKES_INT, int_abs)},
        {"math.abs", ONE(TAKES_UINT, TAKES_UINT, uint_abs)},
        {"math.abs", ONE(TAKES_DOUBLE, TAKES_DOUBLE, double_abs)},
        {"math.sign", ONE(TAKES_INT, TAKES_INT, int_sign)},
        {"math.sign", ONE(TAKES_UINT, TAKES_UINT, uint_sign)},
        {"math.sign", ONE(TAKES_DOUBLE, TAKES_DOUBLE, double_sign)},
        {"math.isNaN", ONE(TAKES_DOUBLE, TAKES_BOOL, math_is_nan)},
        {"math.isInf", ONE(TAKES_DOUBLE, TAKES_BOOL, math_is_inf)},
        {"math.isFinite", ONE(TAKES_DOUBLE, TAKES_BOOL, math_is_finite)},
        {"math.bitAnd", BITS(TAKES_INT, bit_and)},
        {"math.bitAnd", BITS(TAKES_UINT, bit_and)},
        {"math.bitOr", BITS(TAKES_INT, bit_or)},
        {"math.bitOr", BITS(TAKES_UINT, bit_or)},
        {"math.bitXor", BITS(TAKES_INT, bit_xor)},
        {"math.bitXor", BITS(TAKES_UINT, bit_xor)},
        {"math.bitNot", ONE(TAKES_INT, TAKES_INT, bit_not)},
        {"math.bitNot", ONE(TAKES_UINT, TAKES_UINT, bit_not)},
        {"math.bitShiftLeft", SHIFT(TAKES_INT, shift_left)},
        {"math.bitShiftLeft", SHIFT(TAKES_UINT, shift_left)},
        {"math.bitShiftRight", SHIFT(TAKES_INT, shift_right)},
        {"math.bitShiftRight", SHIFT(TAKES_UINT, shift_right)},
        {0},
};
