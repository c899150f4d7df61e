/* This file remembers which objects may have alarms, and deletes the alarms of objects. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_TRACE_H
#define ENGINE_CORE_ALARM_TRACE_H

#include "base/span.h"
#include "engine/durable/store.h"
#include <stdbool.h>

/*
 * DESIGN. With an object its alarms go, in the group of its deletion. Most objects have none, and
 * their deletion must not cost a range more: so a table of bits says which may have some. Scopes
 * that had alarms at the start have a bit of their own, until which are listed every one may. A bit
 * is never cleared; a wrong one costs the deletion of an empty range.
 */
struct alarm_traces;

struct alarm_traces *alarm_traces_new(struct store *store);
void alarm_traces_free(struct alarm_traces *traces);
/* The store is open: lists the scopes that have alarms. */
void alarm_traces_load(struct alarm_traces *traces);
/* This object has one from now on. */
void alarm_traces_add(struct alarm_traces *traces, struct span scope, struct span key);

/* Into the open group, which the caller commits; false: nothing was put, as it has none. NULL
 * traces: nothing has alarms. */
bool alarm_traces_drop(const struct alarm_traces *traces, struct span scope, struct span key);
/* Those of all objects from `from` on: up to before `end`, which may be absent, the scope's end. */
bool alarm_traces_drop_before(const struct alarm_traces *traces, struct span scope,
                              struct span from, struct span end);
/* ...or up to `last`. */
bool alarm_traces_drop_up_to(const struct alarm_traces *traces, struct span scope, struct span from,
                             struct span last);

#endif
