/* This file decides whether a web page may talk to us: the rule for Origin and Host. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_ORIGIN_H
#define ENGINE_API_ORIGIN_H

#include "base/err.h"
#include "base/span.h"
#include <stdint.h>

/*
 * DESIGN. A page in a browser can send requests to a local port, and can make its own name resolve
 * to 127.0.0.1. Browsers tell the truth in Origin and Host, so: a request with an Origin passes
 * only if that is the listener itself or allowed; and Host must name a loopback address, the
 * listener or an allowed host, else the name was made to point at us. Clients of
 * a Unix socket put anything into Host; it has no origin of its own, but a proxy may stand before
 * it.
 */
enum origin_kind {
	ORIGIN_PLAIN,  /* a proxy may have spoken TLS for us */
	ORIGIN_SECURE, /* we speak TLS: the page's origin is https */
	ORIGIN_LOCAL   /* a Unix socket: no browser gets there but by a proxy, Host means nothing */
};

struct origin_rule {
	enum origin_kind kind;
	struct span
	        listen_host; /* as configured, without brackets: "127.0.0.1", "::1", "pawl.lan" */
	uint16_t port;
	const char *const *allowed_origins; /* "https://app.example.com", or "*"; NULL-terminated */
	const char *const *allowed_hosts;   /* "pawl.example.com" (any port), or "*" */
};

/* Header values as they came; absent when the request has none. E_DENIED "origin_not_allowed" or
 * "host_not_allowed". */
int origin_check(const struct origin_rule *rule, struct span origin, struct span host,
                 struct err *err);

#endif
