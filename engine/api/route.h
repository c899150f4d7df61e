/* This file is the table of HTTP operations: method, path, and the function that each one calls. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_ROUTE_H
#define ENGINE_API_ROUTE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A row says how a request becomes the `data` object of a function call: the members of the
 * body (or the body as one member), then the query parameters, then fixed members, then the
 * segments of the path, a later one winning. Paths are matched segment by segment and decoded after
 * that, so that a key may hold a '/' (as %2F). {service} is no member: it must be this engine's
 * name.
 */
enum route_flag {
	ROUTE_INVOKE = 1,   /* {id} is the function, the body its data, the query about the call */
	ROUTE_ABSENT = 2,   /* no result means that there is no such thing: 404 */
	ROUTE_REV = 4,      /* If-Match and If-None-Match become if_rev; `rev` becomes the ETag */
	ROUTE_VALUE = 8,    /* the reply is the member `value` of the result */
	ROUTE_READY = 16,   /* 503 unless the result has "status":"ok" */
	ROUTE_HELLO = 32,   /* calls nothing; a browser gets the console's page */
	ROUTE_EVENTS = 64,  /* the request is CloudEvents, and is only accepted: 202 */
	ROUTE_ONCE = 128,   /* takes an Idempotency-Key */
	ROUTE_OBJECT = 256, /* {namespace} and {object_key} together are the member `scope` */
	ROUTE_ENVELOPE = 512,  /* a value goes with its encoding (envelope.h), or raw */
	ROUTE_DOCUMENT = 1024, /* calls nothing: the OpenAPI document */
	ROUTE_WATCH = 2048,    /* calls nothing: a stream of changes */
	ROUTE_OPEN = 16384,    /* needs no token; tells little to who has none */
	ROUTE_FIGURES =
	        4096,      /* the result is a JSON string: the reply is its text, for Prometheus */
	ROUTE_FILE = 8192, /* calls nothing: {file} is one of the console's */
};

/* Parameters are words with a type behind: "prefix limit:int reverse:bool". */
struct route {
	const char *method;   /* "GET"; answers HEAD too */
	const char *path;     /* "/v1/state/{scope}/{key}" */
	const char *function; /* NULL where a flag says that nothing is called */
	const char *params;   /* query parameters; NULL: none */
	const char *body;  /* NULL: none; "*": an object of members; else the member it becomes */
	const char *fixed; /* further members of data, as JSON text; NULL: none */
	unsigned flags;
	const char *summary; /* one sentence */
};

enum { ROUTE_VARS_MAX = 4 };

struct route_match {
	const struct route *route;
	size_t count;
	struct span names[ROUTE_VARS_MAX];  /* of the variables: "scope" */
	struct span values[ROUTE_VARS_MAX]; /* still percent-encoded; borrowed from the path */
};

enum route_found { ROUTE_FOUND, ROUTE_OTHER_METHOD, ROUTE_UNKNOWN };

/* HEAD is looked up as GET. */
enum route_found route_find(struct span method, struct span path, struct route_match *out);
void route_allowed(struct span path, struct buf *out); /* "GET, HEAD, PUT": of this path */
const struct route *route_nearest(struct span path);   /* the most similar one */
const struct route *route_table(size_t *out_count);

#endif
