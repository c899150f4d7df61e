/* This file writes server-sent events: the text of a stream of type text/event-stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/buf.h"
#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

#define SSE_TYPE "text/event-stream"

/* An event is its fields in any order, the data last. Ids and names hold no line break. */
void sse_write_id(struct buf *out, struct span id);
void sse_write_name(struct buf *out, struct span name);

/* Append the data between the two; what has several lines becomes as many fields. The end is the
 * end of the event. */
size_t sse_data_begin(struct buf *out);
void sse_data_end(struct buf *out, size_t mark);

/* Ends an event that has no data: nobody gets it, but its id counts. */
void sse_write_end(struct buf *out);

void sse_write_comment(struct buf *out, const char *text); /* one line */
/* How long a client is to wait before it connects again; ends the event. */
void sse_write_retry(struct buf *out, int64_t ms);

#endif
