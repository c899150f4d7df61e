/* This file carries batches of expired records from the agenda to the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/expiry.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/core/change.h"

enum { RETRY_MS = 1000, PAGE = 4096, IN_MEMORY = 131072 };

struct expiry {
	struct store *store;
	struct alarms *alarms;
	struct agenda *agenda;
	struct alarm retry;
	struct list rounds;
	int64_t started_ms; /* wall clock */
	uint64_t expired;
	int64_t late_ms, longest_ms;
};

struct round {
	struct list link;
	struct expiry *expiry; /* NULL once it was freed */
	struct store_fetch fetch;
	struct store_waiter waiter;
	struct buf names;
	struct record_key keys[AGENDA_BATCH];
	size_t count;
};

static void finish(struct round *round, int status)
{
	struct expiry *expiry = round->expiry;
	list_remove(&round->link);
	buf_free(&round->names);
	mem_free(round);
	if (expiry == NULL) {
		return;
	}
	if (status != 0 && !alarm_is_set(&expiry->retry)) {
		alarm_set_real(expiry->alarms, &expiry->retry, RETRY_MS);
	}
	agenda_done(expiry->agenda);
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err; /* the store has told it */
	finish(MEM_CONTAINER(waiter, struct round, waiter), status);
}

static void note_lateness(struct expiry *expiry, int64_t at_ms, int64_t now_ms)
{
	expiry->expired++;
	if (at_ms >= expiry->started_ms) {
		expiry->late_ms = now_ms - at_ms;
		expiry->longest_ms =
		        expiry->late_ms > expiry->longest_ms ? expiry->late_ms : expiry->longest_ms;
	}
}

/* What was looked at and found to be otherwise must be so for good, or the entry is still owed. */
static void put_away(struct round *round)
{
	struct expiry *expiry = round->expiry;
	struct store *store = expiry->store;
	int64_t now_ms = store_time_ms(store);
	uint64_t group = 0;
	bool any = false;
	for (size_t i = 0; i < round->count; i++) {
		struct store_look look;
		enum store_state state = store_look(store, round->keys[i], &look);
		group = look.group > group ? look.group : group;
		if (state == STORE_FOUND && change_is_expired(store, &look.record)) {
			note_lateness(expiry, look.record.expires_at_ms, now_ms);
			change_expire(store, round->keys[i], &look.record);
			any = true;
		}
	}
	crash_at(CRASH_EXPIRE);
	if (any) {
		store_commit(store, &round->waiter);
	} else if (store_wait(store, group, &round->waiter)) {
		finish(round, 0);
	}
}

static void fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	(void)err;
	struct round *round = MEM_CONTAINER(fetch, struct round, fetch);
	struct err why;
	if (status == 0 && round->expiry != NULL) {
		status = store_refuses(round->expiry->store, &why);
	}
	if (status != 0 || round->expiry == NULL) {
		finish(round, status);
	} else {
		put_away(round);
	}
}

static void are_due(void *ctx, const struct agenda_due list[], size_t count)
{
	struct expiry *expiry = ctx;
	struct round *round = MEM_NEW(struct round);
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		len += list[i].part.len + list[i].key.len;
	}
	(void)buf_reserve(&round->names, len); /* it does not move any more */
	for (size_t i = 0; i < count; i++) {
		const char *at = round->names.ptr + round->names.len;
		buf_span(&round->names, list[i].part);
		buf_span(&round->names, list[i].key);
		round->keys[i] =
		        (struct record_key){SPACE_STATE, span_make(at, list[i].part.len),
		                            span_make(at + list[i].part.len, list[i].key.len)};
	}
	round->expiry = expiry;
	round->count = count;
	round->fetch.done = fetched;
	round->waiter.done = is_durable;
	list_init(&round->waiter.link);
	list_push(&expiry->rounds, &round->link);
	store_fetch_start(expiry->store, &round->fetch, round->keys, count);
}

static void retry_is_due(struct alarm *alarm)
{
	agenda_restart(MEM_CONTAINER(alarm, struct expiry, retry)->agenda);
}

struct expiry *expiry_new(struct store *store, struct alarms *alarms)
{
	struct expiry *expiry = MEM_NEW(struct expiry);
	expiry->store = store;
	expiry->alarms = alarms;
	expiry->retry.fn = retry_is_due;
	list_init(&expiry->rounds);
	const struct agenda_options options = {.space = SPACE_STATE,
	                                       .page = PAGE,
	                                       .most = IN_MEMORY,
	                                       .due = are_due,
	                                       .ctx = expiry};
	expiry->agenda = agenda_new(store, alarms, &options);
	return expiry;
}

void expiry_free(struct expiry *expiry)
{
	if (expiry == NULL) {
		return;
	}
	LIST_EACH(&expiry->rounds, link)
	{
		MEM_CONTAINER(link, struct round, link)->expiry = NULL;
	}
	while (!list_is_empty(&expiry->rounds)) {
		list_remove(expiry->rounds.next);
	}
	alarm_clear(expiry->alarms, &expiry->retry);
	agenda_free(expiry->agenda);
	mem_free(expiry);
}

void expiry_start(struct expiry *expiry)
{
	expiry->started_ms = clock_wall_ms();
	agenda_start(expiry->agenda);
}

void expiry_note(void *expiry, struct record_key key, int64_t at_ms)
{
	const struct agenda_due due = {key.part, key.key, at_ms};
	agenda_note(((struct expiry *)expiry)->agenda, &due);
}

void expiry_get_stats(const struct expiry *expiry, struct expiry_stats *out)
{
	agenda_get_stats(expiry->agenda, &out->agenda);
	out->expired = expiry->expired;
	out->late_ms = expiry->late_ms;
	out->longest_ms = expiry->longest_ms;
}
