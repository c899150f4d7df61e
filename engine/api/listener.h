/* This file binds one place where peers connect: TCP, TCP for TLS, or a Unix socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_LISTENER_H
#define ENGINE_API_LISTENER_H

#include "base/err.h"
#include "engine/api/origin.h"
#include <stdint.h>

/*
 * DESIGN. A server has at most one listener of each kind; all of them lead to the same handlers. A
 * connection knows by which one it came (conn_listener), and with that who may ask what: the rule
 * for Origin and Host, the certificate, whether it is a local one.
 *
 * A Unix socket gets its mode and group before it listens, so that nobody connects earlier. One
 * that nobody answers on was left by an engine that died and is replaced; the directory is locked
 * meanwhile, so that two engines that start at once do not both replace it.
 */
enum listener_kind { LISTENER_TCP, LISTENER_TLS, LISTENER_UNIX, LISTENER_KINDS };

struct uv_loop_s;
struct uv_stream_s;
struct tls_context;
struct listener;

struct listener_options {
	const char *place;       /* "127.0.0.1:49134", "[::1]:0", "localhost:80", port 0 = any; of a
	                          * Unix socket the path. NULL: no listener of this kind */
	struct tls_context *tls; /* LISTENER_TLS: lent; a reference is taken */
	uint32_t mode;           /* LISTENER_UNIX: of the file */
	const char *group;       /* likewise: a name or a number; NULL: ours */
};

/* Somebody has connected (or, status < 0, could not: a code of libuv). */
typedef void listener_fn(void *ctx, struct listener *listener, int status);
struct listener_owner {
	struct uv_loop_s *loop;
	listener_fn *connected;
	void *ctx;
};

/* Binds and listens; may look a name up, which blocks. E_INVALID "invalid_listen", E_BUSY
 * "address_in_use", E_IO "listen_failed". */
int listener_open(const struct listener_owner *owner, enum listener_kind kind,
                  const struct listener_options *options, struct listener **out, struct err *err);
/* Nobody connects any more, the socket's file goes; what else is asked of it stays answered. Calls
 * `closed` (later, once), after which it may be freed. */
void listener_close(struct listener *listener, void (*closed)(void *ctx), void *ctx);
void listener_free(struct listener *listener); /* closed; NULL is harmless */

enum listener_kind listener_kind(const struct listener *listener);
uint16_t listener_port(const struct listener *listener);       /* the real one; 0 for Unix */
const char *listener_address(const struct listener *listener); /* "127.0.0.1:49134", or the path */
struct uv_stream_s *listener_stream(struct listener *listener);
/* What new connections are served with; NULL: they speak plainly. */
struct tls_context *listener_tls(const struct listener *listener);
void listener_set_tls(struct listener *listener, struct tls_context *tls); /* lent */
/* Its own name and port are set; the lists are the caller's to set. */
struct origin_rule *listener_rule(struct listener *listener);
void listener_turn_away(struct listener *listener); /* takes a connection off only to close it */

#endif
