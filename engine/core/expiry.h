/* This file makes the event of every record whose time has come, also if nobody reads it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_EXPIRY_H
#define ENGINE_CORE_EXPIRY_H

#include "adapters/batch.h"
#include "base/histogram.h"
#include "engine/durable/agenda_rounds.h"
#include <stdint.h>

/*
 * DESIGN. The agenda says which records may be due; each is looked at again, and put away with its
 * event if its time has come indeed, many in one group. A write that meets such a record first does
 * the same itself, so whoever comes second finds nothing.
 */
struct expiry;

struct expiry *expiry_new(struct store *store, struct alarms *alarms);
void expiry_free(struct expiry *expiry);
/* The store is open: what has expired meanwhile is put away, and so on. */
void expiry_start(struct expiry *expiry);
/* A record that expires was put: state_expiring_fn. */
void expiry_note(void *expiry, struct record_key key, int64_t at_ms);

struct expiry_stats {
	struct agenda_stats agenda;
	uint64_t expired;             /* since the start */
	const struct histogram *late; /* ms; what was due while the engine was away does not
	                                 count */
};
void expiry_get_stats(const struct expiry *expiry, struct expiry_stats *out);

#endif
