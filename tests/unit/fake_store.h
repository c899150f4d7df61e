/* This file is a store whose every step a test takes by hand: fetch, scan, commit, fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKE_STORE_H
#define TESTS_UNIT_FAKE_STORE_H

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/durable/store.h"
#include <stdlib.h>

struct fake_value {
	bool is_there;
	struct buf bytes;
	uint64_t rev;
	int64_t expires_at_ms;
	uint32_t flags;
};

struct fake_row {
	struct map_node node;
	struct record_key key; /* owned */
	struct fake_value now;
	struct fake_value durable;
	uint64_t group;    /* that changed it last */
	bool is_in_memory; /* else a look does not know it */
};

struct fake_entry {
	uint64_t seq;
	uint32_t at;
	uint32_t len;
};

struct store {
	struct map rows;
	struct buf bytes; /* of all entries, also the group's buffer */
	struct fake_entry *entries;
	size_t entry_count, entry_cap;
	uint32_t entry_at;
	uint64_t next_seq, durable_seq;
	uint64_t open_group, durable_group;
	struct list waiters; /* of the open group */
	struct list fetches, scans, parts;
	int refuses;
	int64_t passed_ms; /* since the beginning of time */
	size_t fetch_count, commit_count;
};

static bool fake_key_is(const struct map_node *node, const void *wanted)
{
	const struct fake_row *row = MEM_CONTAINER(node, struct fake_row, node);
	const struct record_key *key = wanted;
	return span_equal(row->key.part, key->part) && span_equal(row->key.key, key->key);
}

static struct fake_row *fake_row(struct store *store, struct record_key key)
{
	uint64_t hash = hash_bytes(key.key, hash_bytes(key.part, 0));
	struct map_node *node = map_get(&store->rows, hash, &key, fake_key_is);
	if (node != NULL) {
		return MEM_CONTAINER(node, struct fake_row, node);
	}
	struct fake_row *row = MEM_NEW(struct fake_row);
	row->key = (struct record_key){key.space, mem_span(key.part), mem_span(key.key)};
	row->is_in_memory = true;
	map_add(&store->rows, &row->node, hash);
	return row;
}

static struct store *fake_store_new(void)
{
	struct store *store = MEM_NEW(struct store);
	store->next_seq = 1;
	store->open_group = 1;
	list_init(&store->waiters);
	list_init(&store->fetches);
	list_init(&store->scans);
	list_init(&store->parts);
	return store;
}

static void fake_store_free(struct store *store)
{
	MAP_EACH(&store->rows, node)
	{
		struct fake_row *row = MEM_CONTAINER(node, struct fake_row, node);
		map_remove(&store->rows, node);
		buf_free(&row->now.bytes);
		buf_free(&row->durable.bytes);
		mem_free((char *)row->key.part.ptr);
		mem_free((char *)row->key.key.ptr);
		mem_free(row);
	}
	map_close(&store->rows);
	buf_free(&store->bytes);
	mem_free(store->entries);
	mem_free(store);
}

/* ---- what the test does ---- */

static void fake_copy(struct fake_value *to, const struct fake_value *from)
{
	to->is_there = from->is_there;
	to->rev = from->rev;
	to->expires_at_ms = from->expires_at_ms;
	to->flags = from->flags;
	buf_clear(&to->bytes);
	buf_span(&to->bytes, buf_view(&from->bytes));
}

/* The open group becomes durable, or is lost. */
static void fake_commit(struct store *store, int status)
{
	struct err err = {0};
	if (status != 0) {
		(void)err_set(&err, status, "outcome_unknown", "the disk is on fire");
	}
	uint64_t group = store->open_group++;
	MAP_EACH(&store->rows, node)
	{
		struct fake_row *row = MEM_CONTAINER(node, struct fake_row, node);
		if (row->group == group) {
			fake_copy(status == 0 ? &row->durable : &row->now,
			          status == 0 ? &row->now : &row->durable);
			row->group = 0;
		}
	}
	while (status != 0 && store->entry_count > 0 &&
	       store->entries[store->entry_count - 1].seq > store->durable_seq) {
		store->entry_count--;
		store->next_seq--;
	}
	store->durable_seq = store->next_seq - 1;
	store->durable_group = group;
	store->commit_count++;
	struct list waiters;
	list_init(&waiters);
	list_move(&store->waiters, &waiters);
	while (!list_is_empty(&waiters)) {
		struct store_waiter *waiter = LIST_FIRST(&waiters, struct store_waiter, link);
		list_remove(&waiter->link);
		waiter->done(waiter, status, status != 0 ? &err : NULL);
	}
}

struct fake_keys {
	size_t count;
	struct fake_row *rows[];
};

/* The oldest fetch comes back; false: there is none. */
static bool fake_fetch(struct store *store, int status)
{
	struct store_fetch *fetch = LIST_FIRST(&store->fetches, struct store_fetch, link);
	if (fetch == NULL) {
		return false;
	}
	list_remove(&fetch->link);
	struct fake_keys *keys = fetch->rows;
	for (size_t i = 0; i < keys->count && status == 0; i++) {
		keys->rows[i]->is_in_memory = true;
	}
	mem_free(keys);
	struct err err = {0};
	(void)err_set(&err, status != 0 ? status : E_IO, "io_error", "the disk is slow");
	fetch->done(fetch, status, status != 0 ? &err : NULL);
	return true;
}

static int fake_compare(const void *left, const void *right)
{
	const struct fake_row *const *a = left;
	const struct fake_row *const *b = right;
	int order = span_compare((*a)->key.part, (*b)->key.part);
	return order != 0 ? order : span_compare((*a)->key.key, (*b)->key.key);
}

static struct fake_row **fake_sorted(struct store *store, size_t *out_count)
{
	struct fake_row **rows = MEM_ARRAY(struct fake_row *, store->rows.count + 1);
	*out_count = 0;
	MAP_EACH(&store->rows, node)
	{
		struct fake_row *row = MEM_CONTAINER(node, struct fake_row, node);
		if (row->now.is_there) {
			rows[(*out_count)++] = row;
		}
	}
	qsort(rows, *out_count, sizeof(struct fake_row *), fake_compare);
	return rows;
}

struct fake_range {
	struct buf part, start, end;
	bool has_end;
};

static void fake_scan_one(struct store *store, struct store_scan *scan)
{
	struct fake_range *range = scan->state;
	size_t count;
	struct fake_row **rows = fake_sorted(store, &count);
	bool more = false;
	uint64_t group = 0;
	for (size_t i = 0; i < count && !more; i++) {
		struct fake_row *row = rows[scan->reverse ? count - 1 - i : i];
		if (!span_equal(row->key.part, buf_view(&range->part)) ||
		    span_compare(row->key.key, buf_view(&range->start)) < 0 ||
		    (range->has_end && span_compare(row->key.key, buf_view(&range->end)) >= 0)) {
			continue;
		}
		group = row->group > group ? row->group : group;
		struct record record = {.value = buf_view(&row->now.bytes),
		                        .rev = row->now.rev,
		                        .expires_at_ms = row->now.expires_at_ms,
		                        .flags = row->now.flags};
		more = !scan->row(scan->ctx, row->key.key, &record);
	}
	mem_free(rows);
	buf_free(&range->part);
	buf_free(&range->start);
	buf_free(&range->end);
	mem_free(range);
	scan->done(scan, 0, more, group, NULL);
}

static void fake_parts_one(struct store *store, struct store_parts *parts)
{
	size_t count;
	struct fake_row **rows = fake_sorted(store, &count);
	struct span last = SPAN_NONE;
	uint64_t group = 0;
	bool more = true;
	struct buf start = {0}; /* a copy, as the store makes one */
	buf_span(&start, parts->start);
	for (size_t i = 0; i < count && more; i++) {
		group = rows[i]->group > group ? rows[i]->group : group;
		if (span_compare(rows[i]->key.part, buf_view(&start)) >= 0 &&
		    (last.ptr == NULL || !span_equal(last, rows[i]->key.part))) {
			last = rows[i]->key.part;
			more = parts->part(parts->ctx, last);
		}
	}
	mem_free(rows);
	buf_free(&start);
	parts->done(parts, 0, group, NULL);
}

/* Every scan that is out now is walked. */
static void fake_scan(struct store *store)
{
	while (!list_is_empty(&store->scans)) {
		struct store_scan *scan = LIST_FIRST(&store->scans, struct store_scan, link);
		list_remove(&scan->link);
		fake_scan_one(store, scan);
	}
	while (!list_is_empty(&store->parts)) {
		struct store_parts *parts = LIST_FIRST(&store->parts, struct store_parts, link);
		list_remove(&parts->link);
		fake_parts_one(store, parts);
	}
}

/* Everything that can go on does, and is durable. */
static void fake_settle(struct store *store)
{
	do {
		fake_scan(store);
		while (fake_fetch(store, 0)) {
		}
		fake_commit(store, 0);
	} while (!list_is_empty(&store->scans) || !list_is_empty(&store->fetches) ||
	         !list_is_empty(&store->waiters));
}

/* A look does not know the key until it is fetched. */
static void fake_evict(struct store *store, const char *scope, const char *key)
{
	struct record_key name = {SPACE_STATE, span_of(scope), span_of(key)};
	fake_row(store, name)->is_in_memory = false;
}

static struct span fake_entry(const struct store *store, size_t index)
{
	return span_make(store->bytes.ptr + store->entries[index].at, store->entries[index].len);
}

/* ---- the contract ---- */

void store_head(const struct store *store, struct adapter_head *out)
{
	*out = (struct adapter_head){.log = "abcdefgh", .epoch = 3, .next_seq = store->next_seq};
}

uint64_t store_next_seq(const struct store *store)
{
	return store->next_seq;
}

int64_t store_time_ms(struct store *store)
{
	return 1700000000123 + store->passed_ms;
}

int store_refuses(const struct store *store, struct err *err)
{
	return store->refuses ? err_set(err, store->refuses, "store_recovering", "wait a little")
	                      : 0;
}

enum store_state store_look(struct store *store, struct record_key key, struct store_look *out)
{
	struct fake_row *row = fake_row(store, key);
	if (!row->is_in_memory) {
		return STORE_UNKNOWN;
	}
	out->group = row->group;
	out->record = (struct record){.value = buf_view(&row->now.bytes),
	                              .rev = row->now.rev,
	                              .expires_at_ms = row->now.expires_at_ms,
	                              .flags = row->now.flags};
	return row->now.is_there ? STORE_FOUND : STORE_ABSENT;
}

void store_fetch_start(struct store *store, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count)
{
	struct fake_keys *copy = mem_new(sizeof *copy + count * sizeof(struct fake_row *));
	copy->count = count;
	for (size_t i = 0; i < count; i++) {
		copy->rows[i] = fake_row(store, keys[i]);
	}
	fetch->rows = copy;
	list_push(&store->fetches, &fetch->link);
	store->fetch_count++;
}

void store_scan_start(struct store *store, struct store_scan *scan)
{
	struct fake_range *range = MEM_NEW(struct fake_range);
	buf_span(&range->part, scan->range.part);
	buf_span(&range->start, scan->range.start);
	buf_span(&range->end, scan->range.end);
	range->has_end = scan->range.end.ptr != NULL;
	scan->state = range;
	list_push(&store->scans, &scan->link);
}

void store_parts_start(struct store *store, struct store_parts *parts)
{
	list_push(&store->parts, &parts->link);
}

struct buf *store_entry_begin(struct store *store)
{
	store->entry_at = (uint32_t)store->bytes.len;
	return &store->bytes;
}

uint32_t store_entry_end(struct store *store)
{
	if (store->entry_count == store->entry_cap) {
		store->entry_cap = store->entry_cap ? store->entry_cap * 2 : 64;
		store->entries =
		        mem_grow(store->entries, store->entry_cap * sizeof(struct fake_entry));
	}
	store->entries[store->entry_count++] = (struct fake_entry){
	        store->next_seq++, store->entry_at, (uint32_t)store->bytes.len - store->entry_at};
	return store->entry_at;
}

void store_put(struct store *store, struct record_key key, const struct record *record)
{
	(void)store;
	(void)key;
	(void)record;
	NEVER("nobody here puts a copy");
}

/* What parts of the engine need that no test over this store comes to. */
bool store_can_put(const struct store *store)
{
	return store->refuses == 0;
}

void store_commit_lazy(struct store *store)
{
	store_commit(store, NULL);
}

bool store_recent(const struct store *store, uint64_t seq, struct span *out)
{
	(void)store;
	(void)seq;
	(void)out;
	return false;
}

void store_read_start(struct store *store, struct store_read *read)
{
	(void)store;
	(void)read;
	NEVER("nobody here reads the journal");
}

void store_put_at(struct store *store, struct record_key key, const struct record *record,
                  uint32_t value_at)
{
	struct fake_row *row = fake_row(store, key);
	/* Old bytes are gone at once: whoever still points at them reads rubbish. */
	if (row->now.bytes.len != 0) {
		memset(row->now.bytes.ptr, '#', row->now.bytes.len);
	}
	buf_clear(&row->now.bytes);
	buf_add(&row->now.bytes, store->bytes.ptr + value_at, record->value.len);
	row->now.is_there = true;
	row->now.rev = record->rev;
	row->now.expires_at_ms = record->expires_at_ms;
	row->now.flags = record->flags;
	row->group = store->open_group;
}

void store_delete(struct store *store, struct record_key key, uint64_t rev)
{
	struct fake_row *row = fake_row(store, key);
	if (row->now.bytes.len != 0) {
		memset(row->now.bytes.ptr, '#', row->now.bytes.len);
	}
	buf_clear(&row->now.bytes);
	row->now.is_there = false;
	row->now.rev = rev;
	row->group = store->open_group;
}

void store_delete_range(struct store *store, enum space space, struct span part, struct span start,
                        struct span end)
{
	MAP_EACH(&store->rows, node)
	{
		const struct record_key key = MEM_CONTAINER(node, struct fake_row, node)->key;
		bool is_in = key.space == space && span_equal(key.part, part) &&
		             span_compare(key.key, start) >= 0 &&
		             (end.len == 0 || span_compare(key.key, end) < 0);
		if (is_in) {
			store_delete(store, key, 0);
		}
	}
}

void store_commit(struct store *store, struct store_waiter *waiter)
{
	if (waiter != NULL) {
		list_push(&store->waiters, &waiter->link);
	}
}

bool store_wait(struct store *store, uint64_t group, struct store_waiter *waiter)
{
	if (group <= store->durable_group) {
		return true;
	}
	list_push(&store->waiters, &waiter->link);
	return false;
}

#endif
