/* This file keeps what is to be exported of one kind, and sends it, bounded and without a hurry. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_OTLP_QUEUE_H
#define ENGINE_WORK_OTLP_QUEUE_H

#include "base/buf.h"
#include "base/list.h"
#include "base/span.h"
#include "engine/durable/alarm.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Items are collected into a body until there are OTLP_ITEMS_MOST of them or a second has
 * passed; bodies go out one after the other. One that the collector cannot take now is tried again
 * a few times, with growing waits; one that it refuses is dropped. Over OTLP_BYTES_MOST whatever
 * comes is dropped. Everything that is dropped is counted; nobody waits for any of it.
 */
enum { OTLP_ITEMS_MOST = 512, OTLP_BYTES_MOST = 4 * 1024 * 1024 };

struct webhook_fetch;
struct webhook_fetcher;

/* What all queues of an exporter share; outlives them. */
struct otlp_post {
	struct webhook_fetcher *fetcher;
	struct alarms *alarms;
	struct span headers; /* "Name: value" and a NUL, each */
	int64_t timeout_ms;
	void (*sent)(struct otlp_post *post); /* something has ended: a queue may be empty now */
};

struct otlp_queue {
	struct otlp_post *post;
	char *url; /* owned */
	const char
	        *before; /* what stands around the items of a body: literals, or the exporter's */
	const char *after;
	struct buf items;
	size_t count;
	size_t mark;       /* where the item that is being written began */
	struct list ready; /* bodies; the first may be on its way */
	size_t bytes;      /* of all of this */
	struct webhook_fetch *fetch;
	unsigned tries;
	bool is_waiting;        /* between two tries */
	struct alarm due;       /* the items, or the next try */
	bool is_closing;        /* nothing waits any more */
	uint64_t sent, dropped; /* items */
};

/* Takes the url; `before` and `after` outlive it. */
void otlp_queue_init(struct otlp_queue *queue, struct otlp_post *post, char *url,
                     const char *before, const char *after);
void otlp_queue_close(struct otlp_queue *queue); /* what is left is dropped */

/* Where to append an item, then end it; NULL: there is no room, and it was counted. */
struct buf *otlp_queue_item(struct otlp_queue *queue);
void otlp_queue_end(struct otlp_queue *queue);
/* A whole body from somebody else; copied. */
void otlp_queue_body(struct otlp_queue *queue, struct span body);
/* Sends what there is now, and tries nothing twice from here on. */
void otlp_queue_flush(struct otlp_queue *queue);
bool otlp_queue_is_empty(const struct otlp_queue *queue);

#endif
