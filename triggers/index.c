/* This file sorts filters into buckets by scope and key, and asks only the buckets of an event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/index.h"

#include "base/hash.h"
#include "base/mem.h"
#include "triggers/glob.h"
#include <stdlib.h>

static const size_t prefix_lens[] = {32, 16, 8, 4, 2, 1};

enum { PREFIX_LENS = sizeof prefix_lens / sizeof *prefix_lens };

/* What a bucket's filters have in common. An absent scope is "any". */
struct bucket_name {
	struct span scope;
	struct span text; /* the key, or the prefix; absent: neither */
	bool is_prefix;
};

struct index_bucket {
	struct map_node node;
	struct bucket_name name; /* texts are owned */
	struct list entries;
};

struct index {
	struct map buckets;
	uint64_t added;
	uint64_t asked;
	size_t scoped[PREFIX_LENS +
	              2]; /* buckets by kind: those that do not exist are not asked for */
	size_t global[PREFIX_LENS + 2];
	struct index_entry **found; /* matches of the event at hand */
	size_t found_count;
	size_t found_cap;
};

static bool same_text(struct span a, struct span b)
{
	return (a.ptr == NULL) == (b.ptr == NULL) && span_equal(a, b);
}

static bool has_name(const struct map_node *node, const void *key)
{
	const struct index_bucket *bucket = MEM_CONTAINER(node, struct index_bucket, node);
	const struct bucket_name *name = key;
	return bucket->name.is_prefix == name->is_prefix &&
	       same_text(bucket->name.text, name->text) &&
	       same_text(bucket->name.scope, name->scope);
}

static uint64_t hash_of(const struct bucket_name *name)
{
	uint64_t kind = name->text.ptr == NULL ? 0 : name->is_prefix ? 1 : 2;
	uint64_t hash = hash_bytes(name->text, kind);
	return name->scope.ptr != NULL ? hash_bytes(name->scope, hash) : hash;
}

/* Which counter a bucket of this name belongs to. */
static size_t *counter(struct index *index, const struct bucket_name *name)
{
	size_t *counts = name->scope.ptr != NULL ? index->scoped : index->global;
	if (name->text.ptr == NULL) {
		return &counts[PREFIX_LENS];
	}
	if (!name->is_prefix) {
		return &counts[PREFIX_LENS + 1];
	}
	size_t i = 0;
	while (prefix_lens[i] != name->text.len) {
		i++;
	}
	return &counts[i];
}

static struct bucket_name name_for(const struct filter *filter)
{
	struct bucket_name name = {.scope = filter->scope, .text = filter->key};
	if (filter->key_glob.ptr == NULL) {
		return name;
	}
	struct span prefix = glob_prefix(filter->key_glob);
	for (size_t i = 0; i < PREFIX_LENS; i++) {
		if (prefix.len >= prefix_lens[i]) {
			name.text = span_make(prefix.ptr, prefix_lens[i]);
			name.is_prefix = true;
			break;
		}
	}
	return name;
}

struct index *index_new(void)
{
	return MEM_NEW(struct index);
}

void index_free(struct index *index)
{
	if (index != NULL) {
		map_close(&index->buckets);
		mem_free(index->found);
		mem_free(index);
	}
}

uint64_t index_asked(const struct index *index)
{
	return index->asked;
}

static struct span own(struct span text)
{
	return text.ptr != NULL ? mem_span(text) : SPAN_NONE;
}

void index_add(struct index *index, struct index_entry *entry)
{
	struct bucket_name name = name_for(entry->filter);
	uint64_t hash = hash_of(&name);
	struct map_node *node = map_get(&index->buckets, hash, &name, has_name);
	struct index_bucket *bucket = node ? MEM_CONTAINER(node, struct index_bucket, node) : NULL;
	if (bucket == NULL) {
		bucket = MEM_NEW(struct index_bucket);
		bucket->name.scope = own(name.scope);
		bucket->name.text = own(name.text);
		bucket->name.is_prefix = name.is_prefix;
		list_init(&bucket->entries);
		map_add(&index->buckets, &bucket->node, hash);
		++*counter(index, &name);
	}
	entry->bucket = bucket;
	entry->order = index->added++;
	list_push(&bucket->entries, &entry->link);
}

void index_remove(struct index *index, struct index_entry *entry)
{
	struct index_bucket *bucket = entry->bucket;
	list_remove(&entry->link);
	entry->bucket = NULL;
	if (list_is_empty(&bucket->entries)) {
		--*counter(index, &bucket->name);
		map_remove(&index->buckets, &bucket->node);
		mem_free((char *)bucket->name.scope.ptr);
		mem_free((char *)bucket->name.text.ptr);
		mem_free(bucket);
	}
}

static void ask(struct index *index, const struct bucket_name *name, const struct event *event)
{
	struct map_node *node = map_get(&index->buckets, hash_of(name), name, has_name);
	if (node == NULL) {
		return;
	}
	struct index_bucket *bucket = MEM_CONTAINER(node, struct index_bucket, node);
	LIST_EACH(&bucket->entries, link)
	{
		struct index_entry *entry = MEM_CONTAINER(link, struct index_entry, link);
		index->asked++;
		if (!filter_matches(entry->filter, event)) {
			continue;
		}
		if (index->found_count == index->found_cap) {
			index->found_cap = index->found_cap ? index->found_cap * 2 : 16;
			index->found =
			        mem_grow(index->found, index->found_cap * sizeof *index->found);
		}
		index->found[index->found_count++] = entry;
	}
}

static void ask_all(struct index *index, struct span scope, const size_t counts[],
                    const struct event *event)
{
	struct bucket_name name = {.scope = scope};
	if (counts[PREFIX_LENS] != 0) {
		ask(index, &name, event);
	}
	name.text = event->key;
	if (counts[PREFIX_LENS + 1] != 0) {
		ask(index, &name, event);
	}
	name.is_prefix = true;
	for (size_t i = 0; i < PREFIX_LENS; i++) {
		if (counts[i] != 0 && event->key.len >= prefix_lens[i]) {
			name.text.len = prefix_lens[i];
			ask(index, &name, event);
		}
	}
}

static int by_order(const void *a, const void *b)
{
	const struct index_entry *const *left = a;
	const struct index_entry *const *right = b;
	return ((*left)->order > (*right)->order) - ((*left)->order < (*right)->order);
}

void index_match(struct index *index, const struct event *event, index_match_fn *matched, void *ctx)
{
	index->found_count = 0;
	ask_all(index, event->scope, index->scoped, event);
	ask_all(index, SPAN_NONE, index->global, event);
	if (index->found_count > 1) {
		qsort(index->found, index->found_count, sizeof *index->found, by_order);
	}
	for (size_t i = 0; i < index->found_count; i++) {
		matched(ctx, index->found[i]);
	}
}
