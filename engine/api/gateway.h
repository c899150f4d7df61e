/* This file answers HTTP requests by waking HTTP triggers: the function's result is the reply. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_GATEWAY_H
#define ENGINE_API_GATEWAY_H

#include "engine/api/exchange.h"
#include <stdbool.h>

/*
 * DESIGN. A request is found a trigger (core/routing), is written out as JSON (api_request), and is
 * taken through its steps: the condition function, the middlewares, the handler. Each is a call of
 * a function, with what is left of the trigger's timeout; each may end the request. What the
 * handler answers becomes the reply (api_response). A request is answered once and never repeated:
 * it is no delivery, and nothing of it is on disk.
 *
 *   404 no such path · 405 not this method · 422 the condition says no · 500 a function failed
 *   503 nobody serves it, it went away, the trigger is paused, or too many are in hand
 *   504 too late
 */
struct core;
struct gateway;

struct gateway_options {
	const char *const *cors_origins; /* whose pages may read replies; NULL-terminated; copied */
	size_t max_requests;             /* in hand at a time */
	bool only_false_means_no;        /* compat.condition: iii */
};

struct gateway *gateway_new(struct core *core, const struct gateway_options *options);
/* Requests that still wait are answered 503. */
void gateway_end_requests(struct gateway *gateway);
void gateway_free(struct gateway *gateway); /* ends them, too; NULL is harmless */
void gateway_configure(struct gateway *gateway, const struct gateway_options *options);
struct exchange_handler gateway_handler(struct gateway *gateway);

#endif
