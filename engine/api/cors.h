/* This file says which web pages may read what HTTP triggers answer (CORS). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CORS_H
#define ENGINE_API_CORS_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* `allowed` is NULL-terminated and may be NULL: "https://app.example.com", or "*" for all. */
bool cors_allows(const char *const *allowed, struct span origin);
/* Appends the header lines of a reply to a page of that origin, which is allowed. */
void cors_write(const char *const *allowed, struct span origin, struct buf *out);
/* Appends those of the answer to a preflight besides: which methods, and the fields asked for. */
void cors_write_preflight(struct span methods, struct span asked_fields, struct buf *out);

#endif
