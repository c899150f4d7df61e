/* This file computes format() and strings.quote(). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/double_text.h"
#include "triggers/expr/moment.h"
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * DESIGN. A clause is `%`, maybe `.` and a precision, and a letter; `%%` is a percent sign. Each
 * letter writes the next value of the list, or says which types it takes. Only %e and %f look at
 * the precision. A number of JSON that is an integer counts as one. There is no locale.
 *
 * %s writes containers with what is in them: "[a, 1]", "{k: v}" by the order of the keys' texts.
 */
enum {
	PRECISION_DEFAULT = 6,
	PRECISION_MAX = 1000,
	NUMBER_MAX = PRECISION_MAX + 340, /* bytes of the largest double with all its decimals */
	DEPTH_MAX = 600,                  /* values nest no deeper than JSON and expressions do */
};

/* VALUE_UNSET, or the error of who could not write. What does not fit the allowance is known to the
 * builder. */
static struct value written(void)
{
	return (struct value){.tag = VALUE_UNSET};
}

static struct value refused(const char *why)
{
	return value_error(ERROR_INVALID_ARGUMENT, why);
}

/* ---- numbers ---- */

static void add_unsigned(struct text_builder *out, uint64_t number, unsigned base,
                         const char *digits)
{
	char text[64];
	size_t at = sizeof text;
	do {
		text[--at] = digits[number % base];
		number /= base;
	} while (number != 0);
	text_builder_add(out, span_make(text + at, sizeof text - at));
}

/* False: the value is no integer. */
static bool add_integer(struct text_builder *out, struct value value, unsigned base,
                        const char *digits)
{
	bool has_sign = value.tag == VALUE_INT || (value.flags & VALUE_EXACT) != 0;
	if (!has_sign && value.tag != VALUE_UINT && (value.flags & VALUE_EXACT_UNSIGNED) == 0) {
		return false;
	}
	bool negative = has_sign && value.as.i < 0;
	if (negative) {
		text_builder_byte(out, '-');
	}
	add_unsigned(out, negative ? 0 - value.as.u : value.as.u, base, digits);
	return true;
}

static const char LOWER[] = "0123456789abcdef";
static const char UPPER[] = "0123456789ABCDEF";

static bool is_number(const struct value *value)
{
	return (1U << value->tag & TAKES_NUMBER) != 0;
}

static void add_plain(struct text_builder *out, double number)
{
	char text[DOUBLE_TEXT_MAX];
	size_t len = double_text_plain(number, text);
	text_builder_add(out, span_make(text, len));
}

/* ---- %s ---- */

static struct value add_value(struct text_builder *out, struct value *value, unsigned depth);

static struct value add_list(struct text_builder *out, struct value *value, unsigned depth)
{
	const struct value_list *list = value_list(out->allowance, value);
	struct value status = list != NULL ? written() : allowance_error(out->allowance);
	text_builder_byte(out, '[');
	for (size_t i = 0; !value_is_error(status) && !out->failed && i < list->count; i++) {
		if (i != 0) {
			text_builder_add(out, SPAN(", "));
		}
		status = add_value(out, &list->items[i], depth);
	}
	text_builder_byte(out, ']');
	return status;
}

struct row {
	struct span key; /* as %s writes it */
	struct value *value;
};

static int by_key(const void *a, const void *b)
{
	return span_compare(((const struct row *)a)->key, ((const struct row *)b)->key);
}

/* The pairs of a map by the order of their keys' texts. NULL: over the allowance. */
static struct row *rows_of(struct allowance *allowance, const struct value_map *map, unsigned depth)
{
	int64_t halvings = 1;
	for (size_t left = map->count; left > 1; left /= 2) {
		halvings++;
	}
	struct row *rows = ARENA_ARRAY(&allowance->arena, struct row, map->count + 1);
	for (size_t i = 0; rows != NULL && i < map->count; i++) {
		struct text_builder text = {.allowance = allowance};
		(void)add_value(&text, &map->pairs[i].key, depth); /* keys are such as can be */
		struct value key = text_builder_string(&text);
		int64_t cost = halvings * (1 + key.len / TEXT_BYTES_PER_STEP);
		if (value_is_error(key) || !allowance_spend(allowance, cost)) {
			return NULL;
		}
		rows[i] = (struct row){value_text(key), &map->pairs[i].value};
	}
	if (rows != NULL) {
		qsort(rows, map->count, sizeof *rows, by_key);
	}
	return rows;
}

static struct value add_map(struct text_builder *out, struct value *value, unsigned depth)
{
	const struct value_map *map = value_map(out->allowance, value);
	struct row *rows = map != NULL ? rows_of(out->allowance, map, depth) : NULL;
	struct value status = rows != NULL ? written() : allowance_error(out->allowance);
	text_builder_byte(out, '{');
	for (size_t i = 0; !value_is_error(status) && !out->failed && i < map->count; i++) {
		if (i != 0) {
			text_builder_add(out, SPAN(", "));
		}
		text_builder_add(out, rows[i].key);
		text_builder_add(out, SPAN(": "));
		status = add_value(out, rows[i].value, depth);
	}
	text_builder_byte(out, '}');
	return status;
}

static void add_moment(struct text_builder *out, struct value moment,
                       void write(int64_t seconds, uint32_t nanos, struct buf *out))
{
	struct buf text = {0};
	write(moment.as.i, moment.len, &text);
	text_builder_add(out, buf_view(&text));
	buf_free(&text);
}

static struct value add_bytes(struct text_builder *out, struct span bytes)
{
	if (!text_spend(out->allowance, bytes.len)) {
		return allowance_error(out->allowance);
	}
	if (!json_utf8_valid(bytes)) {
		return refused("the bytes for %s are not UTF-8");
	}
	text_builder_add(out, bytes);
	return written();
}

static struct value add_scalar(struct text_builder *out, struct value value)
{
	switch (value.tag) {
	case VALUE_ERROR:
		return value; /* an item of JSON that did not fit the arena */
	case VALUE_NULL:
		text_builder_add(out, SPAN("null"));
		return written();
	case VALUE_BOOL:
		text_builder_add(out, value.as.b ? SPAN("true") : SPAN("false"));
		return written();
	case VALUE_INT:
	case VALUE_UINT:
		(void)add_integer(out, value, 10, LOWER);
		return written();
	case VALUE_DOUBLE:
		if (!add_integer(out, value, 10, LOWER)) {
			add_plain(out, value.as.d);
		}
		return written();
	case VALUE_BYTES:
		return add_bytes(out, value_text(value));
	case VALUE_STRING:
	case VALUE_TYPE:
		text_builder_add(out, value_text(value));
		return written();
	case VALUE_TIMESTAMP:
		add_moment(out, value, moment_write_timestamp);
		return written();
	case VALUE_DURATION:
		add_moment(out, value, moment_write_duration);
		return written();
	default:
		return refused("%s takes no such type");
	}
}

static struct value add_value(struct text_builder *out, struct value *value, unsigned depth)
{
	if (value->tag != VALUE_LIST && value->tag != VALUE_MAP) {
		return add_scalar(out, *value);
	}
	if (depth == DEPTH_MAX) {
		return value_error(ERROR_TOO_BIG, "the value for %s is nested too deeply");
	}
	return value->tag == VALUE_LIST ? add_list(out, value, depth + 1)
	                                : add_map(out, value, depth + 1);
}

/* ---- the clauses ---- */

static struct value string_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	return add_value(out, value, 0);
}

static struct value decimal_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	return is_number(value) ? add_scalar(out, *value) : refused("%d takes numbers");
}

static struct value real_clause(struct text_builder *out, const struct value *value,
                                const char *format, int precision)
{
	double number = value_double(*value);
	if (!isfinite(number)) {
		add_plain(out, number);
		return written();
	}
	char text[NUMBER_MAX];
	int len = snprintf(text, sizeof text, format, precision, number);
	text_builder_add(out, span_make(text, (size_t)len));
	return written();
}

static struct value fixed_clause(struct text_builder *out, struct value *value, int precision)
{
	return is_number(value) ? real_clause(out, value, "%.*f", precision)
	                        : refused("%f takes numbers");
}

static struct value scientific_clause(struct text_builder *out, struct value *value, int precision)
{
	return is_number(value) ? real_clause(out, value, "%.*e", precision)
	                        : refused("%e takes numbers");
}

static struct value binary_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	if (value->tag == VALUE_BOOL) {
		text_builder_byte(out, value->as.b ? '1' : '0');
		return written();
	}
	return add_integer(out, *value, 2, LOWER) ? written() : refused("%b takes integers, bools");
}

static struct value octal_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	return add_integer(out, *value, 8, LOWER) ? written() : refused("%o takes integers");
}

static struct value hex(struct text_builder *out, const struct value *value, const char *digits)
{
	if (value->tag != VALUE_STRING && value->tag != VALUE_BYTES) {
		return add_integer(out, *value, 16, digits)
		               ? written()
		               : refused("%x takes integers, strings, bytes");
	}
	char text[128];
	size_t len = 0;
	for (size_t i = 0; i < value->len && !out->failed; i++) {
		unsigned char byte = (unsigned char)value->as.text[i];
		text[len++] = digits[byte >> 4];
		text[len++] = digits[byte & 15];
		if (len == sizeof text) {
			text_builder_add(out, span_make(text, len));
			len = 0;
		}
	}
	text_builder_add(out, span_make(text, len));
	return written();
}

static struct value lower_hex_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	return hex(out, value, LOWER);
}

static struct value upper_hex_clause(struct text_builder *out, struct value *value, int precision)
{
	(void)precision;
	return hex(out, value, UPPER);
}

typedef struct value clause_fn(struct text_builder *out, struct value *value, int precision);

static clause_fn *clause_of(char letter)
{
	static const struct {
		char letter;
		clause_fn *fn;
	} CLAUSES[] = {
	        {'s', string_clause},     {'d', decimal_clause},   {'f', fixed_clause},
	        {'e', scientific_clause}, {'b', binary_clause},    {'o', octal_clause},
	        {'x', lower_hex_clause},  {'X', upper_hex_clause},
	};
	for (size_t i = 0; i < sizeof CLAUSES / sizeof CLAUSES[0]; i++) {
		if (CLAUSES[i].letter == letter) {
			return CLAUSES[i].fn;
		}
	}
	return NULL;
}

/* Reads ".12" at *at, if it is there. False: it is no precision. */
static bool read_precision(struct span text, size_t *at, int *out)
{
	if (*at == text.len || text.ptr[*at] != '.') {
		return true;
	}
	int precision = 0;
	size_t from = ++*at;
	for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; ++*at) {
		precision = precision * 10 + (text.ptr[*at] - '0');
		if (precision > PRECISION_MAX) {
			return false;
		}
	}
	*out = precision;
	return *at > from;
}

/* The clause whose `%` stood before *at, which moves behind it; *next is the next value. */
static struct value run_clause(struct text_builder *out, struct span text, size_t *at,
                               const struct value_list *values, size_t *next)
{
	int precision = PRECISION_DEFAULT;
	if (*at < text.len && text.ptr[*at] == '%') {
		text_builder_byte(out, '%');
		++*at;
		return written();
	}
	if (!read_precision(text, at, &precision)) {
		return refused("a precision of the format is a point and a number up to 1000");
	}
	clause_fn *clause = *at < text.len ? clause_of(text.ptr[*at]) : NULL;
	if (clause == NULL) {
		return refused("the format has a % before none of s d f e b o x X %");
	}
	if (*next == values->count) {
		return refused("the format has more clauses than there are values");
	}
	++*at;
	return clause(out, &values->items[(*next)++], precision);
}

static struct value format(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	const struct value_list *values = value_list(allowance, &args[1]);
	struct value status = values != NULL ? written() : allowance_error(allowance);
	struct text_builder out = {.allowance = allowance};
	size_t next = 0;
	for (size_t at = 0; at < text.len && !value_is_error(status) && !out.failed;) {
		const char *percent = memchr(text.ptr + at, '%', text.len - at);
		size_t end = percent != NULL ? (size_t)(percent - text.ptr) : text.len;
		text_builder_add(&out, span_make(text.ptr + at, end - at));
		at = end;
		if (percent != NULL) {
			at++;
			status = run_clause(&out, text, &at, values, &next);
		}
	}
	return value_is_error(status) ? status : text_builder_string(&out);
}

/* ---- strings.quote ---- */

static char escape_of(char byte)
{
	static const char PLAIN[] = "\a\b\f\n\r\t\v\\\"";
	static const char LETTER[] = "abfnrtv\\\"";
	const char *at = memchr(PLAIN, byte, sizeof PLAIN - 1);
	return at != NULL ? LETTER[at - PLAIN] : '\0';
}

static struct value quote(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	struct span text = value_text(args[0]);
	struct text_builder out = {.allowance = allowance};
	text_builder_byte(&out, '"');
	size_t from = 0;
	for (size_t at = 0; at < text.len && !out.failed; at++) {
		char letter = escape_of(text.ptr[at]);
		if (letter != '\0') {
			char escape[2] = {'\\', letter};
			text_builder_add(&out, span_make(text.ptr + from, at - from));
			text_builder_add(&out, span_make(escape, sizeof escape));
			from = at + 1;
		}
	}
	text_builder_add(&out, span_make(text.ptr + from, text.len - from));
	text_builder_byte(&out, '"');
	return text_builder_string(&out);
}

const struct overload overload_format[] = {
        {"format", true, 2, false, {TAKES_STRING, TAKES_LIST}, TAKES_STRING, format},
        {"strings.quote", false, 1, false, {TAKES_STRING}, TAKES_STRING, quote},
        {0},
};
