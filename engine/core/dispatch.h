/* This file owes deliveries: starts them in order, tries again, records what must not be lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DISPATCH_H
#define ENGINE_CORE_DISPATCH_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/attempt.h"
#include "engine/core/binding.h"
#include "engine/core/cause.h"
#include "engine/core/dead.h"
#include "engine/core/delivery.h"
#include "engine/core/figures.h"
#include "engine/core/job.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Deliveries of one (trigger, scope, key) form a lane: FIFO of starts, one at a time. Lanes
 * are known by a 64-bit hash only; two keys that share one merely wait for each other. What is at
 * the head of its lane is READY and starts when the binding has room (concurrency) and the function
 * a provider.
 *
 * A delivery without a job record is *owed* by a cursor: the live one, or the binding's own while
 * it lags. After RECORD_AGE_MS an owed delivery that runs, sleeps or stands behind a recorded one
 * gets a job record, so that cursors move on, and so does one that was overtaken by a younger one
 * that is done; one that merely waits for room makes its binding lag instead and costs no row.
 */
enum { DISPATCH_RECORD_AGE_MS = 1000 };

struct dispatch;

struct dispatch_options {
	uint32_t job_max;                 /* deliveries in hand per binding */
	bool only_false_means_no;         /* compat.condition: iii */
	struct condition_env *conditions; /* outlives dispatch */
};

/* Going up: what react wants to know. */
struct dispatch_hooks {
	void (*adopted)(void *ctx,
	                struct binding *binding); /* it owes what dispatch_offer never saw */
	void (*has_room)(void *ctx,
	                 struct binding *binding); /* took less than half of job_max again */
	void (*must_lag)(void *ctx, struct binding *binding); /* it holds the live cursor back */
	void (*owes)(void *ctx, struct binding *binding);     /* a record was adopted */
	void (*cursor_moved)(void *ctx, struct binding *binding); /* something owed was settled */
	uint64_t (*cursor_of)(void *ctx, const struct binding *binding); /* as it was put last */
	void *ctx;
};

struct dispatch *dispatch_new(struct store *store, struct functions *functions,
                              struct alarms *alarms, struct dead *dead,
                              const struct dispatch_options *options);
void dispatch_free(struct dispatch *dispatch); /* every binding was detached */
/* The config has changed; `conditions` stays what it was. */
void dispatch_configure(struct dispatch *dispatch, const struct dispatch_options *options);
/* From now on nothing starts; what runs may end. */
void dispatch_stop(struct dispatch *dispatch);
size_t dispatch_running(const struct dispatch *dispatch);
void dispatch_trace(struct dispatch *dispatch, struct tracer *tracer); /* see attempts_trace */
const struct attempt_figures *dispatch_attempts(const struct dispatch *dispatch);
/* What was counted of bindings that have gone. */
const struct figures *dispatch_gone(const struct dispatch *dispatch);
void dispatch_set_hooks(struct dispatch *dispatch, const struct dispatch_hooks *hooks);

/* Called when a dead letter has been put and its group is about to be committed: see burial_hooks.
 */
typedef void dispatch_dead_fn(void *ctx, const struct delivery *delivery,
                              const struct event *event);
void dispatch_on_dead(struct dispatch *dispatch, dispatch_dead_fn *died, void *ctx);

/* How a delivery of a trigger of type alarm ended. Borrowed during the call. */
struct dispatch_alarm_end {
	const struct binding *binding;
	bool has_failed;
	struct span code, message; /* why */
	struct span trigger;
	uint32_t attempts;
};
/* Called when one has: it is in hand no more, and what its outcome puts is in the open group. */
typedef void dispatch_alarm_fn(void *ctx, uint64_t seq, const struct dispatch_alarm_end *end);
void dispatch_on_alarm(struct dispatch *dispatch, dispatch_alarm_fn *ended, void *ctx);

/* A binding begins; its function is watched from now on. */
void dispatch_attach(struct dispatch *dispatch, struct binding *binding);
/* It ends: running attempts are forgotten, what waits goes with its records (put into the open
 * group; the caller commits). Frees its deliveries. With `keep_records` (the daemon stops) nothing
 * is put. */
void dispatch_detach(struct dispatch *dispatch, struct binding *binding, bool keep_records);

/* Starts nothing while from_seq is not 0; 0 lets it go on. */
void dispatch_hold_back(struct dispatch *dispatch, struct binding *binding, uint64_t from_seq);
/* Those that are held back (binding.held_link). */
const struct list *dispatch_held_back(const struct dispatch *dispatch);
/* Its pause has ended: what is ready starts. */
void dispatch_go_on(struct dispatch *dispatch, struct binding *binding);
/* Somebody serves what it would call next: the condition function or the handler. */
bool dispatch_is_served(const struct binding *binding);
/* Drops what it owes from this seq on; the caller commits. */
void dispatch_drop_from(struct dispatch *dispatch, struct binding *binding, uint64_t seq);

bool dispatch_has_room(const struct dispatch *dispatch, const struct binding *binding);
/* Of the event that `matching` has begun. */
struct delivery_groups dispatch_groups(const struct filter *filter, struct matching *matching);

/* Why a delivery is never to be tried. */
struct delivery_doom {
	struct span code;
	struct span message;
};

/* A new delivery. `doom` not NULL: it is only to be buried. Ignored if a job record of before the
 * start answers for it already. */
void dispatch_offer(struct dispatch *dispatch, struct binding *binding, const struct event *event,
                    const struct delivery_groups *groups, const struct delivery_doom *doom);
/* A job record that was found at the start, or a dead letter to be replayed (its record is put by
 * the caller). */
void dispatch_adopt(struct dispatch *dispatch, struct binding *binding, const struct job *job);
/* Lowest seq that is owed and not recorded; 0 = none. */
uint64_t dispatch_first_owed(const struct dispatch *dispatch); /* by all live bindings */
uint64_t dispatch_first_owed_by(const struct binding *binding);
/* Lowest seq whose event a record or a window needs; 0 = none. */
uint64_t dispatch_first_needed_by(const struct binding *binding);
void dispatch_set_lagging(struct dispatch *dispatch, struct binding *binding, bool lagging);
bool dispatch_owes_nothing(const struct binding *binding);

/* Called a few times a second while it owes something: see DESIGN. True while it does. */
bool dispatch_sweep(struct dispatch *dispatch, struct binding *binding);
/* At a clean stop, however young it is: so that no cursor stays before what is settled already. */
void dispatch_sweep_all(struct dispatch *dispatch, struct binding *binding);
/* Drops everything up to `to_seq` that a binding owes into a range dead letter, and commits. `code`
 * and `message` are literals. */
void dispatch_bury_all(struct dispatch *dispatch, struct binding *binding, uint64_t to_seq,
                       const char *code, const char *message);
/* After a recovery, before job records and cursors are put again: what only dispatch knew of. */
void dispatch_put_again(struct dispatch *dispatch);

/* For the writes of handlers: see causes_find. */
struct causes *dispatch_causes(struct dispatch *dispatch);

/* NULL: it is not in hand. */
struct delivery *dispatch_find(const struct binding *binding, uint64_t seq, uint32_t replay);
/* Some delivery of this event is in hand, replayed or not, or an open window has it. */
bool dispatch_has_seq(const struct binding *binding, uint64_t seq);
/* One of them is to be done yet: none that is dead and holds its lane. */
bool dispatch_owes(const struct binding *binding, uint64_t seq);
/* Gives it up without a dead letter; a tombstone keeps it from ever running again. Not while it is
 * being buried. The caller commits; the delivery is gone. */
void dispatch_cancel(struct dispatch *dispatch, struct delivery *delivery);
/* Ends the wait of a sleeping one; the caller commits. */
void dispatch_retry_now(struct dispatch *dispatch, struct delivery *delivery);

/* One that is dead and holds the lane of this key; an absent scope is any. NULL: none. */
struct delivery *dispatch_find_blocked(const struct binding *binding, struct span scope,
                                       struct span key);
/* What is behind it goes on; it is gone. The caller commits. */
void dispatch_release(struct dispatch *dispatch, struct delivery *delivery);

/* What it waits for: "worker" (it is parked), "resume", "room", "throttle", "turn", "retry",
 * "person" (it is dead and holds its lane); "" if it does not wait. */
const char *dispatch_waits_for(const struct delivery *delivery);
/* The function that it calls, or waits for; of a queue only as far as that is known now. */
struct span dispatch_function(const struct delivery *delivery);
/* Those of a queue whose functions nobody has served for so long can only be buried. How long the
 * others have; INT64_MAX: there are none. */
int64_t dispatch_give_up_absent(struct dispatch *dispatch, struct binding *binding, int64_t max_ms);
/* "queued", "ready", "running", "sleeping", "burying", "blocked". */
const char *delivery_state_name(const struct delivery *delivery);

#endif
