/* This file reads what a watcher asks for: which events, and from where on. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_WATCH_QUERY_H
#define ENGINE_API_WATCH_QUERY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

struct http_request;

/* The parameters of the route, for its row in the table. */
#define WATCH_PARAMS "scope prefix when events since snapshot:bool token"

/* Behind which event the stream is to begin. */
struct watch_position {
	struct span log; /* absent: it is a seq only, of whatever epoch */
	uint64_t epoch;
	uint64_t seq;
};

struct watch_query {
	struct buf scope; /* empty: any */
	bool is_glob;     /* of the scope; else it is exact */
	struct buf prefix;
	struct buf when;     /* empty: none */
	unsigned events;     /* bit 1 << kind for each wanted kind */
	bool wants_snapshot; /* unless the position is good */
	bool has_position;
	struct watch_position position;
	struct buf since; /* what the position was read from */
};

/* Last-Event-ID counts more than `since`. E_INVALID "unknown_parameter", "invalid_parameter". */
int watch_query_read(const struct http_request *http, struct watch_query *out, struct err *err);
/* Harmless for one that is all zero. */
void watch_query_close(struct watch_query *query);

/* An event's id or a plain seq. `out` points into the text. */
bool watch_position_parse(struct span text, struct watch_position *out);

#endif
