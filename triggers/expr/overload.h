/* This file defines a row of the tables of functions: what it takes and who computes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_OVERLOAD_H
#define TRIGGERS_EXPR_OVERLOAD_H

#include "base/span.h"
#include "triggers/expr/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A function is all the rows of its name. A call takes the first row with its count of
 * arguments whose masks hold the arguments' types; no row is ERROR_NO_SUCH_OVERLOAD, so that the
 * code of a row never meets another type. Arguments are never errors (the caller has returned
 * those). Whatever costs more than a constant spends allowance. Operators are rows too ("_+_").
 * What needs its arguments unevaluated (&&, ||, ?:, macros, comprehensions, has, select, index, ==,
 * !=) is not here but in eval.
 */
enum {
	TAKES_NULL = 1 << VALUE_NULL,
	TAKES_BOOL = 1 << VALUE_BOOL,
	TAKES_INT = 1 << VALUE_INT,
	TAKES_UINT = 1 << VALUE_UINT,
	TAKES_DOUBLE = 1 << VALUE_DOUBLE,
	TAKES_STRING = 1 << VALUE_STRING,
	TAKES_BYTES = 1 << VALUE_BYTES,
	TAKES_LIST = 1 << VALUE_LIST,
	TAKES_MAP = 1 << VALUE_MAP,
	TAKES_TYPE = 1 << VALUE_TYPE,
	TAKES_TIMESTAMP = 1 << VALUE_TIMESTAMP,
	TAKES_DURATION = 1 << VALUE_DURATION,
	TAKES_OPTIONAL = 1 << VALUE_OPTIONAL,
	TAKES_NUMBER = TAKES_INT | TAKES_UINT | TAKES_DOUBLE,
	TAKES_ANY = (1 << VALUE_TAGS) - (1 << VALUE_NULL),
};

enum { OVERLOAD_ARGS_MAX = 4 };

/* `args` may be parsed in place (lists and maps), they are the caller's copies. */
typedef struct value overload_fn(struct allowance *allowance, struct value args[], size_t count);

struct overload {
	const char *name; /* "startsWith", "math.greatest", "_+_"; NULL ends a table */
	bool method;      /* called as args[0].name(args[1]...) */
	uint8_t count;    /* arguments, the target included */
	bool variadic;    /* `count` or more, the last mask is that of all that follow */
	uint32_t takes[OVERLOAD_ARGS_MAX];
	uint32_t gives; /* mask of what comes out, for the check at registration */
	overload_fn *fn;
};

/* The tables. */
extern const struct overload overload_arithmetic[]; /* + - * / % and unary minus */
extern const struct overload overload_compare[];    /* < <= > >= and @in */
extern const struct overload
        overload_convert[]; /* int() uint() double() string() bytes() bool() type() dyn() */
extern const struct overload
        overload_list[]; /* size() of everything that has one, lists: join, ... */
extern const struct overload
        overload_optional[]; /* optional.of, orValue, hasValue, value, or ... */
extern const struct overload
        overload_string[]; /* the string functions of the language and of the extension */
extern const struct overload overload_format[]; /* format, strings.quote */
extern const struct overload overload_math[];   /* math.greatest ... */
extern const struct overload overload_encode[]; /* base64 */
extern const struct overload
        overload_time[]; /* timestamps and durations: making, arithmetic, parts */

#endif
