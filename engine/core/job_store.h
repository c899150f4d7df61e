/* This file puts and removes the job records of deliveries, tombstones included. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_JOB_STORE_H
#define ENGINE_CORE_JOB_STORE_H

#include "engine/core/binding.h"
#include "engine/core/delivery.h"
#include "engine/core/job.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/* Everything here goes into the open group; the caller commits. */

/* A finished delivery above the cursor: its record says so until the cursor has passed. */
struct tombstone {
	struct list link; /* binding.done */
	uint64_t seq;
	bool deleted; /* in a group that may not be durable yet */
};

void job_store_put(struct store *store, const struct binding *binding, const struct job *job);
void job_store_put_delivery(struct store *store, const struct delivery *delivery);
/* It dies, and its lane waits behind it. */
void job_store_put_blocked(struct store *store, const struct delivery *delivery);
void job_store_delete(struct store *store, const struct binding *binding, uint64_t seq);

/* The delivery has an outcome. Up to `cursor` its record goes; above it a tombstone takes its
 * place. While the store recovers that is remembered, and put by job_store_put_all. */
void job_store_settle(struct store *store, const struct delivery *delivery, uint64_t cursor);
/* The delivery begins again (a dead letter is replayed): it has no outcome any more. */
void job_store_reopen(struct binding *binding, uint64_t seq);
void job_store_put_done(struct store *store, const struct binding *binding, uint64_t seq);
/* Remembers a tombstone that is, or will be, on disk. */
void job_store_adopt_done(struct binding *binding, uint64_t seq);
bool job_store_is_done(const struct binding *binding, uint64_t seq);
/* Drops tombstones up to `cursor`: deletes their records, and forgets them when that is durable.
 * True while a deletion is not. */
bool job_store_forget_done(struct store *store, struct binding *binding, uint64_t cursor);
/* Drops all of them; with `keep_records` only from memory. */
void job_store_drop_done(struct store *store, struct binding *binding, bool keep_records);
/* Puts every record of the binding again. */
void job_store_put_all(struct store *store, struct binding *binding);

#endif
