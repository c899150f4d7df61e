/* This file defines an event: one change, as the journal keeps it and as handlers see it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EVENT_H
#define TRIGGERS_EVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/event_id.h"
#include <stdbool.h>
#include <stdint.h>

/* The number is in the journal: never renumber, add at the end. The word is what handlers and the
 * `events` list of a trigger say. */
#define EVENT_KINDS(X)                                                                             \
	X(EVENT_CREATED, 1, "state:created")                                                       \
	X(EVENT_UPDATED, 2, "state:updated")                                                       \
	X(EVENT_DELETED, 3, "state:deleted")                                                       \
	X(EVENT_TOUCHED, 4, "state:touched")                                                       \
	X(EVENT_CUSTOM, 5, "custom")                                                               \
	X(EVENT_DEAD, 6, "dead:created")                                                           \
	X(EVENT_QUEUED, 7, "queue:message")                                                        \
	X(EVENT_PUBLISHED, 8, "topic:message")                                                     \
	X(EVENT_BROADCAST, 9, "topic:broadcast")                                                   \
	X(EVENT_ALARM_DUE, 10, "alarm:due")                                                        \
	X(EVENT_ALARM_FAILED, 11, "alarm:failed")                                                  \
	X(EVENT_CRON, 12, "cron:fired")

enum event_kind {
#define X(name, number, text) name = (number),
	EVENT_KINDS(X)
#undef X
};

/* Why it came to be: the chain of events and triggers that led here. All spans absent for a write
 * that no delivery made. */
struct event_cause {
	struct span root; /* id of the event that began the chain */
	uint32_t depth;   /* 0 = nobody's consequence; the consequence of such a one has 1 */
	struct span path; /* trigger ids from the first to the last, joined by '\n' (16 at most) */
	struct span delivery; /* the delivery whose handler made this change */
};

/*
 * EVENT_CUSTOM is no change of the state: somebody outside sent a CloudEvent. Its type stands in
 * `scope`, its subject in `key` (absent: it has none), the whole of it, as JSON, in `new_value`. It
 * has no rev.
 *
 * EVENT_DEAD tells of a dead letter: `scope` and `key` are those of the event that was not
 * delivered (empty and absent for a range of them), `new_value` is what is told of it (core/dead).
 *
 * Messages are no changes either: EVENT_PUBLISHED and EVENT_BROADCAST to the topic in `scope`,
 * EVENT_QUEUED in the queue of that name. `new_value` is the data that somebody sent, `key` what
 * they have an order by (absent: none). Whom a queued one is for stands in `old_value`:
 * {"function_id", "namespace", "metadata"}.
 *
 * EVENT_ALARM_DUE: the time of an alarm on the object `key` (may be empty) in `scope` has come;
 * `new_value` is {"name","scheduled_at","fired_at","payload"} (core/alarm_record), with
 * "function_id" and "namespace" if the alarm names a function. EVENT_ALARM_FAILED tells that nobody
 * could handle it.
 *
 * EVENT_CRON is a time of the cron trigger whose id is `scope`; there is no key. `new_value` says
 * {"trigger_id", "scheduled_at", "fired_at", "expression", "zone"} (core/timetable).
 *
 * All spans are borrowed from the entry's bytes (or from whoever fills one in to encode it). Values
 * are valid JSON text; an absent span means "there was none". */
struct event {
	uint64_t seq;
	uint64_t epoch; /* of the journal when it was written: part of the id */
	enum event_kind kind;
	struct span scope;
	struct span key;
	struct span old_value;
	struct span new_value;
	uint64_t rev;          /* of the record now; equal to seq for a state event */
	uint64_t old_rev;      /* of the record before; 0 = there was none */
	uint64_t prev;         /* seq of the key's last event; 0 = none known */
	int64_t time_ms;       /* wall clock, UTC */
	int64_t expires_at_ms; /* 0 = never */
	uint64_t txn;          /* seq of the first event of its transaction; 0 = alone */
	struct event_cause cause;
	struct span traceparent;
	struct span reason; /* "expired", ... */
};

/* Appends the binary form (version 1). *out_new_value_at is the offset in `out` of the bytes of
 * new_value (undefined when absent). The seq is not part of it: the journal keeps that. */
void event_encode(const struct event *event, struct buf *out, uint32_t *out_new_value_at);

/* Spans point into `bytes`. E_VERSION for a newer form, E_DAMAGED for a broken one. */
int event_decode(uint64_t seq, struct span bytes, struct event *out, struct err *err);

const char *event_kind_name(enum event_kind kind);
bool event_kind_parse(struct span word, enum event_kind *out);
bool event_kind_is_change(enum event_kind kind); /* of the state */
/* Of a queue or a topic: the handler gets its data and nothing else. */
bool event_kind_is_message(enum event_kind kind);
bool event_kind_is_alarm(enum event_kind kind);

/* Appends {seq, event_type, scope, key, time}: enough to know it by in a list. */
void event_write_brief(const struct event *event, struct buf *out);

/* What a delivery adds to the event for its handler; absent members are left out. */
struct event_delivery {
	uint32_t attempt; /* from 1 */
	struct span delivery_id;
	uint64_t debounced; /* events that came, of which this one was kept; 0 = it is alone */
	struct span value;  /* of an alarm: what its object is now; absent = there is none */
};

/* Of a time: {"type":"cron","event_type","trigger":"cron","job_id":the trigger's id,
 * "scheduled_time","actual_time" (these four as iii's cron handlers know them), the members of
 * new_value, id, seq, time, and the rest as below}.
 * Of a message: {"type":"topic","topic":its name,"key","data", ...}, or
 * {"type":"queue","queue","key","call":whom it is for,"data", ...}.
 * Of a dead letter: {"type":"dead","event_type","scope","key","dead":{...}, id, seq, time, and the
 * rest as below}. Of a CloudEvent: {"type":"event","event_type":its
 * type,"source","subject","event":the whole of it, id, seq, time, and the rest as below}.
 *
 * Of an alarm: {"type":"alarm","event_type","scope","key","name","scheduled_at","fired_at",
 * "payload", id, seq, time, attempt, "retry_count","is_retry","value", and the rest as below}.
 *
 * Appends the JSON object that handlers, watchers and `pawl events` see (worker-protocol.md, "State
 * trigger and its event"): type, event_type, scope, key, old_value, new_value (null when absent),
 * id, seq, rev (string), time, then attempt, delivery_id, debounced, reason and cause {root, depth,
 * path} if they are there. `delivery` is NULL when the event is only shown; `log` needs no
 * escaping. */
void event_write_json(const struct event *event, struct span log,
                      const struct event_delivery *delivery, struct buf *out);

/* Reads that object back, as far as it is one: what is missing or odd is zero or absent, the cause
 * is left out. Texts that were escaped lie in `texts`. */
void event_read_json(struct span json, struct buf *texts, struct event *out);

#endif
