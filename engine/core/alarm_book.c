/* This file carries batches of due alarms from the agenda to the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_book.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_close.h"
#include "engine/core/alarm_times.h"
#include "engine/durable/space.h"
#include "triggers/event.h"

enum { RETRY_MS = 1000, PAGE = 4096, IN_MEMORY = 131072 };

struct alarm_book {
	struct store *store;
	struct alarms *alarms;
	struct agenda *agenda;
	struct alarm retry;
	struct list rounds;
	struct alarm_store records;
	struct alarm_closings *closings;
	int64_t started_ms; /* wall clock */
	uint64_t fired;
	uint64_t late[ALARM_BUCKETS];
	int64_t worst_ms;
};

struct round {
	struct list link;
	struct alarm_book *book; /* NULL once it was freed */
	struct store_fetch fetch;
	struct store_waiter waiter;
	struct buf names;
	struct record_key keys[AGENDA_BATCH];
	size_t count;
};

/* ---- firing ---- */

static void note_lateness(struct alarm_book *book, int64_t scheduled_ms, int64_t now_ms)
{
	book->fired++;
	if (scheduled_ms < book->started_ms) {
		return;
	}
	int64_t late_ms = now_ms - scheduled_ms;
	size_t bucket = 0;
	while (bucket < ALARM_BUCKETS - 1 && late_ms > alarm_bucket_ms[bucket]) {
		bucket++;
	}
	book->late[bucket]++;
	book->worst_ms = late_ms > book->worst_ms ? late_ms : book->worst_ms;
}

static void put_event(struct alarm_book *book, const struct alarm_address *address,
                      const struct alarm_record *record, const struct alarm_firing *firing)
{
	struct store *store = book->store;
	struct adapter_head head;
	struct buf told = {0};
	uint32_t value_at;
	store_head(store, &head);
	alarm_record_tell(address, record, firing->scheduled_ms, record->fired_ms, firing->missed,
	                  &told);
	const struct event event = {
	        .seq = record->running_seq,
	        .epoch = head.epoch,
	        .kind = EVENT_ALARM_DUE,
	        .scope = address->scope,
	        .key = address->key,
	        .new_value = buf_view(&told),
	        .time_ms = record->fired_ms,
	};
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store);
	buf_free(&told);
}

static void fire(struct alarm_book *book, const struct alarm_address *address,
                 struct alarm_record *record)
{
	int64_t now_ms = store_time_ms(book->store);
	const struct alarm_firing firing = alarm_times_fire(record, now_ms);
	record->next_ms = firing.next_ms;
	if (firing.is_left_out) {
		if (record->next_ms != 0) {
			alarm_store_put(&book->records, address, record);
		} else {
			alarm_store_remove(&book->records, address);
		}
		return;
	}
	record->running_seq = store_next_seq(book->store);
	record->running_ms = firing.scheduled_ms;
	record->fired_ms = now_ms;
	record->failure = SPAN_NONE;
	record->firings++;
	note_lateness(book, firing.scheduled_ms, now_ms);
	put_event(book, address, record, &firing);
	alarm_store_put(&book->records, address, record);
}

/* True: something was put. */
static bool look_at(struct alarm_book *book, const struct alarm_address *address, uint64_t *group)
{
	struct alarm_found found = {0};
	struct err err;
	bool fires = false;
	if (alarm_store_look(book->store, address, &found, &err) != 0) {
		log_error("alarm", "\"%.*s\" of \"%.*s\" in \"%.*s\" cannot fire: %s",
		          SPAN_ARG(address->name), SPAN_ARG(address->key), SPAN_ARG(address->scope),
		          err.text);
	} else if (found.record.running_seq != 0) {
		alarm_close_look(book->closings, address, found.record.running_seq);
	} else if (found.record.next_ms != 0 &&
	           found.record.next_ms <= store_time_ms(book->store)) {
		fire(book, address, &found.record);
		fires = true;
	}
	*group = found.group > *group ? found.group : *group;
	alarm_found_close(&found);
	return fires;
}

/* ---- batches ---- */

static void ask_again(struct alarm_book *book)
{
	if (!alarm_is_set(&book->retry)) {
		alarm_set_in(book->alarms, &book->retry, RETRY_MS);
	}
}

static void finish(struct round *round, int status)
{
	struct alarm_book *book = round->book;
	list_remove(&round->link);
	buf_free(&round->names);
	mem_free(round);
	if (book == NULL) {
		return;
	}
	if (status != 0) {
		ask_again(book);
	}
	agenda_done(book->agenda);
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err; /* the store has told it */
	finish(MEM_CONTAINER(waiter, struct round, waiter), status);
}

/* What was looked at and found to be otherwise must be so for good, or the entry is still owed. */
static void look_at_all(struct round *round)
{
	struct alarm_book *book = round->book;
	uint64_t group = 0;
	bool any = false;
	for (size_t i = 0; i < round->count; i++) {
		struct alarm_address address = {.scope = round->keys[i].part};
		struct err err;
		if (space_parse_alarm(round->keys[i].key, &address.key, &address.name, &err) == 0) {
			any |= look_at(book, &address, &group);
		} else {
			log_error("alarm", "%s", err.text);
		}
	}
	crash_at(CRASH_ALARM);
	if (any) {
		store_commit(book->store, &round->waiter);
	} else if (store_wait(book->store, group, &round->waiter)) {
		finish(round, 0);
	}
}

static void fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	(void)err;
	struct round *round = MEM_CONTAINER(fetch, struct round, fetch);
	struct err why;
	if (status == 0 && round->book != NULL) {
		status = store_refuses(round->book->store, &why);
	}
	if (status != 0 || round->book == NULL) {
		finish(round, status);
	} else {
		look_at_all(round);
	}
}

static struct span keep(struct buf *text, struct span from)
{
	size_t at = text->len;
	buf_span(text, from);
	return span_make(text->ptr + at, from.len);
}

static void are_due(void *ctx, const struct agenda_due list[], size_t count)
{
	struct alarm_book *book = ctx;
	struct round *round = MEM_NEW(struct round);
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		len += list[i].part.len + list[i].key.len;
	}
	(void)buf_reserve(&round->names, len); /* it does not move any more */
	for (size_t i = 0; i < count; i++) {
		const struct span part = keep(&round->names, list[i].part);
		const struct span key = keep(&round->names, list[i].key);
		round->keys[i] = (struct record_key){SPACE_ALARM, part, key};
	}
	round->book = book;
	round->count = count;
	round->fetch.done = fetched;
	round->waiter.done = is_durable;
	list_init(&round->waiter.link);
	list_push(&book->rounds, &round->link);
	store_fetch_start(book->store, &round->fetch, round->keys, count);
}

static void retry_is_due(struct alarm *alarm)
{
	agenda_restart(MEM_CONTAINER(alarm, struct alarm_book, retry)->agenda);
}

void alarm_book_look_again(struct alarm_book *book)
{
	ask_again(book);
}

/* ---- life ---- */

static void is_to_come(void *ctx, struct record_key key, int64_t at_ms)
{
	const struct agenda_due due = {key.part, key.key, at_ms};
	agenda_note(((struct alarm_book *)ctx)->agenda, &due);
}

struct alarm_book *alarm_book_new(const struct core *core)
{
	struct alarm_book *book = MEM_NEW(struct alarm_book);
	book->store = core->store;
	book->alarms = core->alarms;
	book->retry.fn = retry_is_due;
	list_init(&book->rounds);
	book->records = (struct alarm_store){
	        .store = core->store,
	        .traces = alarm_traces_new(core->store),
	        .due = is_to_come,
	        .ctx = book,
	};
	book->closings = alarm_closings_new(core, &book->records);
	const struct agenda_options options = {
	        .space = SPACE_ALARM, .page = PAGE, .most = IN_MEMORY, .due = are_due, .ctx = book};
	book->agenda = agenda_new(core->store, core->alarms, &options);
	return book;
}

void alarm_book_free(struct alarm_book *book)
{
	if (book == NULL) {
		return;
	}
	LIST_EACH(&book->rounds, link)
	{
		MEM_CONTAINER(link, struct round, link)->book = NULL;
		list_remove(link);
	}
	alarm_clear(book->alarms, &book->retry);
	agenda_free(book->agenda);
	alarm_closings_free(book->closings);
	alarm_traces_free(book->records.traces);
	mem_free(book);
}

void alarm_book_start(struct alarm_book *book)
{
	book->started_ms = clock_wall_ms();
	alarm_traces_load(book->records.traces);
	agenda_start(book->agenda);
}

struct alarm_store *alarm_book_store(struct alarm_book *book)
{
	return &book->records;
}

struct alarm_closings *alarm_book_closings(struct alarm_book *book)
{
	return book->closings;
}

void alarm_book_get_stats(const struct alarm_book *book, struct alarm_book_stats *out)
{
	agenda_get_stats(book->agenda, &out->agenda);
	out->fired = book->fired;
	out->worst_ms = book->worst_ms;
	memcpy(out->late, book->late, sizeof out->late);
	alarm_closings_count(book->closings, &out->closing, &out->failed);
}
