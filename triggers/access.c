/* This file keeps postings in bins by path and value. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/access.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include <math.h>

enum { LENS = 64 }; /* of prefixes and suffixes; longer ones are cut to the last */

/* How many bins there are for each length. */
struct lens {
	uint64_t used; /* bit 1 << length */
	uint32_t counts[LENS];
};

/* What is asked of one path. */
struct path {
	uint32_t slot;
	size_t users; /* postings */
	size_t equal; /* bins */
	struct lens *prefixes;
	struct lens *suffixes;
	struct range *ranges;
	size_t half_open; /* ranges without one of their ends */
	size_t closed;
	struct list has;
	size_t has_count;
};

struct bin_key {
	uint32_t slot;
	uint8_t kind; /* enum access_kind */
	struct value value;
};

struct bin {
	struct map_node node;
	struct bin_key key; /* its text is owned */
	struct path *path;
	struct list postings;
	size_t count;
};

struct access {
	struct map bins;
	struct path **paths; /* by slot */
	size_t path_count;
	size_t path_cap;
};

struct access *access_new(void)
{
	return MEM_NEW(struct access);
}

void access_free(struct access *access)
{
	if (access != NULL) {
		map_close(&access->bins);
		mem_free(access->paths);
		mem_free(access);
	}
}

bool access_is_empty(const struct access *access)
{
	return access->path_count == 0;
}

/* ---- paths ---- */

/* Where the path is, or would be. */
static size_t place_of(const struct access *access, uint32_t slot)
{
	size_t low = 0;
	size_t high = access->path_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (access->paths[middle]->slot < slot) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct path *find_path(const struct access *access, uint32_t slot)
{
	size_t at = place_of(access, slot);
	return at < access->path_count && access->paths[at]->slot == slot ? access->paths[at]
	                                                                  : NULL;
}

static struct path *take_path(struct access *access, uint32_t slot)
{
	struct path *path = find_path(access, slot);
	if (path == NULL) {
		if (access->path_count == access->path_cap) {
			access->path_cap = access->path_cap != 0 ? access->path_cap * 2 : 4;
			access->paths =
			        mem_grow(access->paths, access->path_cap * sizeof(struct path *));
		}
		size_t at = place_of(access, slot);
		memmove(&access->paths[at + 1], &access->paths[at],
		        (access->path_count - at) * sizeof(struct path *));
		access->path_count++;
		path = MEM_NEW(struct path);
		path->slot = slot;
		list_init(&path->has);
		access->paths[at] = path;
	}
	path->users++;
	return path;
}

static void drop_path(struct access *access, struct path *path)
{
	if (--path->users == 0) {
		size_t at = place_of(access, path->slot);
		access->path_count--;
		memmove(&access->paths[at], &access->paths[at + 1],
		        (access->path_count - at) * sizeof(struct path *));
		mem_free(path->prefixes);
		mem_free(path->suffixes);
		mem_free(path);
	}
}

/* ---- bins ---- */

static bool is_number(struct value value)
{
	return value.tag == VALUE_INT || value.tag == VALUE_UINT || value.tag == VALUE_DOUBLE;
}

static bool same_value(struct value a, struct value b)
{
	int order = 0;
	if (is_number(a) || is_number(b)) {
		return is_number(a) && is_number(b) && value_compare(a, b, &order) && order == 0;
	}
	if (a.tag != b.tag) {
		return false;
	}
	switch (a.tag) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a.as.b == b.as.b;
	case VALUE_STRING:
	case VALUE_BYTES:
		return span_equal(value_text(a), value_text(b));
	default:
		return false;
	}
}

static bool is_key(const struct map_node *node, const void *wanted)
{
	const struct bin *bin = MEM_CONTAINER(node, struct bin, node);
	const struct bin_key *key = wanted;
	return bin->key.slot == key->slot && bin->key.kind == key->kind &&
	       same_value(bin->key.value, key->value);
}

static uint64_t hash_of(const struct bin_key *key)
{
	uint64_t hash = value_hash(key->value) + (uint64_t)key->slot * 0x9e3779b97f4a7c15u +
	                (uint64_t)key->kind * 0xbf58476d1ce4e5b9u;
	return hash ^ hash >> 32;
}

static struct bin *find_bin(const struct access *access, const struct bin_key *key)
{
	struct map_node *node = map_get(&access->bins, hash_of(key), key, is_key);
	return node != NULL ? MEM_CONTAINER(node, struct bin, node) : NULL;
}

static struct bin_key bin_key(const struct access_key *key)
{
	struct bin_key wanted = {key->slot, (uint8_t)key->kind, key->value};
	if (key->kind != ACCESS_EQUAL && key->value.len >= LENS) {
		uint32_t cut = key->value.len - (LENS - 1);
		wanted.value.len = LENS - 1;
		wanted.value.as.text += key->kind == ACCESS_SUFFIX ? cut : 0;
	}
	return wanted;
}

static struct lens **lens_of(struct path *path, enum access_kind kind)
{
	return kind == ACCESS_PREFIX ? &path->prefixes : &path->suffixes;
}

/* A bin comes (1) or goes (-1). */
static void count_bin(const struct bin *bin, int by)
{
	struct path *path = bin->path;
	if (bin->key.kind == ACCESS_EQUAL) {
		path->equal += (size_t)by;
		return;
	}
	struct lens **lens = lens_of(path, (enum access_kind)bin->key.kind);
	if (*lens == NULL) {
		*lens = MEM_NEW(struct lens);
	}
	uint32_t len = bin->key.value.len;
	(*lens)->counts[len] += (uint32_t)by;
	uint64_t bit = UINT64_C(1) << len;
	(*lens)->used = (*lens)->counts[len] != 0 ? (*lens)->used | bit : (*lens)->used & ~bit;
}

static bool has_text(struct value value)
{
	return value.tag == VALUE_STRING || value.tag == VALUE_BYTES;
}

static struct bin *take_bin(struct access *access, const struct access_key *key, struct path *path)
{
	struct bin_key wanted = bin_key(key);
	struct bin *bin = find_bin(access, &wanted);
	if (bin == NULL) {
		bin = MEM_NEW(struct bin);
		bin->key = wanted;
		if (has_text(wanted.value)) {
			bin->key.value.as.text = mem_span(value_text(wanted.value)).ptr;
		}
		bin->path = path;
		list_init(&bin->postings);
		map_add(&access->bins, &bin->node, hash_of(&wanted));
		count_bin(bin, 1);
	}
	bin->count++;
	return bin;
}

static void drop_bin(struct access *access, struct bin *bin)
{
	if (--bin->count == 0) {
		count_bin(bin, -1);
		map_remove(&access->bins, &bin->node);
		if (has_text(bin->key.value)) {
			mem_free((char *)bin->key.value.as.text);
		}
		mem_free(bin);
	}
}

/* ---- postings ---- */

static size_t *range_counter(struct path *path, double low, double high)
{
	return isinf(low) || isinf(high) ? &path->half_open : &path->closed;
}

static struct posting *add_range(struct path *path, const struct access_key *key)
{
	struct range *range = MEM_NEW(struct range);
	range->low = key->low;
	range->high = key->high;
	range->posting.home = path;
	ranges_add(&path->ranges, range);
	++*range_counter(path, key->low, key->high);
	return &range->posting;
}

struct posting *access_add(struct access *access, const struct access_key *key)
{
	struct path *path = take_path(access, key->slot);
	struct posting *posting =
	        key->kind == ACCESS_RANGE ? add_range(path, key) : MEM_NEW(struct posting);
	posting->kind = (uint8_t)key->kind;
	list_init(&posting->link);
	if (key->kind == ACCESS_HAS) {
		posting->home = path;
		path->has_count++;
		list_push(&path->has, &posting->link);
	} else if (key->kind != ACCESS_RANGE) {
		struct bin *bin = take_bin(access, key, path);
		posting->home = bin;
		list_push(&bin->postings, &posting->link);
	}
	return posting;
}

void access_remove(struct access *access, struct posting *posting)
{
	struct path *path = posting->home;
	list_remove(&posting->link);
	if (posting->kind == ACCESS_HAS) {
		path->has_count--;
	} else if (posting->kind == ACCESS_RANGE) {
		struct range *range = MEM_CONTAINER(posting, struct range, posting);
		--*range_counter(path, range->low, range->high);
		ranges_remove(&path->ranges, range);
	} else {
		struct bin *bin = posting->home;
		path = bin->path;
		drop_bin(access, bin);
	}
	drop_path(access, path);
	mem_free(posting); /* the first member of a range */
}

size_t access_count(const struct access *access, const struct access_key *key)
{
	if (key->kind == ACCESS_HAS || key->kind == ACCESS_RANGE) {
		const struct path *path = find_path(access, key->slot);
		if (path == NULL || key->kind == ACCESS_HAS) {
			return path != NULL ? path->has_count : 0;
		}
		/* An event is inside of one half-open range in two, and of few closed ones. */
		bool is_open = isinf(key->low) || isinf(key->high);
		return is_open ? path->half_open / 2 : path->closed / 64;
	}
	struct bin_key wanted = bin_key(key);
	const struct bin *bin = find_bin(access, &wanted);
	return bin != NULL ? bin->count : 0;
}

/* ---- finding ---- */

struct search {
	struct access *access;
	posting_fn *found;
	void *ctx;
};

static void visit_list(const struct search *search, struct list *postings)
{
	LIST_EACH(postings, link)
	{
		search->found(search->ctx, MEM_CONTAINER(link, struct posting, link));
	}
}

static void visit_bin(const struct search *search, const struct path *path, enum access_kind kind,
                      struct value value)
{
	const struct bin_key key = {path->slot, (uint8_t)kind, value};
	struct bin *bin = find_bin(search->access, &key);
	if (bin != NULL) {
		visit_list(search, &bin->postings);
	}
}

static void visit_ends(const struct search *search, const struct path *path, enum access_kind kind,
                       const struct lens *lens, struct value text)
{
	for (uint32_t len = 1; len < LENS && len <= text.len && lens->used >> len != 0; len++) {
		if ((lens->used >> len & 1u) != 0) {
			size_t at = kind == ACCESS_SUFFIX ? text.len - len : 0;
			struct span end = span_make(text.as.text + at, len);
			visit_bin(search, path, kind, value_string(end));
		}
	}
}

static bool is_scalar(struct value value)
{
	return value.tag == VALUE_NULL || value.tag == VALUE_BOOL || is_number(value) ||
	       has_text(value);
}

static void visit(const struct search *search, struct path *path, struct value value)
{
	if (value.tag == VALUE_UNSET || value_is_error(value)) {
		return;
	}
	visit_list(search, &path->has);
	if (path->equal != 0 && is_scalar(value)) {
		visit_bin(search, path, ACCESS_EQUAL, value);
	}
	if (path->ranges != NULL && is_number(value)) {
		ranges_find(path->ranges, value_double(value), search->found, search->ctx);
	}
	if (value.tag == VALUE_STRING && path->prefixes != NULL) {
		visit_ends(search, path, ACCESS_PREFIX, path->prefixes, value);
	}
	if (value.tag == VALUE_STRING && path->suffixes != NULL) {
		visit_ends(search, path, ACCESS_SUFFIX, path->suffixes, value);
	}
}

void access_find(struct access *access, struct activation *values, posting_fn *found, void *ctx)
{
	const struct search search = {access, found, ctx};
	size_t touched = values->touched_count;
	if (access->path_count <= touched) {
		for (size_t i = 0; i < access->path_count; i++) {
			struct path *path = access->paths[i];
			visit(&search, path, activation_get(values, path->slot));
		}
		return;
	}
	for (size_t i = 0; i < touched; i++) {
		uint32_t slot = values->touched[i];
		struct path *path = find_path(access, slot);
		if (path != NULL) {
			visit(&search, path, values->slots[slot]);
		}
	}
}
