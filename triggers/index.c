/* This file sorts filters into buckets by scope and key, and asks only the buckets of an event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/index.h"

#include "base/hash.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "triggers/access.h"
#include "triggers/demand.h"
#include "triggers/glob.h"
#include <stdlib.h>

static const size_t prefix_lens[] = {32, 16, 8, 4, 2, 1};

enum {
	PREFIX_LENS = sizeof prefix_lens / sizeof *prefix_lens,
	/* A bucket's kind: the place of its prefix's length, or one of these; and SCOPED, or not.
	 */
	KIND_ANY = PREFIX_LENS,
	KIND_KEY,
	SCOPED,
	BUCKET_KINDS = 2 * SCOPED,
	CODE_FETCHED = 4 * PREFETCH_LINE,
	PLAIN_MAX = 4, /* so many of a bucket are asked always: looking for them would cost more */
};

/* What a bucket's filters have in common. An absent scope is "any". */
struct bucket_name {
	struct span scope;
	struct span text; /* the key, or the prefix; absent: neither */
	bool is_prefix;
};

/* Known by the hash of its name alone: should two ever have one hash, triggers are asked in vain.
 */
struct index_bucket {
	uint64_t hash;
	struct list plain; /* postings that are asked always */
	size_t plain_count;
	struct access *access; /* the others; NULL: none */
};

/* Who may want the event at hand. */
struct candidate {
	struct index_entry *entry;
	enum filter_answer answer;
};

struct index {
	struct condition_env *env;
	bool scans_all;
	struct lookup buckets;
	uint64_t added;
	uint64_t asked;
	size_t counts[BUCKET_KINDS]; /* buckets: those that do not exist are not asked for */
	struct candidate *candidates;
	size_t candidate_count;
	size_t candidate_cap;
	uint64_t event;            /* number of the event at hand: for index_entry.seen */
	struct matching *matching; /* while index_match runs */
};

static unsigned kind_of(const struct bucket_name *name)
{
	unsigned kind = name->text.ptr == NULL ? KIND_ANY : KIND_KEY;
	if (name->is_prefix) {
		kind = 0;
		while (prefix_lens[kind] != name->text.len) {
			kind++;
		}
	}
	return name->scope.ptr != NULL ? kind + SCOPED : kind;
}

/* The kind is the remainder: buckets of different kinds never have one hash. */
static uint64_t hash_of(unsigned kind, uint64_t scope_hash, struct span text)
{
	uint64_t hash = hash_quick(text, scope_hash);
	return hash - hash % BUCKET_KINDS + kind;
}

static uint64_t hash_of_scope(struct span scope)
{
	return scope.ptr != NULL ? hash_quick(scope, 1) : 0;
}

/* The bucket's name of a glob: the longest prefix that has a length of ours. */
static struct bucket_name glob_name(struct span scope, struct span glob)
{
	struct bucket_name name = {.scope = scope};
	struct span prefix = glob_prefix(glob);
	for (size_t i = 0; i < PREFIX_LENS; i++) {
		if (prefix.len >= prefix_lens[i]) {
			name.text = span_make(prefix.ptr, prefix_lens[i]);
			name.is_prefix = true;
			break;
		}
	}
	return name;
}

/* ---- life ---- */

struct index *index_new(struct condition_env *env, bool scans_all)
{
	struct index *index = MEM_NEW(struct index);
	index->env = env;
	index->scans_all = scans_all;
	return index;
}

void index_free(struct index *index)
{
	if (index != NULL) {
		lookup_close(&index->buckets);
		mem_free(index->candidates);
		mem_free(index);
	}
}

uint64_t index_asked(const struct index *index)
{
	return index->asked;
}

/* ---- adding and removing ---- */

static struct index_bucket *take_bucket(struct index *index, const struct bucket_name *name)
{
	unsigned kind = kind_of(name);
	uint64_t hash = hash_of(kind, hash_of_scope(name->scope), name->text);
	struct index_bucket *bucket = lookup_get(&index->buckets, hash);
	if (bucket == NULL) {
		bucket = MEM_NEW(struct index_bucket);
		bucket->hash = hash;
		list_init(&bucket->plain);
		lookup_add(&index->buckets, hash, bucket);
		index->counts[kind]++;
	}
	return bucket;
}

static void drop_if_empty(struct index *index, struct index_bucket *bucket)
{
	if (bucket->access != NULL && access_is_empty(bucket->access)) {
		access_free(bucket->access);
		bucket->access = NULL;
	}
	if (bucket->plain_count == 0 && bucket->access == NULL) {
		index->counts[bucket->hash % BUCKET_KINDS]--;
		lookup_remove(&index->buckets, bucket->hash);
		mem_free(bucket);
	}
}

static void post(struct index_entry *entry, struct index_bucket *bucket,
                 const struct access_key *key, uint16_t events)
{
	struct posting *posting;
	if (key->kind == ACCESS_ALWAYS || bucket->plain_count < PLAIN_MAX) {
		posting = MEM_NEW(struct posting);
		posting->kind = ACCESS_ALWAYS;
		list_push(&bucket->plain, &posting->link);
		bucket->plain_count++;
	} else {
		if (bucket->access == NULL) {
			bucket->access = access_new();
		}
		posting = access_add(bucket->access, key);
	}
	posting->events = events;
	posting->entry = entry;
	posting->bucket = bucket;
	posting->next = entry->postings;
	entry->postings = posting;
}

static void post_in(struct index *index, struct index_entry *entry, const struct demand *demand,
                    const struct bucket_name *name)
{
	struct access_key keys[DEMAND_KEYS_MAX];
	struct index_bucket *bucket = take_bucket(index, name);
	size_t count = demand_choose(index->env, demand, bucket->access, keys);
	if (bucket->plain_count < PLAIN_MAX) {
		count = 1;
	}
	for (size_t i = 0; i < count; i++) {
		post(entry, bucket, &keys[i], demand->events);
	}
}

static void post_demand(struct index *index, struct index_entry *entry, const struct demand *demand)
{
	size_t scopes = demand->scope_count != 0 ? demand->scope_count : 1;
	size_t keys = demand->key_count != 0 ? demand->key_count : 1;
	for (size_t i = 0; i < scopes * keys; i++) {
		struct bucket_name name = {
		        .scope = demand->scope_count != 0 ? demand->scopes[i / keys] : SPAN_NONE,
		        .text = demand->key_count != 0 ? demand->keys[i % keys] : SPAN_NONE,
		};
		if (demand->key_count == 0 && entry->filter->key_glob.ptr != NULL) {
			name = glob_name(name.scope, entry->filter->key_glob);
		}
		post_in(index, entry, demand, &name);
	}
}

static void post_everywhere(struct index *index, struct index_entry *entry)
{
	const struct bucket_name nothing = {0};
	const struct access_key always = {.kind = ACCESS_ALWAYS};
	post(entry, take_bucket(index, &nothing), &always, UINT8_MAX);
}

void index_add(struct index *index, struct index_entry *entry)
{
	entry->order = index->added++;
	entry->seen = index->event;
	entry->code = filter_code(entry->filter);
	entry->postings = NULL;
	if (index->scans_all) {
		post_everywhere(index, entry);
		return;
	}
	size_t count = demand_count(entry->filter);
	for (size_t i = 0; i < count; i++) {
		struct demand demand;
		demand_read(index->env, entry->filter, i, &demand);
		post_demand(index, entry, &demand);
	}
}

void index_remove(struct index *index, struct index_entry *entry)
{
	while (entry->postings != NULL) {
		struct posting *posting = entry->postings;
		struct index_bucket *bucket = posting->bucket;
		entry->postings = posting->next;
		if (posting->kind == ACCESS_ALWAYS) {
			list_remove(&posting->link);
			bucket->plain_count--;
			mem_free(posting);
		} else {
			access_remove(bucket->access, posting);
		}
		drop_if_empty(index, bucket);
	}
}

/* ---- matching ---- */

static void take(void *ctx, struct posting *posting)
{
	struct index *index = ctx;
	struct index_entry *entry = posting->entry;
	bool can_be = (posting->events & 1u << index->matching->event->kind) != 0;
	if (!can_be || entry->seen == index->event) {
		return;
	}
	entry->seen = index->event;
	prefetch(entry->filter, offsetof(struct filter, tally) + PREFETCH_LINE);
	prefetch(entry->code, CODE_FETCHED);
	if (index->candidate_count == index->candidate_cap) {
		index->candidate_cap = index->candidate_cap ? index->candidate_cap * 2 : 16;
		index->candidates = mem_grow(index->candidates,
		                             index->candidate_cap * sizeof *index->candidates);
	}
	index->candidates[index->candidate_count++] = (struct candidate){.entry = entry};
}

static void look_in(struct index *index, uint64_t hash)
{
	struct index_bucket *bucket = lookup_get(&index->buckets, hash);
	if (bucket == NULL) {
		return;
	}
	LIST_EACH(&bucket->plain, link)
	{
		take(index, MEM_CONTAINER(link, struct posting, link));
	}
	if (bucket->access != NULL) {
		access_find(bucket->access, matching_values(index->matching), take, index);
	}
}

/* Of all scopes together (first_kind 0), or of the event's own (SCOPED). */
static void look_in_kinds(struct index *index, unsigned first_kind)
{
	const struct event *event = index->matching->event;
	const size_t *counts = &index->counts[first_kind];
	uint64_t scope_hash = hash_of_scope(first_kind == SCOPED ? event->scope : SPAN_NONE);
	if (counts[KIND_ANY] != 0) {
		look_in(index, hash_of(first_kind + KIND_ANY, scope_hash, SPAN_NONE));
	}
	if (counts[KIND_KEY] != 0) {
		look_in(index, hash_of(first_kind + KIND_KEY, scope_hash, event->key));
	}
	for (unsigned i = 0; i < PREFIX_LENS; i++) {
		struct span prefix = {event->key.ptr, prefix_lens[i]};
		if (counts[i] != 0 && event->key.len >= prefix.len) {
			look_in(index, hash_of(first_kind + i, scope_hash, prefix));
		}
	}
}

static int by_order(const void *a, const void *b)
{
	uint64_t left = ((const struct candidate *)a)->entry->order;
	uint64_t right = ((const struct candidate *)b)->entry->order;
	return (left > right) - (left < right);
}

/* They often are in order: those of one list. */
static void sort(struct candidate candidates[], size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (candidates[i].entry->order < candidates[i - 1].entry->order) {
			qsort(candidates, count, sizeof *candidates, by_order);
			return;
		}
	}
}

void index_match(struct index *index, struct matching *matching, index_match_fn *matched, void *ctx)
{
	index->event++;
	index->candidate_count = 0;
	index->matching = matching;
	look_in_kinds(index, SCOPED);
	look_in_kinds(index, 0);
	index->matching = NULL;
	sort(index->candidates, index->candidate_count);
	size_t woken = 0;
	for (size_t i = 0; i < index->candidate_count; i++) {
		struct filter *filter = index->candidates[i].entry->filter;
		bool is_long = matching_spent(matching) > MATCHING_TURN;
		enum filter_answer answer =
		        is_long ? FILTER_LATER : filter_matches(filter, matching);
		index->asked += !is_long;
		if (is_long || filter_wakes(filter, answer)) {
			index->candidates[woken] = index->candidates[i];
			index->candidates[woken++].answer = answer;
		}
	}
	for (size_t i = 0; i < woken; i++) {
		matched(ctx, index->candidates[i].entry, index->candidates[i].answer);
	}
}
