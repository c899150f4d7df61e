/* This file reads the journal for watchers that are behind the head, until they meet it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch_inside.h"

#include "base/log.h"
#include "base/mem.h"

enum {
	RECENT_MOST = 1024, /* events from memory in one go */
	CHUNK_ENTRIES = 512,
	CHUNK_BYTES = 256 * 1024
};

struct watch_reading {
	struct watch_work work;
	struct store_read read;
	int64_t spent; /* steps of conditions */
};

static void show_one(struct watcher *watcher, const struct event *event)
{
	struct watch *watch = watcher->watch;
	struct value error = {0};
	switch (interest_asks(watcher->interest, &watch->matching, &error)) {
	case CONDITION_TRUE:
		watch->counts->reread++;
		watch_write_event(watch, event, &watch->piece);
		watcher_send(watcher, &watch->piece);
		break;
	case CONDITION_ERROR:
		watcher_say_error(watcher, event, error);
		break;
	case CONDITION_FALSE:
		break;
	}
}

/* Moves on by one event. Returns the steps that its condition took. */
static int64_t take(struct watcher *watcher, uint64_t seq, struct span bytes)
{
	struct watch *watch = watcher->watch;
	struct event event;
	struct err err;
	watcher->next_seq = seq + 1;
	if (event_decode(seq, bytes, &event, &err) != 0) {
		log_error("watch", "event %llu cannot be shown: %s", (unsigned long long)seq,
		          err.text);
		return 0;
	}
	watcher->epoch = event.epoch;
	if (!interest_fits(watcher->interest, &event)) {
		return 0;
	}
	matching_begin(&watch->matching, &event);
	show_one(watcher, &event);
	return matching_spent(&watch->matching);
}

static bool may_take(const struct watcher *watcher, uint64_t seq, int64_t spent)
{
	return seq == watcher->next_seq && seq < watcher->watch->next_seq &&
	       spent <= MATCHING_TURN && !stream_is_slow(watcher->exchange);
}

static void entry_read(void *ctx, uint64_t seq, struct span bytes)
{
	struct watch_reading *reading = ctx;
	struct watcher *watcher = reading->work.watcher;
	if (watcher != NULL && may_take(watcher, seq, reading->spent)) {
		reading->spent += take(watcher, seq, bytes);
	}
}

static void read_next_turn(struct watch *watch)
{
	if (!alarm_is_set(&watch->turn)) {
		alarm_set_real(watch->alarms, &watch->turn, 0);
	}
}

/* The events that it wants next are gone, or cannot be read: its peer asks again and is told. */
static void give_up(struct watcher *watcher, const struct err *err)
{
	log_info("watch", "a stream ends behind event %llu: %s",
	         (unsigned long long)watcher->next_seq - 1, err->text);
	watcher_end(watcher);
}

static void read_done(struct store_read *read, int status, const struct err *err)
{
	struct watch_reading *reading = MEM_CONTAINER(read, struct watch_reading, read);
	struct watcher *watcher = reading->work.watcher;
	bool is_long = reading->spent > MATCHING_TURN;
	mem_free(reading);
	if (watcher == NULL) {
		return;
	}
	watcher->work = NULL;
	if (status != 0) {
		give_up(watcher, err);
	} else if (is_long) {
		read_next_turn(watcher->watch);
	} else {
		watcher_read_on(watcher);
	}
}

static void read_journal(struct watcher *watcher)
{
	struct watch_reading *reading = MEM_NEW(struct watch_reading);
	reading->work.watcher = watcher;
	reading->read = (struct store_read){
	        .from = watcher->next_seq,
	        .count = CHUNK_ENTRIES,
	        .max_bytes = CHUNK_BYTES,
	        .entry = entry_read,
	        .ctx = reading,
	        .done = read_done,
	};
	watcher->work = &reading->work;
	store_read_start(watcher->watch->store, &reading->read);
}

/* What is in memory still costs no reading. Returns the steps that conditions took. */
static int64_t take_recent(struct watcher *watcher)
{
	const struct store *store = watcher->watch->store;
	int64_t spent = 0;
	struct span bytes;
	for (int i = 0; i < RECENT_MOST && may_take(watcher, watcher->next_seq, spent) &&
	                store_recent(store, watcher->next_seq, &bytes);
	     i++) {
		spent += take(watcher, watcher->next_seq, bytes);
	}
	return spent;
}

void watcher_read_on(struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	if (watcher->phase != WATCHER_READS || watcher->work != NULL) {
		return;
	}
	uint64_t began = watcher->next_seq;
	int64_t spent = take_recent(watcher);
	if (stream_is_slow(watcher->exchange)) {
		stream_await_relief(watcher->exchange);
		return;
	}
	if (watcher->next_seq == watch->next_seq) {
		watcher_go_live(watcher);
	} else if (spent > MATCHING_TURN || watcher->next_seq - began == RECENT_MOST) {
		read_next_turn(watch);
	} else {
		read_journal(watcher);
	}
}

void watch_turn_is_due(struct alarm *alarm)
{
	struct watch *watch = MEM_CONTAINER(alarm, struct watch, turn);
	LIST_EACH(&watch->watchers, link)
	{
		watcher_read_on(MEM_CONTAINER(link, struct watcher, link));
	}
}
