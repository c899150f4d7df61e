/* This file defines a value of an expression: 16 bytes that point into the event's own text. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_VALUE_H
#define TRIGGERS_EXPR_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A value is passed by copy and owns nothing: its bytes are the event's, the expression's,
 * or the allowance's arena. Errors are values, so that `&&` and `||` can absorb them (CEL, "Logical
 * operators"). An array or object of JSON stays text (VALUE_TEXT) until somebody asks for its
 * items; value_list and value_map then parse its one level in place.
 *
 * A number of JSON is a double to the language. If its text is an integer that fits 64 bits the
 * exact integer is kept beside that claim (VALUE_EXACT, VALUE_EXACT_UNSIGNED), for comparison,
 * equality, hashing, int(), uint() and string(); arithmetic takes value_double.
 */
enum value_tag {
	VALUE_UNSET, /* nothing was put here yet */
	VALUE_ERROR,
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_UINT,
	VALUE_DOUBLE,
	VALUE_STRING,
	VALUE_BYTES,
	VALUE_LIST,
	VALUE_MAP,
	VALUE_TYPE,
	VALUE_TIMESTAMP,
	VALUE_DURATION,
	VALUE_OPTIONAL,
	VALUE_TAGS
};

enum { VALUE_TAG_BITS = 4, VALUE_TYPES_MOST = 4 /* that an error remembers */ };

enum value_flag {
	VALUE_EXACT = 1,          /* double: as.i is the number */
	VALUE_EXACT_UNSIGNED = 2, /* double: as.u is the number, over INT64_MAX */
	VALUE_TEXT = 4,           /* list, map: as.text is valid JSON text of len bytes */
	VALUE_FILLED = 8, /* map in a slot: its children in the tree of paths were looked for */
};

/* What can go wrong in an evaluation. The word is stable, the sentence is for people. */
#define VALUE_ERRORS(X)                                                                            \
	X(ERROR_NO_SUCH_KEY, "no_such_key", "there is no such key")                                \
	X(ERROR_NO_SUCH_OVERLOAD, "no_such_overload", "the operation does not take these types")   \
	X(ERROR_DIVIDE_BY_ZERO, "divide_by_zero", "division by zero")                              \
	X(ERROR_OVERFLOW, "overflow", "the number is out of range")                                \
	X(ERROR_OUT_OF_BOUNDS, "out_of_bounds", "the index is out of bounds")                      \
	X(ERROR_INVALID_ARGUMENT, "invalid_argument", "the argument is not valid")                 \
	X(ERROR_DUPLICATE_KEY, "duplicate_key", "a key of the map stands twice")                   \
	X(ERROR_UNKNOWN_NAME, "unknown_name", "there is no variable of that name")                 \
	X(ERROR_UNKNOWN_FUNCTION, "unknown_function", "there is no such function")                 \
	X(ERROR_NOT_BOOL, "not_bool", "the result is not true or false")                           \
	X(ERROR_NO_VALUE, "no_value", "the optional has no value")                                 \
	X(ERROR_BUDGET, "budget", "the evaluation took more steps than its budget allows")         \
	X(ERROR_TOO_BIG, "too_big", "the evaluation would need more memory than it may have")      \
	X(ERROR_REGEX_LIMIT, "regex_limit", "the regular expression took too many steps")

enum value_error {
	ERROR_NONE,
#define X(name, word, text) name,
	VALUE_ERRORS(X)
#undef X
};

struct value {
	uint8_t tag;   /* enum value_tag */
	uint8_t flags; /* enum value_flag */
	uint16_t code; /* error: enum value_error */
	union {
		uint32_t len; /* string, bytes, type, text: bytes; timestamp, duration:
		                 nanoseconds 0..999999999 on top of as.i seconds */
		struct {
			uint16_t at;    /* error: byte offset in the expression of who failed */
			uint16_t types; /* error: what it met, see value_types */
		};
	};
	union {
		bool b;
		int64_t i; /* int; seconds of a timestamp (since 1970, UTC) or duration (floored) */
		uint64_t u; /* uint */
		double d;
		const char *text; /* string, bytes, name of a type; error: what in particular, with
		                     a NUL, or NULL; JSON text */
		const struct value_list *list;
		const struct value_map *map;
		const struct value *inner; /* optional: NULL = none */
	} as;
};

struct value_list {
	size_t count;
	struct value *items;
};

struct value_pair {
	struct value key; /* bool, int, uint or string; of JSON: string */
	struct value value;
};

/* In the order in which the keys came; no key twice. */
struct value_map {
	size_t count;
	struct value_pair *pairs;
	uint32_t *table; /* hash index of a large map, or NULL; see value_map_get */
	uint32_t table_mask;
};

/* What an evaluation may use up. Whoever loops or builds spends first. */
struct allowance {
	struct arena arena; /* with a limit */
	int64_t budget;     /* steps that are left; below zero: over */
};

static inline bool allowance_spend(struct allowance *allowance, int64_t steps)
{
	allowance->budget -= steps;
	return allowance->budget >= 0;
}

/* ---- making ---- */

static inline struct value value_bool(bool b)
{
	return (struct value){.tag = VALUE_BOOL, .as.u = b};
}

static inline struct value value_int(int64_t i)
{
	return (struct value){.tag = VALUE_INT, .as.i = i};
}

static inline struct value value_uint(uint64_t u)
{
	return (struct value){.tag = VALUE_UINT, .as.u = u};
}

static inline struct value value_double_of(double d)
{
	return (struct value){.tag = VALUE_DOUBLE, .as.d = d};
}

/* At most UINT32_MAX bytes, valid UTF-8 without a copy. */
static inline struct value value_string(struct span text)
{
	return (struct value){.tag = VALUE_STRING, .len = (uint32_t)text.len, .as.text = text.ptr};
}

static inline struct value value_bytes(struct span bytes)
{
	return (struct value){.tag = VALUE_BYTES, .len = (uint32_t)bytes.len, .as.text = bytes.ptr};
}

static inline struct value value_null(void)
{
	return (struct value){.tag = VALUE_NULL};
}

/* `detail` lives as long as the evaluation (a literal, or in the arena); NULL: nothing to add. */
static inline struct value value_error(enum value_error code, const char *detail)
{
	return (struct value){.tag = VALUE_ERROR, .code = (uint16_t)code, .as.text = detail};
}

/* The types of two values for an error: four bits each, the first lowest. */
static inline uint16_t value_types(uint8_t first, uint8_t second)
{
	return (uint16_t)(first | second << VALUE_TAG_BITS);
}

/* What stopped whoever was over the allowance. */
static inline struct value allowance_error(const struct allowance *allowance)
{
	return value_error(allowance->budget < 0 ? ERROR_BUDGET : ERROR_TOO_BIG, NULL);
}

/* The value of valid JSON text: containers stay text, numbers as above, strings point into `json`
 * unless they hold a backslash (then into the arena). ERROR_TOO_BIG over the arena's limit. */
struct value value_from_json(struct allowance *allowance, struct span json);

/* ---- reading ---- */

static inline struct span value_text(struct value value)
{
	return span_make(value.as.text, value.len);
}

static inline bool value_is_error(struct value value)
{
	return value.tag == VALUE_ERROR;
}

static inline bool value_is_true(struct value value)
{
	return value.tag == VALUE_BOOL && value.as.b;
}

/* A number of any kind (int, uint, double) as a double. */
double value_double(struct value number);

/* The items of a list, the pairs of a map; parses text in place, once. NULL: over the allowance. */
const struct value_list *value_list(struct allowance *allowance, struct value *list);
const struct value_map *value_map(struct allowance *allowance, struct value *map);
/* NULL: not there. Keys are equal as in CEL: 1, 1u and 1.0 are one key. */
struct value *value_map_get(const struct value_map *map, struct value key);
struct value *value_map_get_name(const struct value_map *map, struct span name);

/* A list, a map of what the caller has put into the arena (pairs: a key twice is
 * ERROR_DUPLICATE_KEY). */
struct value value_of_list(struct allowance *allowance, struct value *items, size_t count);
struct value value_of_map(struct allowance *allowance, struct value_pair *pairs, size_t count);

/* ---- comparing ---- */

/* CEL equality (numbers across types by exact value, NaN equals nothing, containers deep; different
 * types are unequal). An argument that is an error, or an exhausted allowance, gives an error, else
 * a bool. */
struct value value_equal(struct allowance *allowance, struct value *a, struct value *b);
/* Order of two numbers of any kind, or of two bool, string, bytes, timestamp, duration. False: they
 * have none (another pair of types, NaN). */
bool value_compare(struct value a, struct value b, int *out_order);
/* Of a null, bool, number, string or bytes: equal values hash alike. */
uint64_t value_hash(struct value scalar, uint64_t seed);

/* ---- for people and for JSON ---- */

const char *value_tag_name(
        struct value value); /* CEL's name of its type: "int", "map", "null_type" */
const char *value_error_word(enum value_error code);
/* "there is no such key: 'plan'", "the operation '-' does not take these types (null - double)". */
void value_write_error(struct value error, struct buf *out);
/* As CEL would spell it, at most about `most` bytes, then "...": what explain shows. */
void value_write_text(struct allowance *allowance, struct value value, size_t most,
                      struct buf *out);
/* Appends JSON: text of the event byte for byte; int and uint as numbers; double shortest; bytes as
 * base64; timestamps RFC 3339, durations "1.5s"; keys of maps as strings; an optional as its value.
 * An error value, NaN, infinity, or an optional that is none (as a member or item it is left out)
 * is refused: returns the error value and leaves `out` as it was; VALUE_UNSET when all is well. */
struct value value_write_json(struct allowance *allowance, struct value value, struct buf *out);

#endif
