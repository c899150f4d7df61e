/* This file opens the adapter, for the first time or again, and reads back what is really there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_RECOVERY_H
#define ENGINE_DURABLE_STORE_RECOVERY_H

#include "adapters/adapter.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_group.h"
#include "engine/durable/store_job.h"
#include <stdint.h>

/* Blocking; whoever runs it owns it. On failure the adapter is closed and nothing is filled in. */
struct store_recovery {
	struct store_job job;
	/* set by the store; the strings are the store's */
	const struct adapter_type *type;
	struct adapter_open how;
	int64_t (*time_of_entry)(struct span bytes);
	uint64_t known_seq;      /* entries up to here have been told; UINT64_MAX: all have */
	struct adapter *adapter; /* in: to be closed first, or NULL. Out: the open one, or NULL */
	/* what it found */
	int status;
	struct err err;
	struct adapter_head head;
	uint64_t applied; /* serial */
	uint64_t journal_bytes;
	int64_t last_time_ms;       /* of the last entry; 0 = there is none */
	struct list replayed;       /* store_group.link: written and not applied, oldest first */
	struct store_group *untold; /* one group of the entries behind known_seq, or NULL */
};

void store_recovery_run(struct store_recovery *recovery);
/* Closes the adapter and drops what was found. */
void store_recovery_forget(struct store_recovery *recovery);

#endif
