/* This file reads and writes the percent-encoding of paths and queries. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* Appends the decoded bytes. False, with `out` as it was, for a bad escape or a NUL. */
bool url_decode(struct span text, struct buf *out);
/* The same for a value of a query, in which '+' is a space. */
bool url_decode_query(struct span text, struct buf *out);

/* Appends `plain` so that it can stand as one segment of a path or one value of a query. */
void url_encode(struct span plain, struct buf *out);

/* The next segment of a path: moves *path behind it. "/a//b" has the segments "a", "", "b". False
 * at the end. Segments are still encoded. */
bool url_next_segment(struct span *path, struct span *out_segment);

/* The next name and value of a query, still encoded; the value is absent when there is no '='. */
bool url_next_param(struct span *query, struct span *out_name, struct span *out_value);

/* The first value of `name` (a plain word), still encoded; false when it is not there. */
bool url_param(struct span query, struct span name, struct span *out_value);

#endif
