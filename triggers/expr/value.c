/* This file makes values of JSON text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/value.h"

#include "base/json_number.h"
#include "base/json_read.h"
#include "base/json_scan.h"

enum { DIGITS_SAFE = 18 }; /* so many never overflow an int64_t */

static struct value exact(int64_t i)
{
	return (struct value){.tag = VALUE_DOUBLE, .flags = VALUE_EXACT, .as.i = i};
}

/* Few digits without a point or an exponent: most numbers of most events. */
static bool is_short_integer(struct span text, int64_t *out)
{
	const char *at = text.ptr;
	const char *end = text.ptr + text.len;
	bool negative = *at == '-';
	at += negative;
	if (end - at > DIGITS_SAFE) {
		return false;
	}
	int64_t number = 0;
	for (; at < end && (unsigned char)(*at - '0') <= 9; at++) {
		number = number * 10 + (*at - '0');
	}
	*out = negative ? -number : number;
	return at == end && !(negative && number == 0);
}

static struct value number_from(struct span text)
{
	int64_t i;
	uint64_t u;
	double d;
	if (is_short_integer(text, &i)) {
		return exact(i);
	}
	/* "-0" is the double that integers do not have. */
	if (json_is_integer_text(text) && !span_is(text, "-0")) {
		if (json_int64(text, &i)) {
			return exact(i);
		}
		if (json_uint64(text, &u)) {
			return (struct value){
			        .tag = VALUE_DOUBLE, .flags = VALUE_EXACT_UNSIGNED, .as.u = u};
		}
	}
	if (!json_double(text, &d)) {
		return value_error(ERROR_OVERFLOW, "a number of the event is beyond every double");
	}
	return value_double_of(d);
}

static struct value string_from(struct allowance *allowance, struct span text)
{
	struct span token = {text.ptr + 1, text.len - 2};
	const char *end = token.ptr + token.len;
	if (json_scan_quote(token.ptr, end) == end) {
		return value_string(token);
	}
	/* An escape is longer than what it stands for, so that this buffer never grows. */
	char *room = arena_take(&allowance->arena, token.len);
	if (room == NULL) {
		return value_error(ERROR_TOO_BIG, NULL);
	}
	struct buf plain = {.ptr = room, .cap = token.len};
	json_string(text, &plain);
	return value_string(buf_view(&plain));
}

struct value value_from_json(struct allowance *allowance, struct span json)
{
	if (json.len > UINT32_MAX) {
		return value_error(ERROR_TOO_BIG, NULL);
	}
	switch (json_kind(json)) {
	case JSON_NULL:
		return value_null();
	case JSON_BOOL:
		return value_bool(json.ptr[0] == 't');
	case JSON_NUMBER:
		return number_from(json);
	case JSON_STRING:
		return string_from(allowance, json);
	default:
		return (struct value){
		        .tag = json.ptr[0] == '[' ? VALUE_LIST : VALUE_MAP,
		        .flags = VALUE_TEXT,
		        .len = (uint32_t)json.len,
		        .as.text = json.ptr,
		};
	}
}
