/* This file types plain scalars by the YAML 1.2 core schema and writes them as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_json.h"

#include "base/json.h"
#include <stdlib.h>

static bool is_one_of(struct span text, const char *const words[])
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (span_is(text, words[i])) {
			return true;
		}
	}
	return false;
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
	return node->kind == YAML_SCALAR && !node->quoted && is_one_of(node->text, words);
}

static size_t digits_from(struct span text, size_t at)
{
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
		at++;
	}
	return at;
}

/* [-+]? (digits [. digits?] | . digits) ([eE] [-+]? digits)?, cut into what JSON puts together. */
struct number {
	bool negative;
	struct span whole;
	struct span fraction; /* absent without a point */
	struct span exponent; /* with its sign; absent without one */
};

static bool parse_number(struct span text, struct number *out)
{
	struct number number = {0};
	size_t at = 0;
	if (text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
		number.negative = text.ptr[0] == '-';
		at = 1;
	}
	size_t end = digits_from(text, at);
	number.whole = span_make(text.ptr + at, end - at);
	at = end;
	if (at < text.len && text.ptr[at] == '.') {
		end = digits_from(text, at + 1);
		number.fraction = span_make(text.ptr + at + 1, end - at - 1);
		at = end;
	}
	if (number.whole.len + number.fraction.len == 0) {
		return false;
	}
	if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
		size_t from = at + 1;
		bool has_sign = from < text.len && (text.ptr[from] == '-' || text.ptr[from] == '+');
		end = digits_from(text, from + has_sign);
		if (end == from + has_sign) {
			return false;
		}
		number.exponent = span_make(text.ptr + from, end - from);
		at = end;
	}
	*out = number;
	return at == text.len;
}

static void write_number(const struct number *number, struct buf *out)
{
	struct span whole = number->whole;
	while (whole.len > 1 && whole.ptr[0] == '0') {
		whole = span_make(whole.ptr + 1, whole.len - 1);
	}
	if (number->negative) {
		buf_byte(out, '-');
	}
	buf_span(out, whole.len ? whole : SPAN("0"));
	if (number->fraction.ptr != NULL) {
		buf_byte(out, '.');
		buf_span(out, number->fraction.len ? number->fraction : SPAN("0"));
	}
	if (number->exponent.ptr != NULL) {
		buf_byte(out, 'e');
		buf_span(out, number->exponent);
	}
}

/* 0x and 0o; *out_fits is false when the value is over 64 bits. */
static bool parse_based(struct span text, uint64_t *out_value, bool *out_fits)
{
	uint64_t base = span_starts_with(text, SPAN("0x"))   ? 16
	                : span_starts_with(text, SPAN("0o")) ? 8
	                                                     : 0;
	if (base == 0 || text.len < 3) {
		return false;
	}
	uint64_t value = 0;
	bool fits = true;
	for (size_t i = 2; i < text.len; i++) {
		static const char lower[] = "0123456789abcdef";
		char byte = text.ptr[i];
		const char *digit =
		        memchr(lower, byte >= 'A' && byte <= 'F' ? byte + 32 : byte, (size_t)base);
		if (digit == NULL) {
			return false;
		}
		fits = fits && value <= (UINT64_MAX - (uint64_t)(digit - lower)) / base;
		value = value * base + (uint64_t)(digit - lower);
	}
	*out_value = value;
	*out_fits = fits;
	return true;
}

static void write_scalar(const struct yaml_node *node, struct buf *out, struct report *report)
{
	static const char *const true_words[] = {"true", "True", "TRUE", NULL};
	static const char *const false_words[] = {"false", "False", "FALSE", NULL};
	static const char *const beyond[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
	                                     "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
	                                     ".NaN",  ".NAN",  NULL};
	struct number number;
	uint64_t value = 0;
	bool fits = true;
	if (node->quoted) {
		json_write_string(out, node->text);
	} else if (yaml_is_null(node)) {
		BUF_LITERAL(out, "null");
	} else if (is_one_of(node->text, true_words)) {
		BUF_LITERAL(out, "true");
	} else if (is_one_of(node->text, false_words)) {
		BUF_LITERAL(out, "false");
	} else if (parse_number(node->text, &number)) {
		write_number(&number, out);
	} else if (is_one_of(node->text, beyond) ||
	           (parse_based(node->text, &value, &fits) && !fits)) {
		report_add(report, node->line, node->column, "invalid_value",
		           "JSON has no number for this; quote it if it is meant as text");
		BUF_LITERAL(out, "null");
	} else if (parse_based(node->text, &value, &fits)) {
		buf_uint(out, value);
	} else {
		json_write_string(out, node->text);
	}
}

void yaml_to_json(const struct yaml_node *node, struct buf *out, struct report *report)
{
	switch (node->kind) {
	case YAML_SCALAR:
		write_scalar(node, out, report);
		break;
	case YAML_SEQUENCE:
		buf_byte(out, '[');
		for (size_t i = 0; i < node->count; i++) {
			if (i != 0) {
				buf_byte(out, ',');
			}
			yaml_to_json(node->items[i], out, report);
		}
		buf_byte(out, ']');
		break;
	case YAML_MAPPING:
		buf_byte(out, '{');
		for (size_t i = 0; i < node->count; i++) {
			if (i != 0) {
				buf_byte(out, ',');
			}
			json_write_string(out, node->entries[i].key);
			buf_byte(out, ':');
			yaml_to_json(node->entries[i].value, out, report);
		}
		buf_byte(out, '}');
		break;
	}
}
