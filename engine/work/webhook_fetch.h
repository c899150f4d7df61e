/* This file makes HTTP requests without blocking: libcurl, loaded when first used, on our loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_FETCH_H
#define ENGINE_WORK_WEBHOOK_FETCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct webhook_fetcher;
struct webhook_fetch;

struct webhook_fetch_options {
	bool allow_private;
	size_t max_reply_bytes;
};

struct webhook_request {
	const char *url;
	const char *method;
	struct span headers; /* "Name: value" and a NUL, each */
	struct span body;    /* copied; sent unless the method is GET or HEAD */
	int64_t timeout_ms;  /* of all hops together */
	int64_t redirects;   /* follow at most so many; each repeats the same request */
	bool is_private;     /* it carries a secret: to no other origin than that of the URL */
	const char *ca_file; /* NULL: the system's */
	bool insecure;       /* do not look at the server's certificate */
};

struct webhook_reply {
	int status;
	struct span body;
	bool is_json;           /* its Content-Type says so, or there is none */
	int64_t retry_after_ms; /* 0: it names none */
};

/* err NULL: `reply` holds. Else E_TIMEOUT "TIMEOUT", E_DENIED "address_refused",
 * "redirect_refused", E_LIMIT "output_too_large", E_IO "http_failed". The fetch is gone after it.
 */
typedef void webhook_fetch_done_fn(void *ctx, const struct webhook_reply *reply,
                                   const struct err *err);

/* E_UNSUPPORTED "curl_missing" when libcurl cannot be loaded. */
int webhook_fetcher_new(struct uv_loop_s *loop, const struct webhook_fetch_options *options,
                        struct webhook_fetcher **out, struct err *err);
void webhook_fetcher_allow_private(struct webhook_fetcher *fetcher, bool allow);
/* Forgets what is in flight, then calls `freed` (later, once). */
void webhook_fetcher_free(struct webhook_fetcher *fetcher, void (*freed)(void *ctx), void *ctx);

struct webhook_fetch *webhook_fetch_start(struct webhook_fetcher *fetcher,
                                          const struct webhook_request *request,
                                          webhook_fetch_done_fn *done, void *ctx);
void webhook_fetch_cancel(struct webhook_fetch *fetch); /* done will not come */

#endif
