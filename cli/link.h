/* This file carries bytes to and from an engine over a blocking socket: TCP, TLS or Unix. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A link knows where the engine is from the beginning, and is connected while it is needed:
 * link_connect, then link_send and link_receive, link_disconnect, again link_connect.
 */
struct link;

struct link_options {
	const char *url;     /* "http://host:port" or "https://host:port", an optional path behind
	                      * it, or "unix:/path/of/the/socket" */
	const char *ca_file; /* who signs certificates of engines; NULL: whom the system trusts */
	bool insecure_tls;   /* do not look at the certificate */
};

/* Copies the texts. E_INVALID "invalid_url". */
int link_new(const struct link_options *options, struct link **out, struct err *err);
void link_free(struct link *link); /* NULL is harmless */

const char *link_prefix(const struct link *link); /* the path of the URL, "" for none */
const char *link_host(const struct link *link);   /* what goes into Host */
/* E_IO "unreachable", which tells how to start an engine or to name another. */
int link_unreachable(const struct link *link, const char *why, struct err *err);

/* E_IO "unreachable", "untrusted"; E_INVALID "invalid_certificate" (ca_file), E_UNSUPPORTED
 * "openssl_missing". */
int link_connect(struct link *link, struct err *err);
bool link_is_connected(const struct link *link);
void link_disconnect(struct link *link);
bool link_send(struct link *link, struct span bytes); /* all of them; false: it has ended */
/* Waits for some bytes: how many came, 0 at the end, -1 when it broke or stood still for too long.
 */
long link_receive(struct link *link, char *bytes, size_t room);

#endif
