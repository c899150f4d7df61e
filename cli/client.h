/* This file asks a running engine over HTTP and waits for the answer, or for its pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "cli/link.h"
#include <stdbool.h>

/* One connection, used again for the next request while it lasts. */
struct client;

/* Where the engine is and who we are; texts are copied. */
struct client_options {
	struct link_options link;
	const char *token;      /* goes out as a bearer token; NULL: none */
	const char *token_file; /* where it stands instead; NULL: nowhere */
};

/* E_INVALID "invalid_url", "invalid_token"; those of files_read. Nothing is connected yet. */
int client_new(const struct client_options *options, struct client **out, struct err *err);
void client_free(struct client *client); /* NULL is harmless */

/* A piece of an answer's body as it came; false ends the request there. */
typedef bool client_piece_fn(void *ctx, struct span piece);

struct client_request {
	const char *method;
	struct span path;       /* begins with '/' and is encoded already */
	struct span body;       /* absent: none */
	const char *body_type;  /* NULL: application/json */
	struct span headers;    /* further ones, "Name: value\r\n" each; may be absent */
	client_piece_fn *piece; /* who gets the body of an answer below 400, piece by piece; NULL:
	                         * it is collected, as that of an error always is */
	void *piece_ctx;
};

struct client_answer {
	int status;
	struct buf body;   /* the caller's to free */
	char etag[64];     /* without quotes; empty when there was none */
	bool is_abandoned; /* client_piece_fn wanted no more */
};

/* An answer of any status is 0; E_IO "unreachable" tells how to start an engine, or that the
 * connection ended before the answer did: pieces may have come before. */
int client_send(struct client *client, const struct client_request *request,
                struct client_answer *out, struct err *err);
/* The same for what most are: a body of JSON or none. */
int client_ask(struct client *client, const char *method, struct span path, struct span body,
               struct client_answer *out, struct err *err);

#endif
