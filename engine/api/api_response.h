/* This file reads the reply that a function's result stands for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_API_RESPONSE_H
#define ENGINE_API_API_RESPONSE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * DESIGN. A result is {"status_code","headers","body"}, each of which may be missing; an object
 * that has none of them, and any other value, is the body itself. No result, or null, is 204.
 * `headers` is an object of names to a text, a number or a list of texts, or a list of "Name:
 * value". What the connection decides (Content-Length, Connection, ...) is passed over.
 *
 * Without a Content-Type, or with one of JSON, the body is sent as JSON; with another one a text is
 * sent as it is. Bytes are {"type":"Buffer","data":[...]}, which is what a Buffer of Node becomes,
 * or base64 with "body_encoding":"base64".
 */
struct api_response {
	int status;
	struct buf content_type;
	struct buf headers; /* whole lines */
	struct buf body;
};

/* All zero before; api_response_close in any case. E_INVALID "invalid_response" says what is wrong;
 * an absent result is valid. */
int api_response_read(struct span result, struct api_response *out, struct err *err);
void api_response_close(struct api_response *response);

#endif
