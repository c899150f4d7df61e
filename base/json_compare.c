/* This file compares JSON values and writes them compact or canonical. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_compare.h"

#include "base/json_number.h"
#include "base/json_read.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/mem.h"
#include <stdlib.h>

/* ---- text ---- */

bool json_same_text(struct span a, struct span b)
{
	if (span_equal(a, b)) {
		return true;
	}
	const char *x = a.ptr;
	const char *x_end = a.ptr + a.len;
	const char *y = b.ptr;
	const char *y_end = b.ptr + b.len;
	for (;;) {
		x = json_skip_space(x, x_end);
		y = json_skip_space(y, y_end);
		if (x == x_end || y == y_end) {
			return x == x_end && y == y_end;
		}
		if (*x != *y) {
			return false;
		}
		size_t len = 1;
		if (*x == '"') {
			const char *quote = json_scan_string(x + 1, x_end);
			len = (size_t)(quote - x) + (quote < x_end);
			if ((size_t)(y_end - y) < len || memcmp(x, y, len) != 0) {
				return false;
			}
		}
		x += len;
		y += len;
	}
}

void json_compact(struct span value, struct buf *out)
{
	const char *at = value.ptr;
	const char *end = value.ptr + value.len;
	char *to = buf_reserve(out, value.len);
	while (at < end) {
		const char *from = at;
		at += 1;
		if (*from == '"') {
			at = json_scan_string(at, end);
			at += at < end;
		}
		if (!json_is_space(*from)) {
			memcpy(to, from, (size_t)(at - from));
			to += at - from;
		}
	}
	out->len = (size_t)(to - out->ptr);
}

/* ---- members in order ---- */

struct member {
	struct span name; /* escaped */
	struct span value;
};

struct members {
	struct member *items;
	size_t count;
};

static int member_order(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int order = json_name_compare(x->name, y->name);
	/* Equal names stay in the order of the text. */
	return order != 0 ? order : (x->name.ptr > y->name.ptr) - (x->name.ptr < y->name.ptr);
}

/* The members sorted by name, of duplicates the last one. Free the items. */
static struct members sort_members(struct span object)
{
	struct members members = {0};
	struct json_iter iter = json_iter(object);
	struct member next;
	size_t cap = 0;
	while (json_next_member(&iter, &next.name, &next.value)) {
		if (members.count == cap) {
			cap = cap ? 2 * cap : 8;
			members.items = mem_grow(members.items, cap * sizeof next);
		}
		members.items[members.count++] = next;
	}
	if (members.count > 1) {
		qsort(members.items, members.count, sizeof next, member_order);
	}
	size_t kept = 0;
	for (size_t i = 0; i < members.count; i++) {
		bool is_again = kept != 0 && json_name_compare(members.items[kept - 1].name,
		                                               members.items[i].name) == 0;
		kept -= is_again;
		members.items[kept++] = members.items[i];
	}
	members.count = kept;
	return members;
}

/* ---- equal ---- */

static struct span token_of(struct span string)
{
	return (struct span){string.ptr + 1, string.len - 2};
}

static bool equal_arrays(struct span a, struct span b)
{
	struct json_iter x = json_iter(a);
	struct json_iter y = json_iter(b);
	struct span left;
	struct span right;
	while (json_next_item(&x, &left)) {
		if (!json_next_item(&y, &right) || !json_equal(left, right)) {
			return false;
		}
	}
	return !json_next_item(&y, &right);
}

static bool equal_objects(struct span a, struct span b)
{
	struct members x = sort_members(a);
	struct members y = sort_members(b);
	bool equal = x.count == y.count;
	for (size_t i = 0; equal && i < x.count; i++) {
		equal = json_name_compare(x.items[i].name, y.items[i].name) == 0 &&
		        json_equal(x.items[i].value, y.items[i].value);
	}
	mem_free(x.items);
	mem_free(y.items);
	return equal;
}

bool json_equal(struct span a, struct span b)
{
	if (span_equal(a, b)) {
		return true;
	}
	enum json_kind kind = json_kind(a);
	if (kind != json_kind(b)) {
		return false;
	}
	switch (kind) {
	case JSON_NUMBER:
		return json_number_equal(a, b);
	case JSON_STRING:
		return json_name_compare(token_of(a), token_of(b)) == 0;
	case JSON_ARRAY:
		return equal_arrays(a, b);
	case JSON_OBJECT:
		return equal_objects(a, b);
	default:
		return false; /* null, true and false have one text each */
	}
}

/* ---- canonical ---- */

static void write_token(struct span escaped, struct buf *scratch, struct buf *out)
{
	buf_clear(scratch);
	struct span quoted = {escaped.ptr - 1, escaped.len + 2};
	json_write_string(out, json_plain(quoted, scratch));
}

static void write_canonical(struct span value, struct buf *scratch, struct buf *out)
{
	enum json_kind kind = json_kind(value);
	if (kind == JSON_STRING) {
		write_token(token_of(value), scratch, out);
	} else if (kind == JSON_ARRAY) {
		struct json_iter iter = json_iter(value);
		struct span item;
		buf_byte(out, '[');
		for (bool is_first = true; json_next_item(&iter, &item); is_first = false) {
			if (!is_first) {
				buf_byte(out, ',');
			}
			write_canonical(item, scratch, out);
		}
		buf_byte(out, ']');
	} else if (kind == JSON_OBJECT) {
		struct members members = sort_members(value);
		buf_byte(out, '{');
		for (size_t i = 0; i < members.count; i++) {
			if (i != 0) {
				buf_byte(out, ',');
			}
			write_token(members.items[i].name, scratch, out);
			buf_byte(out, ':');
			write_canonical(members.items[i].value, scratch, out);
		}
		buf_byte(out, '}');
		mem_free(members.items);
	} else {
		buf_span(out, value);
	}
}

void json_canonical(struct span value, struct buf *out)
{
	struct buf scratch = {0};
	write_canonical(value, &scratch, out);
	buf_free(&scratch);
}
