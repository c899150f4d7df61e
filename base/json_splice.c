/* This file changes JSON text in one place and copies the rest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_splice.h"

#include "base/json_read.h"
#include "base/json_write.h"

static void add_range(struct buf *out, const char *from, const char *to)
{
	buf_add(out, from, (size_t)(to - from));
}

void json_set(struct span object, struct span plain_name, struct span value, struct buf *out)
{
	const char *end = object.ptr + object.len;
	const char *last_end = object.ptr + 1;
	struct span old = SPAN_NONE;
	struct json_iter iter = json_iter(object);
	struct span name;
	struct span each;
	bool is_empty = true;
	while (json_next_member(&iter, &name, &each)) {
		is_empty = false;
		last_end = iter.at;
		old = json_name_is(name, plain_name) ? each : old;
	}
	(void)buf_reserve(out, object.len + plain_name.len + value.len + 4);
	if (old.ptr != NULL) {
		add_range(out, object.ptr, old.ptr);
		buf_span(out, value);
		add_range(out, old.ptr + old.len, end);
		return;
	}
	add_range(out, object.ptr, last_end);
	if (!is_empty) {
		buf_byte(out, ',');
	}
	json_write_string(out, plain_name);
	buf_byte(out, ':');
	buf_span(out, value);
	add_range(out, last_end, end);
}

bool json_remove(struct span object, struct span plain_name, struct buf *out)
{
	struct span found;
	if (!json_get(object, plain_name, &found)) {
		return false;
	}
	/* What stands before a member (comma, white space) goes and stays with it; but the first
	 * that stays takes what stood before the first of all, where there is no comma. */
	struct json_iter iter = json_iter(object);
	const char *end = object.ptr + object.len;
	const char *before = iter.at;
	const char *first_at = NULL;
	bool kept_one = false;
	struct span name;
	struct span value;
	(void)buf_reserve(out, object.len);
	buf_byte(out, '{');
	while (json_next_member(&iter, &name, &value)) {
		const char *quote = name.ptr - 1;
		first_at = first_at ? first_at : quote;
		if (!json_name_is(name, plain_name)) {
			if (kept_one) {
				add_range(out, before, quote);
			} else {
				add_range(out, object.ptr + 1, first_at);
			}
			add_range(out, quote, iter.at);
			kept_one = true;
		}
		before = iter.at;
	}
	add_range(out, before, end);
	return true;
}

void json_append(struct span array, struct span value, struct buf *out)
{
	struct json_iter iter = json_iter(array);
	const char *last_end = iter.at;
	bool is_empty = true;
	struct span item;
	while (json_next_item(&iter, &item)) {
		is_empty = false;
		last_end = iter.at;
	}
	(void)buf_reserve(out, array.len + value.len + 1);
	add_range(out, array.ptr, last_end);
	if (!is_empty) {
		buf_byte(out, ',');
	}
	buf_span(out, value);
	add_range(out, last_end, array.ptr + array.len);
}
