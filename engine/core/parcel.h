/* This file gathers the events of a batch into the one object that its handler gets. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_PARCEL_H
#define ENGINE_CORE_PARCEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/members.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include "triggers/matching.h"
#include "triggers/selection.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a handler names an event by. */
struct parcel_item {
	uint64_t seq; /* 0: it has no id that could be named */
	uint64_t epoch;
};

/*
 * DESIGN. The events are read one after the other, from memory where they are recent, else from the
 * disk, and written as JSON as they come: {"type":"batch","trigger","delivery_id","attempt",
 * "count","events":[...]}, each event as a delivery of its own would have it but without what is
 * the batch's (attempt, delivery_id), or what the trigger selects of it.
 *
 * Whoever has a chain of causes longer than the others is the one whose consequence the batch is.
 */
struct parcel {
	/* Set by the caller. */
	struct store *store;
	struct span log;
	const struct selection *selection; /* NULL: whole events; `matching` is used for it */
	struct span metadata;
	struct matching *matching;
	bool leaves_out; /* what is gone from the journal, or cannot be read */
	/* Once; perhaps from inside parcel_gather (touch nothing behind the call). E_NOT_FOUND and
	 * others of store_read, E_INVALID "select_failed". */
	void (*done)(struct parcel *parcel, int status, const struct err *err);

	/* What came of it. */
	struct buf events; /* one behind the other, with commas */
	struct parcel_item *items;
	size_t count;
	struct event deepest; /* its spans point into the next; all zero: none has a cause */
	struct buf deepest_bytes;

	/* Inside. */
	struct members wanted;
	size_t at;
	bool is_dropped;
	int status;
	struct err err;
	struct store_read read;
};

/* The members are copied. */
void parcel_gather(struct parcel *parcel, const struct members *members);
/* The same of the events that a delivery carries: a batch object, or a single event. At once. */
int parcel_take(struct parcel *parcel, struct span json, struct err *err);
/* Nobody wants it any more; `done` comes all the same if it has not. Only the store is used until
 * then. */
void parcel_drop(struct parcel *parcel);
void parcel_close(struct parcel *parcel); /* behind `done` */

/* Appends the object. */
void parcel_write(const struct parcel *parcel, struct span trigger, struct span delivery_id,
                  uint32_t attempt, struct buf *out);
/* Is this event, which a delivery carries, a batch? Its events then (else absent). */
struct span parcel_events(struct span json);
/* Leaves only those of its events that are to be kept. */
void parcel_narrow(struct buf *json, const bool keeps[]);

#endif
