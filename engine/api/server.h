/* This file listens: it accepts connections, limits them, and lets them finish at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SERVER_H
#define ENGINE_API_SERVER_H

#include "base/err.h"
#include "base/span.h"
#include "engine/api/conn.h"
#include "engine/api/exchange.h"
#include "engine/api/listener.h"
#include "engine/api/websocket.h"
#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct alarms;
struct server;

struct server_options {
	struct listener_options listeners[LISTENER_KINDS]; /* one at least has a place; copied */
	struct conn_limits limits;
	const char *const *allowed_origins; /* NULL-terminated, may be NULL; copied */
	const char *const *cors_origins;    /* those whose pages may read answers, too; likewise */
	const char *const *allowed_hosts;   /* host names without port; likewise */
	struct exchange_handler handler;    /* who answers HTTP requests */
	struct conn_upgrade upgrade;        /* who takes WebSockets; open NULL = nobody */
};

/* Binds and listens, all or nothing; the errors are those of listener_open. */
int server_open(struct uv_loop_s *loop, struct alarms *alarms, const struct server_options *options,
                struct server **out, struct err *err);
/* The real one; that listener is there. */
uint16_t server_port(const struct server *server, enum listener_kind kind);
/* "127.0.0.1:49134", the real port, or the path of the socket; NULL: no such listener. */
const char *server_address(const struct server *server, enum listener_kind kind);
uint32_t server_connections(const struct server *server);         /* open now */
uint64_t server_handshake_failures(const struct server *server);  /* of TLS, since the start */
int64_t server_certificate_until_ms(const struct server *server); /* 0: there is no TLS */
/* Live reload: what may change while it listens: the lists, the limits, the certificate. */
void server_configure(struct server *server, const struct server_options *options);

void server_flush(struct server *server); /* every waiting answer, one write each */
void server_pause_reading(struct server *server, bool pause); /* the store is crowded */

/* Stops accepting, tells keep-alive peers to go, says 1001 to WebSockets, waits for requests in
 * flight at most `grace_ms`, closes what is left, then calls `closed`; the server is freed. */
void server_close(struct server *server, int64_t grace_ms, void (*closed)(void *ctx), void *ctx);

#endif
