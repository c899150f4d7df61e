/* This file holds the event at hand while filters and expressions are asked about it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_MATCHING_H
#define TRIGGERS_MATCHING_H

#include "base/span.h"
#include "triggers/condition_env.h"
#include "triggers/event.h"
#include "triggers/expr/activation.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The values of an event are walked when the first expression wants one, and then once for
 * all of them. Only `metadata` is each trigger's own: it is bound anew for those that speak of it.
 *
 * All expressions of one event share MATCHING_BUDGET steps (some 50 ms); those that come when it is
 * used up end in the error "budget". Long before that, behind MATCHING_TURN steps (some 5 ms), an
 * index asks nobody else in this turn of the loop.
 */
enum {
	MATCHING_BUDGET = 5000000,
	MATCHING_TURN = 500000,
	MATCHING_ARENA_MAX = 16 << 20,
};

struct matching {
	struct condition_env *env; /* borrowed */
	struct span log;           /* the journal's name, for event.id; borrowed */
	const struct event *event; /* borrowed until the next one begins */
	int64_t budget;
	bool is_bound;
	bool has_event;       /* `event` as such is bound too: somebody speaks of it */
	struct span metadata; /* that is bound now; borrowed */
	struct activation values;
};

void matching_init(struct matching *matching, struct condition_env *env, struct span log);
void matching_close(struct matching *matching);
/* The event stays as it is until the next one begins. */
void matching_begin(struct matching *matching, const struct event *event);

/* Steps that expressions have taken since it began. */
static inline int64_t matching_spent(const struct matching *matching)
{
	return MATCHING_BUDGET - matching->budget;
}

/* The variables of the event. */
struct activation *matching_values(struct matching *matching);
/* The same with this metadata (absent: null). */
struct activation *matching_values_with(struct matching *matching, struct span metadata);

/* The expression's value. Spends the event's budget; over it is an error. */
struct value matching_eval(struct matching *matching, const struct expr *expr,
                           struct activation *values);

#endif
