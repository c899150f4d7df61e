/* This file defines a trigger's condition: what `when`, `fire`, `on_condition_error` say. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_CONDITION_H
#define TRIGGERS_CONDITION_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/condition_env.h"
#include "triggers/expr/expr.h"
#include "triggers/matching.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A condition is a pure function of the event: a restart, a replay and a dry run give the
 * same answer. Edges compare the event's two values under the same expression; nothing is stored:
 *
 *   fire: change     true for this event
 *   fire: rising     true with the new value and not true with the old one
 *   fire: falling    true with the old value and not true with the new one
 *
 * Of a side where there is no value (created: the old one, deleted: the new one) no expression is
 * true, whatever it makes of null.
 */
enum condition_fire { FIRE_CHANGE, FIRE_RISING, FIRE_FALLING };
/* What an error of the condition means for the trigger. */
enum condition_on_error { ON_ERROR_IGNORE, ON_ERROR_FIRE, ON_ERROR_DEAD };

enum condition_result { CONDITION_FALSE, CONDITION_TRUE, CONDITION_ERROR };

struct condition;

/* E_INVALID: the fault says what and where. `env` outlives the condition. */
int condition_new(struct condition_env *env, struct span when, enum condition_fire fire,
                  struct condition **out, struct fault *fault);
void condition_free(struct condition *condition); /* NULL is harmless */
size_t condition_bytes(const struct condition *condition);
struct span condition_source(const struct condition *condition);
enum condition_fire condition_fires(const struct condition *condition);

/* *out_error is set for CONDITION_ERROR; its detail lives until the next event begins. */
enum condition_result condition_eval(const struct condition *condition, struct matching *matching,
                                     struct span metadata, struct value *out_error);

/* Appends what such an error is, in words. */
void condition_write_error(const struct condition *condition, struct value error, struct buf *out);

/* The expression that must be true whenever the condition is, for the index. */
const struct expr *condition_needs(const struct condition *condition);

/* Where an expression of a trigger's config is wrong, for who can show it. */
struct condition_fault {
	const char *member; /* "when", "select"; NULL: no expression is wrong; static */
	struct buf text;    /* the sentence, the line and a caret under the place; the caller's */
};

/* Keeps the fault for `where` (may be NULL) and says it in `err`: E_INVALID "invalid_condition". */
int condition_refuse(const struct fault *fault, const char *member, struct span source,
                     struct condition_fault *where, struct err *err);

#endif
