/* This file reads server-sent events, as a client gets them piece by piece. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_SSE_READER_H
#define WIRE_SSE_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed during the call. */
struct sse_event {
	struct span id;   /* the last one that was given, perhaps with an earlier event; or empty */
	struct span name; /* "message" when it has none */
	struct span data;
};

/* Returning false: no more are wanted. */
typedef bool sse_event_fn(void *ctx, const struct sse_event *event);

/* Set the first three, all else is zero. */
struct sse_reader {
	sse_event_fn *event;
	void *ctx;
	size_t max_bytes; /* of one event */
	/* the reader's */
	struct buf line;
	struct buf id; /* of the last event that ended, with or without data */
	struct buf next_id;
	struct buf name;
	struct buf data;
	int64_t retry_ms; /* 0: nobody has said */
	bool has_begun;
	bool is_after_cr;
	bool is_stopped;
};

void sse_reader_close(struct sse_reader *reader);
/* E_LIMIT "event_too_large". */
int sse_reader_feed(struct sse_reader *reader, struct span bytes, struct err *err);
/* A new connection: what has begun and not ended is dropped, the id stays. */
void sse_reader_restart(struct sse_reader *reader);

#endif
