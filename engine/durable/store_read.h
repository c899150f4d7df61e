/* This file reads the journal's entries: from memory where they are recent, else page by page. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_READ_H
#define ENGINE_DURABLE_STORE_READ_H

#include "adapters/adapter.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_group.h"
#include "engine/durable/store_job.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_read {
	struct list link;
	/* set by the caller */
	uint64_t from;    /* first seq */
	uint64_t count;   /* at most so many entries */
	size_t max_bytes; /* stop behind the entry that reaches this; 0 = no bound */
	void (*entry)(void *ctx, uint64_t seq, struct span bytes); /* on the loop, before done */
	void *ctx;
	/* status 0, or E_NOT_FOUND "compacted", or an adapter's error. Only durable entries come.
	 */
	void (*done)(struct store_read *read, int status, const struct err *err);
	void *state; /* the store's */
};

struct adapter;

struct store_reads {
	struct list waiting; /* readings, in turn, whose next entry may be in memory */
	struct list behind;  /* whose next entry is not: what has left memory does not come back */
	struct list out;     /* whose pages are being read: the reader's while is_out */
	struct store_job job;
	struct adapter *adapter;
	bool is_out;
	bool is_void; /* what is out is to be read again */
};

void store_reads_init(struct store_reads *reads);
void store_reads_add(struct store_reads *reads, struct store_read *read);
/* Gives a page to each that waits for entries in memory; returns whether there was any. */
bool store_reads_from_memory(struct store_reads *reads, const struct store_groups *groups,
                             uint64_t durable_seq);
/* The next pages of those who need the adapter, as store_reads_from_memory has found, as one job
 * for the reader, or NULL. */
struct store_job *store_reads_next(struct store_reads *reads, struct adapter *adapter,
                                   uint64_t durable_seq);
bool store_reads_is_idle(const struct store_reads *reads);
void store_reads_void(struct store_reads *reads);
/* Calls everybody with this error. No pages are out. */
void store_reads_cancel(struct store_reads *reads, int status, const struct err *err);

#endif
