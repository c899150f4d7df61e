/* This file turns plain bytes into those of TLS and back, at either end, without sockets. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_TLS_H
#define WIRE_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. OpenSSL does the work, with memory in the place of a socket: it reads from the span that
 * is being received, and what it writes goes to the caller's buffer before the call returns, so
 * that an idle end is small. Versions from 1.2 on, the library's own ciphers, no renegotiation,
 * http/1.1 as the only protocol.
 *
 *   TLS_SHAKING --the peer's last word--> TLS_OPEN --its goodbye--> TLS_ENDED (we may still send)
 *        |                                   |
 *        +------------ what is no TLS -------+--------------------> TLS_FAILED
 *
 * All ends that are made from one context share its certificate. A context may be dropped while
 * they live.
 */
struct tls_context;
struct tls;

struct tls_files {
	const char *cert; /* PEM, the chain behind it */
	const char *key;
	const char *client_ca; /* who signs certificates that clients must show; NULL: they need
	                        * none */
};

/* For servers. E_UNSUPPORTED "openssl_missing"; E_INVALID "invalid_certificate": a file cannot be
 * read, is no PEM, or the two do not belong together. Reads files. */
int tls_context_serve(const struct tls_files *files, struct tls_context **out, struct err *err);
struct tls_trust {
	const char *ca_file; /* who signs servers' certificates; NULL: whom the system trusts */
	bool anyone;         /* do not look at the certificate */
};
/* For clients; the errors are the same. */
int tls_context_ask(const struct tls_trust *trust, struct tls_context **out, struct err *err);
struct tls_context *tls_context_take(struct tls_context *context); /* another reference */
void tls_context_drop(struct tls_context *context);                /* NULL is harmless */
/* When the server's certificate ends (wall clock); 0 when it does not say. */
int64_t tls_context_until_ms(const struct tls_context *context);

enum tls_state { TLS_SHAKING, TLS_OPEN, TLS_ENDED, TLS_FAILED };

struct tls *tls_new_server(struct tls_context *context);
/* The certificate must be for `host`, a name or an address. */
struct tls *tls_new_client(struct tls_context *context, const char *host);
void tls_free(struct tls *tls); /* NULL is harmless */
enum tls_state tls_state(const struct tls *tls);

/* Takes what came from the peer (nothing: the client's first word), appends what it says to
 * `out_plain`, and what is to be sent to `out_wire`, with an error too. E_DENIED: "untrusted" (the
 * peer's certificate), "plain_http" (an HTTP request without TLS); E_INVALID "tls_failed". */
int tls_receive(struct tls *tls, struct span wire, struct buf *out_plain, struct buf *out_wire,
                struct err *err);
/* Only while TLS_OPEN or TLS_ENDED. E_INVALID "tls_failed". */
int tls_send(struct tls *tls, struct span plain, struct buf *out_wire, struct err *err);
/* Says goodbye: nothing is sent after it. Harmless in any state. */
void tls_end(struct tls *tls, struct buf *out_wire);

#endif
