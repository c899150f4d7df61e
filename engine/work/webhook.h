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
 * DESIGN. One executor of kind "http" serves all functions that have an `invocation`. The body is
 * the call's data, as it is or as a CloudEvent; a 2xx reply with a JSON body is the result, an
 * empty one or one that calls itself anything but JSON ("OK") is none. 410 disables the function:
 * the call ends with CALL_STOPPED and is not lost. Everything else is CALL_FAILED with the status
 * and the beginning of the reply; its Retry-After is passed on. What an invocation is:
 * webhook_target.h; how a request is made of it: webhook_compose.h. Redirects are followed only if
 * it says so, TLS is verified, proxies of the environment are not used.
 *
 * The address is checked when it has been resolved, on the very address that is connected to: a
 * name that points inside is refused however it was made to.
 *
 * libcurl is loaded when the first call is made.
 */
struct uv_loop_s;
struct webhook;

struct condition_env;
struct secrets;

struct webhook_options {
	bool allow_private;               /* loopback, private and link-local addresses */
	uint32_t concurrency;             /* calls at a time; 0 = 64 */
	size_t max_request_bytes;         /* 0 = 8 MiB */
	size_t max_reply_bytes;           /* 0 = 8 MiB */
	int64_t timeout_ms;               /* when the invocation names none; 0 = 30,000 */
	struct condition_env *conditions; /* outlives the webhook */
	struct span service;              /* who we are in the source of CloudEvents; copied */
};

struct webhook_offering {
	struct span namespace_;
	struct span id;
	struct span invocation; /* JSON */
	/* Of the configuration that declares it, borrowed: it may use secrets and expressions.
	 * NULL: a worker has registered it. */
	const struct secrets *secrets;
};

struct webhook *webhook_new(struct uv_loop_s *loop, struct functions *functions,
                            const struct webhook_options *options);
/* Ends its calls with CALL_STOPPED, then calls `freed` (later, once). */
void webhook_free(struct webhook *webhook, void (*freed)(void *ctx), void *ctx);
/* The config has changed: allow_private, concurrency and timeout_ms; for requests to come. */
void webhook_configure(struct webhook *webhook, const struct webhook_options *options);
struct executor *webhook_executor(struct webhook *webhook);

/* Offers a function that is called at invocation.url, beside other offers of that name. Errors
 * are those of webhook_target_parse. The provider's texts are the caller's to fill. Withdraw it
 * with webhook_withdraw, not by function_withdraw. */
int webhook_offer(struct webhook *webhook, const struct webhook_offering *offering,
                  struct provider **out, struct err *err);
void webhook_withdraw(struct webhook *webhook, struct provider *provider);

#endif
