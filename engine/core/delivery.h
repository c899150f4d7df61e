/* This file defines a delivery: what one trigger owes to its function. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DELIVERY_H
#define ENGINE_CORE_DELIVERY_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "engine/core/members.h"
#include "engine/durable/alarm.h"
#include <stdbool.h>
#include <stdint.h>

struct attempt;
struct binding;
struct dispatch;
struct gate;
struct target;

/*
 *  offer
 *    |
 *    v            head of its lane            room and a provider
 *  QUEUED ------------------------> READY ------------------------> BUSY ---- done ----> (freed)
 *                                   ^   ^                           |  |
 *                                   |   +---- SLEEPING <-- failed --+  +-- given up --> BURYING
 *                                   |                                                    |   |
 *                                   +-- replayed -- BLOCKED <-- on_exhausted: pause_key -+   |
 *                                                      |                                     |
 *                                                      +-- released --> (freed) <------------+
 */
enum delivery_state {
	DELIVERY_QUEUED,   /* behind another one of its lane */
	DELIVERY_READY,    /* waits for concurrency or for a provider */
	DELIVERY_BUSY,     /* an attempt is running */
	DELIVERY_SLEEPING, /* waits for its alarm */
	DELIVERY_BURYING,  /* its dead letter is being written */
	DELIVERY_BLOCKED   /* it is dead; what is behind it in its lane waits for a person */
};

/* While READY, of a trigger with a throttle. */
enum throttled {
	THROTTLE_NOT,     /* it has not asked, or may start */
	THROTTLE_WAITS,   /* it waits for its time */
	THROTTLE_RELEASED /* its time has come */
};

/* What a value of the event decides. */
struct delivery_groups {
	uint64_t concurrency; /* see delivery.group */
	uint64_t throttle;    /* see delivery.throttle_group */
};

struct delivery {
	struct binding *binding;
	uint64_t seq;
	uint64_t epoch; /* of the event, part of its id; 0 = not known */
	enum delivery_state state;
	uint64_t group;          /* of concurrency_key; 0 = not known */
	uint64_t throttle_group; /* of throttle.key; 0 = not known, or there is none */
	enum throttled throttled;
	struct target *target; /* READY, and waits there for its function; else NULL */
	struct gate *gate;     /* of the group; NULL: its trigger has no concurrency_key */
	uint32_t failures;     /* the handler's */
	uint32_t stopped;      /* attempts that ended without the handler's fault, in a row */
	uint32_t replay;       /* n of "/r<n>"; 0 = the original */
	bool recorded;         /* has a job record */
	bool asked;            /* its condition function said yes */
	struct buf doom;       /* not empty: it is only to be buried; "code\0message" */
	int64_t born_ms;       /* real time: when it was offered */
	int64_t came_ms;       /* the same, monotonic */
	int64_t first_ms;      /* wall clock of the first attempt; 0 = none */
	int64_t due_ms;        /* wall clock: not before; while QUEUED or SLEEPING */

	/* Lane: the head is in the map of lanes; the others hang behind it. */
	uint64_t lane;
	struct map_node in_lanes;   /* the head only */
	struct delivery *behind;    /* next of the lane */
	struct delivery *lane_tail; /* the head only; itself when it is alone */

	struct list in_binding; /* binding.deliveries */
	struct list in_queue;   /* binding.ready */
	struct list owed;       /* binding.owed, until it is recorded */
	struct list live_owed;  /* dispatch's list of the live bindings' */
	struct map_node tried;  /* from its first attempt on: for the cause of writes */
	bool is_tried;
	struct alarm alarm;
	struct dispatch *dispatch;
	struct attempt *attempt;  /* while BUSY */
	struct delivery **burial; /* while BURYING: cleared when the delivery goes away */
	struct buf history;       /* JSON array of failed attempts; empty on the happy path */
	struct buf event_json;    /* replayed dead letters carry their event themselves */
	struct members members;   /* of a batch that does not carry its events itself */
	uint64_t debounced;       /* events that its window took; 0 = it was none, or no debounce */
	struct span scope;        /* these point into `text` */
	struct span key;
	struct span window; /* name of the window that it was: its lane; absent = none */
	char text[];
};

#endif
