/* This file defines what a store is opened with and what it tells about itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_OPTIONS_H
#define ENGINE_DURABLE_STORE_OPTIONS_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/histogram.h"
#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

struct store_options {
	const struct adapter_type *adapter;
	struct adapter_open how;   /* copied */
	size_t cache_max_bytes;    /* clean records kept in memory */
	size_t recent_max_bytes;   /* durable groups kept in memory for followers and replays */
	size_t view_lag_max_bytes; /* the view may be this far behind before writers wait for it */
	/* The wall time (ms) at which an entry was made, or 0. May be NULL. Called on any thread.
	 */
	int64_t (*time_of_entry)(struct span bytes);
};

/* Called once for each durable group that has entries, in order, on the loop. The batch is
 * borrowed: look entries up again later by seq (store_recent, store_read). */
typedef void store_follower_fn(void *ctx, const struct batch *batch);

/* Figures for /v1/status and tests. */
struct store_stats {
	uint64_t groups, syncs, entries, failed_groups, recoveries;
	uint64_t looks, fetches, scans;
	size_t cache_bytes, cache_records, ahead_bytes, queued_bytes;
	struct histogram commit_us; /* from asking for it until it is durable */
};

#endif
