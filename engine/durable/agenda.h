/* This file keeps in memory which records become due next, and tells when they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_AGENDA_H
#define ENGINE_DURABLE_AGENDA_H

#include "adapters/adapter.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. The records of one space that have an expires_at_ms, in the order of adapter_due. Only
 * the near ones are in memory: all up to a *horizon*, which is a place in that order. What lies
 * behind it is on disk and is asked for, a page at a time, before it is due: ten million far alarms
 * cost no memory.
 *
 *      due --> [ in memory, a heap ] horizon [ on disk, in the adapter's index ] --> time
 *                      ^                            |
 *                      +-------- a page ------------+
 *
 * Few records are all in memory, and the horizon is the end of time. Whoever puts a record that
 * expires tells so with agenda_note; before the horizon it goes into memory at once. An entry is a
 * hint and not the truth: who is told that a record is due looks at the record, which may be gone
 * or have another time by then. A record has one entry. If too many are near, the later half is
 * forgotten and the horizon comes back.
 *
 * Where an adapter cannot tell what is due (store_can_tell_due), all records are walked once and
 * the horizon is the end of time.
 */
struct agenda;

enum {
	AGENDA_BATCH = 128, /* records told at a time, at most */
	AGENDA_TOLD = 8,    /* batches out at a time, at most */
};

/* Borrowed during the call. */
struct agenda_due {
	struct span part;
	struct span key;
	int64_t at_ms;
};

struct agenda_options {
	enum space space;
	size_t page; /* records asked for at a time */
	size_t most; /* entries in memory, about */
	/* These are due: at least one, at most AGENDA_BATCH. Each call is answered with agenda_done
	 * once, perhaps from inside it. */
	void (*due)(void *ctx, const struct agenda_due list[], size_t count);
	void *ctx;
};

struct agenda_stats {
	size_t in_memory;
	int64_t next_ms;    /* the first entry's time; 0 = there is none in memory */
	int64_t horizon_ms; /* INT64_MAX: everything is in memory */
	uint64_t pages;
};

struct agenda *agenda_new(struct store *store, struct alarms *alarms,
                          const struct agenda_options *options);
/* Whoever still has a batch must not say agenda_done any more. */
void agenda_free(struct agenda *agenda);

/* Begins to load. Before this nothing is told. */
void agenda_start(struct agenda *agenda);
/* The store has recovered: what was put may be gone, what was removed may be there again. */
void agenda_restart(struct agenda *agenda);
/* A record that expires was put. */
void agenda_note(struct agenda *agenda, const struct agenda_due *due);
/* A batch has been dealt with. */
void agenda_done(struct agenda *agenda);

void agenda_get_stats(const struct agenda *agenda, struct agenda_stats *out);

#endif
