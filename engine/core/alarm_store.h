/* This file finds and changes the records of alarms. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_STORE_H
#define ENGINE_CORE_ALARM_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/alarm_record.h"
#include "engine/core/alarm_trace.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/* What all who change alarms share. */
struct alarm_store {
	struct store *store;
	struct alarm_traces *traces;
	/* One was put that will be due. */
	void (*due)(void *ctx, struct record_key key, int64_t at_ms);
	void *ctx;
};

/* Embedded in who asks; all zero but for `done`, which comes once, perhaps from inside
 * alarm_visit_start. Status 0: its record is in memory until the loop is returned to. The address
 * is the visit's own copy. */
struct alarm_visit {
	void (*done)(struct alarm_visit *visit, int status, const struct err *err);
	struct alarm_address address;
	struct store_fetch fetch;
	struct buf text;
};

void alarm_visit_aim(struct alarm_visit *visit, const struct alarm_address *address);
void alarm_visit_start(struct store *store, struct alarm_visit *visit); /* it was aimed */
void alarm_visit_close(struct alarm_visit *visit);

/* What a record says, apart from the store's memory; all zero to begin with. */
struct alarm_found {
	bool is_there;
	uint64_t group; /* what an answer has to wait for, as in store_look */
	struct alarm_record record;
	struct buf value, texts;
};

/* Precondition: it is in memory. E_VERSION, E_DAMAGED. */
int alarm_store_look(struct store *store, const struct alarm_address *address,
                     struct alarm_found *out, struct err *err);
void alarm_found_close(struct alarm_found *found);

/* Into the open group; the caller commits. The record must not point into the store. */
void alarm_store_put(const struct alarm_store *alarms, const struct alarm_address *address,
                     const struct alarm_record *record);
void alarm_store_remove(const struct alarm_store *alarms, const struct alarm_address *address);

#endif
