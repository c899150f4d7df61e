/* This file defines what watchers want of events, once for all that want the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_INTEREST_H
#define ENGINE_API_INTEREST_H

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/event.h"
#include "triggers/matching.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. An interest is asked once about an event, however many watchers have it. Those of an
 * exact scope are found by it; those of a glob, or of any scope, stand in a list and are all asked.
 * It is freed when its last watcher drops it.
 */
struct interest {
	struct map_node by_scope; /* of an exact one */
	struct list wide;         /* of the others */
	struct list watchers;     /* those that are live: watcher.live */
	size_t holders;
	struct span scope; /* owned; empty: any */
	bool is_glob;
	struct span prefix; /* owned */
	unsigned events;
	struct condition *condition; /* NULL: none */
};

struct interests {
	struct condition_env *env;
	struct map by_scope;
	struct list wide;
	size_t count;
};

struct watch_query;

void interests_init(struct interests *interests);
void interests_close(struct interests *interests); /* nobody holds one */

/* E_INVALID "invalid_condition" with the place. */
int interest_take(struct interests *interests, const struct watch_query *query,
                  struct interest **out, struct err *err);
void interest_drop(struct interests *interests, struct interest *interest);

/* The next one that may want events of this scope; NULL begins, NULL ends. */
struct interest *interests_next(const struct interests *interests, struct span scope,
                                const struct interest *after);

/* All but the condition. */
bool interest_fits(const struct interest *interest, const struct event *event);

#endif
