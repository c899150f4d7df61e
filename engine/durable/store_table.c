/* This file moves records in memory between unknown, dirty and clean. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_table.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
	MALLOC_OVERHEAD = 16,
	SLACK_BYTES = 256 /* a value may use a block that is this much, or twice, too large */
};

void store_table_init(struct store_table *table, size_t max_bytes)
{
	*table = (struct store_table){.max_bytes = max_bytes};
	list_init(&table->dirty);
	list_init(&table->clean);
	list_init(&table->ranges);
	list_init(&table->changed);
}

/* ---- parts ---- */

struct part_name {
	enum space space;
	struct span part;
};

static bool part_is(const struct map_node *node, const void *key)
{
	const struct hot_part *part = MEM_CONTAINER(node, struct hot_part, node);
	const struct part_name *name = key;
	return part->space == name->space &&
	       span_equal(span_make(part->bytes, part->len), name->part);
}

struct hot_part *store_table_part(struct store_table *table, enum space space, struct span part)
{
	const struct part_name name = {space, part};
	if (table->last_part != NULL && part_is(&table->last_part->node, &name)) {
		return table->last_part;
	}
	struct map_node *node = map_get(&table->parts, hash_bytes(part, space), &name, part_is);
	if (node == NULL) {
		return NULL;
	}
	table->last_part = MEM_CONTAINER(node, struct hot_part, node);
	return table->last_part;
}

static struct hot_part *need_part(struct store_table *table, enum space space, struct span part)
{
	struct hot_part *found = store_table_part(table, space, part);
	if (found != NULL) {
		return found;
	}
	PRE(part.len <= UINT16_MAX);
	struct hot_part *made = mem_new(sizeof *made + part.len);
	made->space = (uint8_t)space;
	made->len = (uint16_t)part.len;
	if (part.len != 0) {
		memcpy(made->bytes, part.ptr, part.len);
	}
	list_init(&made->hots);
	list_init(&made->ranges);
	list_init(&made->changed);
	map_add(&table->parts, &made->node, hash_bytes(part, space));
	table->last_part = made;
	return made;
}

/* Call when something left the part: frees it if it was the last. */
static void part_left(struct store_table *table, struct hot_part *part)
{
	if (part->dirty_count == 0 && list_is_empty(&part->ranges)) {
		list_remove(&part->changed);
		if (list_is_empty(&part->hots)) {
			if (table->last_part == part) {
				table->last_part = NULL;
			}
			map_remove(&table->parts, &part->node);
			mem_free(part);
		}
	}
}

static void part_changed(struct store_table *table, struct hot_part *part)
{
	if (list_is_empty(&part->changed)) {
		list_push(&table->changed, &part->changed);
	}
}

/* ---- records ---- */

struct hot_name {
	const struct hot_part *part;
	struct span key;
};

static bool hot_is(const struct map_node *node, const void *key)
{
	const struct hot *hot = MEM_CONTAINER(node, struct hot, node);
	const struct hot_name *name = key;
	return hot->part == name->part && span_equal(hot_key(hot), name->key);
}

static uint64_t hash_of(const struct hot_part *part, struct span key)
{
	return hash_bytes(key, part->node.hash);
}

static struct hot *get_in(const struct store_table *table, const struct hot_part *part,
                          struct span key)
{
	const struct hot_name name = {part, key};
	struct map_node *node = map_get(&table->hots, hash_of(part, key), &name, hot_is);
	return node != NULL ? MEM_CONTAINER(node, struct hot, node) : NULL;
}

struct hot *store_table_get(struct store_table *table, struct record_key key)
{
	const struct hot_part *part = store_table_part(table, key.space, key.part);
	return part != NULL ? get_in(table, part, key.key) : NULL;
}

static size_t size_of(const struct hot *hot)
{
	return sizeof *hot + hot->key_len + hot->value_cap + MALLOC_OVERHEAD + sizeof(void *);
}

/* Out of whichever list of the table it stands in. */
static void unlist(struct store_table *table, struct hot *hot)
{
	if (hot->is_dirty) {
		hot->part->dirty_count--;
		hot->is_dirty = false;
	} else if (hot->state != STORE_UNKNOWN) {
		table->clean_bytes -= size_of(hot);
		table->clean_count--;
	}
	list_remove(&hot->link);
	list_remove(&hot->in_part);
}

/* Groups come in order, except for what an older deleted range says about a record. */
static void list_by_group(struct store_table *table, struct hot *hot)
{
	struct list *behind = table->dirty.prev;
	while (behind != &table->dirty &&
	       MEM_CONTAINER(behind, struct hot, link)->group > hot->group) {
		behind = behind->prev;
	}
	list_insert(&hot->link, behind->next);
}

static void make_dirty(struct store_table *table, struct hot *hot, uint64_t group)
{
	unlist(table, hot);
	hot->group = group;
	hot->is_dirty = true;
	hot->part->dirty_count++;
	list_by_group(table, hot);
	list_push_front(&hot->part->hots, &hot->in_part);
	part_changed(table, hot->part);
}

static void make_clean(struct store_table *table, struct hot *hot)
{
	unlist(table, hot);
	list_push(&table->clean, &hot->link);
	list_push(&hot->part->hots, &hot->in_part);
	table->clean_bytes += size_of(hot);
	table->clean_count++;
}

static void make_unknown(struct store_table *table, struct hot *hot)
{
	unlist(table, hot);
	hot->state = STORE_UNKNOWN;
	list_push(&hot->part->hots, &hot->in_part);
}

static void drop(struct store_table *table, struct hot *hot)
{
	struct hot_part *part = hot->part;
	unlist(table, hot);
	map_remove(&table->hots, &hot->node);
	mem_free(hot);
	part_left(table, part);
}

/* Uses up what malloc would round to anyway. */
static uint32_t cap_for(size_t key_len, size_t value_len)
{
	PRE(value_len <= UINT32_MAX - MALLOC_OVERHEAD);
	size_t fixed = sizeof(struct hot) + key_len + sizeof(void *);
	size_t whole = (fixed + value_len + MALLOC_OVERHEAD - 1) & ~(size_t)(MALLOC_OVERHEAD - 1);
	return (uint32_t)(whole - fixed);
}

static struct hot *add_unknown(struct store_table *table, struct hot_part *part, struct span key,
                               size_t value_len)
{
	PRE(key.len <= UINT16_MAX);
	uint32_t value_cap = cap_for(key.len, value_len);
	struct hot *hot = mem_raw(sizeof *hot + key.len + value_cap);
	*hot = (struct hot){.part = part,
	                    .key_len = (uint16_t)key.len,
	                    .value_cap = value_cap,
	                    .state = STORE_UNKNOWN};
	if (key.len != 0) {
		memcpy(hot->bytes, key.ptr, key.len);
	}
	list_init(&hot->link);
	list_push(&part->hots, &hot->in_part);
	map_add(&table->hots, &hot->node, hash_of(part, key));
	return hot;
}

/* Gives the record a block that fits `value_len`. Its place in the lists of the table is lost: the
 * record is unknown after this. */
static struct hot *make_room(struct store_table *table, struct hot *hot, size_t value_len)
{
	make_unknown(table, hot);
	if (value_len <= hot->value_cap && hot->value_cap <= 2 * value_len + SLACK_BYTES) {
		return hot;
	}
	list_remove(&hot->in_part);
	uint64_t hash = hot->node.hash;
	map_remove(&table->hots, &hot->node);
	uint32_t value_cap = cap_for(hot->key_len, value_len);
	struct hot *moved = mem_grow(hot, sizeof *moved + hot->key_len + value_cap);
	moved->value_cap = value_cap;
	list_init(&moved->link);
	list_push(&moved->part->hots, &moved->in_part);
	map_add(&table->hots, &moved->node, hash);
	return moved;
}

/* NULL = the record does not exist. */
static void set_record(struct hot *hot, const struct record *record)
{
	static const struct record none = {.value = {"", 0}};
	const struct record *from = record != NULL ? record : &none;
	if (from->value.len != 0) {
		memcpy(hot->bytes + hot->key_len, from->value.ptr, from->value.len);
	}
	hot->value_len = (uint32_t)from->value.len;
	hot->rev = from->rev;
	hot->expires_at_ms = from->expires_at_ms;
	hot->flags = from->flags;
	hot->state = record != NULL ? STORE_FOUND : STORE_ABSENT;
	hot->was_used = true;
}

/* ---- looking ---- */

static bool range_holds(const struct hot_range *range, struct span key)
{
	return span_compare(key, hot_range_start(range)) >= 0 &&
	       (range->end_len == 0 || span_compare(key, hot_range_end(range)) < 0);
}

/* The newest deleted range that holds the key. */
static const struct hot_range *range_over(const struct hot_part *part, struct span key)
{
	for (const struct list *link = part->ranges.prev; link != &part->ranges;
	     link = link->prev) {
		const struct hot_range *range = MEM_CONTAINER(link, struct hot_range, in_part);
		if (range_holds(range, key)) {
			return range;
		}
	}
	return NULL;
}

enum store_state store_table_look(struct store_table *table, struct record_key key,
                                  struct store_look *out)
{
	*out = (struct store_look){.group = 0};
	const struct hot_part *part = store_table_part(table, key.space, key.part);
	if (part == NULL) {
		return STORE_UNKNOWN;
	}
	struct hot *hot = get_in(table, part, key.key);
	if (hot == NULL) {
		const struct hot_range *range = range_over(part, key.key);
		if (range == NULL) {
			return STORE_UNKNOWN;
		}
		out->group = range->group;
		return STORE_ABSENT;
	}
	if (hot->state == STORE_FOUND) {
		out->record = hot_record(hot);
	}
	if (hot->state != STORE_UNKNOWN) {
		out->group = hot->group;
		hot->was_used = true;
	}
	return (enum store_state)hot->state;
}

/* ---- changing ---- */

static void change(struct store_table *table, struct record_key key, const struct record *record,
                   uint64_t rev, uint64_t group)
{
	size_t value_len = record != NULL ? record->value.len : 0;
	struct hot_part *part = need_part(table, key.space, key.part);
	struct hot *hot = get_in(table, part, key.key);
	if (hot == NULL) {
		hot = add_unknown(table, part, key.key, value_len);
	} else {
		hot = make_room(table, hot, value_len);
	}
	make_dirty(table, hot, group);
	set_record(hot, record);
	hot->rev = rev;
}

/* A deleted range knows no rev: it hides whatever the view still has. */
static void hide(struct store_table *table, struct hot *hot, uint64_t group)
{
	make_dirty(table, hot, group);
	set_record(hot, NULL);
	hot->rev = UINT64_MAX;
}

/* Records in memory go; those that somebody waits for stay as deleted ones. */
static void delete_range(struct store_table *table, struct hot_part *part, struct span start,
                         struct span end, uint64_t group)
{
	struct hot_range *range = mem_raw(sizeof *range + start.len + end.len);
	*range = (struct hot_range){.part = part,
	                            .group = group,
	                            .start_len = (uint32_t)start.len,
	                            .end_len = (uint32_t)end.len};
	if (start.len != 0) {
		memcpy(range->bytes, start.ptr, start.len);
	}
	if (end.len != 0) {
		memcpy(range->bytes + start.len, end.ptr, end.len);
	}
	list_push(&table->ranges, &range->link);
	list_push(&part->ranges, &range->in_part);
	part_changed(table, part);
	LIST_EACH(&part->hots, link)
	{
		struct hot *hot = MEM_CONTAINER(link, struct hot, in_part);
		if (range_holds(range, hot_key(hot))) {
			if (hot->pins == 0) {
				drop(table, hot);
			} else {
				hide(table, hot, group);
			}
		}
	}
}

void store_table_apply(struct store_table *table, const struct batch *batch,
                       const struct batch_op *op, uint64_t group)
{
	struct record_key key = batch_op_key(batch, op);
	struct span value = batch_op_value(batch, op);
	struct record record = {value, op->rev, op->expires_at_ms, op->flags};
	switch ((enum batch_op_kind)op->kind) {
	case BATCH_PUT:
		change(table, key, &record, op->rev, group);
		break;
	case BATCH_DELETE:
		change(table, key, NULL, op->rev, group);
		break;
	case BATCH_DELETE_RANGE:
		delete_range(table, need_part(table, key.space, key.part), key.key, value, group);
		break;
	}
}

/* ---- reads of the adapter ---- */

struct hot *store_table_pin(struct store_table *table, struct record_key key)
{
	struct hot_part *part = need_part(table, key.space, key.part);
	struct hot *hot = get_in(table, part, key.key);
	if (hot == NULL) {
		const struct hot_range *range = range_over(part, key.key);
		hot = add_unknown(table, part, key.key, 0);
		if (range != NULL) {
			hide(table, hot, range->group);
		}
	}
	hot->pins++;
	return hot;
}

void store_table_unpin(struct store_table *table, struct record_key key)
{
	struct hot *hot = store_table_get(table, key);
	PRE(hot != NULL && hot->pins > 0);
	hot->pins--;
	if (hot->pins == 0 && hot->state == STORE_UNKNOWN) {
		drop(table, hot);
	}
}

void store_table_fill(struct store_table *table, struct record_key key, const struct record *record)
{
	struct hot_part *part = need_part(table, key.space, key.part);
	struct hot *hot = get_in(table, part, key.key);
	size_t value_len = record != NULL ? record->value.len : 0;
	if (hot == NULL) {
		hot = add_unknown(table, part, key.key, value_len);
	} else if (hot->state == STORE_UNKNOWN) {
		hot = make_room(table, hot, value_len);
	} else {
		return;
	}
	/* The state decides how it is counted: it is still unknown when it leaves its lists. */
	make_clean(table, hot);
	set_record(hot, record);
	hot->group = 0;
}

/* ---- what becomes of groups ---- */

static void drop_range(struct store_table *table, struct hot_range *range)
{
	struct hot_part *part = range->part;
	list_remove(&range->link);
	list_remove(&range->in_part);
	mem_free(range);
	part_left(table, part);
}

void store_table_clean(struct store_table *table, uint64_t group)
{
	while (!list_is_empty(&table->dirty)) {
		struct hot *hot = LIST_FIRST(&table->dirty, struct hot, link);
		if (hot->group > group) {
			break;
		}
		make_clean(table, hot);
		part_left(table, hot->part);
	}
	while (!list_is_empty(&table->ranges)) {
		struct hot_range *range = LIST_FIRST(&table->ranges, struct hot_range, link);
		if (range->group > group) {
			break;
		}
		drop_range(table, range);
	}
}

void store_table_lose(struct store_table *table, uint64_t group)
{
	/* They stay, unknown, so that an older deleted range behind them does not show. */
	while (!list_is_empty(&table->dirty)) {
		struct hot *hot = MEM_CONTAINER(table->dirty.prev, struct hot, link);
		if (hot->group <= group) {
			break;
		}
		make_unknown(table, hot);
		part_left(table, hot->part);
	}
	while (!list_is_empty(&table->ranges)) {
		struct hot_range *range = MEM_CONTAINER(table->ranges.prev, struct hot_range, link);
		if (range->group <= group) {
			break;
		}
		drop_range(table, range);
	}
}

void store_table_reset(struct store_table *table)
{
	while (!list_is_empty(&table->ranges)) {
		drop_range(table, LIST_FIRST(&table->ranges, struct hot_range, link));
	}
	MAP_EACH(&table->hots, node)
	{
		struct hot *hot = MEM_CONTAINER(node, struct hot, node);
		if (hot->pins != 0) {
			make_unknown(table, hot);
			part_left(table, hot->part);
		} else {
			drop(table, hot);
		}
	}
}

void store_table_evict(struct store_table *table)
{
	/* Each record is passed at most twice: once to take its mark, once to go. */
	for (size_t left = 2 * table->clean_count; left != 0; left--) {
		if (table->clean_bytes <= table->max_bytes) {
			break;
		}
		struct hot *hot = LIST_FIRST(&table->clean, struct hot, link);
		if (hot->pins == 0 && !hot->was_used) {
			drop(table, hot);
		} else {
			hot->was_used = false;
			list_remove(&hot->link);
			list_push(&table->clean, &hot->link);
		}
	}
}

void store_table_close(struct store_table *table)
{
	MAP_EACH(&table->hots, node)
	{
		MEM_CONTAINER(node, struct hot, node)->pins = 0;
	}
	store_table_reset(table);
	map_close(&table->hots);
	map_close(&table->parts);
}
