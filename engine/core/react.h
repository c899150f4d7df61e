/* This file follows the journal and hands every event to the triggers that it wakes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_REACT_H
#define ENGINE_CORE_REACT_H

#include "base/err.h"
#include "engine/core/binding.h"
#include "engine/core/dispatch.h"
#include "engine/core/feedback.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. One place in the journal, `next_seq`, is shared by all *live* bindings: an event that has
 * become durable is matched once through the index, from memory. What the live ones still owe holds
 * the shared cursor back. A binding that would hold it for too long, or has too much in hand,
 * *lags*: it gets a cursor of its own and reads the journal again for itself, chunk by chunk, as it
 * finds room; when it has caught up it becomes live again.
 *
 * Cursors are put CURSOR_MS after something was settled, all in one group, and never synced for
 * their own sake: after a crash at most what was answered since then is delivered again.
 */
struct react;

struct react_options {
	uint32_t loop_depth; /* a longer chain of causes is a loop */
	uint64_t loop_rate;  /* see feedback.h */
	int64_t park_max_ms; /* how long events wait for a function that nobody offers */
	struct condition_env *conditions; /* outlives react */
	bool scans_all;                   /* every trigger is asked about every event: no index */
};

struct react *react_new(struct store *store, struct dispatch *dispatch, struct dead *dead,
                        struct alarms *alarms, const struct react_options *options);
void react_free(struct react *react);
/* The config has changed; `conditions` and `scans_all` are not looked at. */
void react_configure(struct react *react, const struct react_options *options);

#define REACT_NO_CURSOR UINT64_MAX

/* A binding begins. `own_cursor`: at the start, what its own cursor record says, or
 * REACT_NO_CURSOR. */
void react_add(struct react *react, struct binding *binding, uint64_t own_cursor);
/* It judges events that the others have seen already, from this one on: it lags. */
void react_begin_at(struct react *react, struct binding *binding, uint64_t seq);
/* It ends; the caller detaches it from dispatch. `keep_records`: the daemon stops. */
void react_remove(struct react *react, struct binding *binding, bool keep_records);

/* After a recovery: a live one has no cursor of its own on disk. */
void react_drop_cursor(struct react *react, const struct binding *binding);
/* Its until_seq was set: tells react_on_finished when it is past. */
void react_touch(struct react *react, struct binding *binding);
/* Its pause has ended: it reads on where it stopped. */
void react_go_on(struct react *react, struct binding *binding);

/* A record of space `window` that was found at the start: see shape_adopt. */
int react_adopt_window(struct react *react, struct binding *binding, uint64_t first_seq,
                       struct span value, struct err *err);

/* Follows the journal from behind `cursor` on. Before this nothing is matched. */
void react_start(struct react *react, uint64_t cursor);
/* Puts the cursors, for a clean stop: nothing that is settled runs again. */
void react_stop(struct react *react);

/* The shared cursor, or the binding's own. */
uint64_t react_cursor(const struct react *react, const struct binding *binding);
/* It has been asked about this event, and owes it if it wanted it. */
bool react_has_passed(const struct react *react, const struct binding *binding, uint64_t seq);
/* The least seq that a cursor or a job still needs. */
uint64_t react_first_needed(const struct react *react);
/* Whoever still owes events before `keep_from` gets a range dead letter for them. False: somebody
 * did not, as the dead letters are full. */
bool react_detach_before(struct react *react, uint64_t keep_from);

/* It stands at the end of so long a chain of causes that it calls nobody. One that tells of such an
 * end still does. */
bool react_is_loop(const struct react *react, const struct event *event);

/* Who is to hear of writes without a cause. */
struct feedback *react_feedback(struct react *react);

/* Notes whose events nobody can handle, since when, and gives up those that have waited for
 * park_max_ms. It is done a few times a second anyway. */
void react_look_at_parked(struct react *react);

/* There is no room for another dead letter now. */
bool react_holds_dead_letters(const struct react *react);

/* Called when an event `alarm:due` was matched, by all live triggers or by one that lags; `taken`:
 * a delivery of it was made. */
void react_on_alarm(struct react *react,
                    void (*matched)(void *ctx, const struct event *event, bool taken), void *ctx);
/* Called when a trigger of type alarm goes that has not seen all its events. */
void react_on_alarm_gone(struct react *react, void (*gone)(void *ctx), void *ctx);
/* The first event that the live triggers have not seen. */
uint64_t react_next_seq(const struct react *react);

/* Called for every group of events that comes. */
void react_on_events(struct react *react, void (*came)(void *ctx), void *ctx);
/* Called when a version has nothing left to do. */
void react_on_finished(struct react *react, void (*finished)(void *ctx, struct binding *binding),
                       void *ctx);
/* Called when the store has recovered: what was put may be lost and is to be put again. */
void react_on_recovery(struct react *react, void (*recovered)(void *ctx), void *ctx);

#endif
