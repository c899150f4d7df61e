/* This file defines the windows of a trigger: events that wait to be delivered as one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_WINDOW_H
#define ENGINE_CORE_WINDOW_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/job.h"
#include "engine/core/members.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store_waiter.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct binding;
struct shape;
struct shaping;

/*
 * DESIGN. An event that a shaped trigger wants joins the open window of its name. Windows live in
 * memory; those that have changed (*dirty*) are put with the cursors, in the group in which these
 * pass their events, and beside them the *mark*: the last event that joined any. After a start
 * whatever is not above the mark is in a window, in a job or settled, and is not taken again.
 *
 *   OPEN --deadline--> CLOSING --its job is durable--> a delivery, and the window is gone
 *                        |   ^
 *                        +---+ the group was lost: it is stuck until the job is put again
 *
 * The group that deletes a window's record puts its job, all dirty windows of the trigger and the
 * mark: a crash before it leaves the window, a crash behind it the job, never both. A new window of
 * the same name may be open meanwhile.
 */
struct window {
	struct map_node by_name; /* while it is open */
	struct list link;        /* windows.open or windows.closing */
	struct list in_dirty;    /* windows.dirty */
	struct alarm alarm;
	struct shape *shape;
	struct binding *binding; /* NULL once it was dropped while its group was under way */
	bool is_closing;
	bool is_stuck;              /* closing: it could not be put, or must not be yet */
	struct store_waiter waiter; /* closing: of the group with its job */
	bool is_put;                /* it has, or may have, a record */
	uint64_t first_seq;         /* of the event that opened it: names its record */
	int64_t first_ms;           /* wall clock */
	int64_t deadline_ms;
	uint64_t count;         /* events that it took */
	uint64_t bytes;         /* of a batch: of its events together */
	uint64_t needs;         /* the least seq that it, or its record, names */
	uint64_t epoch;         /* these five are of the event that is kept, or the first one */
	uint64_t group;         /* of concurrency_key */
	uint64_t throttle;      /* of throttle.key */
	size_t scope_len;       /* of `place` */
	struct buf place;       /* scope, key */
	struct members members; /* to be delivered: of a batch all */
	struct span name;       /* owned */
};

/* Of one version of a trigger. */
struct windows {
	bool are_batches; /* what they become has all their events; else one of them */
	struct map by_name;
	struct list open;
	struct list closing;
	struct list dirty;
	size_t count;        /* open and closing */
	size_t stuck;        /* of those that close */
	uint64_t events;     /* in those that are open */
	uint64_t mark;       /* seq of the last event that joined; 0 = none */
	uint64_t mark_put;   /* as its record says */
	uint64_t key_errors; /* events whose key could not be computed */
};

struct windows *windows_new(const struct shaping *shaping); /* NULL for NULL */
/* NULL is harmless. Every window goes; those that wait for their group are freed when it comes. */
void windows_free(struct windows *windows, struct alarms *alarms);

struct window *windows_find(const struct windows *windows, struct span name);
/* Opens one; its times and its place are the caller's to set. */
struct window *windows_open(struct windows *windows, struct span name, uint64_t first_seq);
/* No event joins any more. */
void windows_begin_closing(struct windows *windows, struct window *window);
void windows_set_stuck(struct windows *windows, struct window *window, bool stuck);
/* An older one of its name is stuck: it must not be delivered before that. */
bool windows_must_wait(const struct windows *windows, const struct window *window);
/* It goes: out of everything, and freed (later, if it waits for its group). */
void windows_drop(struct windows *windows, struct window *window, struct alarms *alarms);
void windows_touch(struct windows *windows, struct window *window); /* it is dirty now */

void window_set_place(struct window *window, struct span scope, struct span key);
/* The least seq that a window or its record names; 0 = none. NULL is harmless. */
uint64_t windows_first_needed(const struct windows *windows);
/* When the next one closes; 0 = none is open. */
int64_t windows_next_deadline(const struct windows *windows);
size_t windows_count(const struct windows *windows); /* NULL is harmless: 0 */
/* An open or closing one is to deliver this event. NULL is harmless. */
bool windows_have(const struct windows *windows, uint64_t seq);
bool windows_are_at_rest(const struct windows *windows); /* NULL is; nothing is in them or to put */

/* Its record: see space.h. */
void window_encode(const struct window *window, struct buf *out);
/* Opens it again. E_VERSION, E_DAMAGED. */
int window_decode(struct windows *windows, uint64_t first_seq, struct span value,
                  struct window **out, struct err *err);
/* The job that a closing one becomes; spans point into the window, and into `text`. */
struct job window_job(const struct windows *windows, const struct window *window, uint32_t version,
                      struct buf *text);

#endif
