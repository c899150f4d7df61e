/* This file makes what the function of an HTTP trigger gets from the request that woke it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_API_REQUEST_H
#define ENGINE_API_API_REQUEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/http_rule.h"
#include "wire/http.h"

/*
 * DESIGN. {"path_params","query_params","headers","path","method"} come first, then {"trigger",
 * "context","body"}: a middleware gets the first part only. A body is JSON, an object of the fields
 * of a form, or a text, as its Content-Type says; what is none of these is base64, and
 * "body_encoding" says so. Without a Content-Type it is JSON if it can be, else a text.
 */
enum { API_SEGMENTS_MAX = 256 };

/* A path taken apart and decoded. */
struct api_path {
	struct span segments[API_SEGMENTS_MAX]; /* these point into `text` */
	size_t count;
	struct buf text;
};

/* E_INVALID "invalid_path", E_LIMIT "invalid_path". All zero before; api_path_close in any case. */
int api_path_read(struct span path, struct api_path *out, struct err *err);
void api_path_close(struct api_path *path);

/* Appends an object. *out_head is how much of it (its closing brace missing) the first part is.
 * E_INVALID "invalid_parameter", "invalid_json", "invalid_form". */
int api_request_write(const struct http_request *http, const struct http_rule *rule,
                      const struct api_path *path, struct buf *out, size_t *out_head,
                      struct err *err);

#endif
