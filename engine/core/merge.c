/* This file replaces and adds members of a JSON object in one pass over its text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/merge.h"

#include "base/json.h"
#include "base/mem.h"
#include <stdlib.h>

enum { CHUNK = 32 }; /* names that json_get_many looks for in one pass */

struct edit {
	struct span name; /* the token, with its quotes */
	struct span value;
	struct span old; /* absent: the member is new */
};

bool merge_pollutes(struct span plain_name)
{
	return span_equal(plain_name, SPAN("__proto__")) ||
	       span_equal(plain_name, SPAN("constructor")) ||
	       span_equal(plain_name, SPAN("prototype"));
}

size_t merge_depth(struct span value)
{
	size_t depth = 0;
	size_t deepest = 0;
	bool in_string = false;
	for (size_t i = 0; i < value.len; i++) {
		char byte = value.ptr[i];
		if (in_string) {
			if (byte == '\\') {
				i++;
			} else if (byte == '"') {
				in_string = false;
			}
		} else if (byte == '"') {
			in_string = true;
		} else if (byte == '{' || byte == '[') {
			depth++;
			deepest = depth > deepest ? depth : deepest;
		} else if (byte == '}' || byte == ']') {
			depth--;
		}
	}
	return deepest;
}

static size_t count_members(struct span value)
{
	size_t count = 0;
	struct json_iter iter = json_iter(value);
	struct span name;
	struct span member;
	while (json_next_member(&iter, &name, &member)) {
		count++;
	}
	return count;
}

const char *merge_refuses(struct span value, const char **out_message)
{
	if (json_kind(value) != JSON_OBJECT) {
		*out_message = "only an object can be merged";
		return "value.not_an_object";
	}
	if (merge_depth(value) > MERGE_DEPTH_MAX) {
		*out_message = "the value is nested more than 16 deep";
		return "value.too_deep";
	}
	if (count_members(value) > MERGE_KEYS_MAX) {
		*out_message = "the value has more than 1024 keys";
		return "value.too_many_keys";
	}
	struct json_iter iter = json_iter(value);
	struct span name;
	struct span member;
	while (json_next_member(&iter, &name, &member)) {
		if (json_name_is(name, SPAN("__proto__")) ||
		    json_name_is(name, SPAN("constructor")) ||
		    json_name_is(name, SPAN("prototype"))) {
			*out_message = "__proto__, constructor and prototype cannot be merged";
			return "value.proto_polluted";
		}
	}
	return NULL;
}

/* Where each of these members stands in `object`; drops those that a later one of their name
 * makes void. Returns how many are left. */
static size_t place_edits(struct span object, struct span value, struct edit edits[], size_t count,
                          struct buf *plain)
{
	struct span names[CHUNK] = {{0}};
	struct span last[CHUNK];
	struct span old[CHUNK];
	for (size_t i = 0; i < count; i++) {
		names[i] = json_plain(edits[i].name, plain);
	}
	json_get_many(value, names, count, last);
	json_get_many(object, names, count, old);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (last[i].ptr == edits[i].value.ptr) {
			edits[kept] = edits[i];
			edits[kept++].old = old[i];
		}
	}
	return kept;
}

static int compare_edits(const void *left, const void *right)
{
	const struct edit *a = left;
	const struct edit *b = right;
	/* New members stay behind the others, in their own order. */
	if (a->old.ptr == NULL || b->old.ptr == NULL) {
		if (a->old.ptr == NULL && b->old.ptr == NULL) {
			return (a->name.ptr > b->name.ptr) - (a->name.ptr < b->name.ptr);
		}
		return (a->old.ptr == NULL) - (b->old.ptr == NULL);
	}
	return (a->old.ptr > b->old.ptr) - (a->old.ptr < b->old.ptr);
}

static void write_edits(struct span object, const struct edit edits[], size_t count,
                        struct buf *out)
{
	const char *at = object.ptr;
	const char *end = object.ptr + object.len - 1; /* the closing brace */
	size_t i = 0;
	for (; i < count && edits[i].old.ptr != NULL; i++) {
		buf_add(out, at, (size_t)(edits[i].old.ptr - at));
		buf_span(out, edits[i].value);
		at = edits[i].old.ptr + edits[i].old.len;
	}
	const char *tail = end;
	while (tail > at && strchr(" \t\r\n", tail[-1]) != NULL) {
		tail--;
	}
	buf_add(out, at, (size_t)(tail - at));
	for (; i < count; i++) {
		if (out->ptr[out->len - 1] != '{') { /* the object was empty */
			buf_byte(out, ',');
		}
		buf_span(out, edits[i].name);
		buf_byte(out, ':');
		buf_span(out, edits[i].value);
	}
	buf_add(out, tail, (size_t)(object.ptr + object.len - tail));
}

void merge_object(struct span object, struct span value, struct buf *out)
{
	struct edit *edits = MEM_ARRAY(struct edit, count_members(value) + 1);
	struct buf plain = {0};
	(void)buf_reserve(&plain, value.len); /* names point into it */
	size_t count = 0;
	size_t placed = 0;
	struct json_iter iter = json_iter(value);
	struct span name;
	struct span member;
	while (json_next_member(&iter, &name, &member)) {
		edits[count++] = (struct edit){.name = span_make(name.ptr - 1, name.len + 2),
		                               .value = member};
		if (count - placed == CHUNK) {
			placed += place_edits(object, value, edits + placed, CHUNK, &plain);
			count = placed;
		}
	}
	placed += place_edits(object, value, edits + placed, count - placed, &plain);
	qsort(edits, placed, sizeof *edits, compare_edits);
	write_edits(object, edits, placed, out);
	buf_free(&plain);
	mem_free(edits);
}
