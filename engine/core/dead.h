/* This file keeps dead letters: deliveries that were given up, whole, until a person decides. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DEAD_H
#define ENGINE_CORE_DEAD_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/delivery.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A dead letter holds the whole event, every attempt and the trigger as it was; it does not
 * need the journal any more. Its id is the delivery's. A range dead letter stands for all events of
 * a trigger from one seq to another that will not be delivered (function absent for too long,
 * journal full, trigger gone). Key: seq, then trigger id and replay number, so that a list is in
 * the order of events.
 */
struct dead;

struct dead *dead_new(struct store *store, uint64_t max_bytes);
void dead_free(struct dead *dead);
void dead_configure(struct dead *dead, uint64_t max_bytes);
/* Counts what is there. `done` comes once, later, unless it is freed before. */
void dead_load(struct dead *dead, void (*done)(void *ctx, int status, const struct err *err),
               void *ctx);
bool dead_is_full(const struct dead *dead);
uint64_t dead_count(const struct dead *dead);
struct span dead_log(const struct dead *dead); /* the journal's name, as ids have it */
uint64_t dead_bytes(const struct dead *dead);

/* What the letter says beside what the delivery knows. */
struct dead_words {
	const struct event *event; /* NULL: it is lost, or the delivery has it as JSON; of a batch
	                            * the one whose consequence it is */
	struct span batch;         /* the whole of one; absent: it is none, or as above */
	struct span code;
	struct span message;
};

/* Put into the open group, with the event that tells of it (dead_event); the caller commits. */
void dead_put(struct dead *dead, const struct delivery *delivery, const struct dead_words *words);
/* What was put did not become durable. */
void dead_uncount(struct dead *dead, uint64_t bytes);
void dead_put_range(struct dead *dead, const struct binding *binding, uint64_t from, uint64_t to,
                    const char *code, const char *message);

/* Finds one by its id, once that it is there, or gone, is durable: before, its delivery is still in
 * hand. The JSON is borrowed during the call; status E_NOT_FOUND
 * "dead_letter_not_found". */
struct dead_get {
	void (*done)(struct dead_get *get, int status, struct span json, const struct err *err);
	struct store_fetch fetch;
	struct store_waiter waiter;
	struct dead *dead;
	uint64_t seq; /* these two name the record */
	struct buf rest;
};
void dead_get_start(struct dead *dead, struct dead_get *get, struct span id);
/* Removes one that is known to be there (from inside dead_get's done); the caller commits. */
void dead_remove(struct dead *dead, struct dead_get *get, struct span json);

/* Walks all, oldest event first or newest first. `done` comes when what was seen is durable. */
struct dead_list {
	struct store_scan scan;
	struct store_waiter waiter;
	struct store *store;
	bool (*each)(struct dead_list *list, struct span json); /* false stops */
	void (*done)(struct dead_list *list, int status, const struct err *err);
};
void dead_list_start(struct dead *dead, struct dead_list *list, bool newest_first);

#endif
