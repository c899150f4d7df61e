/* This file feeds any JSON to the values of expressions and compares them with the plain reading.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/activation.h"

#include <stdint.h>

enum { PATHS_MOST = 24, ITEMS_MOST = 16, DIGITS_EXACT = 15 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every number in it is a short integer: what is equal to the last digit is equal as a value. */
static bool has_plain_numbers(struct span json)
{
	const char *at = json.ptr;
	const char *end = json.ptr + json.len;
	while (at < end) {
		const char *from = at;
		if (*at == '"') {
			for (at++; *at != '"'; at++) {
				at += *at == '\\';
			}
			at++;
			continue;
		}
		while (at < end && (*at == '-' || (*at >= '0' && *at <= '9'))) {
			at++;
		}
		if (at - from > DIGITS_EXACT ||
		    (at != from && at < end && (*at == '.' || (*at | 0x20) == 'e'))) {
			return false;
		}
		at += at == from;
	}
	return true;
}

static void check_order(struct value a, struct value b, bool equal)
{
	int there = 0;
	int back = 0;
	bool ordered = value_compare(a, b, &there);
	PRE(ordered == value_compare(b, a, &back) && (there > 0) == (back < 0));
	PRE(!ordered || (there == 0) == equal);
	bool is_scalar = a.tag != VALUE_LIST && a.tag != VALUE_MAP;
	PRE(!(equal && is_scalar) || value_hash(a, 0) == value_hash(b, 0));
}

static void check_pair(struct allowance *allowance, struct span a, struct span b)
{
	struct value x = value_from_json(allowance, a);
	struct value y = value_from_json(allowance, b);
	struct value there = value_equal(allowance, &x, &y);
	struct value back = value_equal(allowance, &y, &x);
	PRE(there.tag == back.tag);
	if (value_is_error(there)) {
		PRE(there.code == ERROR_OVERFLOW);
		return;
	}
	PRE(there.as.b == back.as.b);
	check_order(x, y, there.as.b);
	if (has_plain_numbers(a) && has_plain_numbers(b)) {
		PRE(there.as.b == json_equal(a, b));
	}
}

/* Back as JSON, after one level was read, it is the same value again. */
static void check_written(struct allowance *allowance, struct span json)
{
	struct value value = value_from_json(allowance, json);
	if (value.tag == VALUE_LIST) {
		PRE(value_list(allowance, &value) != NULL);
	} else if (value.tag == VALUE_MAP) {
		PRE(value_map(allowance, &value) != NULL);
	}
	struct buf out = {0};
	struct value failed = value_write_json(allowance, value, &out);
	PRE((failed.tag == VALUE_UNSET) == (out.len != 0));
	if (out.len != 0) {
		PRE(json_check(buf_view(&out), NULL, NULL) == 0);
		struct value again = value_from_json(allowance, buf_view(&out));
		struct value same = value_equal(allowance, &value, &again);
		PRE(value_is_error(same) ? same.code == ERROR_OVERFLOW : same.as.b);
		PRE(!has_plain_numbers(json) || json_equal(json, buf_view(&out)));
	}
	buf_clear(&out);
	value_write_text(allowance, value, 40, &out);
	PRE(out.len <= 43 && json_utf8_valid(buf_view(&out)));
	buf_free(&out);
}

static void check_pairs(struct allowance *allowance, struct span value)
{
	struct span items[ITEMS_MOST];
	size_t count = 0;
	struct json_iter iter = json_iter(value);
	while (count < ITEMS_MOST && json_next_item(&iter, &items[count])) {
		count++;
	}
	for (size_t i = 0; i < count * count; i++) {
		check_pair(allowance, items[i / count], items[i % count]);
	}
}

/* The paths of the first members of the first objects, two levels deep. */
static size_t take_paths(struct paths *paths, uint32_t parent, struct span object, int depth,
                         uint32_t slots[], size_t count)
{
	struct json_iter iter = json_iter(object);
	struct span name;
	struct span value;
	while (count < PATHS_MOST && json_next_member(&iter, &name, &value)) {
		struct buf plain = {0};
		json_string(span_make(name.ptr - 1, name.len + 2), &plain);
		/* Every other one, so that some are skipped. */
		if ((plain.len + count + (size_t)depth) % 3 != 0) {
			uint32_t slot = paths_take(paths, parent, buf_view(&plain));
			slots[count++] = slot;
			if (json_kind(value) == JSON_OBJECT && depth != 2) {
				count = take_paths(paths, slot, value, depth + 1, slots, count);
			}
		}
		buf_free(&plain);
	}
	return count;
}

static bool find(const struct paths *paths, uint32_t slot, struct span json, struct span *out)
{
	uint32_t parent = paths_parent(paths, slot);
	if (parent == PATHS_NONE) {
		*out = json;
		return true;
	}
	struct span above;
	return find(paths, parent, json, &above) && json_kind(above) == JSON_OBJECT &&
	       json_get(above, paths_name(paths, slot), out);
}

static void check_walk(struct span json)
{
	struct paths *paths = paths_new();
	uint32_t root = paths_root(paths, SPAN("v"));
	uint32_t slots[PATHS_MOST];
	size_t count = take_paths(paths, root, json, 0, slots, 0);
	struct activation activation;
	activation_init(&activation, paths, 64 << 20);
	activation_bind_json(&activation, root, json);
	activation.allowance.budget = INT64_MAX / 2;
	for (size_t i = 0; i < count; i++) {
		struct span text;
		struct value value = activation_get(&activation, slots[i]);
		if (!find(paths, slots[i], json, &text)) {
			PRE(value_is_error(value));
			continue;
		}
		struct value want = value_from_json(&activation.allowance, text);
		struct value same = value_equal(&activation.allowance, &value, &want);
		PRE(value_is_error(same) ? same.code == ERROR_OVERFLOW : same.as.b);
	}
	activation_reset(&activation);
	for (size_t i = 0; i < activation.slot_cap; i++) {
		PRE(activation.slots[i].tag == VALUE_UNSET);
	}
	activation_close(&activation);
	paths_free(paths);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value;
	if (json_check(span_make((const char *)data, size), &value, NULL) != 0) {
		return 0;
	}
	struct allowance allowance = {.arena.limit = 256 << 20, .budget = INT64_MAX / 2};
	struct buf canonical = {0};
	json_canonical(value, &canonical);
	check_pair(&allowance, value, buf_view(&canonical));
	check_written(&allowance, value);
	if (json_kind(value) == JSON_ARRAY) {
		check_pairs(&allowance, value);
	} else if (json_kind(value) == JSON_OBJECT) {
		check_walk(value);
	}
	buf_free(&canonical);
	arena_close(&allowance.arena);
	return 0;
}
