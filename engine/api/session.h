/* This file speaks the worker protocol on a WebSocket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SESSION_H
#define ENGINE_API_SESSION_H

#include "engine/api/conn.h"
#include "engine/api/websocket.h"
#include "engine/core/catalog.h"
#include "engine/core/function.h"
#include "engine/core/worker.h"
#include "engine/work/webhook.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. One session per socket: it reads frames, acts on the worker behind it (core/worker.h) and
 * writes frames. Registration frames that come before the worker has said who it is are kept, at
 * most `registration_grace_ms`, then filed under the namespace "default". Binary frames carry
 * telemetry and are passed on. Nothing is read before sessions_open, so that what a worker
 * registers meets the triggers of the last run. A frame that cannot be understood is answered where
 * there is an id to answer to, counted, and never closes the connection.
 */
struct login;
struct sessions;
struct tracer;

struct session_options {
	int64_t registration_grace_ms;
	bool unique_names;
};

struct sessions *sessions_new(struct functions *functions, struct catalog *catalog,
                              struct workers *workers, struct webhook *webhook,
                              struct alarms *alarms, const struct session_options *options);
void sessions_free(struct sessions *sessions);
/* What was owed is loaded: what workers have sent meanwhile is read. */
void sessions_open(struct sessions *sessions);
/* The config has changed: for registrations to come. */
void sessions_configure(struct sessions *sessions, const struct session_options *options);
/* Who wants to know what comes; before any comes. */
struct session_telemetry {
	struct tracer *tracer;                       /* NULL: nobody wants spans */
	void (*take)(void *ctx, struct span binary); /* a binary frame; NULL: nobody wants them */
	void *ctx;
};
void sessions_tell(struct sessions *sessions, const struct session_telemetry *telemetry);
/* Who is asked for a token, and what it allows; without this nobody is. Borrowed. */
void sessions_set_login(struct sessions *sessions, struct login *login);
/* What a server is to call for its upgrades. */
struct conn_upgrade sessions_upgrade(struct sessions *sessions);

#endif
