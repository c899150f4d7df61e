/* This file executes functions over HTTP: a call is a request to somebody's URL. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_H
#define ENGINE_WORK_WEBHOOK_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/function.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. One executor of kind "http" serves all functions that have an `invocation`
 * {url, method, timeout_ms, headers, auth}. The body is the call's data; a 2xx reply with a JSON
 * body is the result, an empty one none. Everything else is CALL_FAILED with the status and the
 * beginning of the reply. Redirects are not followed, TLS is verified, proxies of the environment
 * are not used.
 *
 * The address is checked when it has been resolved, on the very address that is connected to: a
 * name that points inside is refused however it was made to. Keys are names of environment
 * variables and are read at each call; a missing one fails the call by name.
 *
 * libcurl is loaded when the first call is made.
 */
struct uv_loop_s;
struct alarms;
struct webhook;

struct webhook_options {
	bool allow_private;       /* loopback, private and link-local addresses */
	uint32_t concurrency;     /* calls at a time; 0 = 64 */
	size_t max_request_bytes; /* 0 = 8 MiB */
	size_t max_reply_bytes;   /* 0 = 8 MiB */
	int64_t timeout_ms;       /* when the invocation names none; 0 = 30,000 */
	const char *ca_file;      /* NULL: the system's; copied */
};

struct webhook *webhook_new(struct uv_loop_s *loop, struct alarms *alarms,
                            struct functions *functions, const struct webhook_options *options);
/* Ends its calls with CALL_STOPPED, then calls `freed` (later, once). */
void webhook_free(struct webhook *webhook, void (*freed)(void *ctx), void *ctx);
struct executor *webhook_executor(struct webhook *webhook);

/* Is this a good invocation? E_INVALID "invalid_invocation" with what is wrong in it. */
int webhook_check(struct span invocation, struct err *err);
/* Offers a function that is called at invocation.url; replaces an offer of the same name. The
 * provider's texts are the caller's to fill. Withdraw with webhook_withdraw. */
int webhook_offer(struct webhook *webhook, struct span namespace_, struct span id,
                  struct span invocation, struct provider **out, struct err *err);
void webhook_withdraw(struct webhook *webhook, struct provider *provider);

/* True for an address that must not be called unless private ones are allowed: loopback, private,
 * link-local, shared (RFC 6598), multicast, unspecified, and IPv6 forms that carry such an IPv4
 * address. `address` is a struct sockaddr. */
bool webhook_is_private(const void *address);

#endif
