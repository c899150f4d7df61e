/* This file compares and hashes values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/hash.h"
#include "triggers/expr/value.h"

#include <math.h>

/*
 * DESIGN. Numbers are compared by their exact value whatever their types: an integer and a double
 * meet as integers, after the double was found to be in range, and then by what the double has
 * behind the point. Equality of containers walks both at once, parsing JSON text in place only
 * where the bytes differ. Its depth is bounded: JSON has at most 512 levels, and an expression adds
 * one for each that it writes.
 */
enum { DEPTH_MOST = 1024, BYTES_OF_STEP = 16 };

static const double two_to_63 = 9223372036854775808.0;
static const double two_to_64 = 18446744073709551616.0;

/* ---- numbers ---- */

/* What a number of any type is when one looks closely. */
struct number {
	enum { NUMBER_SIGNED, NUMBER_UNSIGNED, NUMBER_REAL } kind;
	union {
		int64_t i;
		uint64_t u;
		double d;
	} as;
};

static bool is_number(struct value value)
{
	return value.tag >= VALUE_INT && value.tag <= VALUE_DOUBLE;
}

static bool is_signed(struct value value)
{
	return value.tag == VALUE_INT || (value.flags & VALUE_EXACT) != 0;
}

static struct number number_of(struct value value)
{
	if (is_signed(value)) {
		return (struct number){.kind = NUMBER_SIGNED, .as.i = value.as.i};
	}
	if (value.tag == VALUE_UINT || (value.flags & VALUE_EXACT_UNSIGNED) != 0) {
		return (struct number){.kind = NUMBER_UNSIGNED, .as.u = value.as.u};
	}
	return (struct number){.kind = NUMBER_REAL, .as.d = value.as.d};
}

double value_double(struct value number)
{
	PRE(is_number(number));
	struct number exact = number_of(number);
	return exact.kind == NUMBER_SIGNED     ? (double)exact.as.i
	       : exact.kind == NUMBER_UNSIGNED ? (double)exact.as.u
	                                       : exact.as.d;
}

/* How a double that an integer was compared with, and found to have the same whole part, lies to
 * that part. */
static int order_of_rest(double whole, double d)
{
	return (whole > d) - (whole < d);
}

/* `d` is not NaN. */
static int compare_signed(int64_t i, double d)
{
	if (d >= two_to_63) {
		return -1;
	}
	if (d < -two_to_63) {
		return 1;
	}
	int64_t whole = (int64_t)d;
	return i != whole ? (i > whole) - (i < whole) : order_of_rest((double)whole, d);
}

static int compare_unsigned(uint64_t u, double d)
{
	if (d >= two_to_64) {
		return -1;
	}
	if (d < 0) {
		return 1;
	}
	uint64_t whole = (uint64_t)d;
	return u != whole ? (u > whole) - (u < whole) : order_of_rest((double)whole, d);
}

static int compare_integers(struct number a, struct number b)
{
	/* A negative number is below everything unsigned; two that are not compare as unsigned. */
	bool a_below = a.kind == NUMBER_SIGNED && a.as.i < 0;
	bool b_below = b.kind == NUMBER_SIGNED && b.as.i < 0;
	if (a_below && b_below) {
		return (a.as.i > b.as.i) - (a.as.i < b.as.i);
	}
	if (a_below || b_below) {
		return a_below ? -1 : 1;
	}
	return (a.as.u > b.as.u) - (a.as.u < b.as.u);
}

static bool compare_numbers(struct number a, struct number b, int *out_order)
{
	if ((a.kind == NUMBER_REAL && isnan(a.as.d)) || (b.kind == NUMBER_REAL && isnan(b.as.d))) {
		return false;
	}
	if (a.kind == NUMBER_REAL && b.kind == NUMBER_REAL) {
		*out_order = (a.as.d > b.as.d) - (a.as.d < b.as.d);
	} else if (b.kind == NUMBER_REAL) {
		*out_order = a.kind == NUMBER_SIGNED ? compare_signed(a.as.i, b.as.d)
		                                     : compare_unsigned(a.as.u, b.as.d);
	} else if (a.kind == NUMBER_REAL) {
		*out_order = b.kind == NUMBER_SIGNED ? -compare_signed(b.as.i, a.as.d)
		                                     : -compare_unsigned(b.as.u, a.as.d);
	} else {
		*out_order = compare_integers(a, b);
	}
	return true;
}

/* ---- order ---- */

bool value_compare(struct value a, struct value b, int *out_order)
{
	if (is_signed(a) && is_signed(b)) {
		*out_order = (a.as.i > b.as.i) - (a.as.i < b.as.i);
		return true;
	}
	if (is_number(a) && is_number(b)) {
		return compare_numbers(number_of(a), number_of(b), out_order);
	}
	if (a.tag != b.tag) {
		return false;
	}
	switch (a.tag) {
	case VALUE_BOOL:
		*out_order = a.as.b - b.as.b;
		return true;
	case VALUE_STRING:
	case VALUE_BYTES:
		*out_order = span_compare(value_text(a), value_text(b));
		return true;
	case VALUE_TIMESTAMP:
	case VALUE_DURATION:
		*out_order = a.as.i != b.as.i ? (a.as.i > b.as.i) - (a.as.i < b.as.i)
		                              : (a.len > b.len) - (a.len < b.len);
		return true;
	default:
		return false;
	}
}

/* ---- equality ---- */

static struct value equal_at(struct allowance *allowance, struct value *a, struct value *b,
                             int depth);

static struct value lists_equal(struct allowance *allowance, struct value *a, struct value *b,
                                int depth)
{
	const struct value_list *x = value_list(allowance, a);
	const struct value_list *y = x != NULL ? value_list(allowance, b) : NULL;
	if (x == NULL || y == NULL) {
		return allowance_error(allowance);
	}
	struct value same = value_bool(x->count == y->count);
	for (size_t i = 0; value_is_true(same) && i < x->count; i++) {
		same = equal_at(allowance, &x->items[i], &y->items[i], depth);
	}
	return same;
}

static struct value maps_equal(struct allowance *allowance, struct value *a, struct value *b,
                               int depth)
{
	const struct value_map *x = value_map(allowance, a);
	const struct value_map *y = x != NULL ? value_map(allowance, b) : NULL;
	if (x == NULL || y == NULL) {
		return allowance_error(allowance);
	}
	struct value same = value_bool(x->count == y->count);
	for (size_t i = 0; value_is_true(same) && i < x->count; i++) {
		struct value *other = value_map_get(y, x->pairs[i].key);
		same = other == NULL ? value_bool(false)
		                     : equal_at(allowance, &x->pairs[i].value, other, depth);
	}
	return same;
}

static struct value optionals_equal(struct allowance *allowance, struct value a, struct value b,
                                    int depth)
{
	if (a.as.inner == NULL || b.as.inner == NULL) {
		return value_bool(a.as.inner == b.as.inner);
	}
	struct value x = *a.as.inner;
	struct value y = *b.as.inner;
	return equal_at(allowance, &x, &y, depth);
}

static struct value texts_equal(struct allowance *allowance, struct value a, struct value b)
{
	if (a.len != b.len) {
		return value_bool(false);
	}
	if (a.len >= BYTES_OF_STEP && !allowance_spend(allowance, a.len / BYTES_OF_STEP)) {
		return allowance_error(allowance);
	}
	return value_bool(span_equal(value_text(a), value_text(b)));
}

/* The same bytes of JSON are the same value: most of what a change did not touch ends here. */
static bool is_same_text(struct value a, struct value b)
{
	return (a.flags & b.flags & VALUE_TEXT) != 0 && span_equal(value_text(a), value_text(b));
}

static struct value containers_equal(struct allowance *allowance, struct value *a, struct value *b,
                                     int depth)
{
	if (depth == DEPTH_MOST) {
		return value_error(ERROR_TOO_BIG, "lists and maps are nested too deeply");
	}
	bool is_text = (a->flags & b->flags & VALUE_TEXT) != 0 && a->len == b->len;
	if (!allowance_spend(allowance, 1 + (is_text ? a->len / BYTES_OF_STEP : 0))) {
		return allowance_error(allowance);
	}
	if (is_same_text(*a, *b)) {
		return value_bool(true);
	}
	return a->tag == VALUE_LIST  ? lists_equal(allowance, a, b, depth + 1)
	       : a->tag == VALUE_MAP ? maps_equal(allowance, a, b, depth + 1)
	                             : optionals_equal(allowance, *a, *b, depth + 1);
}

static struct value equal_at(struct allowance *allowance, struct value *a, struct value *b,
                             int depth)
{
	if (value_is_error(*a) || value_is_error(*b)) {
		return value_is_error(*a) ? *a : *b;
	}
	if (depth != 0 && !allowance_spend(allowance, 1)) {
		return allowance_error(allowance);
	}
	if (a->tag != b->tag && !(is_number(*a) && is_number(*b))) {
		return value_bool(false);
	}
	int order;
	switch (a->tag) {
	case VALUE_NULL:
		return value_bool(true);
	case VALUE_STRING:
	case VALUE_BYTES:
	case VALUE_TYPE:
		return texts_equal(allowance, *a, *b);
	case VALUE_LIST:
	case VALUE_MAP:
	case VALUE_OPTIONAL:
		return containers_equal(allowance, a, b, depth);
	default:
		return value_bool(value_compare(*a, *b, &order) && order == 0);
	}
}

struct value value_equal(struct allowance *allowance, struct value *a, struct value *b)
{
	return equal_at(allowance, a, b, 0);
}

/* ---- hash ---- */

/* A number that is an integer of 64 bits, signed or not, is hashed as that. */
static struct number hashed_form(struct value value)
{
	struct number number = number_of(value);
	if (number.kind != NUMBER_REAL) {
		return number;
	}
	double d = number.as.d;
	if (d >= -two_to_63 && d < two_to_64 && d == trunc(d)) {
		return d < 0 ? (struct number){.kind = NUMBER_SIGNED, .as.i = (int64_t)d}
		             : (struct number){.kind = NUMBER_UNSIGNED, .as.u = (uint64_t)d};
	}
	return number;
}

uint64_t value_hash(struct value scalar, uint64_t seed)
{
	seed = seed * (2 * VALUE_TAGS) + scalar.tag;
	if (is_number(scalar)) {
		struct number number = hashed_form(scalar);
		bool is_real = number.kind == NUMBER_REAL;
		bool is_negative = number.kind == NUMBER_SIGNED && number.as.i < 0;
		seed += VALUE_TAGS + (is_real ? 2u : is_negative ? 1u : 0u) - scalar.tag;
		return hash_quick(span_make((const char *)&number.as, sizeof number.as), seed);
	}
	switch (scalar.tag) {
	case VALUE_NULL:
		return hash_quick(SPAN(""), seed);
	case VALUE_BOOL:
		return hash_quick(scalar.as.b ? SPAN("1") : SPAN("0"), seed);
	case VALUE_STRING:
	case VALUE_BYTES:
		return hash_quick(value_text(scalar), seed);
	default:
		NEVER("only scalars are hashed");
	}
}
