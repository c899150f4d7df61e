/* This file reads HTTP/1.1 responses, as a client gets them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HTTP_ANSWER_H
#define WIRE_HTTP_ANSWER_H

#include "wire/http_head.h"

/*
 * DESIGN. Feed until HTTP_ANSWER_MORE comes, then read more bytes from the peer:
 *
 *   HTTP_ANSWER_HEAD  once: status and header fields are there (interim answers are skipped, save
 *                     101 Switching Protocols)
 *   HTTP_ANSWER_BODY  *out_piece is some of the body, borrowed from the bytes fed
 *   HTTP_ANSWER_DONE  once, behind the last piece; bytes not used belong to what follows. The next
 *                     feed begins the next answer
 *
 * At end of stream http_answer_end says whether the answer may end there.
 */
struct http_answer;

enum http_answer_step {
	HTTP_ANSWER_MORE,
	HTTP_ANSWER_HEAD,
	HTTP_ANSWER_BODY,
	HTTP_ANSWER_DONE,
	HTTP_ANSWER_FAILED
};

struct http_answer *http_answer_new(void);
void http_answer_free(struct http_answer *answer);

/* The answer that comes next is one to HEAD: it has no body, whatever its fields say. */
void http_answer_expect_no_body(struct http_answer *answer);

/* *fault of HTTP_ANSWER_FAILED has a code and a text; its status means nothing. */
enum http_answer_step http_answer_feed(struct http_answer *answer, struct span bytes,
                                       size_t *out_used, struct span *out_piece,
                                       struct http_fault *fault);
bool http_answer_end(const struct http_answer *answer);

/* Since HTTP_ANSWER_HEAD, until the next answer begins. */
int http_answer_status(const struct http_answer *answer);
struct span http_answer_header(const struct http_answer *answer, struct span name);
bool http_answer_keeps_alive(const struct http_answer *answer);

#endif
