/* This file makes lists and maps of values, and finds what is in a map. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json_read.h"
#include "triggers/expr/value.h"

/*
 * DESIGN. JSON text is read one level at a time: members into an array of the right size, then the
 * keys that stand twice become one pair, in the place of the first with the value of the last.
 * Pairs of a small map are compared one after the other; a larger one has a table of their numbers
 * plus one, by hash, linear probing, at most half full.
 */
enum { SCRATCH_MOST = 32, LINEAR_MOST = 8, BYTES_OF_STEP = 16 };

/* ---- keys ---- */

static bool is_name(const struct value *key, struct span name)
{
	return key->tag == VALUE_STRING && key->len == name.len &&
	       (name.len == 0 || memcmp(key->as.text, name.ptr, name.len) == 0);
}

static bool is_key(const struct value *key, struct value wanted)
{
	if (wanted.tag == VALUE_STRING) {
		return is_name(key, value_text(wanted));
	}
	int order;
	return key->tag != VALUE_STRING && value_compare(*key, wanted, &order) && order == 0;
}

/* Where the key is or would be in the table. */
static uint32_t *place_of(const struct value_map *map, struct value key)
{
	uint32_t at = (uint32_t)value_hash(key, 0) & map->table_mask;
	while (map->table[at] != 0 && !is_key(&map->pairs[map->table[at] - 1].key, key)) {
		at = (at + 1) & map->table_mask;
	}
	return &map->table[at];
}

static bool can_be_key(struct value key)
{
	return key.tag == VALUE_STRING || key.tag == VALUE_INT || key.tag == VALUE_UINT ||
	       key.tag == VALUE_DOUBLE || key.tag == VALUE_BOOL;
}

struct value *value_map_get(const struct value_map *map, struct value key)
{
	if (!can_be_key(key)) {
		return NULL;
	}
	if (map->table != NULL) {
		uint32_t place = *place_of(map, key);
		return place == 0 ? NULL : &map->pairs[place - 1].value;
	}
	for (size_t i = 0; i < map->count; i++) {
		if (is_key(&map->pairs[i].key, key)) {
			return &map->pairs[i].value;
		}
	}
	return NULL;
}

struct value *value_map_get_name(const struct value_map *map, struct span name)
{
	if (map->table != NULL) {
		return value_map_get(map, value_string(name));
	}
	for (size_t i = 0; i < map->count; i++) {
		if (is_name(&map->pairs[i].key, name)) {
			return &map->pairs[i].value;
		}
	}
	return NULL;
}

static bool make_table(struct allowance *allowance, struct value_map *map, size_t count)
{
	size_t size = LINEAR_MOST;
	while (size < 2 * count) {
		size += size;
	}
	if (count > UINT32_MAX / 4) {
		return false;
	}
	map->table = ARENA_ARRAY(&allowance->arena, uint32_t, size);
	if (map->table == NULL) {
		return false;
	}
	memset(map->table, 0, size * sizeof *map->table);
	map->table_mask = (uint32_t)size - 1;
	return true;
}

/* Takes one of `pairs` into the map, which is kept at their beginning; false: the key is there, its
 * value is replaced. */
static bool put(struct value_map *map, struct value_pair pair)
{
	uint32_t *place = map->table != NULL ? place_of(map, pair.key) : NULL;
	struct value *there = place == NULL ? value_map_get(map, pair.key)
	                      : *place == 0 ? NULL
	                                    : &map->pairs[*place - 1].value;
	if (there != NULL) {
		*there = pair.value;
		return false;
	}
	map->pairs[map->count++] = pair;
	if (place != NULL) {
		*place = (uint32_t)map->count;
	}
	return true;
}

/* ---- of JSON ---- */

static bool spend_on_text(struct allowance *allowance, struct value container)
{
	return allowance_spend(allowance, 1 + container.len / BYTES_OF_STEP);
}

static size_t count_items(struct json_iter iter)
{
	size_t count = 0;
	struct span item;
	while (json_next_item(&iter, &item)) {
		count++;
	}
	return count;
}

static size_t count_members(struct json_iter iter)
{
	size_t count = 0;
	struct span name;
	struct span value;
	while (json_next_member(&iter, &name, &value)) {
		count++;
	}
	return count;
}

/* The first items go to the stack, and only what does not fit there is counted before it is read.
 */
static bool read_items(struct allowance *allowance, struct span text, struct value_list *list)
{
	struct value scratch[SCRATCH_MOST];
	struct json_iter iter = json_iter(text);
	struct span item;
	size_t count = 0;
	while (count < SCRATCH_MOST && json_next_item(&iter, &item)) {
		scratch[count++] = value_from_json(allowance, item);
	}
	list->count = count < SCRATCH_MOST ? count : count + count_items(iter);
	list->items = ARENA_ARRAY(&allowance->arena, struct value, list->count);
	if (list->items == NULL || !allowance_spend(allowance, (int64_t)list->count)) {
		return false;
	}
	memcpy(list->items, scratch, count * sizeof *scratch);
	while (count < list->count && json_next_item(&iter, &item)) {
		list->items[count++] = value_from_json(allowance, item);
	}
	return true;
}

static struct value_pair pair_of(struct allowance *allowance, struct span name, struct span value)
{
	struct span quoted = {name.ptr - 1, name.len + 2};
	return (struct value_pair){value_from_json(allowance, quoted),
	                           value_from_json(allowance, value)};
}

static bool read_members(struct allowance *allowance, struct span text, struct value_map *map)
{
	struct value_pair scratch[SCRATCH_MOST];
	struct json_iter iter = json_iter(text);
	struct span name;
	struct span value;
	size_t count = 0;
	while (count < SCRATCH_MOST && json_next_member(&iter, &name, &value)) {
		scratch[count++] = pair_of(allowance, name, value);
	}
	size_t all = count < SCRATCH_MOST ? count : count + count_members(iter);
	map->pairs = ARENA_ARRAY(&allowance->arena, struct value_pair, all);
	if (map->pairs == NULL || !allowance_spend(allowance, (int64_t)all) ||
	    (all > LINEAR_MOST && !make_table(allowance, map, all))) {
		return false;
	}
	for (size_t i = 0; i < all; i++) {
		if (i >= count && !json_next_member(&iter, &name, &value)) {
			NEVER("as many as were counted");
		}
		struct value_pair pair = i < count ? scratch[i] : pair_of(allowance, name, value);
		if (value_is_error(pair.key)) {
			return false;
		}
		(void)put(map, pair);
	}
	return true;
}

const struct value_list *value_list(struct allowance *allowance, struct value *list)
{
	PRE(list->tag == VALUE_LIST);
	if ((list->flags & VALUE_TEXT) == 0) {
		return list->as.list;
	}
	if (!spend_on_text(allowance, *list)) {
		return NULL;
	}
	struct value_list *read = ARENA_NEW(&allowance->arena, struct value_list);
	if (read == NULL || !read_items(allowance, value_text(*list), read)) {
		return NULL;
	}
	list->flags &= (uint8_t)~VALUE_TEXT;
	list->as.list = read;
	return read;
}

const struct value_map *value_map(struct allowance *allowance, struct value *map)
{
	PRE(map->tag == VALUE_MAP);
	if ((map->flags & VALUE_TEXT) == 0) {
		return map->as.map;
	}
	if (!spend_on_text(allowance, *map)) {
		return NULL;
	}
	struct value_map *read = ARENA_NEW(&allowance->arena, struct value_map);
	if (read == NULL) {
		return NULL;
	}
	*read = (struct value_map){0};
	if (!read_members(allowance, value_text(*map), read)) {
		return NULL;
	}
	map->flags &= (uint8_t)~VALUE_TEXT;
	map->as.map = read;
	return read;
}

/* ---- of what expressions build ---- */

struct value value_of_list(struct allowance *allowance, struct value *items, size_t count)
{
	struct value_list *list = ARENA_NEW(&allowance->arena, struct value_list);
	if (list == NULL) {
		return allowance_error(allowance);
	}
	*list = (struct value_list){.count = count, .items = items};
	return (struct value){.tag = VALUE_LIST, .as.list = list};
}

/* A number of JSON is a key as the integer that its text is. */
static bool make_key(struct value *key)
{
	if (key->tag == VALUE_DOUBLE && key->flags != 0) {
		*key = (key->flags & VALUE_EXACT) != 0 ? value_int(key->as.i)
		                                       : value_uint(key->as.u);
	}
	return can_be_key(*key) && key->tag != VALUE_DOUBLE;
}

struct value value_of_map(struct allowance *allowance, struct value_pair *pairs, size_t count)
{
	struct value_map *map = ARENA_NEW(&allowance->arena, struct value_map);
	if (map == NULL || !allowance_spend(allowance, (int64_t)count)) {
		return allowance_error(allowance);
	}
	*map = (struct value_map){.pairs = pairs};
	if (count > LINEAR_MOST && !make_table(allowance, map, count)) {
		return allowance_error(allowance);
	}
	for (size_t i = 0; i < count; i++) {
		if (!make_key(&pairs[i].key)) {
			return value_error(ERROR_INVALID_ARGUMENT,
			                   "a key is a string, an integer or a bool");
		}
		if (!put(map, pairs[i])) {
			return value_error(ERROR_DUPLICATE_KEY, NULL);
		}
	}
	return (struct value){.tag = VALUE_MAP, .as.map = map};
}
