/* This file says what a trigger makes of an event, and why. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_RULING_H
#define TRIGGERS_RULING_H

#include "base/buf.h"
#include "base/span.h"
#include "triggers/filter.h"
#include "triggers/matching.h"
#include <stdbool.h>

/*
 * DESIGN. A ruling is what the filter answers, told apart by reason and without a trace in the
 * trigger's figures: for explain and dry runs. Making one costs what matching costs; only writing
 * it compiles the condition again, to tell its parts and what they saw.
 *
 * The words are an interface, and stand in the order of what is shown first: who was woken, then
 * the nearest misses. The last four are for who knows more than the filter: when a version judged,
 * which change caused which.
 */
#define RULINGS(X)                                                                                 \
	X(RULING_FIRED, "fired")                                                                   \
	X(RULING_FIRED_ON_ERROR, "fired_on_error")                                                 \
	X(RULING_DEAD_ON_ERROR, "dead_on_error")                                                   \
	X(RULING_LOOP, "loop")                                                                     \
	X(RULING_CONDITION_ERROR, "condition_error")                                               \
	X(RULING_CONDITION_FALSE, "condition_false")                                               \
	X(RULING_EDGE, "edge")                                                                     \
	X(RULING_CHANGED, "changed")                                                               \
	X(RULING_KEY, "key")                                                                       \
	X(RULING_SOURCE, "source")                                                                 \
	X(RULING_LETTER, "letter")                                                                 \
	X(RULING_ALARM, "alarm")                                                                   \
	X(RULING_EVENTS, "events")                                                                 \
	X(RULING_SCOPE, "scope")                                                                   \
	X(RULING_LATER, "later")                                                                   \
	X(RULING_ENDED, "ended")                                                                   \
	X(RULING_NOT_ASKED, "not_asked")

enum ruling {
#define X(name, word) name,
	RULINGS(X)
#undef X
	        RULING_COUNT
};

/* About the event that `matching` has begun. */
enum ruling ruling_of(const struct filter *filter, struct matching *matching,
                      struct value *out_error);
const char *ruling_word(enum ruling ruling);
/* Is the handler called? */
bool ruling_wakes(enum ruling ruling);

/* Appends the members "reason", "text" (a sentence), and where a condition said no "conjunct" and
 * "saw" (docs/explain.md), for a ruling that ruling_of gave. */
void ruling_write(const struct filter *filter, struct matching *matching, enum ruling ruling,
                  struct buf *out);
/* The same for one of those that ruling_of does not give: the sentence is the caller's. */
void ruling_write_plain(enum ruling ruling, struct span text, struct buf *out);

#endif
