/* This file reads which requests an HTTP trigger wants: a method and a pattern of a path. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_HTTP_RULE_H
#define TRIGGERS_HTTP_RULE_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A pattern is a list of segments: plain text ("users"), a parameter that is one segment
 * (":id"), or, as the last one, all that is left ("*path", or "*" alone). Two patterns that differ
 * in the names of their parameters only ask for the same paths. Text is compared with segments that
 * are decoded already.
 */
enum { HTTP_PATH_MAX = 1024, HTTP_SEGMENTS_MAX = 32 };

enum http_segment_kind { HTTP_TEXT, HTTP_PARAM, HTTP_REST };

struct http_segment {
	enum http_segment_kind kind;
	struct span
	        text; /* of a parameter its name; of a nameless rest "*"; points into the path */
};

struct http_rule {
	struct span method; /* one of http_methods */
	struct span path;   /* begins with '/'; owned */
	struct http_segment segments[HTTP_SEGMENTS_MAX];
	size_t count;
	struct span *middleware; /* functions that are asked first, in their order; owned */
	size_t middleware_count;
	bool raw_body; /* the handler wants the bytes of the body, too */
};

extern const char *const http_methods[]; /* "GET", ...; ends with NULL */

/* `method` in any case. E_INVALID "invalid_trigger" says what is wrong with which of them. The rule
 * is the caller's to free. */
int http_rule_new(struct span method, struct span path, struct http_rule **out, struct err *err);
void http_rule_free(struct http_rule *rule); /* NULL is harmless */

#endif
