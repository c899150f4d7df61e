/* This file turns the typed values of the public CEL vectors into values of ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/expr/typed.h"

#include "base/json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct span text_of(struct allowance *allowance, struct span json)
{
	struct buf plain = {0};
	json_string(json, &plain);
	struct span copy = arena_copy(&allowance->arena, buf_view(&plain));
	buf_free(&plain);
	return copy;
}

static bool read_base64(struct allowance *allowance, struct span json, struct value *out)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct span text = text_of(allowance, json);
	struct buf plain = {0};
	unsigned bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
		const char *digit = strchr(digits, text.ptr[i]);
		if (digit == NULL) {
			return false;
		}
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_byte(&plain, (char)(bits >> have & 0xff));
		}
	}
	*out = value_bytes(arena_copy(&allowance->arena, buf_view(&plain)));
	buf_free(&plain);
	return true;
}

/* "2009-02-13T23:31:30.5Z", always in UTC in the vectors. */
static bool read_timestamp(struct allowance *allowance, struct span json, struct value *out)
{
	struct tm parts = {0};
	struct span text = text_of(allowance, json);
	const char *rest = strptime(text.ptr, "%Y-%m-%dT%H:%M:%S", &parts);
	if (rest == NULL) {
		return false;
	}
	double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
	*out = (struct value){.tag = VALUE_TIMESTAMP,
	                      .len = (uint32_t)lround(fraction * 1e9),
	                      .as.i = timegm(&parts)};
	return true;
}

/* "-1.5s" */
static bool read_duration(struct allowance *allowance, struct span json, struct value *out)
{
	struct span text = text_of(allowance, json);
	char *rest = NULL;
	int64_t seconds = strtoll(text.ptr, &rest, 10);
	int64_t nanos = 0;
	if (*rest == '.') {
		nanos = llround(strtod(rest, NULL) * 1e9);
		nanos = text.ptr[0] == '-' ? -nanos : nanos;
	}
	if (nanos < 0) {
		nanos += 1000000000;
		seconds--;
	}
	*out = (struct value){.tag = VALUE_DURATION, .len = (uint32_t)nanos, .as.i = seconds};
	return true;
}

static size_t count_items(struct span array)
{
	size_t count = 0;
	struct span item;
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		count++;
	}
	return count;
}

static bool read_list(struct allowance *allowance, struct span json, struct value *out)
{
	size_t count = 0;
	struct value *items = ARENA_ARRAY(&allowance->arena, struct value, count_items(json) + 1);
	struct span item;
	for (struct json_iter iter = json_iter(json); json_next_item(&iter, &item);) {
		if (!typed_read(allowance, item, &items[count++])) {
			return false;
		}
	}
	*out = value_of_list(allowance, items, count);
	return true;
}

static bool read_map(struct allowance *allowance, struct span json, struct value *out)
{
	size_t count = 0;
	struct value_pair *pairs =
	        ARENA_ARRAY(&allowance->arena, struct value_pair, count_items(json) + 1);
	struct span item;
	for (struct json_iter iter = json_iter(json); json_next_item(&iter, &item);) {
		struct span key;
		struct span value;
		struct json_iter pair = json_iter(item);
		if (!json_next_item(&pair, &key) || !json_next_item(&pair, &value) ||
		    !typed_read(allowance, key, &pairs[count].key) ||
		    !typed_read(allowance, value, &pairs[count].value)) {
			return false;
		}
		count++;
	}
	*out = value_of_map(allowance, pairs, count);
	return true;
}

static bool read_scalar(struct allowance *allowance, struct span kind, struct span json,
                        struct value *out)
{
	if (span_is(kind, "null")) {
		*out = value_null();
	} else if (span_is(kind, "bool")) {
		*out = value_bool(json_is_true(json));
	} else if (span_is(kind, "int")) {
		*out = value_int(strtoll(text_of(allowance, json).ptr, NULL, 10));
	} else if (span_is(kind, "uint")) {
		*out = value_uint(strtoull(text_of(allowance, json).ptr, NULL, 10));
	} else if (span_is(kind, "double")) {
		*out = value_double_of(strtod(text_of(allowance, json).ptr, NULL));
	} else if (span_is(kind, "string")) {
		*out = value_string(text_of(allowance, json));
	} else if (span_is(kind, "type")) {
		*out = value_string(text_of(allowance, json));
		out->tag = VALUE_TYPE;
	} else {
		return false;
	}
	return true;
}

bool typed_read(struct allowance *allowance, struct span json, struct value *out)
{
	struct span kind;
	struct span inner;
	struct json_iter iter = json_iter(json);
	if (!json_next_member(&iter, &kind, &inner)) {
		return false;
	}
	if (span_is(kind, "bytes_b64")) {
		return read_base64(allowance, inner, out);
	}
	if (span_is(kind, "timestamp")) {
		return read_timestamp(allowance, inner, out);
	}
	if (span_is(kind, "duration")) {
		return read_duration(allowance, inner, out);
	}
	if (span_is(kind, "list")) {
		return read_list(allowance, inner, out);
	}
	if (span_is(kind, "map")) {
		return read_map(allowance, inner, out);
	}
	return read_scalar(allowance, kind, inner, out);
}

static bool same_lists(struct allowance *allowance, struct value a, struct value b)
{
	const struct value_list *left = value_list(allowance, &a);
	const struct value_list *right = value_list(allowance, &b);
	if (left == NULL || right == NULL || left->count != right->count) {
		return false;
	}
	for (size_t i = 0; i < left->count; i++) {
		if (!typed_same(allowance, left->items[i], right->items[i])) {
			return false;
		}
	}
	return true;
}

static bool same_maps(struct allowance *allowance, struct value a, struct value b)
{
	const struct value_map *left = value_map(allowance, &a);
	const struct value_map *right = value_map(allowance, &b);
	if (left == NULL || right == NULL || left->count != right->count) {
		return false;
	}
	for (size_t i = 0; i < left->count; i++) {
		bool found = false;
		for (size_t j = 0; j < right->count && !found; j++) {
			found = typed_same(allowance, left->pairs[i].key, right->pairs[j].key) &&
			        typed_same(allowance, left->pairs[i].value, right->pairs[j].value);
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

bool typed_same(struct allowance *allowance, struct value a, struct value b)
{
	if (a.tag != b.tag) {
		return false;
	}
	switch ((enum value_tag)a.tag) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a.as.b == b.as.b;
	case VALUE_INT:
	case VALUE_UINT:
		return a.as.u == b.as.u;
	case VALUE_DOUBLE: {
		double left = value_double(a);
		double right = value_double(b);
		return (isnan(left) && isnan(right)) || left == right;
	}
	case VALUE_STRING:
	case VALUE_BYTES:
	case VALUE_TYPE:
		return span_equal(value_text(a), value_text(b));
	case VALUE_TIMESTAMP:
	case VALUE_DURATION:
		return a.as.i == b.as.i && a.len == b.len;
	case VALUE_LIST:
		return same_lists(allowance, a, b);
	case VALUE_MAP:
		return same_maps(allowance, a, b);
	default:
		return false;
	}
}
