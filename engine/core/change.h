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
	uint64_t old_rev;          /* 0: there was none */
	struct span old_value;     /* absent: there was none */
	struct span new_value;     /* absent: the record goes */
	uint32_t old_encoding;     /* enum encoding */
	uint32_t encoding;         /* of the new value */
	int64_t old_expires_at_ms; /* 0: it lasts */
	int64_t expires_at_ms; /* of the new record; of the old one, if it goes because of that */
	bool is_touch;         /* the value stays, only its time changes */
	bool has_expired;      /* nobody asked for it: its time has come */
};

/* What the events of one task share. */
struct change_origin {
	struct event_cause cause;
	struct binding *by; /* whose handler it is; NULL: not known */
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
void change_put(const struct tasks *tasks, const struct change *change,
                const struct change_origin *origin);

/* Whether its time has come: it is there, and nobody may see it any more. */
bool change_is_expired(struct store *store, const struct record *record);
/* Looks. A record whose time has come is put away first, with its event: then it is absent.
 * Precondition as for change_put. */
enum store_state change_look(struct store *store, struct record_key key, struct store_look *out);
/* Puts away one that was just looked at. Precondition as for change_put. */
void change_expire(struct store *store, struct record_key key, const struct record *record);

/* Whether it changes anything, and until when the record lasts: sets expires_at_ms and is_touch.
 * `keeps`: see lifetime_end. `event_on_noop`: it is to count anyway. */
bool change_counts(const struct task *task, struct change *change, const struct lifetime *lifetime,
                   bool keeps, bool event_on_noop, int64_t now_ms);

/* E_LIMIT "value_too_large" if the record would be over the limit. */
int change_check_size(const struct task *task, struct record_key key, struct span value,
                      struct err *err);
/* `if_rev` (a JSON string, or absent) against the rev of the record (0: there is none). E_CONFLICT
 * "rev_conflict". */
int change_check_rev(const struct task *task, struct record_key key, struct span if_rev,
                     uint64_t rev, struct err *err);

/* {"old_value":…,"new_value":…,"rev":"…" and, of a record that expires, "expires_at":"…", without
 * the closing brace. Absent values become null. Where the old value begins is what a change may
 * point at. */
void change_write(struct buf *out, const struct change *change, uint64_t rev, size_t *out_old_at);
/* ,"expires_at":"…" if it expires. */
void change_write_expiry(struct buf *out, int64_t expires_at_ms);

#endif
