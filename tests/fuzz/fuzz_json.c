/* This file feeds any bytes to base/json and checks that what it accepts holds together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(struct span value)
{
	int64_t integer;
	uint64_t natural;
	double real;
	if (json_int64(value, &integer)) {
		struct buf text = {0};
		buf_int(&text, integer);
		PRE(json_equal(value, buf_view(&text)));
		PRE(integer < 0 || json_uint64(value, &natural));
		buf_free(&text);
	}
	if (json_double(value, &real)) {
		struct buf text = {0};
		json_write_double(&text, real);
		double again;
		PRE(json_double(buf_view(&text), &again) && again >= real && again <= real);
		buf_free(&text);
	}
}

static void check_string(struct span value)
{
	struct buf scratch = {0};
	struct buf again = {0};
	struct span plain = json_plain(value, &scratch);
	PRE(json_string_is(value, plain) && json_utf8_valid(plain));
	json_write_string(&again, plain);
	PRE(json_check(buf_view(&again), NULL, NULL) == 0);
	PRE(json_equal(value, buf_view(&again)));
	buf_free(&scratch);
	buf_free(&again);
}

/* Valid, and the member has the value (absent: is not there). */
static void check_member(const struct buf *object, struct span name, struct span value)
{
	struct span found;
	struct span at_once;
	PRE(json_check_object(buf_view(object), &name, 1, &at_once, NULL) == 0);
	(void)json_get(buf_view(object), name, &found);
	PRE(found.ptr == at_once.ptr && found.len == at_once.len);
	PRE((found.ptr == NULL) == (value.ptr == NULL) && span_equal(found, value));
}

static void check_object_splices(struct span object, struct span escaped_name)
{
	struct buf scratch = {0};
	struct span quoted = {escaped_name.ptr - 1, escaped_name.len + 2};
	struct span name = json_plain(quoted, &scratch);
	struct buf out = {0};
	json_set(object, name, SPAN("[1]"), &out);
	check_member(&out, name, SPAN("[1]"));
	buf_clear(&out);
	PRE(json_remove(object, name, &out));
	check_member(&out, name, SPAN_NONE);
	buf_free(&out);
	buf_free(&scratch);
}

static void check_array_append(struct span array, size_t count)
{
	struct buf out = {0};
	json_append(array, SPAN("{}"), &out);
	PRE(json_check(buf_view(&out), NULL, NULL) == 0);
	struct json_iter iter = json_iter(buf_view(&out));
	struct span item = SPAN_NONE;
	size_t now = 0;
	while (json_next_item(&iter, &item)) {
		now++;
	}
	PRE(now == count + 1 && span_is(item, "{}"));
	buf_free(&out);
}

/* Every part of a valid value is a valid value. */
static void walk(struct span value, size_t level)
{
	PRE(json_check(value, NULL, NULL) == 0);
	enum json_kind kind = json_kind(value);
	struct span each;
	size_t count = 0;
	if (kind == JSON_NUMBER) {
		check_numbers(value);
	} else if (kind == JSON_STRING) {
		check_string(value);
	} else if (kind == JSON_ARRAY) {
		struct json_iter iter = json_iter(value);
		for (; json_next_item(&iter, &each); count++) {
			walk(each, level + 1);
		}
		if (level < 4) {
			check_array_append(value, count);
		}
	} else if (kind == JSON_OBJECT) {
		struct json_iter iter = json_iter(value);
		struct span name;
		for (; json_next_member(&iter, &name, &each); count++) {
			walk(each, level + 1);
			if (level < 4 && count < 8) {
				check_object_splices(value, name);
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct span value;
	struct err err = {0};
	if (json_check(text, &value, &err) != 0) {
		struct span none;
		PRE(err.number == E_INVALID);
		PRE(json_check_object(text, NULL, 0, &none, NULL) == E_INVALID);
		return 0;
	}
	PRE(json_utf8_valid(text));
	/* Each level is walked again by its parent: deep ones cost their square. */
	if (size < 4096) {
		walk(value, 0);
	}
	struct buf compact = {0};
	struct buf canonical = {0};
	struct buf twice = {0};
	json_compact(value, &compact);
	json_canonical(value, &canonical);
	PRE(json_check(buf_view(&compact), NULL, NULL) == 0);
	PRE(json_check(buf_view(&canonical), NULL, NULL) == 0);
	PRE(json_same_text(value, buf_view(&compact)));
	PRE(json_equal(value, value) && json_equal(value, buf_view(&compact)));
	PRE(json_equal(buf_view(&canonical), value));
	json_canonical(buf_view(&compact), &twice);
	PRE(span_equal(buf_view(&canonical), buf_view(&twice)));
	buf_free(&compact);
	buf_free(&canonical);
	buf_free(&twice);
	return 0;
}
