/* This file looks entries up in chained hash tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/err.h"

/* The first of the chain from `node` on that is the one. */
static struct map_node *find(struct map_node *node, uint64_t hash, const void *key,
                             map_equal_fn *equal)
{
	while (node != NULL && (node->hash != hash || !equal(node, key))) {
		node = node->next;
	}
	return node;
}

struct map_node *map_get(const struct map *map, uint64_t hash, const void *key, map_equal_fn *equal)
{
	if (map->slot_count == 0) {
		return NULL;
	}
	return find(map->slots[hash & (map->slot_count - 1)], hash, key, equal);
}

struct map_node *map_get_next(const struct map_node *node, const void *key, map_equal_fn *equal)
{
	return find(node->next, node->hash, key, equal);
}

static void grow(struct map *map)
{
	size_t count = map->slot_count ? map->slot_count * 2 : 8;
	struct map_node **slots = MEM_ARRAY(struct map_node *, count);
	for (size_t i = 0; i < map->slot_count; i++) {
		struct map_node *node = map->slots[i];
		while (node != NULL) {
			struct map_node *next = node->next;
			struct map_node **slot = &slots[node->hash & (count - 1)];
			node->next = *slot;
			*slot = node;
			node = next;
		}
	}
	mem_free(map->slots);
	map->slots = slots;
	map->slot_count = count;
}

void map_add(struct map *map, struct map_node *node, uint64_t hash)
{
	if (map->count >= map->slot_count) {
		grow(map);
	}
	struct map_node **slot = &map->slots[hash & (map->slot_count - 1)];
	node->hash = hash;
	node->next = *slot;
	*slot = node;
	map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
	PRE(map->slot_count != 0);
	struct map_node **at = &map->slots[node->hash & (map->slot_count - 1)];
	while (*at != NULL && *at != node) {
		at = &(*at)->next;
	}
	PRE(*at == node);
	*at = node->next;
	node->next = NULL;
	map->count--;
}

void map_close(struct map *map)
{
	mem_free(map->slots);
	*map = (struct map){0};
}

static struct map_node *first_from(const struct map *map, size_t *slot)
{
	while (*slot < map->slot_count && map->slots[*slot] == NULL) {
		(*slot)++;
	}
	return *slot < map->slot_count ? map->slots[*slot] : NULL;
}

struct map_node *map_first(const struct map *map, size_t *slot)
{
	*slot = 0;
	return first_from(map, slot);
}

struct map_node *map_next(const struct map *map, size_t *slot, const struct map_node *node)
{
	if (node->next != NULL) {
		return node->next;
	}
	(*slot)++;
	return first_from(map, slot);
}
