/* This file reads HTTP/1.1 requests, as a server gets them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "wire/http_head.h"

/*
 * DESIGN. A reader is fed bytes and stops behind each request, so that the caller answers in order:
 *
 *   while (bytes.len > 0) {
 *           switch (http_reader_feed(reader, bytes, &used, &fault)) ... bytes moved on by `used`
 *   }
 *
 *   HTTP_MORE      everything was taken, nothing is complete
 *   HTTP_CONTINUE  a head with Expect: 100-continue is complete and its body is not here yet: the
 *                  request can be looked at (its body is empty). Write http_write_continue and feed
 *                  on, or answer and close. Given at most once a request
 *   HTTP_READY     http_reader_request is whole. The next feed begins the next one
 *   HTTP_FAILED    answer with the fault and close: the reader takes no more
 *
 * A request that lies whole in the bytes of one feed is not copied: its spans point there. They are
 * good until the next feed and as long as those bytes stand; http_reader_keep copies what is still
 * borrowed. The head is scanned before http-parser sees it (wire/http_head.h). Timeouts are the
 * caller's: http_reader_phase tells what is being waited for.
 */
struct http_reader;

struct http_limits {
	size_t head; /* bytes of request line and fields, at most 64 KiB; over it: 431 */
	size_t body; /* bytes; over it: 413, before a byte of it is kept */
};

enum http_step { HTTP_MORE, HTTP_CONTINUE, HTTP_READY, HTTP_FAILED };
enum http_phase { HTTP_IDLE, HTTP_IN_HEAD, HTTP_IN_BODY };

struct http_request {
	struct span method; /* "GET" */
	struct span target; /* as it was sent */
	struct span path;   /* begins with '/' (or is "*" for OPTIONS); still percent-encoded */
	struct span query;  /* without the '?'; absent when there is none */
	struct span host;   /* Host; absent only in HTTP/1.0 */
	const struct http_header *headers;
	size_t header_count;
	struct span body; /* empty when there is none */
	bool keep_alive;
	bool expects_continue;
	bool takes_chunks;         /* HTTP/1.1: the reply's length need not be known */
	bool is_websocket;         /* GET, 1.1, Upgrade, Connection, version 13, a right key */
	struct span websocket_key; /* of 24 characters when is_websocket */
};

struct http_reader *http_reader_new(struct http_limits limits);
void http_reader_free(struct http_reader *reader);
enum http_step http_reader_feed(struct http_reader *reader, struct span bytes, size_t *out_used,
                                struct http_fault *fault);
const struct http_request *http_reader_request(const struct http_reader *reader);
void http_reader_keep(struct http_reader *reader);
enum http_phase http_reader_phase(const struct http_reader *reader);

/* Absent when there is no such field; ASCII case does not count. */
struct span http_request_header(const struct http_request *request, struct span name);

#endif
