/* This file keeps groups: batches with their waiters, shared by who still needs their bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_GROUP_H
#define ENGINE_DURABLE_STORE_GROUP_H

#include "adapters/batch.h"
#include "base/list.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Touched on the loop only, except for `batch`, which threads read once it is handed over. */
struct store_group {
	struct list link; /* the backlog's, or the spares' */
	struct batch batch;
	struct list waiters; /* store_waiter.link */
	uint64_t number;     /* never used twice in the life of a store */
	uint64_t serial;     /* the adapter's number; 0 until it is written */
	int64_t asked_at_us; /* when the first commit asked for it; 0 = nobody has */
	unsigned refs;
};

/* Groups with entries, the newest of them, found by seq; and a few spare ones. */
struct store_groups {
	struct store_group **recent; /* a ring: `count` of `cap`, the oldest at `first` */
	size_t first, count, cap;
	size_t recent_bytes;
	size_t recent_max_bytes;
	struct list spare;
	size_t spare_count;
	size_t usual_bytes; /* what the last group with entries held: room for the next */
};

void store_groups_init(struct store_groups *groups, size_t recent_max_bytes);
void store_groups_close(struct store_groups *groups);

struct store_group *store_group_new(struct store_groups *groups); /* one reference */
void store_group_take(struct store_group *group);
void store_group_drop(struct store_groups *groups, struct store_group *group);

/* Keeps the group, whose entries follow those of the last one that was kept (else all others are
 * forgotten), and lets the oldest go. */
void store_groups_keep(struct store_groups *groups, struct store_group *group);
void store_groups_forget(struct store_groups *groups);
/* The bytes of an entry, if its group is kept. */
bool store_groups_find(const struct store_groups *groups, uint64_t seq, struct span *out);

#endif
