/* This file makes the parts of the daemon, tells them what the config says, and ends them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_PARTS_H
#define ENGINE_PARTS_H

#include "base/err.h"
#include "engine/config_table.h"
#include "engine/core/core.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store_waiter.h"
#include "engine/peers.h"
#include <stddef.h>

struct uv_loop_s;
struct builtins;
struct gateway;
struct login;
struct rest;
struct roster;
struct server;
struct sessions;
struct watch;
struct webhook;

/*
 * DESIGN. Each part takes its options as a struct of its own; here, and only here, stands which
 * options of the config go into which. The same lines serve the start and parts_take, so that an
 * option that is live (config_table.c) means the same either way.
 */
struct parts {
	struct uv_loop_s *loop;
	struct core core;
	struct builtins *builtins;
	struct webhook *webhook;
	struct roster *roster;
	struct login *login;
	struct rest *rest;
	struct watch *watch;
	struct sessions *sessions;
	struct server *server; /* NULL: it does not listen */
	struct gateway *gateway;
	struct server *front;     /* where requests to HTTP triggers come; NULL: nowhere */
	struct peers peers;       /* of both */
	struct alarm front_grace; /* while it closes: when requests that still wait are ended */
	size_t closing;           /* executors that have not said that they are gone */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* `loop` and core.alarms are set; blocks while the store is opened. */
int parts_open_store(struct parts *parts, const struct config *config, struct err *err);
/* The store is open. With an error, too, parts_close is to be called. The config's texts need not
 * outlive this, but service.name. */
int parts_build(struct parts *parts, const struct config *config, struct err *err);
/* The records of tokens are loaded: peers may come. */
int parts_listen(struct parts *parts, const struct config *config, struct err *err);
/* At the start, when the catalog is loaded: the config's triggers. */
int parts_take_triggers(struct parts *parts, const struct config *config, struct err *err);

/* All is loaded and follows the journal: calls that have come meanwhile are made. */
void parts_start(struct parts *parts);

/* Could parts_take do it now? Changes nothing. */
int parts_judge(const struct parts *parts, const struct config *config, struct err *err);
/* Another config: its triggers, functions and live options, all between the same two events, or,
 * with an error, nothing. Options that need a restart are not looked at. The waiter tells when the
 * triggers are durable. */
int parts_take(struct parts *parts, const struct config *config, struct store_waiter *waiter,
               struct err *err);

/* Says goodbye to peers, ends what runs, frees everything but the store and the alarms, then calls
 * `closed` (once, perhaps from inside this). */
void parts_close(struct parts *parts, void (*closed)(void *ctx), void *ctx);

#endif
