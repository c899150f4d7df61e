/* This file lists the parts of a running engine, for those who answer questions about all of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CORE_H
#define ENGINE_CORE_CORE_H

#include "engine/core/config_door.h"
#include "engine/core/watch_counts.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alarm_book;
struct alarms;
struct catalog;
struct clock_turn;
struct condition_env;
struct dead;
struct dispatch;
struct expiry;
struct functions;
struct idem;
struct otlp;
struct react;
struct retain;
struct routing;
struct state;
struct store;
struct tokens;
struct workers;

/* Who is connected: known further up. */
struct core_peers {
	size_t (*connections)(void *ctx);
	uint64_t (*handshake_failures)(void *ctx);  /* of TLS, since the start */
	int64_t (*certificate_until_ms)(void *ctx); /* 0: there is no TLS */
	void *ctx;
};

/* Plain data; all borrowed from the engine. */
struct core {
	struct store *store;
	struct alarms *alarms;
	struct functions *functions;
	struct state *state;
	struct expiry *expiry;
	struct alarm_book *alarm_book;
	struct idem *idem;
	struct dead *dead;
	struct dispatch *dispatch;
	struct react *react;
	struct retain *retain;
	struct catalog *catalog;
	struct routing *routing; /* NULL: nobody listens for HTTP triggers */
	struct workers *workers;
	struct tokens *tokens;
	struct condition_env *conditions;
	struct config_door config;
	struct watch_counts watching; /* what api/watch does */
	struct clock_turn *turn;      /* NULL: nobody turns the clock */
	const char *service_name;
	char address[64];      /* "127.0.0.1:49134": where it listens; "" = not on plain TCP */
	char tls_address[64];  /* the same for TLS */
	char socket_path[108]; /* and for a Unix socket */
	char front[64];        /* the same for HTTP triggers; "" = nowhere */
	struct core_peers peers;
	struct otlp *otlp;     /* of what goes to a collector */
	int64_t started_ms;    /* wall clock */
	bool once_cloudevents; /* idempotency.cloudevents */
	bool ready;            /* triggers and jobs are loaded */
	bool stopping;
};

#endif
