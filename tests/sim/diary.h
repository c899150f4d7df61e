/* This file is the diary of a random day: what was written, who wanted it, what became of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_DIARY_H
#define TESTS_SIM_DIARY_H

#include "tests/sim/chance.h"
#include "tests/unit/core_world.h"

enum { TRIGGERS = 3, KEYS = 4, EVENTS_MAX = 4096, LIVES_MAX = 128, VERSIONS_MAX = 100 };

static const char *const trigger_ids[TRIGGERS] = {"t0", "t1", "t2"};
static const char *const function_ids[TRIGGERS] = {"f0", "f1", "f2"};

struct lived {
	uint64_t seq;
	char key[4];
	bool wanted[TRIGGERS]; /* by the version of then */
	bool cancelled[TRIGGERS];
	bool replayed[TRIGGERS];
	bool settled[TRIGGERS]; /* durably: its job record went, or the cursor passed it */
	size_t starts_then[TRIGGERS];
};

static struct lived lived[EVENTS_MAX];
static size_t lived_count;
static uint64_t acknowledged;   /* the last event that was ever known to be durable */
static uint32_t replays;        /* of this day, each with a number of its own */
static int64_t ends[LIVES_MAX]; /* of the engine's lives */

/* ---- entries ---- */

static inline void open_diary(uint64_t seed)
{
	random_state = seed;
	lived_count = 0;
	acknowledged = 0;
	replays = 0;
}

static inline struct lived *note_event(uint64_t seq, const char *key)
{
	/* A lost group gives its seqs again. */
	while (lived_count > 0 && lived[lived_count - 1].seq >= seq) {
		lived_count--;
	}
	assert_true(lived_count < EVENTS_MAX);
	struct lived *now = &lived[lived_count++];
	*now = (struct lived){.seq = seq};
	(void)snprintf(now->key, sizeof now->key, "%s", key);
	return now;
}

static inline struct lived *lived_of(uint64_t seq)
{
	for (size_t i = 0; i < lived_count; i++) {
		if (lived[i].seq == seq) {
			return &lived[i];
		}
	}
	fail_msg("event %llu never was", (unsigned long long)seq);
	return NULL;
}

static inline void forget_lost(void)
{
	while (lived_count > 0 && lived[lived_count - 1].seq > store_durable_seq(world->store)) {
		lived_count--;
	}
}

/* A seq that was lost may have become that of an event which tells of a dead letter. */
static inline void forget_replaced(void)
{
	size_t kept = 0;
	for (size_t i = 0; i < lived_count; i++) {
		struct span bytes;
		struct event event;
		bool is_other = store_recent(world->store, lived[i].seq, &bytes) &&
		                event_decode(lived[i].seq, bytes, &event, NULL) == 0 &&
		                event.kind == EVENT_DEAD;
		if (!is_other) {
			lived[kept++] = lived[i];
		}
	}
	lived_count = kept;
}

static inline size_t starts_by(int which, uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		count += started->seq == seq && strcmp(started->function, function_ids[which]) == 0;
	}
	return count;
}

static inline bool is_owed(int which, uint64_t seq)
{
	for (uint32_t version = 1; version < VERSIONS_MAX; version++) {
		struct binding *binding =
		        catalog_find_version(world->catalog, span_of(trigger_ids[which]), version);
		if (binding == NULL) {
			continue;
		}
		if (binding->lagging && seq >= binding->next_seq) {
			return true; /* it is to be read again */
		}
		LIST_EACH(&binding->deliveries, link)
		{
			if (MEM_CONTAINER(link, struct delivery, in_binding)->seq == seq) {
				return true;
			}
		}
	}
	return false;
}

/* With everything flushed, what was started and is not owed any more is settled for good. */
static inline void note_settled(void)
{
	uint64_t durable = store_durable_seq(world->store);
	for (size_t i = 0; i < lived_count && lived[i].seq <= durable; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			if (!lived[i].settled[which] &&
			    (starts != 0 || lived[i].cancelled[which]) &&
			    !is_owed(which, lived[i].seq)) {
				lived[i].settled[which] = true;
				lived[i].starts_then[which] = starts;
			}
		}
	}
}

#endif
