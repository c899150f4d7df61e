/* This file is the HTTP API: one table that turns requests into calls of functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REST_H
#define ENGINE_API_REST_H

#include "base/span.h"
#include "engine/api/exchange.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Every operation is a call of a function, a built-in one or a worker's, so that workers,
 * CLI and HTTP have one implementation. A row of the table says which function, and how path,
 * query, headers and body become its `data` object; the reply is the function's result. Paths are
 * matched segment by segment; a segment is percent-decoded after the split, so that a key may hold
 * a '/'.
 */
struct functions;
struct rest;

enum rest_method { REST_GET, REST_PUT, REST_POST, REST_DELETE };

struct rest_route {
	enum rest_method method;
	const char *path;     /* "/v1/state/{scope}/{key}" */
	const char *function; /* "state::get"; NULL: the {id} of the path is the function */
	const char *params;   /* query parameters, "prefix limit:int reverse:bool" */
	const char *body;  /* NULL: none; "*": its members are data's; else the member it becomes */
	const char *fixed; /* members that data always has, as JSON text: "\"with_rev\":true" */
	int status;        /* of success with a result; without one it is 204, or 404 (absent) */
	unsigned flags;    /* enum rest_flag */
	const char *summary; /* one sentence, for the API description */
};

enum rest_flag {
	REST_ABSENT_IS_404 = 1, /* no result means that there is no such thing */
	REST_IF_MATCH = 2,      /* If-Match and If-None-Match become if_rev */
	REST_REV = 4 /* the result is {value, rev}: the value is the body, rev the ETag */
};

/* The table, for `openapi.json` and the CLI; out_count rows. */
const struct rest_route *rest_routes(size_t *out_count);

struct rest *rest_new(struct functions *functions);
/* Requests that are still waiting are answered 503 first. */
void rest_free(struct rest *rest);
/* The handler for a server. Its is_route is false for "/", where workers connect. */
struct exchange_handler rest_handler(struct rest *rest);

#endif
