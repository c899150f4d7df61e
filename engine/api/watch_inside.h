/* This file is what the files of watch share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_WATCH_INSIDE_H
#define ENGINE_API_WATCH_INSIDE_H

#include "base/list.h"
#include "engine/api/interest.h"
#include "engine/api/stream.h"
#include "engine/api/watch.h"
#include "engine/api/watch_query.h"
#include "engine/core/tokens.h"
#include "engine/core/watch_counts.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"

struct watch {
	struct store *store;
	struct alarms *alarms;
	struct tokens *tokens; /* NULL: nobody is asked for one */
	struct watch_counts *counts;
	struct watch_options options;
	char log[ADAPTER_LOG_LEN + 1];
	struct interests interests;
	struct matching matching;   /* the event that interests are being asked about */
	struct list watchers;       /* watcher.link */
	uint64_t next_seq;          /* the first event that live ones have not been shown */
	uint64_t epoch;             /* of the one before, or of the journal */
	struct alarm beat;          /* set while there are watchers */
	struct alarm turn;          /* somebody reads on in the next turn of the loop */
	struct stream_piece piece;  /* what is being said */
	struct stream_piece shared; /* the event at hand, for live ones */
	struct buf id;
};

enum watcher_phase { WATCHER_CHECKS, WATCHER_SCANS, WATCHER_READS, WATCHER_LIVE };

struct watch_work;

struct watcher {
	struct list link;
	struct list live; /* interest.watchers, while it is live */
	struct watch *watch;
	struct interest *interest;
	struct exchange *exchange;
	struct token_hold hold;
	struct watch_work *work; /* what the store does for it now; NULL: nothing */
	struct watch_scan *scan; /* while it scans */
	enum watcher_phase phase;
	bool wants_snapshot;
	bool has_spoken;   /* since the last beat */
	bool told_error;   /* of its condition */
	uint64_t next_seq; /* the first event that it has not seen */
	uint64_t epoch;    /* of the position before */
};

/* What is asked of the store outlives the watcher: embedded in the request. */
struct watch_work {
	struct watcher *watcher; /* NULL: it has gone */
};

/* ---- watch_say.c: what goes over the stream ---- */

void watcher_say_hello(struct watcher *watcher); /* retry: */
/* The position that it stands at, as an event of this name. */
void watcher_say_position(struct watcher *watcher, const char *name, uint64_t records);
void watcher_say_begin(struct watcher *watcher); /* of a snapshot */
void watcher_say_record(struct watcher *watcher, struct span key, const struct record *record);
void watcher_say_beat(struct watcher *watcher);
/* Writes the event into `piece`. */
void watch_write_event(struct watch *watch, const struct event *event, struct stream_piece *piece);
/* Once for each watcher: its condition failed at this event. */
void watcher_say_error(struct watcher *watcher, const struct event *event, struct value error);
void watcher_send(struct watcher *watcher, const struct stream_piece *piece);

/* ---- watch_follow.c: those who are live ---- */

void watch_follow(void *watch, const struct batch *batch);
void watcher_go_live(struct watcher *watcher); /* it stands at watch->next_seq */
/* Asks the condition about the event of watch->matching, if there is one. */
enum condition_result interest_asks(const struct interest *interest, struct matching *matching,
                                    struct value *out_error);

/* ---- watch_read.c: those who are behind ---- */

/* It stands behind the head, or at it: reads, or goes live. Harmless at any time. */
void watcher_read_on(struct watcher *watcher);
void watch_turn_is_due(struct alarm *alarm);

/* ---- watch_scan.c: those who want a snapshot ---- */

void watcher_scan_begin(struct watcher *watcher);
void watcher_scan_on(struct watcher *watcher);
void watch_scan_free(struct watch_scan *scan);

/* ---- watch.c ---- */

void watcher_end(struct watcher *watcher); /* the stream ends; it is freed */

#endif
