/* This file holds the header fields that a function's requests are to carry. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_HEADERS_H
#define ENGINE_WORK_WEBHOOK_HEADERS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/work/webhook_template.h"
#include <stdbool.h>
#include <stddef.h>

struct webhook_header {
	char *name;
	struct webhook_template *value;
};

struct webhook_headers {
	struct webhook_header *items;
	size_t count;
	bool asks;       /* some value depends on the event */
	bool has_secret; /* what goes out is not for everybody */
};

/* `json` is an object of texts, or absent. `known` NULL: the texts are not filled in. E_INVALID
 * "invalid_invocation". *out is all zero before. */
int webhook_headers_read(struct span json, const struct webhook_known *known,
                         struct webhook_headers *out, struct err *err);
void webhook_headers_close(struct webhook_headers *headers);

/* A field whose name begins with `prefix` (in any case), NULL if there is none. */
const char *webhook_headers_find(const struct webhook_headers *headers, const char *prefix);

/* Appends "Name: value" and a NUL for each; those without a value are left out. E_INVALID
 * "template_failed", "header_failed" (a line break in a value). */
int webhook_headers_write(const struct webhook_headers *headers, struct matching *matching,
                          struct span metadata, struct buf *out, struct err *err);

/* Is it one word as HTTP has it? */
bool webhook_is_token(const char *text);

#endif
