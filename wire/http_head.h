/* This file takes the head of an HTTP message apart and refuses what could be read two ways. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HTTP_HEAD_H
#define WIRE_HTTP_HEAD_H

#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEADERS_MAX = 64 };

struct http_header {
	struct span name;
	struct span value; /* without the white space around it */
};

/* Why a message is refused: what to answer with. All text is static. */
struct http_fault {
	int status;       /* 400, 413, 431, ... */
	const char *code; /* "bad_request": a stable word of our API */
	const char *text; /* a sentence for people */
};

/* What the header fields of one message say. */
struct http_head {
	struct span first_line;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t count;
	struct span host;          /* absent when there is none */
	bool is_chunked;           /* Transfer-Encoding: chunked */
	bool has_length;           /* Content-Length was there */
	uint64_t length;           /* and its value */
	bool expects_continue;     /* Expect: 100-continue */
	bool connection_close;     /* Connection names close */
	bool connection_keep;      /* Connection names keep-alive */
	bool connection_upgrade;   /* Connection names upgrade */
	bool upgrade_websocket;    /* Upgrade names websocket */
	struct span websocket_key; /* Sec-WebSocket-Key, checked by nobody yet */
	struct span websocket_version;
};

/*
 * Finds the end of the head in `bytes`, looking from *scanned on, so that bytes that arrive one by
 * one are looked at once. 0 while it is not there yet (*scanned is then moved on), else its length
 * with the empty line. *out_bare_lf is true when a line ends without a carriage return: no end will
 * be looked for behind it.
 */
size_t http_head_end(struct span bytes, size_t *scanned, bool *out_bare_lf);

/*
 * Splits a whole head (empty line included) into `out`, whose spans point into it. False with
 * *fault for: control bytes, obs-fold, white space before the colon, a name that is no token, more
 * than HTTP_HEADERS_MAX fields, two Content-Lengths or two Hosts even when they are equal,
 * Content-Length beside Transfer-Encoding, a Transfer-Encoding other than chunked, two
 * Sec-WebSocket-Keys, an Expect other than 100-continue.
 */
bool http_head_parse(struct span head, struct http_head *out, struct http_fault *fault);

/* The first field of that name (ASCII case does not count), absent when there is none. */
struct span http_header_get(const struct http_header headers[], size_t count, struct span name);
/* True when the comma-separated `value` names `token`, ASCII case aside. */
bool http_value_has(struct span value, struct span token);
/* Equal, ASCII case aside. */
bool http_text_equal(struct span a, struct span b);

#endif
