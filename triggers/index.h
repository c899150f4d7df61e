/* This file finds the triggers that an event may wake without asking the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_INDEX_H
#define TRIGGERS_INDEX_H

#include "triggers/event.h"
#include "triggers/filter.h"
#include "triggers/matching.h"

/*
 * DESIGN. A filter stands in the bucket of what it fixes: (scope, key), (scope, prefix of the key's
 * glob), scope, key, prefix, or nothing. Prefixes are cut to the lengths 1, 2, 4, 8, 16, 32, so
 * that an event asks for at most 2 * 6 + 4 buckets, however many triggers there are.
 *
 * Inside a bucket it stands under one thing that its condition needs to be true: a value at a path,
 * the beginning or end of a string, a range of numbers, or that a path is there; whichever fewest
 * others share, in this order where they are alike. Or under nothing, and is asked always. A
 * condition that is a choice (`||`) stands under each of its alternatives. `scope == "s"` in the
 * condition counts as the filter's own scope, so does `key`, and `event_type`.
 *
 * CEL allows this: a condition whose conjunct is false or in error cannot be true. So it never
 * changes who is woken; it does change which errors are seen, so that a trigger that asks for the
 * errors of its condition (on_condition_error) stands under scope and key only.
 *
 * What is found is asked with filter_matches, once. Matches come in the order of registration.
 */
struct index;

/* Embedded in the trigger. */
struct index_entry {
	struct posting *postings;
	struct filter *filter; /* borrowed until the entry is removed */
	const void *code; /* of its condition: fetched from memory while others are looked for */
	uint64_t order;
	uint64_t seen; /* the event that it was asked about last */
};

/* Called for who is to be woken: FILTER_YES, or FILTER_ERROR where the filter wants that; and for
 * who may be, FILTER_LATER. */
typedef void index_match_fn(void *ctx, struct index_entry *entry, enum filter_answer answer);

/* `scans_all`: every filter is asked about every event. */
struct index *index_new(struct condition_env *env, bool scans_all);
void index_free(struct index *index);
void index_add(struct index *index, struct index_entry *entry); /* entry->filter is set */
void index_remove(struct index *index, struct index_entry *entry);
/* About the event that `matching` has begun. The callback must not add or remove entries. */
void index_match(struct index *index, struct matching *matching, index_match_fn *matched,
                 void *ctx);
/* How many filters were asked in all: what matching really costs. */
uint64_t index_asked(const struct index *index);

#endif
