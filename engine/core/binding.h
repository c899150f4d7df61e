/* This file defines a binding: one version of a trigger, tied to the function that it wakes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_BINDING_H
#define ENGINE_CORE_BINDING_H

#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/function.h"
#include "engine/core/gate.h"
#include "engine/core/pause.h"
#include "engine/core/retry.h"
#include "engine/core/target.h"
#include "engine/core/window.h"
#include "triggers/filter.h"
#include "triggers/index.h"
#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct dispatch;
struct throttle;
struct feedback_watch;
struct footprint;
struct route_node;
struct timetable_entry;

/* The number is on disk. */
enum binding_origin { BINDING_CONFIG = 1, BINDING_WORKER = 2, BINDING_API = 3 };

/*
 * DESIGN. A trigger that is edited gets a new version; the old one goes on judging the events from
 * before the edit (from_seq <= seq < until_seq) until nothing of it is left. Five modules share
 * this struct, each with its own part: the catalog (identity, record, holders), timetable (when a
 * cron trigger fires), react (where in the journal it is), feedback (does it wake itself) and
 * dispatch (its deliveries).
 */
struct binding {
	/* the catalog's */
	struct catalog *catalog;
	struct list link;        /* all bindings */
	struct map_node by_name; /* id and version */
	struct span id;          /* owned, like the spans below */
	uint32_t version;        /* from 1 */
	enum binding_origin origin;
	uint64_t from_seq;
	uint64_t until_seq; /* 0 = open: the current version */
	struct span type;
	struct span namespace_;
	struct span function_id;
	struct span config;   /* canonical JSON */
	struct span metadata; /* JSON; may be absent */
	struct filter *filter;
	struct trigger_policy said;   /* its own words */
	struct trigger_policy policy; /* with the defaults where it says nothing */
	struct list holders;          /* connections that registered it (binding_hold) */
	struct alarm detach;          /* the grace after the last holder's disconnect */
	bool stays;                   /* no holder needed: config, API, durable */
	struct pause pause;           /* the same for all versions */
	struct list in_route;         /* of an HTTP trigger: see routing.h */
	struct route_node *route;     /* NULL: it is on none */

	/* timetable's */
	struct timetable_entry *times; /* NULL: it fires at no times */

	/* react's */
	struct index_entry entry;
	bool lagging;              /* has a cursor of its own */
	bool reading;              /* a chunk of the journal is being read for it */
	struct list active_link;   /* in react's list while it owes, lags or ends */
	struct list behind_link;   /* in another one while it lags or ends */
	struct binding **catch_up; /* the reader's: cleared when the binding goes away */
	uint64_t next_seq;         /* lagging: the first event that it has not seen */
	uint64_t cursor_put;       /* lagging: what its cursor record says, or REACT_NO_CURSOR */
	int64_t parked_since_ms;   /* monotonic; when its function went absent with work owed; 0 =
	                              not */

	/* feedback's */
	struct feedback_watch *watch_own; /* NULL: it is not watched */
	int64_t looked_ms;                /* real time: when it was looked at last */
	uint64_t looked_matched;          /* what `matched` was then */

	/* footprint's */
	struct footprint *footprint; /* of its function */
	uint64_t own_seq; /* a handler of it wrote this event, which it wants; 0 = none */

	/* dispatch's */
	struct dispatch *dispatch;
	struct function_watch watch;
	struct function_watch condition_watch;
	bool was_bound;            /* somebody has offered its function since the start */
	struct retry_policy retry; /* the engine's; its function and its policy may say otherwise */
	struct list deliveries;    /* all that it owes, by age */
	struct list ready;         /* may start as soon as there is room */
	struct throttle *throttle; /* how often they may start; NULL: as often as there is room */
	struct gates gates;        /* with a concurrency_key they wait there instead */
	struct windows *windows;   /* events that wait to be one delivery; NULL: it has none */
	struct targets targets;    /* of a queue: some wait there for their functions */
	struct list owed;          /* without a job record, by seq */
	struct list done;          /* finished above the cursor: tombstones, by no order */
	uint32_t held;             /* count of deliveries */
	uint32_t busy;             /* attempts that are running */
	uint32_t blocked;          /* deliveries that are dead and hold their lanes */
	uint64_t done_until;       /* the last that was settled without a record */
	uint64_t known_until;      /* job records of before the start reach up to here */
	uint64_t held_back_from;   /* not 0: starts nothing; see catalog.h on redeploys */
	struct list held_link;     /* in dispatch's list while it is held back */
	bool must_sweep;           /* something that it owes may need a record by now */
	bool pumping;              /* deliveries are being started */
	uint32_t burying;          /* its range letters that are not on disk: nothing starts */

	/* figures */
	uint64_t matched, delivered, failed, retried, buried, condition_no, dropped, cancelled;
	char last_error[160];
};

/* A worker's trigger that no worker holds: it waits for one to come back. */
static inline bool binding_is_detached(const struct binding *binding)
{
	return list_is_empty(&binding->holders) && !binding->stays && binding->until_seq == 0;
}

#endif
