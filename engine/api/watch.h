/* This file streams changes to those who watch: GET /v1/watch, as server-sent events. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_WATCH_H
#define ENGINE_API_WATCH_H

#include "base/span.h"
#include <stdint.h>

/*
 * DESIGN. Live watchers are shown each durable event in the turn in which it becomes durable. What
 * they want is asked once for all who want the same (interest.h), and an event is written out once
 * for all of them. Who is behind the head reads the journal alone, slowly if its peer reads slowly,
 * until it meets the place up to which live ones have seen everything; there it joins them, so that
 * nothing is lost and nothing comes twice.
 *
 *      checks --position good--> reads --at the head--> live --reads too slowly--> cut
 *        |                        ^  ^                   |
 *        +--snapshot--> scans ----+  +--conditions are dear--+
 *        +--position gone: 410
 *
 * A position is "log-epoch-seq" and means: everything up to this event was seen. It is good if that
 * event is still in the journal and was written in that epoch or before: a later one may have given
 * its seq again, after a crash that lost it. A position without an epoch is taken at its word.
 *
 * A snapshot takes the head first, then walks the records page by page, then reads the changes
 * since that head. A record may be newer than the head, and its changes come again then: whoever
 * applies them in their order ends with what the engine has.
 */
struct core;
struct exchange;
struct http_request;
struct watch;

struct watch_options {
	int64_t heartbeat_ms; /* a stream is never silent for longer */
	int64_t retry_ms;     /* what clients are told to wait before they connect again */
};

/* The store is open. */
struct watch *watch_new(struct core *core, const struct watch_options *options);
/* The streams have ended; requests that still wait are answered 503. */
void watch_free(struct watch *watch); /* NULL is harmless */
void watch_configure(struct watch *watch, const struct watch_options *options);

/* Answers the request: with a stream, or with a problem. */
void watch_open(void *watch, struct exchange *exchange, const struct http_request *http);

#endif
