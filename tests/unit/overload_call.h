/* This file calls the functions of expressions with values that are written as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OVERLOAD_CALL_H
#define TESTS_UNIT_OVERLOAD_CALL_H

#include "base/json.h"
#include "triggers/expr/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * DESIGN. A value is written as text: "i:-5" int, "u:5" uint, "d:1.5" double, "s:x" string, "b:x"
 * bytes, "t" and "f" bool, "n" null, "j:[1]" a value of JSON, "none", "some:" and a value, "T:5.1"
 * timestamp, "D:5.1" duration (seconds, nanoseconds), "type:int". A result is shown the same way, a
 * list as "[i:1, s:x]", an error as its word.
 */
enum { ARGS_MAX = 6, LIMIT = 1 << 20 };

static struct allowance allowance;

static int begin(void **state)
{
	(void)state;
	allowance = (struct allowance){.arena = {.limit = LIMIT}, .budget = 100000};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(&allowance.arena);
	return 0;
}

static struct value read_moment(uint8_t tag, const char *text)
{
	char *nanos = NULL;
	int64_t seconds = strtoll(text, &nanos, 10);
	uint32_t len = *nanos == '.' ? (uint32_t)strtoul(nanos + 1, NULL, 10) : 0;
	return (struct value){.tag = tag, .len = len, .as.i = seconds};
}

static struct value read_value(const char *text)
{
	const char *colon = strchr(text, ':');
	if (colon == NULL) {
		return *text == 't'   ? value_bool(true)
		       : *text == 'f' ? value_bool(false)
		       : strcmp(text, "none") == 0
		               ? (struct value){.tag = VALUE_OPTIONAL, .as.inner = NULL}
		               : value_null();
	}
	struct span rest = span_of(colon + 1);
	if (strncmp(text, "some:", 5) == 0) {
		struct value *inner = ARENA_NEW(&allowance.arena, struct value);
		assert_non_null(inner);
		*inner = read_value(rest.ptr);
		return (struct value){.tag = VALUE_OPTIONAL, .as.inner = inner};
	}
	if (strncmp(text, "type:", 5) == 0) {
		return (struct value){
		        .tag = VALUE_TYPE, .len = (uint32_t)rest.len, .as.text = rest.ptr};
	}
	switch (*text) {
	case 'i':
		return value_int(strtoll(rest.ptr, NULL, 10));
	case 'u':
		return value_uint(strtoull(rest.ptr, NULL, 10));
	case 'd':
		return value_double_of(strtod(rest.ptr, NULL));
	case 's':
		return value_string(rest);
	case 'b':
		return value_bytes(rest);
	case 'T':
		return read_moment(VALUE_TIMESTAMP, rest.ptr);
	case 'D':
		return read_moment(VALUE_DURATION, rest.ptr);
	default:
		assert_int_equal(json_check(rest, NULL, NULL), 0);
		return value_from_json(&allowance, rest);
	}
}

static void show(struct value value, struct buf *out);

static void show_list(struct value value, struct buf *out)
{
	const struct value_list *list = value_list(&allowance, &value);
	assert_non_null(list);
	buf_byte(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		BUF_LITERAL(out, ", ");
		out->len -= i == 0 ? 2 : 0;
		show(list->items[i], out);
	}
	buf_byte(out, ']');
}

static void show(struct value value, struct buf *out)
{
	switch (value.tag) {
	case VALUE_ERROR:
		buf_span(out, span_of(value_error_word((enum value_error)value.code)));
		break;
	case VALUE_BOOL:
		buf_byte(out, value.as.b ? 't' : 'f');
		break;
	case VALUE_NULL:
		buf_byte(out, 'n');
		break;
	case VALUE_INT:
		buf_format(out, "i:%lld", (long long)value.as.i);
		break;
	case VALUE_UINT:
		buf_format(out, "u:%llu", (unsigned long long)value.as.u);
		break;
	case VALUE_DOUBLE:
		buf_format(out, "d:%.17g%s", value_double(value), value.flags != 0 ? "!" : "");
		break;
	case VALUE_STRING:
		buf_format(out, "s:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_BYTES:
		buf_format(out, "b:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_TYPE:
		buf_format(out, "type:%.*s", SPAN_ARG(value_text(value)));
		break;
	case VALUE_LIST:
		show_list(value, out);
		break;
	case VALUE_OPTIONAL:
		if (value.as.inner == NULL) {
			BUF_LITERAL(out, "none");
		} else {
			BUF_LITERAL(out, "some:");
			show(*value.as.inner, out);
		}
		break;
	default:
		buf_format(out, "%s", value_tag_name(value));
	}
}

/* ---- calling ---- */

static bool takes(const struct overload *row, const struct value args[], size_t count)
{
	if (row->variadic ? count < row->count : count != row->count) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		size_t mask = i < row->count ? i : row->count - 1U;
		if ((row->takes[mask] & 1U << args[i].tag) == 0) {
			return false;
		}
	}
	return true;
}

static const struct overload *find(const char *name, bool method, const struct value args[],
                                   size_t count)
{
	static const struct overload *const TABLES[] = {
	        overload_arithmetic, overload_compare,  overload_convert,
	        overload_list,       overload_optional, overload_string,
	        overload_format,     overload_math,     overload_encode,
	};
	for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
		for (const struct overload *row = TABLES[i]; row->name != NULL; row++) {
			if (strcmp(row->name, name) == 0 && row->method == method &&
			    takes(row, args, count)) {
				return row;
			}
		}
	}
	return NULL;
}

/* A name that begins with a point is a method's. */
static struct value call(const char *name, struct value args[], size_t count)
{
	bool method = *name == '.';
	const struct overload *row = find(name + method, method, args, count);
	if (row == NULL) {
		return value_error(ERROR_NO_SUCH_OVERLOAD, NULL);
	}
	struct value result = row->fn(&allowance, args, count);
	if (!value_is_error(result)) {
		assert_true((row->gives & 1U << result.tag) != 0);
	}
	return result;
}

struct call_case {
	const char *name;
	const char *args[ARGS_MAX];
	const char *result;
};

static void check_case(const struct call_case *test)
{
	struct value args[ARGS_MAX];
	size_t count = 0;
	struct buf call_text = {0};
	for (; count < ARGS_MAX && test->args[count] != NULL; count++) {
		args[count] = read_value(test->args[count]);
		buf_format(&call_text, " %s", test->args[count]);
	}
	struct buf shown = {0};
	show(call(test->name, args, count), &shown);
	if (!span_is(buf_view(&shown), test->result)) {
		fail_msg("%s%.*s: %.*s, not %s", test->name, SPAN_ARG(buf_view(&call_text)),
		         SPAN_ARG(buf_view(&shown)), test->result);
	}
	buf_free(&shown);
	buf_free(&call_text);
	arena_reset(&allowance.arena);
	allowance.budget = 100000;
}

#define CHECK(cases)                                                                               \
	for (size_t at = 0; at < sizeof(cases) / sizeof(cases)[0]; at++) {                         \
		check_case(&(cases)[at]);                                                          \
	}

#endif
