/* This file writes HTTP/1.1: heads, bodies of unknown length, chunks, and the names of statuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HTTP_WRITE_H
#define WIRE_HTTP_WRITE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/* "Not Found"; "Unknown" for a status that has no name here. */
const char *http_reason(int status);

struct http_response {
	int status;
	struct span content_type; /* absent: no such field */
	struct span extra;        /* whole lines, "Name: value\r\n" each; may be absent */
	bool keep_alive;          /* else Connection: close */
};

/* A head whose body of `length` bytes the caller appends (or not, in answer to HEAD). 204 and 304
 * carry no Content-Length. */
void http_write_head(struct buf *out, const struct http_response *response, size_t length);

/* A head whose body goes on until the connection ends: for peers of HTTP/1.0. */
void http_write_endless(struct buf *out, const struct http_response *response);

/* A head whose body is appended next; http_write_end then fills in how long it became. */
size_t http_write_begin(struct buf *out, const struct http_response *response);
void http_write_end(struct buf *out, size_t mark);

/* A head whose body comes in chunks. A chunk is begun, appended and ended; an empty one vanishes.
 * http_chunk_last ends the body. */
void http_write_chunked(struct buf *out, const struct http_response *response);
size_t http_chunk_begin(struct buf *out);
void http_chunk_end(struct buf *out, size_t mark);
void http_chunk_last(struct buf *out);

void http_write_continue(struct buf *out); /* 100 Continue */

/* A request's head; the caller appends `length` bytes of body. content_type and extra as above.
 * A request without a body of its own passes an absent content_type and 0. */
struct http_call {
	struct span method;
	struct span target;
	struct span host;
	struct span content_type;
	struct span extra;
};
void http_write_call(struct buf *out, const struct http_call *call, size_t length);

#endif
