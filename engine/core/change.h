/* This file puts one change of a state record and its event into the store. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CHANGE_H
#define ENGINE_CORE_CHANGE_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/task.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stdint.h>

/* Values must not stand in the store's memory: the put may move that. */
struct change {
	struct record_key key;
	uint64_t old_rev;      /* 0: there was none */
	struct span old_value; /* absent: there was none */
	struct span new_value; /* absent: the record goes */
};

/* What the events of one task share. */
struct change_origin {
	struct event_cause cause;
	struct span traceparent;
	struct feedback *feedback; /* NULL: nobody wants to know that the caller wrote */
	struct span caller;
	uint64_t txn;
	uint64_t epoch;
	int64_t time_ms;
};

/* May this task write now, and what is the cause? Looks at the store and the task's baggage. */
int change_begin(struct task *task, struct change_origin *out, struct err *err);
/* Precondition: change_begin since the last return to the loop. The rev is what store_next_seq
 * said before. */
void change_put(struct store *store, const struct change *change,
                const struct change_origin *origin);

/* E_LIMIT "value_too_large" if the record would be over the limit. */
int change_check_size(const struct task *task, struct record_key key, struct span value,
                      struct err *err);
/* `if_rev` (a JSON string, or absent) against the rev of the record (0: there is none). E_CONFLICT
 * "rev_conflict". */
int change_check_rev(const struct task *task, struct record_key key, struct span if_rev,
                     uint64_t rev, struct err *err);

/* {"old_value":…,"new_value":…,"rev":"…" without the closing brace. Absent values become null.
 * Where the values begin is what a change may point at. */
void change_write(struct buf *out, struct span old_value, struct span new_value, uint64_t rev,
                  size_t *out_old_at);

#endif
