/* This file keeps postings in bins by path and value. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/access.h"

#include "base/lookup.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include <math.h>

/*
 * DESIGN. A bin is known by the hash of (path, kind, value) alone, and keeps none of them: should
 * two ever have one hash, a trigger is asked in vain.
 */
enum { LENS = 64 }; /* of prefixes and suffixes; longer ones are cut to the last */

/* How many postings there are for each length. */
struct lens {
	uint64_t used; /* bit 1 << length */
	uint32_t counts[LENS];
};

/* What is asked of one path. */
struct path {
	uint32_t slot;
	size_t users; /* postings */
	size_t equal; /* postings */
	struct lens *prefixes;
	struct lens *suffixes;
	struct range *ranges;
	size_t half_open; /* ranges without one of their ends */
	size_t closed;
	struct list has;
	size_t has_count;
};

struct bin {
	uint64_t hash;
	struct path *path;
	struct list postings;
	size_t count;
};

struct access {
	struct lookup bins;
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
		lookup_close(&access->bins);
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

static uint64_t hash_of(uint32_t slot, enum access_kind kind, struct value value)
{
	return value_hash(value, (uint64_t)slot * ACCESS_KINDS + kind);
}

/* What of a prefix or suffix is looked for: its bytes next to the end that it is of. */
static struct value cut(enum access_kind kind, struct value value)
{
	if (kind != ACCESS_EQUAL && value.len >= LENS) {
		uint32_t over = value.len - (LENS - 1);
		value.len = LENS - 1;
		value.as.text += kind == ACCESS_SUFFIX ? over : 0;
	}
	return value;
}

static uint64_t hash_of_key(const struct access_key *key)
{
	return hash_of(key->slot, key->kind, cut(key->kind, key->value));
}

static struct lens **lens_of(struct path *path, enum access_kind kind)
{
	return kind == ACCESS_PREFIX ? &path->prefixes : &path->suffixes;
}

/* A posting comes (1) or goes (-1). */
static void count_posting(const struct posting *posting, struct path *path, int by)
{
	if (posting->kind == ACCESS_EQUAL) {
		path->equal += (size_t)by;
		return;
	}
	struct lens **lens = lens_of(path, (enum access_kind)posting->kind);
	if (*lens == NULL) {
		*lens = MEM_NEW(struct lens);
	}
	(*lens)->counts[posting->len] += (uint32_t)by;
	uint64_t bit = UINT64_C(1) << posting->len;
	(*lens)->used =
	        (*lens)->counts[posting->len] != 0 ? (*lens)->used | bit : (*lens)->used & ~bit;
}

static bool has_text(struct value value)
{
	return value.tag == VALUE_STRING || value.tag == VALUE_BYTES;
}

static void put_in_bin(struct access *access, struct path *path, const struct access_key *key,
                       struct posting *posting)
{
	uint64_t hash = hash_of_key(key);
	struct bin *bin = lookup_get(&access->bins, hash);
	if (bin == NULL) {
		bin = MEM_NEW(struct bin);
		bin->hash = hash;
		bin->path = path;
		list_init(&bin->postings);
		lookup_add(&access->bins, hash, bin);
	}
	bin->count++;
	list_push(&bin->postings, &posting->link);
	posting->home = bin;
	posting->len = has_text(key->value) ? (uint8_t)cut(key->kind, key->value).len : 0;
	count_posting(posting, path, 1);
}

/* The posting is off its list. */
static struct path *leave_bin(struct access *access, struct posting *posting)
{
	struct bin *bin = posting->home;
	struct path *path = bin->path;
	count_posting(posting, path, -1);
	if (--bin->count == 0) {
		lookup_remove(&access->bins, bin->hash);
		mem_free(bin);
	}
	return path;
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
		put_in_bin(access, path, key, posting);
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
		path = leave_bin(access, posting);
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
	const struct bin *bin = lookup_get(&access->bins, hash_of_key(key));
	return bin != NULL ? bin->count : 0;
}

/* ---- finding ---- */

/* Bins are looked up some at a time, so that their memory is fetched at the same time. */
enum { PROBES = 16 };

struct search {
	struct access *access;
	posting_fn *found;
	void *ctx;
	uint64_t probes[PROBES]; /* hashes of bins that are still to be looked up */
	size_t probe_count;
};

static void visit_list(const struct search *search, struct list *postings)
{
	LIST_EACH(postings, link)
	{
		search->found(search->ctx, MEM_CONTAINER(link, struct posting, link));
	}
}

static void visit_bins(struct search *search)
{
	struct bin *bins[PROBES];
	size_t count = 0;
	for (size_t i = 0; i < search->probe_count; i++) {
		struct bin *bin = lookup_get(&search->access->bins, search->probes[i]);
		if (bin != NULL) {
			prefetch(bin, sizeof *bin);
			bins[count++] = bin;
		}
	}
	search->probe_count = 0;
	for (size_t i = 0; i < count; i++) {
		visit_list(search, &bins[i]->postings);
	}
}

static void want_bin(struct search *search, const struct path *path, enum access_kind kind,
                     struct value value)
{
	uint64_t hash = hash_of(path->slot, kind, value);
	if (search->access->bins.count == 0) {
		return;
	}
	if (search->probe_count == PROBES) {
		visit_bins(search);
	}
	prefetch(lookup_home(&search->access->bins, hash), sizeof(struct lookup_cell));
	search->probes[search->probe_count++] = hash;
}

static void visit_ends(struct search *search, const struct path *path, enum access_kind kind,
                       const struct lens *lens, struct value text)
{
	for (uint32_t len = 1; len < LENS && len <= text.len && lens->used >> len != 0; len++) {
		if ((lens->used >> len & 1u) != 0) {
			size_t at = kind == ACCESS_SUFFIX ? text.len - len : 0;
			struct span end = span_make(text.as.text + at, len);
			want_bin(search, path, kind, value_string(end));
		}
	}
}

static bool is_scalar(struct value value)
{
	return value.tag == VALUE_NULL || value.tag == VALUE_BOOL || is_number(value) ||
	       has_text(value);
}

static void visit(struct search *search, struct path *path, struct value value)
{
	if (value.tag == VALUE_UNSET || value_is_error(value)) {
		return;
	}
	visit_list(search, &path->has);
	if (path->equal != 0 && is_scalar(value)) {
		want_bin(search, path, ACCESS_EQUAL, value);
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
	struct search search;
	search.access = access;
	search.found = found;
	search.ctx = ctx;
	search.probe_count = 0; /* the probes need not be zero */
	size_t touched = values->touched_count;
	bool by_path = access->path_count <= touched;
	for (size_t i = 0; by_path && i < access->path_count; i++) {
		struct path *path = access->paths[i];
		visit(&search, path, activation_get(values, path->slot));
	}
	for (size_t i = 0; !by_path && i < touched; i++) {
		uint32_t slot = values->touched[i];
		struct path *path = find_path(access, slot);
		if (path != NULL) {
			visit(&search, path, values->slots[slot]);
		}
	}
	visit_bins(&search);
}
