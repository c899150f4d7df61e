/* This file fires alarms: record and event in one group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_book.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_close.h"
#include "engine/core/alarm_times.h"
#include "engine/core/later.h"
#include "engine/durable/space.h"
#include "triggers/event.h"

struct alarm_book {
	struct store *store;
	struct agenda_rounds *rounds;
	struct alarm_store records;
	struct alarm_closings *closings;
	struct laters *laters;
	int64_t started_ms; /* wall clock */
	uint64_t fired;
	struct histogram late; /* ms */
};

/* ---- firing ---- */

static void note_lateness(struct alarm_book *book, int64_t scheduled_ms, int64_t now_ms)
{
	book->fired++;
	if (scheduled_ms >= book->started_ms) {
		histogram_add(&book->late, now_ms - scheduled_ms);
	}
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

static bool look(void *ctx, struct record_key key, uint64_t *group)
{
	struct alarm_book *book = ctx;
	struct alarm_address address = {.scope = key.part};
	struct err err;
	if (key.part.len == 0) {
		return laters_look(book->laters, key.key, group);
	}
	if (space_parse_alarm(key.key, &address.key, &address.name, &err) != 0) {
		log_error("alarm", "%s", err.text);
		return false;
	}
	return look_at(book, &address, group);
}

void alarm_book_look_again(struct alarm_book *book)
{
	agenda_rounds_repeat(book->rounds);
}

void alarm_book_take_config(struct alarm_book *book)
{
	if (laters_take_missed(book->laters)) {
		agenda_rounds_repeat(book->rounds);
	}
}

/* ---- life ---- */

static void is_to_come(void *ctx, struct record_key key, int64_t at_ms)
{
	agenda_rounds_note(((struct alarm_book *)ctx)->rounds, key, at_ms);
}

struct alarm_book *alarm_book_new(const struct core *core)
{
	struct alarm_book *book = MEM_NEW(struct alarm_book);
	book->store = core->store;
	book->records = (struct alarm_store){
	        .store = core->store,
	        .traces = alarm_traces_new(core->store),
	        .due = is_to_come,
	        .ctx = book,
	};
	book->closings = alarm_closings_new(core, &book->records);
	book->laters = laters_new(core, is_to_come, book);
	const struct agenda_rounds_options options = {
	        .space = SPACE_ALARM, .point = CRASH_ALARM, .look = look, .ctx = book};
	book->rounds = agenda_rounds_new(core->store, core->alarms, &options);
	return book;
}

void alarm_book_free(struct alarm_book *book)
{
	if (book == NULL) {
		return;
	}
	agenda_rounds_free(book->rounds);
	alarm_closings_free(book->closings);
	laters_free(book->laters);
	alarm_traces_free(book->records.traces);
	mem_free(book);
}

void alarm_book_start(struct alarm_book *book)
{
	book->started_ms = clock_wall_ms();
	alarm_traces_load(book->records.traces);
	agenda_rounds_start(book->rounds);
}

struct alarm_store *alarm_book_store(struct alarm_book *book)
{
	return &book->records;
}

struct laters *alarm_book_laters(struct alarm_book *book)
{
	return book->laters;
}

struct alarm_closings *alarm_book_closings(struct alarm_book *book)
{
	return book->closings;
}

void alarm_book_get_stats(const struct alarm_book *book, struct alarm_book_stats *out)
{
	agenda_rounds_get_stats(book->rounds, &out->agenda);
	out->fired = book->fired;
	out->late = &book->late;
	out->made_later = laters_fired(book->laters);
	alarm_closings_count(book->closings, &out->closing, &out->failed);
}
