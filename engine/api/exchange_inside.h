/* This file is what the files of exchange share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_EXCHANGE_INSIDE_H
#define ENGINE_API_EXCHANGE_INSIDE_H

#include "base/list.h"
#include "engine/api/exchange.h"
#include <stddef.h>

struct http_reader;

enum { SPARE_READERS = 16 };

struct exchange_host {
	struct conn_group *group;
	struct exchange_handler handler;
	const struct conn_upgrade *upgrade;
	const char *const *cors_origins; /* whose pages may read replies; NULL: nobody's */
	bool draining;
	size_t pending;
	size_t spare_count;
	struct http_reader *spares[SPARE_READERS];
};

/* The state of a connection that speaks HTTP. It has a reader only while a request is partly here,
 * so that a thousand idle connections need none. */
struct talk {
	struct conn *conn;
	struct exchange_host *host;
	struct http_reader *reader;
	struct list exchanges; /* exchange.link, oldest first */
	unsigned count;
	unsigned window;       /* how many may be in flight: less when replies are large */
	bool is_in_head;       /* the head of a request is partly here, */
	int64_t head_since_ms; /* since then */
	bool continue_due;     /* 100 Continue is owed once all earlier replies have left */
	bool is_full;          /* `window` of them: the connection is held */
	bool last;             /* no request comes after those that are here */
	struct exchange *open; /* whose reply is a stream: the last one; NULL: none */
};

struct exchange {
	struct list link;
	struct talk *talk;   /* NULL: the peer has gone */
	struct token *token; /* see exchange_token */
	struct buf pages;    /* header lines for the page that asks; often none */
	bool is_head;
	bool keep_alive;
	bool takes_chunks;
	bool ready;
	struct buf early;                     /* the reply, while an earlier one is missing */
	const struct exchange_keeper *keeper; /* of talk->open */
	void *keeper_ctx;
};

/* Sends the replies that nothing stands before any more. */
void exchange_send_ready(struct talk *talk);
bool exchange_is_first(const struct exchange *exchange);
/* Ends a reply that is a stream. */
void exchange_end(struct exchange *exchange);
/* Where to append what it says now; conn_flush_later is the caller's. */
struct buf *exchange_out(struct exchange *exchange);
void exchange_free(struct exchange *exchange);
/* The header lines of the one reply: those for the page that asks, then these. */
struct span exchange_extra(struct exchange *exchange, struct span extra);

#endif
