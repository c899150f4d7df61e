/* This file walks ranges of records, and parts: what is in memory merged with what is stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_SCAN_H
#define ENGINE_DURABLE_STORE_SCAN_H

#include "adapters/adapter.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_job.h"
#include "engine/durable/store_table.h"
#include <stdbool.h>
#include <stdint.h>

/* A row of a scan; bytes are borrowed during the call. Return false to stop. */
typedef bool store_row_fn(void *ctx, struct span key, const struct record *record);

struct store_scan {
	struct list link;
	/* set by the caller */
	struct adapter_range range; /* spans are copied by store_scan_start */
	bool reverse;
	/* Called in key order (reverse: backwards), page by page over many turns. */
	store_row_fn *row;
	void *ctx;
	/* Once, at the end. `more`: the row function stopped it. `group`: as in store_look. */
	void (*done)(struct store_scan *scan, int status, bool more, uint64_t group,
	             const struct err *err);
	void *state; /* the store's */
};

struct store_parts {
	struct list link;
	/* set by the caller */
	enum space space;
	/* The first part to come, if it is there; copied. Absent: from the beginning. Of a space
	 * whose parts are UTF-8. */
	struct span start;
	bool (*part)(void *ctx, struct span part); /* in order; every part that holds a record */
	void *ctx;
	void (*done)(struct store_parts *parts, int status, uint64_t group, const struct err *err);
	void *state; /* the store's */
};

/*
 * DESIGN. A walk goes page by page. First the dirty records behind where it stands are copied out
 * of the table, at most a page of them; then the reader reads a page of the adapter's; then both
 * are merged up to where the shorter one ends. Of two rows with one key the one with the higher rev
 * counts, the table's if they are equal. A deleted one hides a row that is not newer.
 *
 * Rows that became durable and applied between the copy and the read are seen as they are then: a
 * walk is no snapshot, but each row is one that was there at some time during it.
 *
 * A part is listed when it holds a record; what is deleted in memory only cannot be judged without
 * reading it all. So a walk over parts waits until the view has everything that was put before it
 * began.
 */
struct store_scans {
	struct store_table *table;
	struct list waiting;         /* walks whose next page is to be read, in turn */
	struct store_scan_walk *out; /* whose page is being read */
	bool is_void;                /* what is out is to be read again */
	bool wants_view;             /* so much is dirty that the view had better apply it */
};

void store_scans_init(struct store_scans *scans, struct store_table *table);

void store_scans_add(struct store_scans *scans, struct store_scan *scan);
/* Waits until the view has group number `needs`. */
void store_scans_add_parts(struct store_scans *scans, struct store_parts *parts, uint64_t needs);
/* The next page as a job for the reader, or NULL. */
struct store_job *store_scans_next(struct store_scans *scans, struct adapter *adapter,
                                   uint64_t applied);
bool store_scans_wait_for_view(const struct store_scans *scans, uint64_t applied);
void store_scans_void(struct store_scans *scans);
/* Calls everybody with this error. No page is out. */
void store_scans_cancel(struct store_scans *scans, int status, const struct err *err);

#endif
