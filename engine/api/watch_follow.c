/* This file shows each event that becomes durable to all who watch live. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch_inside.h"

#include "base/log.h"

/* One event on its way to all. */
struct showing {
	struct watch *watch;
	struct event event;
	bool is_written; /* in watch->shared */
	bool is_matched; /* watch->matching has begun it */
};

enum condition_result interest_asks(const struct interest *interest, struct matching *matching,
                                    struct value *out_error)
{
	return interest->condition != NULL
	               ? condition_eval(interest->condition, matching, SPAN_NONE, out_error)
	               : CONDITION_TRUE;
}

/* It is cut off: what it has not got it asks for again, behind the last id that it has. */
static void cut(struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	watch->counts->cut++;
	log_info("watch", "a watcher of %s%.*s reads too slowly and is cut off",
	         watcher->interest->scope.len != 0 ? "scope " : "all scopes",
	         SPAN_ARG(watcher->interest->scope));
	watcher_end(watcher);
}

static void send_to_all(struct showing *showing, struct interest *interest)
{
	struct watch *watch = showing->watch;
	if (!showing->is_written) {
		showing->is_written = true;
		watch->counts->events++;
		watch_write_event(watch, &showing->event, &watch->shared);
	}
	interest->holders++; /* cutting the last one off must not free it meanwhile */
	LIST_EACH(&interest->watchers, link)
	{
		struct watcher *watcher = MEM_CONTAINER(link, struct watcher, live);
		watch->counts->sent++;
		watcher_send(watcher, &watch->shared);
		if (stream_is_slow(watcher->exchange)) {
			cut(watcher);
		}
	}
	interest_drop(&watch->interests, interest);
	watch->counts->interests = watch->interests.count;
}

/* The conditions have taken their share of this turn: those who have this one read on alone, in
 * the next turns. */
static void put_off(struct watch *watch, struct interest *interest, uint64_t seq)
{
	LIST_EACH(&interest->watchers, link)
	{
		struct watcher *watcher = MEM_CONTAINER(link, struct watcher, live);
		list_remove(&watcher->live);
		watcher->phase = WATCHER_READS;
		watcher->next_seq = seq;
		watcher->epoch = watch->epoch;
	}
	if (!alarm_is_set(&watch->turn)) {
		alarm_set_real(watch->alarms, &watch->turn, 0);
	}
}

static int64_t ask(struct showing *showing, struct interest *interest)
{
	struct watch *watch = showing->watch;
	struct value error = {0};
	if (interest->condition != NULL && !showing->is_matched) {
		showing->is_matched = true;
		matching_begin(&watch->matching, &showing->event);
	}
	int64_t before = showing->is_matched ? matching_spent(&watch->matching) : 0;
	switch (interest_asks(interest, &watch->matching, &error)) {
	case CONDITION_TRUE:
		send_to_all(showing, interest);
		break;
	case CONDITION_ERROR:
		LIST_EACH(&interest->watchers, link)
		{
			watcher_say_error(MEM_CONTAINER(link, struct watcher, live),
			                  &showing->event, error);
		}
		break;
	case CONDITION_FALSE:
		break;
	}
	return showing->is_matched ? matching_spent(&watch->matching) - before : 0;
}

/* Asks all about the event. Returns the steps that conditions took. */
static int64_t show(struct watch *watch, uint64_t seq, struct span bytes, int64_t spent)
{
	struct showing showing = {.watch = watch};
	struct err err;
	if (event_decode(seq, bytes, &showing.event, &err) != 0) {
		log_error("watch", "event %llu cannot be shown: %s", (unsigned long long)seq,
		          err.text);
		return 0;
	}
	watch->epoch = showing.event.epoch;
	int64_t before = spent;
	struct span scope = showing.event.scope;
	struct interest *next = NULL;
	for (struct interest *at = interests_next(&watch->interests, scope, NULL); at != NULL;
	     at = next) {
		next = interests_next(&watch->interests, scope, at);
		if (list_is_empty(&at->watchers) || !interest_fits(at, &showing.event)) {
			continue;
		}
		if (at->condition != NULL && spent > MATCHING_TURN) {
			put_off(watch, at, seq);
		} else {
			spent += ask(&showing, at);
		}
	}
	return spent - before;
}

static void put_all_off(struct watch *watch)
{
	LIST_EACH(&watch->watchers, link)
	{
		struct watcher *watcher = MEM_CONTAINER(link, struct watcher, link);
		if (watcher->phase == WATCHER_LIVE) {
			put_off(watch, watcher->interest, watch->next_seq);
		}
	}
}

void watch_follow(void *ctx, const struct batch *batch)
{
	struct watch *watch = ctx;
	if (watch->counts->watchers == 0) {
		return;
	}
	if (batch->entries[0].seq > watch->next_seq) {
		put_all_off(watch); /* a recovery found entries that were never shown */
	}
	int64_t spent = 0;
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (entry->seq >= watch->next_seq) {
			spent += show(watch, entry->seq, batch_entry_bytes(batch, entry), spent);
		}
		watch->next_seq = entry->seq + 1;
	}
}

void watcher_go_live(struct watcher *watcher)
{
	PRE(watcher->next_seq == watcher->watch->next_seq);
	watcher->phase = WATCHER_LIVE;
	stream_set_most(watcher->exchange, 0);
	list_push(&watcher->interest->watchers, &watcher->live);
}
