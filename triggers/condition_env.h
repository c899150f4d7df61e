/* This file defines what the expressions of triggers may speak of: variables and helpers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_CONDITION_ENV_H
#define TRIGGERS_CONDITION_ENV_H

#include "base/span.h"
#include "triggers/expr/expr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. One for all triggers of an engine: they share the tree of paths, so that an event is
 * walked once for all of them. It outlives every filter.
 *
 * Edges (`fire: rising`) look at one value at a time: they are compiled twice, once as they stand
 * and once with `new_value` meaning the old one. Only variables that mean the same for both may be
 * used then.
 */
#define CONDITION_ROOTS(X)                                                                         \
	X(ROOT_EVENT, "event", 1u << VALUE_MAP)                                                    \
	X(ROOT_EVENT_TYPE, "event_type", 1u << VALUE_STRING)                                       \
	X(ROOT_SCOPE, "scope", 1u << VALUE_STRING)                                                 \
	X(ROOT_KEY, "key", 1u << VALUE_STRING)                                                     \
	X(ROOT_OLD_VALUE, "old_value", 0)                                                          \
	X(ROOT_NEW_VALUE, "new_value", 0)                                                          \
	X(ROOT_SEQ, "seq", 1u << VALUE_INT)                                                        \
	X(ROOT_TIME, "time", 1u << VALUE_TIMESTAMP)                                                \
	X(ROOT_METADATA, "metadata", 0)

enum condition_root {
#define X(name, text, takes) name,
	CONDITION_ROOTS(X)
#undef X
	        ROOT_COUNT
};

enum condition_view {
	VIEW_EVENT,  /* everything */
	VIEW_NOW,    /* scope, key, metadata, new_value */
	VIEW_BEFORE, /* the same, but new_value is the old one */
	VIEW_COUNT
};

enum { CONDITION_VARIABLES_MAX = 20 };

struct condition_env {
	struct paths *paths;
	uint32_t roots[ROOT_COUNT];
	struct expr_variable variables[VIEW_COUNT][CONDITION_VARIABLES_MAX];
	struct expr_env views[VIEW_COUNT];
	size_t event_users; /* expressions that speak of `event` as such */
};

struct condition_env *condition_env_new(void);
void condition_env_free(struct condition_env *env); /* NULL is harmless */

/* The variable that the path begins with. */
enum condition_root condition_env_root(const struct condition_env *env, uint32_t slot);
/* Does the text hold this word as a name? True also for a word in a string: it only costs time. */
bool condition_env_mentions(struct span source, const char *word);

#endif
