/* This file collects names with their values and writes them as a JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/pairs.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/url.h"

static void add_text(struct pairs *pairs, struct span text)
{
	buf_span(&pairs->texts, text);
	buf_add(&pairs->ends, &pairs->texts.len, sizeof pairs->texts.len);
}

static size_t count_of(const struct pairs *pairs)
{
	return pairs->ends.len / sizeof(size_t) / 2;
}

bool pairs_add(struct pairs *pairs, struct span name, struct span value)
{
	if (count_of(pairs) == PAIRS_MAX) {
		return false;
	}
	add_text(pairs, name);
	add_text(pairs, value);
	return true;
}

bool pairs_add_query(struct pairs *pairs, struct span query)
{
	struct buf plain_name = {0};
	struct buf plain_value = {0};
	struct span name;
	struct span value;
	bool good = true;
	while (good && query.len != 0 && url_next_param(&query, &name, &value)) {
		buf_clear(&plain_name);
		buf_clear(&plain_value);
		good = url_decode_query(name, &plain_name) &&
		       (value.ptr == NULL || url_decode_query(value, &plain_value)) &&
		       pairs_add(pairs, buf_view(&plain_name), buf_view(&plain_value));
	}
	buf_free(&plain_name);
	buf_free(&plain_value);
	return good;
}

/* ---- writing ---- */

struct pair {
	struct map_node by_name; /* of the first of its name only */
	struct span name;
	struct span value;
	struct pair *next; /* of the same name */
	struct pair *last; /* of the first: where that chain ends */
};

static bool has_name(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct pair, by_name)->name,
	                  *(const struct span *)key);
}

static struct span text_at(const struct pairs *pairs, size_t index)
{
	size_t begin = 0;
	size_t end;
	if (index != 0) {
		memcpy(&begin, pairs->ends.ptr + (index - 1) * sizeof begin, sizeof begin);
	}
	memcpy(&end, pairs->ends.ptr + index * sizeof end, sizeof end);
	return span_make(buf_view(&pairs->texts).ptr + begin, end - begin);
}

static void write_pair(const struct pair *pair, struct buf *out)
{
	json_write_comma(out);
	json_write_string(out, pair->name);
	buf_byte(out, ':');
	if (pair->next == NULL) {
		json_write_string(out, pair->value);
		return;
	}
	buf_byte(out, '[');
	for (; pair != NULL; pair = pair->next) {
		json_write_comma(out);
		json_write_string(out, pair->value);
	}
	buf_byte(out, ']');
}

void pairs_write(const struct pairs *pairs, struct buf *out)
{
	struct map by_name = {0};
	size_t count = count_of(pairs);
	struct pair *all = MEM_ARRAY(struct pair, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct pair *pair = &all[i];
		pair->name = text_at(pairs, i * 2);
		pair->value = text_at(pairs, i * 2 + 1);
		uint64_t hash = hash_bytes(pair->name, 0);
		struct map_node *node = map_get(&by_name, hash, &pair->name, has_name);
		if (node == NULL) {
			map_add(&by_name, &pair->by_name, hash);
			pair->last = pair;
		} else {
			struct pair *first = MEM_CONTAINER(node, struct pair, by_name);
			first->last->next = pair;
			first->last = pair;
		}
	}
	buf_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (all[i].last != NULL) {
			write_pair(&all[i], out);
		}
	}
	buf_byte(out, '}');
	map_close(&by_name);
	mem_free(all);
}

void pairs_close(struct pairs *pairs)
{
	buf_free(&pairs->texts);
	buf_free(&pairs->ends);
}
