/* This file keeps records sorted in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/adapter/table.h"

#include "base/mem.h"

static int compare(const struct record_key *a, const struct record_key *b)
{
	if (a->space != b->space) {
		return a->space < b->space ? -1 : 1;
	}
	int order = span_compare(a->part, b->part);
	return order != 0 ? order : span_compare(a->key, b->key);
}

size_t table_find(const struct table *table, const struct record_key *key)
{
	size_t low = 0;
	size_t high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&table->items[middle].key, key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool table_is_at(const struct table *table, size_t place, const struct record_key *key)
{
	return place < table->count && compare(&table->items[place].key, key) == 0;
}

bool table_is_in(const struct table *table, size_t place, enum space space, struct span part)
{
	return place < table->count && table->items[place].key.space == space &&
	       span_equal(table->items[place].key.part, part);
}

static void free_item(struct item *item)
{
	mem_free((char *)(uintptr_t)item->key.part.ptr);
	mem_free((char *)(uintptr_t)item->key.key.ptr);
	mem_free((char *)(uintptr_t)item->record.value.ptr);
}

static void remove_items(struct table *table, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		free_item(&table->items[i]);
	}
	memmove(table->items + from, table->items + to, (table->count - to) * sizeof *table->items);
	table->count -= to - from;
}

static void put(struct table *table, const struct record_key *key, const struct record *record)
{
	struct item item = {{key->space, mem_span(key->part), mem_span(key->key)}, *record};
	item.record.value = mem_span(record->value);
	size_t place = table_find(table, key);
	if (table_is_at(table, place, key)) {
		free_item(&table->items[place]);
	} else {
		if (table->count == table->cap) {
			table->cap = table->cap ? table->cap * 2 : 64;
			table->items = mem_grow(table->items, table->cap * sizeof *table->items);
		}
		memmove(table->items + place + 1, table->items + place,
		        (table->count - place) * sizeof *table->items);
		table->count++;
	}
	table->items[place] = item;
}

void table_change(struct table *table, int kind, const struct record_key *key,
                  const struct record *record)
{
	size_t place = table_find(table, key);
	size_t end = place;
	if (kind == BATCH_PUT) {
		put(table, key, record);
		return;
	}
	if (kind == BATCH_DELETE) {
		end += table_is_at(table, place, key);
	} else {
		while (table_is_in(table, end, key->space, key->part) &&
		       (record->value.len == 0 ||
		        span_compare(table->items[end].key.key, record->value) < 0)) {
			end++;
		}
	}
	if (end > place) {
		remove_items(table, place, end);
	}
}

void table_close(struct table *table)
{
	if (table->count != 0) {
		remove_items(table, 0, table->count);
	}
	mem_free(table->items);
}
