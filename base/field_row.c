/* This file parses single option values and says in words what they must be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field_row.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/spelling.h"

struct suffix {
	const char *text;
	int64_t factor;
};

/* The first of each factor is the one that is printed; larger ones first. */
static const struct suffix SIZES[] = {
        {"g", 1 << 30},   {"m", 1 << 20},   {"k", 1 << 10}, {"G", 1 << 30},
        {"M", 1 << 20},   {"K", 1 << 10},   {"", 1},        {"GiB", 1 << 30},
        {"MiB", 1 << 20}, {"KiB", 1 << 10}, {NULL, 0},
};
static const struct suffix DURATIONS[] = {
        {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};
static const struct suffix PLAIN[] = {{"", 1}, {NULL, 0}};

static const struct suffix *suffixes_of(const struct field *field)
{
	return field->kind == FIELD_SIZE       ? SIZES
	       : field->kind == FIELD_DURATION ? DURATIONS
	                                       : PLAIN;
}

static bool parse_amount(struct span text, const struct suffix *suffixes, int64_t *out)
{
	bool negative = text.len != 0 && text.ptr[0] == '-';
	size_t at = negative;
	int64_t value = 0;
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
		int64_t digit = text.ptr[at++] - '0';
		if (value > (INT64_MAX - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	if (at == (size_t)negative) {
		return false;
	}
	struct span rest = span_make(text.ptr + at, text.len - at);
	for (const struct suffix *suffix = suffixes; suffix->text != NULL; suffix++) {
		if (span_is(rest, suffix->text)) {
			if (value > INT64_MAX / suffix->factor) {
				return false;
			}
			*out = negative ? -value * suffix->factor : value * suffix->factor;
			return true;
		}
	}
	return false;
}

/* "2", "1.5", "0.125" */
static bool parse_thousandths(struct span text, int64_t *out)
{
	const char *dot = text.len != 0 ? memchr(text.ptr, '.', text.len) : NULL;
	struct span whole = dot != NULL ? span_make(text.ptr, (size_t)(dot - text.ptr)) : text;
	int64_t value = 0;
	int64_t fraction = 0;
	if (!parse_amount(whole, PLAIN, &value) || value < 0 || value > INT64_MAX / 1000 - 1) {
		return false;
	}
	size_t digits = text.len - whole.len;
	if (dot != NULL && (digits < 2 || digits > 4 || dot[1] == '-' ||
	                    !parse_amount(span_make(dot + 1, digits - 1), PLAIN, &fraction))) {
		return false;
	}
	for (; dot != NULL && digits < 4; digits++) {
		fraction *= 10;
	}
	*out = value * 1000 + fraction;
	return true;
}

static bool is_bounded(const struct field *field)
{
	return field->min != 0 || field->max != 0;
}

static bool parse_number(const struct field *field, struct span text, int64_t *slot)
{
	int64_t value = 0;
	bool is_number = field->kind == FIELD_DECIMAL
	                         ? parse_thousandths(text, &value)
	                         : parse_amount(text, suffixes_of(field), &value);
	if (!is_number) {
		return false;
	}
	bool is_inside = is_bounded(field) ? value >= field->min && value <= field->max
	                                   : value >= 0 || field->kind == FIELD_INT;
	if (!is_inside) {
		return false;
	}
	*slot = value;
	return true;
}

static bool parse_bool(struct span text, bool *slot)
{
	bool is_true = span_is(text, "true") || span_is(text, "True") || span_is(text, "TRUE");
	bool is_false = span_is(text, "false") || span_is(text, "False") || span_is(text, "FALSE");
	if (is_true || is_false) {
		*slot = is_true;
	}
	return is_true || is_false;
}

static bool parse_enum(const struct field *field, struct span text, int *slot)
{
	for (int i = 0; field->words[i] != NULL; i++) {
		if (span_is(text, field->words[i])) {
			*slot = i;
			return true;
		}
	}
	return false;
}

static int64_t text_max(const struct field *field)
{
	return field->max != 0 ? field->max : FIELD_TEXT_MAX;
}

static bool parse_string(const struct field *field, struct span text, char **slot)
{
	if (text.len < (size_t)field->min || text.len > (size_t)text_max(field) ||
	    memchr(text.ptr, 0, text.len) != NULL) {
		return false;
	}
	mem_free(*slot);
	*slot = mem_copy(text.ptr, text.len);
	return true;
}

bool field_parse(const struct field *field, struct span text, void *slot)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return parse_bool(text, slot);
	case FIELD_INT:
	case FIELD_SIZE:
	case FIELD_DURATION:
	case FIELD_DECIMAL:
		return parse_number(field, text, slot);
	case FIELD_ENUM:
		return parse_enum(field, text, slot);
	case FIELD_STRING:
		return parse_string(field, text, slot);
	default:
		NEVER("only single values are parsed from text");
	}
}

void field_set_default(const struct field *field, void *data)
{
	if (field->otherwise != NULL && field->kind <= FIELD_STRING) {
		/* A default that its own table refuses is a mistake in the table. */
		PRE(field_parse(field, span_of(field->otherwise), (char *)data + field->offset));
	}
}

void field_print_thousandths(int64_t value, struct buf *out)
{
	buf_int(out, value / 1000);
	int64_t fraction = value % 1000;
	if (fraction != 0) {
		buf_format(out, ".%03lld", (long long)fraction);
		while (out->ptr[out->len - 1] == '0') {
			out->len--;
		}
	}
}

/* In the largest unit that needs no fraction. */
static void print_amount(const struct field *field, int64_t value, struct buf *out)
{
	if (field->kind == FIELD_DECIMAL) {
		field_print_thousandths(value, out);
		return;
	}
	for (const struct suffix *suffix = suffixes_of(field); suffix->text != NULL; suffix++) {
		bool fits = value % suffix->factor == 0 && (value != 0 || suffix->factor == 1);
		if (fits) {
			buf_int(out, value / suffix->factor);
			buf_add(out, suffix->text, strlen(suffix->text));
			return;
		}
	}
}

void field_print_scalar(const struct field *field, const void *slot, struct buf *out)
{
	switch (field->kind) {
	case FIELD_BOOL:
		buf_span(out, *(const bool *)slot ? SPAN("true") : SPAN("false"));
		break;
	case FIELD_INT:
	case FIELD_SIZE:
	case FIELD_DURATION:
	case FIELD_DECIMAL:
		print_amount(field, *(const int64_t *)slot, out);
		break;
	case FIELD_ENUM:
		buf_span(out, span_of(field->words[*(const int *)slot]));
		break;
	case FIELD_STRING:
		buf_span(out, span_of(*(char *const *)slot));
		break;
	default:
		NEVER("only single values are printed as text");
	}
}

static void print_range(const struct field *field, struct buf *out)
{
	print_amount(field, field->min, out);
	BUF_LITERAL(out, " to ");
	print_amount(field, field->max, out);
}

static void print_number(const struct field *field, const char *what, struct buf *out)
{
	buf_add(out, what, strlen(what));
	if (field->unit != NULL) {
		buf_format(out, " (%s)", field->unit);
	}
	if (is_bounded(field)) {
		BUF_LITERAL(out, " from ");
		print_range(field, out);
	}
}

static void print_words(const struct field *field, const char *last, struct buf *out)
{
	for (size_t i = 0; field->words[i] != NULL; i++) {
		const char *before = i == 0 ? "" : field->words[i + 1] != NULL ? ", " : last;
		buf_format(out, "%s%s", before, field->words[i]);
	}
}

void field_expectation(const struct field *field, struct buf *out)
{
	int64_t items = field->max != 0 ? field->max : FIELD_ITEMS_MAX;
	switch (field->kind) {
	case FIELD_BOOL:
		BUF_LITERAL(out, "true or false");
		break;
	case FIELD_INT:
		print_number(field, "an integer", out);
		break;
	case FIELD_SIZE:
		print_number(field, "a size such as 512, 64k, 16m or 1g", out);
		break;
	case FIELD_DURATION:
		print_number(field, "a duration such as 500ms, 30s, 15m, 24h or 7d", out);
		break;
	case FIELD_DECIMAL:
		print_number(field, "a number with at most three decimals", out);
		break;
	case FIELD_ENUM:
		print_words(field, " or ", out);
		break;
	case FIELD_STRING:
		buf_format(out, "text of %lld to %lld bytes", (long long)field->min,
		           (long long)text_max(field));
		break;
	case FIELD_STRINGS:
		buf_format(out, "a list of %lld to %lld texts", (long long)field->min,
		           (long long)items);
		break;
	case FIELD_MAP:
		buf_format(out, "a mapping of at most %lld names to texts", (long long)items);
		break;
	default:
		BUF_LITERAL(out, "a mapping");
	}
}

void field_bounds(const struct field *field, struct buf *out)
{
	if (field->kind == FIELD_ENUM) {
		BUF_LITERAL(out, "One of: ");
		print_words(field, ", ", out);
		buf_byte(out, '.');
	} else if (field->kind <= FIELD_DECIMAL && is_bounded(field)) {
		BUF_LITERAL(out, "From ");
		print_range(field, out);
		if (field->unit != NULL) {
			buf_format(out, " %s", field->unit);
		}
		buf_byte(out, '.');
	}
}

const struct field *field_find(const struct field *fields, struct span name)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (span_is(name, field->name)) {
			return field;
		}
	}
	return NULL;
}

const struct field *field_nearest(const struct field *fields, struct span name)
{
	if (name.len > SPELLING_MAX) {
		return NULL;
	}
	const struct field *best = NULL;
	size_t least = (name.len + 2) / 3 + 1; /* a third of the letters may be wrong */
	for (const struct field *field = fields; field->name != NULL; field++) {
		struct span known = span_of(field->name);
		if (known.len > SPELLING_MAX || field->kind == FIELD_RESERVED) {
			continue;
		}
		size_t away = spelling_distance(name, known);
		if (away < least) {
			least = away;
			best = field;
		}
	}
	return best;
}
