/* This file answers HTTP requests by calling functions, as the table of routes says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REST_H
#define ENGINE_API_REST_H

#include "engine/api/exchange.h"

/*
 * DESIGN. Every operation is a call of a function (route.h), a built-in one or a worker's, so that
 * workers, CLI and HTTP have one implementation. The reply is the function's result: 200 with it,
 * 204 without one, 404 without one where that means absence, 202 when nobody waits (`?void=true` or
 * `Prefer: respond-async`), 304 for an ETag that the client has. An error is a problem document;
 * its code is the function's, its status that of the code (problem.c), else one for how the call
 * ended.
 */
struct functions;
struct http_request;
struct login;
struct rest;
struct tracer;

/* `service` is what paths call this engine; borrowed. */
struct rest *rest_new(struct functions *functions, const char *service);
/* From now on each request is a span. */
void rest_trace(struct rest *rest, struct tracer *tracer);
/* Who answers GET /v1/watch; NULL: nobody. */
typedef void rest_watch_fn(void *ctx, struct exchange *exchange, const struct http_request *http);
void rest_set_watch(struct rest *rest, rest_watch_fn *watch, void *ctx);
/* Who is asked for a token, and what it allows; without this nobody is. Borrowed. */
void rest_set_login(struct rest *rest, struct login *login);
/* Requests that still wait are answered 503 first. */
void rest_free(struct rest *rest);
/* The handler for a server. Its is_route is false for "/", where workers connect. */
struct exchange_handler rest_handler(struct rest *rest);

#endif
