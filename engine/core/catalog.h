/* This file keeps the catalog of triggers: their records, versions and who holds them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CATALOG_H
#define ENGINE_CORE_CATALOG_H

#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/dispatch.h"
#include "engine/core/react.h"
#include "engine/core/trigger_record.h"
#include "engine/core/trigger_spec.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Every trigger is a record, durable before its registration is answered. Its life:
 *
 *   registered --edited/ended--> until_seq set --everything before it settled--> gone
 *        |
 *        +--removed (last holder unregisters)--> what waits is dropped --> gone
 *
 * A worker's trigger is known by what it is (namespace, type, function, config, ordinal among
 * equals of its connection), so that a restarted worker finds its own again. It is held by
 * connections. Without a holder it stays for detach_grace, so that the events of a redeploy wait
 * for it.
 *
 * When a worker offers a function again, or registers a trigger of one that nobody offers, detached
 * triggers of that function start nothing until that worker has registered its triggers (settle_ms
 * after its last register frame). Those that it did not register again then end at the seq at which
 * it came, and the new ones begin there, though others have written meanwhile: a redeploy with a
 * changed config handles each event once.
 */
struct catalog;
struct routing;
struct timetable_figures;

struct catalog_options {
	struct condition_env *conditions; /* outlives the catalog */
	struct routing *routing; /* where HTTP triggers are found; NULL: nobody listens for them;
	                          * likewise */
	int64_t detach_grace_ms;
	struct trigger_defaults defaults;
};

/* One connection's claim on a trigger, or one caller's wish to have one. */
struct trigger_hold {
	struct list in_binding;
	struct list in_session;  /* the session's list of its holds; the caller's to begin with */
	struct binding *binding; /* NULL while none */
	struct span sdk_id;      /* the caller's */
	void *owner;             /* the session: ordinals count among its own */
	/* Tells that the trigger is durable, or why it is not (it is gone then). */
	struct store_waiter waiter;
	void (*registered)(struct trigger_hold *hold, int status, const struct err *err);
	/* The owner's connection has gone and the hold is released: free it (once registered came).
	 */
	void (*gone)(struct trigger_hold *hold);
};

struct catalog *catalog_new(struct store *store, struct functions *functions, struct alarms *alarms,
                            struct dispatch *dispatch, struct react *react,
                            const struct catalog_options *options);
void catalog_free(struct catalog *catalog); /* records stay */
/* At the start: a trigger that was found on disk. */
int catalog_adopt(struct catalog *catalog, const struct trigger_record *record, uint64_t own_cursor,
                  struct err *err);
/* The triggers of the config: new ones begin, changed ones get a new version, missing ones end; all
 * between the same two events, or, with an error, nothing. The waiter (may be NULL) tells when. */
int catalog_sync_config(struct catalog *catalog, const struct trigger_spec specs[], size_t count,
                        struct store_waiter *waiter, struct err *err);
/* Could it be done now? Changes nothing. */
int catalog_judge_config(const struct catalog *catalog, const struct trigger_spec specs[],
                         size_t count, struct err *err);
/* The defaults are for the triggers that are there, too; attempts that run go on as they began.
 * `conditions` and `routing` stay what they were. */
void catalog_configure(struct catalog *catalog, const struct catalog_options *options);
/* The daemon is ready: the grace of triggers without a holder begins. */
void catalog_start(struct catalog *catalog);
/* Judges without registering. */
int catalog_check(const struct catalog *catalog, const struct trigger_spec *spec, struct err *err);

/* Registers for a hold (whose owner, sdk_id and registered are set). An error here means that
 * nothing was done and `registered` does not come. */
int catalog_register(struct catalog *catalog, const struct trigger_spec *spec,
                     struct trigger_hold *hold, struct err *err);
/* The hold ends. `explicit_`: the worker unregistered it; else its connection was lost. */
void catalog_release(struct catalog *catalog, struct trigger_hold *hold, bool explicit_);
/* Removes a durable trigger by id, whoever made it but the config. The waiter tells when. */
int catalog_remove(struct catalog *catalog, struct span id, struct store_waiter *waiter,
                   struct err *err);

/* All versions of it stop starting deliveries. `mode` NULL: as its config says. The waiter tells
 * when that is durable; a trigger that is paused already takes the new mode and reason.
 * E_NOT_FOUND, E_CONFLICT "still_dropping". */
int catalog_pause(struct catalog *catalog, struct span id, const enum trigger_pause *mode,
                  struct span reason, struct store_waiter *waiter, struct err *err);
/* They go on; harmless when they are not paused. */
int catalog_resume(struct catalog *catalog, struct span id, struct store_waiter *waiter,
                   struct err *err);

/* What waits behind a dead delivery of this key (on_exhausted: pause_key) goes on; the dead letter
 * stays. An absent scope is any. E_NOT_FOUND. */
int catalog_release_key(struct catalog *catalog, struct span id, struct span scope, struct span key,
                        struct store_waiter *waiter, struct err *err);

/* A worker is about to offer this function: see DESIGN. */
void catalog_function_comes(struct catalog *catalog, struct span namespace_, struct span id);
/* The executor has registered all that it wants to. False: not now, the store recovers. */
bool catalog_worker_settled(struct catalog *catalog, struct executor *executor);

struct binding *catalog_find(const struct catalog *catalog, struct span id); /* current version */
struct binding *catalog_find_version(const struct catalog *catalog, struct span id,
                                     uint32_t version);
/* The version that answers for this event: it has a delivery of it in hand, or still its tombstone.
 * Job records of all versions share their keys: nobody else may make one. NULL: none. */
struct binding *catalog_find_owner(const struct catalog *catalog, struct span id, uint64_t seq);
typedef void catalog_each_fn(void *ctx, struct binding *binding);
void catalog_each(const struct catalog *catalog, catalog_each_fn *each, void *ctx);
size_t catalog_count(const struct catalog *catalog);
const struct timetable_figures *catalog_cron_figures(const struct catalog *catalog);
size_t catalog_unbound(const struct catalog *catalog); /* whose function nobody has offered yet */

#endif
