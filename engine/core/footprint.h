/* This file remembers where functions have written, and warns of triggers that wake themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_FOOTPRINT_H
#define ENGINE_CORE_FOOTPRINT_H

#include "base/buf.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "triggers/event.h"
#include <stdbool.h>

/*
 * DESIGN. A footprint is one function's: the scopes that its handlers have written since the start,
 * as far as their writes told which delivery they were of, with the key that was the last in each.
 * All triggers of the function share it, those that come later, too: so a trigger is warned of when
 * it is registered, if its function is known by then, and as soon as that is known.
 *
 * It is bounded: FOOTPRINT_SCOPES a function, the oldest is forgotten; and FOOTPRINTS_MOST
 * functions that no trigger has any more.
 */
enum { FOOTPRINT_SCOPES = 64, FOOTPRINTS_MOST = 1024 };

struct footprints;
struct footprint;

struct footprints *footprints_new(void);
void footprints_free(struct footprints *prints); /* nobody has one any more */
struct footprint *footprint_take(struct footprints *prints, struct span namespace_,
                                 struct span function_id);
void footprint_drop(struct footprints *prints, struct footprint *print);

/* A handler of this trigger writes this event. */
void footprint_note(struct binding *binding, const struct event *event);
/* Appends why the trigger may wake itself. False: nothing is known that says so. */
bool footprint_warns(const struct binding *binding, struct buf *out);

#endif
