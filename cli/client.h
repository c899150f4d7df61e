/* This file asks a running engine over HTTP and waits for the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* One connection, used again for the next request while it lasts. */
struct client;

/* `url`: "http://host:port", an optional path in front of ours. E_INVALID "invalid_url". Nothing is
 * connected yet. */
int client_new(const char *url, struct client **out, struct err *err);
void client_free(struct client *client);

struct client_answer {
	int status;
	struct buf body; /* the caller's to free */
	char etag[64];   /* without quotes; empty when there was none */
};

/* `path` begins with '/' and is encoded already. The body (absent: none) is JSON. An answer of any
 * status is 0; E_IO "unreachable" tells how to start an engine. */
int client_ask(struct client *client, const char *method, struct span path, struct span body,
               struct client_answer *out, struct err *err);

#endif
