/* This file knows the workers: who they are, what they hold, and how a lost one finds back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_WORKER_H
#define ENGINE_CORE_WORKER_H

#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/catalog.h"
#include "engine/core/function.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A worker is an executor with a connection, most of the time. When the connection is lost
 * the worker stays for reattach_grace: it keeps the calls that it was given, gets no new ones, and
 * a connection that brings the right token takes it over. Then it is gone: its calls end with
 * CALL_STOPPED, its holds are released.
 *
 *   connected --lost--> away --reattach--> (its calls and invocations move to the new worker) freed
 *                        |
 *                        +--grace over--> freed
 *
 * A worker that drains gets no new calls; those that run may finish. When its connection is lost it
 * does not come back: there is no grace. Who waits for the end (worker_drained) is told when the
 * last call has ended, when the worker is gone, or when it is resumed.
 */
struct workers;
struct worker;

enum { WORKER_IN_FLIGHT_MOST = 100000 };

/* Going up: how a frame reaches the worker's connection. */
struct worker_link {
	/* Writes the invocation of a call. */
	void (*invoke)(void *connection, struct worker *worker, struct call *call);
	/* Another connection has taken the worker's place: this one is to go. */
	void (*retire)(void *connection);
};

struct worker {
	struct executor executor;
	struct workers *workers;
	struct list link;
	char id[ID_UUID_LEN + 1];
	char token[ID_UUID_LEN + 1];
	void *connection; /* NULL while it is away */
	const struct worker_link *ops;
	struct map invocations; /* call.by_invocation: what it executes */
	struct list asked;      /* worker_ask.link: what it has asked others to do */
	size_t engine_asks;     /* how many of those the engine does by itself */
	struct list holds;      /* trigger_hold.in_session */
	struct span namespace_; /* owned; absent until it has said who it is */
	struct span name;       /* owned; may be absent */
	struct span metadata;   /* owned JSON of its registration; may be absent */
	bool sends_baggage;     /* what it asks for in a handler says which delivery that is of */
	bool registered;        /* it has said who it is, or its time for that is over */
	bool draining;
	struct list drained;    /* worker_drained.link: who waits for the last call */
	uint32_t max_in_flight; /* calls at a time that it wants at most; 0: it has not said */
	int64_t connected_ms;   /* wall clock */
	struct alarm grace;     /* while it is away */
	struct alarm settle;    /* after its last register frame */
	uint64_t frames, bad_frames;
};

/* A call that a worker has asked for, and that it waits for. */
struct worker_ask {
	struct list link;
	struct worker *worker; /* NULL: it has gone, nobody waits */
};

/* Somebody waits until a worker that drains has nothing left to do. */
struct worker_drained {
	struct list link;
	/* `left`: calls that were running then: not 0 when the worker has gone, or was resumed. */
	void (*done)(struct worker_drained *drained, uint32_t left);
};

struct worker_options {
	uint32_t credit; /* calls at a time, unless the worker wants fewer */
	int64_t reattach_grace_ms;
};

struct workers *workers_new(struct functions *functions, struct catalog *catalog,
                            struct alarms *alarms, const struct worker_options *options);
/* The config has changed: for those that are there, too. */
void workers_configure(struct workers *workers, const struct worker_options *options);
void workers_close(struct workers *workers); /* those that are away are gone now */
void workers_free(struct workers *workers);  /* all are gone by then */

struct worker *worker_new(struct workers *workers, void *connection, const struct worker_link *ops);
/* The connection is lost: the grace begins, or at once the end when there is nothing to keep. */
void worker_lost(struct worker *worker);
/* The worker ends now. */
void worker_gone(struct worker *worker);
/* `worker` (fresh) is the one that was known by that id: it takes over its calls. False: wrong
 * token or unknown. */
bool worker_reattach(struct worker *worker, struct span previous_id, struct span token);

/* Who it is. E_INVALID "INVALID_NAMESPACE". */
int worker_register(struct worker *worker, struct span namespace_, struct span name,
                    struct span metadata, struct err *err);
/* It wants so many calls at a time at most; the options' credit stays the bound. E_INVALID
 * "invalid_max_in_flight": not a number from 1 to WORKER_IN_FLIGHT_MOST. */
int worker_set_max_in_flight(struct worker *worker, struct span number, struct err *err);
/* What it gets at most. */
uint32_t worker_max_in_flight(const struct worker *worker);

/* It gets nothing new. `drained` may be NULL; else it is told, not before this has returned unless
 * nothing is running. */
void worker_drain(struct worker *worker, struct worker_drained *drained);
/* It gets calls again. */
void worker_resume(struct worker *worker);

/* Some frame that registers something came: its triggers are settled a second after the last. */
void worker_registers(struct worker *worker);

/* The call of that invocation, NULL if the worker does not execute it. */
struct call *worker_call(struct worker *worker, struct span invocation_id);

typedef void worker_each_fn(void *ctx, struct worker *worker);
void workers_each(const struct workers *workers, worker_each_fn *each, void *ctx);
size_t workers_count(const struct workers *workers);
/* The executor is a worker of ours: NULL otherwise. */
struct worker *worker_of(struct executor *executor);
struct worker *workers_find(const struct workers *workers, struct span id);
/* A connected worker of this name in the namespace; NULL if there is none. */
struct worker *workers_named(const struct workers *workers, struct span namespace_,
                             struct span name);

#endif
