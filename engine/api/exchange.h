/* This file speaks HTTP on a connection: requests out of it, replies in their order into it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_EXCHANGE_H
#define ENGINE_API_EXCHANGE_H

#include "base/err.h"
#include "base/span.h"
#include "engine/api/conn.h"
#include "engine/api/listener.h"
#include "engine/api/websocket.h"
#include <stdbool.h>

/*
 * DESIGN. An exchange is one request and its reply. Requests of one connection are started in the
 * order in which they came, up to EXCHANGES_MAX of them (fewer, when replies are large) before the
 * first is answered; replies leave in that order too: one that is ready too early waits in its
 * exchange. Refused here, before anybody is asked: what wire/http refuses, a wrong Origin or Host
 * (403), and what the handler does not admit.
 *
 *      waiting --exchange_reply--> ready --all before it have left--> sent, freed
 */
enum { EXCHANGES_MAX = 64 };

struct exchange;
struct http_request;
struct exchange_host;

struct token;

/* Who asks. */
struct exchange_caller {
	const struct conn *conn;
	struct token *token; /* what `admit` has found; NULL: nobody in particular */
};

struct exchange_handler {
	void *ctx;
	/* Must end in exchange_reply or exchange_problem, now or later, exactly once. The request
	 * is borrowed for the call. */
	void (*request)(void *ctx, struct exchange *exchange, const struct http_request *request);
	/* Judges a request by its head, when the body may still be to come; else 0. NULL: all are
	 * admitted. */
	int (*admit)(void *ctx, const struct http_request *request, struct exchange_caller *caller,
	             struct err *err);
	/* A WebSocket may be opened on any path for which this is false. */
	bool (*is_route)(void *ctx, struct span path);
};

/* Who keeps a reply open: see stream.h. */
struct exchange_keeper {
	/* The peer has gone or the server closes; the exchange is gone behind it. Not called when
	 * the keeper has ended it. */
	void (*over)(void *ctx);
	/* It was slow, or it was waited for, and what is unsent is little again. */
	void (*relief)(void *ctx);
};

struct exchange_reply {
	int status;
	struct span content_type; /* absent: application/json */
	struct span extra;        /* whole header lines, "ETag: \"7\"\r\n"; may be absent */
	struct span body;
};

/* What all HTTP connections of a server share; borrowed pointers outlive it. */
struct exchange_host *exchange_host_new(struct conn_group *group,
                                        const struct exchange_handler *handler,
                                        const struct conn_upgrade *upgrade);
/* Pages of these origins may read replies (CORS), and their preflights are answered here, whatever
 * the route; the origins pass origin_check as well. NULL-terminated, borrowed; NULL: none. */
void exchange_host_set_cors(struct exchange_host *host, const char *const *origins);
void exchange_host_free(struct exchange_host *host); /* once the group has gone */
/* From now on replies say Connection: close, and connections end behind their last reply. */
void exchange_host_drain(struct exchange_host *host);
size_t exchange_host_pending(const struct exchange_host *host); /* requests without a reply */

/* Accepts a connection that speaks HTTP; `refuse` tells it 503 and ends it. */
void exchange_accept(struct exchange_host *host, struct listener *listener, bool refuse);
/* By which kind of listener it came; the peer is still there. */
enum listener_kind exchange_came_by(const struct exchange *exchange);

/* The token of who asks, while exchange_handler.request is called; later it may have been revoked.
 */
struct token *exchange_token(const struct exchange *exchange);

/* Copies what it is given. The exchange is gone after it; it may come when the peer has gone. */
void exchange_reply(struct exchange *exchange, const struct exchange_reply *reply);
/* The same with a problem document. */
void exchange_problem(struct exchange *exchange, int status, struct span code, struct span detail,
                      struct span extra);

#endif
