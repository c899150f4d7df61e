/* This file brings single records into memory, many in one call of the adapter. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_FETCH_H
#define ENGINE_DURABLE_STORE_FETCH_H

#include "adapters/adapter.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_job.h"
#include "engine/durable/store_table.h"
#include <stdbool.h>
#include <stddef.h>

/* Embedded in who asks; all zero but for `done`. */
struct store_fetch {
	struct list link; /* the store's while it is out */
	void (*done)(struct store_fetch *fetch, int status, const struct err *err);
	/* the store's: copies of the keys */
	struct buf bytes;
	size_t count;
	void *rows;
};

/*
 * DESIGN. Keys are collected for the next round while one round is out; keys that two fetches want
 * are in a round once. A fetch waits for the last round that holds one of its keys. All its records
 * are pinned from the start until done has returned, so that it finds them all.
 */
struct store_fetches;
struct store_fetch_round {
	struct store_job job;
	struct store_fetches *fetches;
	struct adapter *adapter;
	struct buf bytes;
	struct store_fetch_key *keys;
	size_t count, cap;
	struct buf values;
	struct store_fetch_value *found; /* one a key */
	size_t found_cap;
	int status;
	struct err err;
};

struct store_fetches {
	struct store_table *table;
	struct store_fetch_round rounds[2];
	struct list waiting[2]; /* for the round of that number */
	struct list ready;      /* nothing was missing */
	unsigned next;          /* the round that is being collected; the other one may be out */
	bool is_out;
	bool is_void; /* what is out is to be read again */
};

void store_fetches_init(struct store_fetches *fetches, struct store_table *table);
void store_fetches_close(struct store_fetches *fetches); /* nothing waits */

void store_fetches_add(struct store_fetches *fetches, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count);
/* The next round as a job for the reader, or NULL. */
struct store_job *store_fetches_next(struct store_fetches *fetches, struct adapter *adapter);
/* Calls those that lacked nothing; returns whether there were any. */
bool store_fetches_call_ready(struct store_fetches *fetches);
/* The adapter failed: what is out is worth nothing... */
void store_fetches_void(struct store_fetches *fetches);
/* ...and now that it is open again and the table was reset, everything is asked for again. */
void store_fetches_again(struct store_fetches *fetches);
/* Calls everybody with this error. No round is out. */
void store_fetches_cancel(struct store_fetches *fetches, int status, const struct err *err);

#endif
