/* This file tells times by how far away they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RELATIVE_H
#define CLI_RELATIVE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* A JSON value that is a time: a number of ms since 1970, or a text of RFC 3339. */
bool relative_read(struct span value, int64_t *out_ms);
/* Appends "in 5 m 30 s", "2 h ago", "now"; a date where it is more than 60 days away. */
void relative_write(int64_t at_ms, int64_t now_ms, struct buf *out);
/* Appends the time itself, RFC 3339. */
void relative_write_exact(int64_t at_ms, struct buf *out);

#endif
