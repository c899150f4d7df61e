/* This file finds the triggers that an event may wake without asking the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_INDEX_H
#define TRIGGERS_INDEX_H

#include "base/list.h"
#include "base/map.h"
#include "triggers/event.h"
#include "triggers/filter.h"

/*
 * DESIGN. Every filter stands in one bucket, chosen by what it fixes: (scope, key), (scope, prefix
 * of the key's glob), scope, key, prefix, or nothing. Prefixes are cut to the lengths 1, 2, 4, 8,
 * 16, 32, so that an event asks for at most 2 * 6 + 4 buckets, however many triggers there are.
 * What is in a bucket is asked with filter_matches. Matches come in the order of registration.
 */
struct index;

/* Embedded in the trigger. */
struct index_entry {
	struct list link;
	const struct filter *filter; /* borrowed until the entry is removed */
	struct index_bucket *bucket;
	uint64_t order;
};

typedef void index_match_fn(void *ctx, struct index_entry *entry);

struct index *index_new(void);
void index_free(struct index *index);
void index_add(struct index *index, struct index_entry *entry); /* entry->filter is set */
void index_remove(struct index *index, struct index_entry *entry);
/* The callback must not add or remove entries. */
void index_match(struct index *index, const struct event *event, index_match_fn *matched,
                 void *ctx);
/* How many filters were asked in all: what matching really costs. */
uint64_t index_asked(const struct index *index);

#endif
