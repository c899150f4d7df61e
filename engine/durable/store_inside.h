/* This file lays out the store's own struct, for the files that share its work. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_INSIDE_H
#define ENGINE_DURABLE_STORE_INSIDE_H

#include "adapters/adapter.h"
#include "base/err.h"
#include "engine/durable/store_backlog.h"
#include "engine/durable/store_due.h"
#include "engine/durable/store_fetch.h"
#include "engine/durable/store_group.h"
#include "engine/durable/store_options.h"
#include "engine/durable/store_read.h"
#include "engine/durable/store_recovery.h"
#include "engine/durable/store_scan.h"
#include "engine/durable/store_table.h"
#include "engine/durable/store_threads.h"
#include "engine/durable/store_timer.h"
#include "engine/durable/store_waiter.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/*
 *   OPEN --failed--> DRAINING --threads idle--> WAITING --time--> REOPENING --> OPEN
 *     |                  |                         ^  |              |
 *     |                  |                         +--|----failed----+
 *     +---- closing, idle, nothing left to do --------+--> CLOSING --> CLOSED
 */
enum store_phase {
	PHASE_OPEN,
	PHASE_DRAINING,
	PHASE_WAITING,
	PHASE_REOPENING,
	PHASE_CLOSING,
	PHASE_CLOSED
};

enum store_timer_name { TIMER_LAZY, TIMER_VIEW, TIMER_SYNC, TIMER_RETRY, TIMER_COUNT };

struct store {
	uv_loop_t *loop;
	uv_check_t check;     /* hands over what the sockets brought */
	uv_prepare_t prepare; /* and what timers and closed handles brought */
	struct store_timer timers[TIMER_COUNT];
	unsigned open_handles;

	struct store_options options;
	const struct adapter_type *type;
	struct adapter *adapter; /* NULL while it is being reopened */
	bool is_inline;
	enum store_phase phase;
	bool is_closing;
	bool has_failed_to_open;
	unsigned failures; /* recoveries since the last group that was written */
	struct err cause;  /* why the phase is not OPEN */
	struct store_recovery recovery;

	struct store_threads threads;
	struct store_table table;
	struct store_groups groups;
	struct store_fetches fetches;
	struct store_scans scans;
	struct store_dues dues;
	struct store_reads reads;
	struct store_backlog backlog;
	struct store_waiters waiters;
	unsigned reader_turn; /* point reads go first, but not for ever */

	struct store_group *open;    /* being filled */
	struct store_group *written; /* on the writer thread; NULL = none */
	struct store_job write_job;
	int write_status;
	struct err write_err;
	uint64_t durable_number; /* of the last group that write returned for */
	uint64_t synced_number;  /* behind it only lazy ones */
	uint64_t applied_number;
	uint64_t serial; /* of the last batch written */
	uint32_t entry_at;

	struct adapter_head head; /* of the last durable group */
	uint64_t next_seq;
	int64_t last_time_ms;
	uint64_t journal_bytes;
	bool journal_is_full;
	uint64_t trim_seq; /* 0 = nothing to trim */
	uint64_t trimming_seq;
	uint64_t trim_first, trim_bytes;
	struct store_job side_job; /* sync, trim or close, on the writer thread */
	int side_status;
	struct err side_err;

	bool is_crowded;
	store_follower_fn *follower;
	void *follower_ctx;
	store_follower_fn *watcher;
	void *watcher_ctx;
	void (*crowded)(void *ctx, bool is);
	void *crowded_ctx;
	void (*recovered)(void *ctx);
	void *recovered_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
	struct store_stats stats;
};

enum {
	STORE_QUEUE_BYTES = 8 * 1024 * 1024, /* from here on the store is crowded */
	STORE_VIEW_MS = 1000,                /* the view is at most this late when little comes */
};

static inline uint64_t store_inside_durable_seq(const struct store *store)
{
	return store->head.next_seq - 1;
}

#endif
