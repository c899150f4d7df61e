/* This file takes the firings of alarms from their last delivery to their last record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_close.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/entry.h"
#include "engine/core/react.h"
#include "engine/durable/space.h"
#include "triggers/event.h"

enum { RETRY_MS = 1000 };

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_UNHEARD, OUTCOME_ASK };

struct alarm_closings {
	const struct core *core;
	struct store *store;
	struct alarm_store *alarms;
	struct list open;
	uint64_t first_seq; /* since the start */
	size_t count;
	uint64_t failed;
};

struct closing {
	struct list link;
	struct alarm_closings *closings; /* NULL once they were freed */
	struct event event; /* as much of it as a filter asks for; points into the next two */
	struct buf told;
	struct alarm_visit visit;
	const void *done_by;
	enum outcome outcome;
	struct buf code, message, trigger;
	uint32_t attempts;
	/* the steps */
	struct entry entry;
	struct store_scan scan;
	struct store_waiter waiter;
	struct alarm retry;
};

static void start(struct closing *closing);

static void free_closing(struct closing *closing)
{
	list_remove(&closing->link);
	buf_free(&closing->code);
	buf_free(&closing->message);
	buf_free(&closing->trigger);
	buf_free(&closing->told);
	alarm_visit_close(&closing->visit);
	mem_free(closing);
}

static void finish(struct closing *closing)
{
	closing->closings->count--;
	free_closing(closing);
}

static bool is_gone(struct closing *closing)
{
	if (closing->closings == NULL) {
		free_closing(closing);
		return true;
	}
	return false;
}

static void try_later(struct closing *closing)
{
	alarm_set_in(closing->closings->core->alarms, &closing->retry, RETRY_MS);
}

static void retry_is_due(struct alarm *alarm)
{
	start(MEM_CONTAINER(alarm, struct closing, retry));
}

/* ---- who owes it ---- */

struct owing {
	const struct event *event;
	const void *done_by; /* a binding that has just ended its delivery */
	bool is_owed;
	bool fits; /* somebody is for such alarms */
};

static void ask_binding(void *ctx, struct binding *binding)
{
	struct owing *owing = ctx;
	uint64_t seq = owing->event->seq;
	bool judges =
	        binding->from_seq <= seq && (binding->until_seq == 0 || seq < binding->until_seq);
	if (binding->filter->alarm == NULL || !judges ||
	    !filter_fits(binding->filter, owing->event)) {
		return;
	}
	owing->fits = true;
	owing->is_owed = owing->is_owed || (binding->lagging && binding->next_seq <= seq) ||
	                 (binding != owing->done_by && dispatch_owes(binding, seq));
}

static struct owing ask_all(const struct alarm_closings *closings, const struct event *event,
                            const void *done_by)
{
	struct owing owing = {.event = event, .done_by = done_by};
	catalog_each(closings->core->catalog, ask_binding, &owing);
	owing.is_owed = owing.is_owed || event->seq >= react_next_seq(closings->core->react);
	return owing;
}

static bool is_owed(const struct closing *closing)
{
	return ask_all(closing->closings, &closing->event, closing->done_by).is_owed;
}

/* ---- the record ---- */

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err; /* the store has told it */
	struct closing *closing = MEM_CONTAINER(waiter, struct closing, waiter);
	if (is_gone(closing)) {
		return;
	}
	if (status != 0) {
		try_later(closing);
	} else {
		finish(closing);
	}
}

static void write_failure(const struct closing *closing, struct buf *out)
{
	char time[CLOCK_TEXT_LEN + 1];
	clock_format(store_time_ms(closing->closings->store), time);
	buf_byte(out, '{');
	json_write_member_string(out, "code", buf_view(&closing->code));
	json_write_member_string(out, "message", buf_view(&closing->message));
	json_write_member_uint(out, "attempts", closing->attempts);
	if (closing->trigger.len != 0) {
		json_write_member_string(out, "trigger", buf_view(&closing->trigger));
	}
	json_write_member_string(out, "at", span_of(time));
	buf_byte(out, '}');
}

/* `alarm:failed`, in the group of the record. */
static void put_event(const struct closing *closing, const struct alarm_record *record)
{
	struct store *store = closing->closings->store;
	const struct alarm_address *address = &closing->visit.address;
	struct adapter_head head;
	struct buf told = {0};
	uint32_t value_at;
	store_head(store, &head);
	buf_byte(&told, '{');
	json_write_member_string(&told, "name", address->name);
	json_write_member_int(&told, "scheduled_at", record->running_ms);
	json_write_member_int(&told, "fired_at", record->fired_ms);
	json_write_member_raw(&told, "failure", record->failure);
	buf_byte(&told, '}');
	const struct event event = {
	        .seq = store_next_seq(store),
	        .epoch = head.epoch,
	        .kind = EVENT_ALARM_FAILED,
	        .scope = address->scope,
	        .key = address->key,
	        .new_value = buf_view(&told),
	        .time_ms = store_time_ms(store),
	};
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store);
	buf_free(&told);
}

static void put_end(struct closing *closing, struct alarm_record *record)
{
	struct alarm_closings *closings = closing->closings;
	const struct alarm_address *address = &closing->visit.address;
	struct buf failure = {0};
	if (closing->outcome != OUTCOME_DONE) {
		write_failure(closing, &failure);
		record->failure = buf_view(&failure);
		put_event(closing, record);
		closings->failed++;
	}
	bool is_over = !is_owed(closing);
	if (is_over) {
		record->running_seq = 0;
	}
	if (is_over && record->next_ms == 0 && record->failure.len == 0) {
		alarm_store_remove(closings->alarms, address);
	} else {
		alarm_store_put(closings->alarms, address, record);
	}
	buf_free(&failure);
	crash_at(CRASH_ALARM);
	store_commit(closings->store, &closing->waiter);
}

static void look(struct closing *closing)
{
	struct alarm_closings *closings = closing->closings;
	struct alarm_found found = {0};
	struct err err;
	int status = alarm_store_look(closings->store, &closing->visit.address, &found, &err);
	if (status != 0) {
		log_error("alarm", "the end of a firing is not written: %s", err.text);
	}
	bool runs = status == 0 && found.is_there && found.record.running_seq == closing->event.seq;
	bool says_something = closing->outcome != OUTCOME_DONE || !is_owed(closing);
	if (!runs || !says_something) {
		finish(closing);
	} else if (!store_can_put(closings->store)) {
		try_later(closing);
	} else {
		put_end(closing, &found.record);
	}
	alarm_found_close(&found);
}

static void record_came(struct alarm_visit *visit, int status, const struct err *err)
{
	(void)err;
	struct closing *closing = MEM_CONTAINER(visit, struct closing, visit);
	if (is_gone(closing)) {
		return;
	}
	if (status != 0) {
		try_later(closing);
	} else {
		look(closing);
	}
}

/* ---- how it went ---- */

static void say(struct closing *closing, enum outcome outcome, struct span code,
                struct span message)
{
	closing->outcome = outcome;
	buf_clear(&closing->code);
	buf_clear(&closing->message);
	buf_span(&closing->code, code);
	buf_span(&closing->message, message);
}

static bool letter_met(void *ctx, struct span key, const struct record *record)
{
	(void)key;
	struct closing *closing = ctx;
	static const struct span names[3] = {{"reason", 6}, {"message", 7}, {"trigger", 7}};
	struct span json = span_make(record->value.ptr + 1, record->value.len - 1);
	struct span found[3] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
	struct buf texts = {0};
	if (record->value.len > 2) {
		json_get_many(json, names, 3, found);
	}
	(void)buf_reserve(&texts, record->value.len);
	struct span code = json_copy_text(found[0], &texts);
	say(closing, OUTCOME_FAILED, code.len != 0 ? code : SPAN("dead_letter"),
	    json_copy_text(found[1], &texts));
	buf_clear(&closing->trigger);
	buf_span(&closing->trigger, json_copy_text(found[2], &texts));
	buf_free(&texts);
	return false;
}

static void letters_met(struct store_scan *scan, int status, bool more, uint64_t group,
                        const struct err *err)
{
	(void)more;
	(void)group;
	(void)err;
	struct closing *closing = MEM_CONTAINER(scan, struct closing, scan);
	if (is_gone(closing)) {
		return;
	}
	if (status != 0) {
		try_later(closing);
		return;
	}
	if (closing->outcome == OUTCOME_ASK &&
	    ask_all(closing->closings, &closing->event, NULL).fits) {
		closing->outcome = OUTCOME_DONE;
	} else if (closing->outcome == OUTCOME_ASK) {
		say(closing, OUTCOME_UNHEARD, SPAN("no_trigger"),
		    SPAN("no trigger of type alarm is for it"));
	}
	alarm_visit_start(closing->closings->store, &closing->visit);
}

/* A dead letter's key begins with the seq of its event. */
static void ask_letters(struct closing *closing)
{
	char from[SPACE_NUMBER_LEN];
	char to[SPACE_NUMBER_LEN];
	space_put_number(from, closing->event.seq);
	space_put_number(to, closing->event.seq + 1);
	closing->scan = (struct store_scan){
	        .range = {SPACE_DEAD, SPAN(""), span_make(from, sizeof from),
	                  span_make(to, sizeof to)},
	        .row = letter_met,
	        .ctx = closing,
	        .done = letters_met,
	};
	store_scan_start(closing->closings->store, &closing->scan);
}

/* ---- whose it was ---- */

/* `function_id` as JSON; absent: it names none. */
static void aim(struct closing *closing, const struct alarm_address *address,
                struct span function_id)
{
	alarm_visit_aim(&closing->visit, address);
	buf_clear(&closing->told);
	buf_byte(&closing->told, '{');
	json_write_member_string(&closing->told, "name", address->name);
	if (function_id.ptr != NULL) {
		json_write_member_raw(&closing->told, "function_id", function_id);
	}
	buf_byte(&closing->told, '}');
	closing->event.kind = EVENT_ALARM_DUE;
	closing->event.scope = closing->visit.address.scope;
	closing->event.key = closing->visit.address.key;
	closing->event.new_value = buf_view(&closing->told);
}

static void go_on(struct closing *closing)
{
	if (closing->outcome == OUTCOME_ASK) {
		ask_letters(closing);
	} else {
		alarm_visit_start(closing->closings->store, &closing->visit);
	}
}

static void aim_at_event(struct closing *closing, const struct event *event)
{
	struct span value;
	struct span function_id = SPAN_NONE;
	struct buf name = {0};
	struct alarm_address address = {.scope = event->scope, .key = event->key};
	(void)json_get(event->new_value, SPAN("function_id"), &function_id);
	if (json_get(event->new_value, SPAN("name"), &value)) {
		address.name = json_copy_text(value, &name);
	}
	aim(closing, &address, function_id);
	buf_free(&name);
}

static void event_came(struct entry *entry, int status, struct span bytes, const struct err *err)
{
	struct closing *closing = MEM_CONTAINER(entry, struct closing, entry);
	struct event event;
	struct err why;
	if (is_gone(closing)) {
		return;
	}
	if (status == 0) {
		status = event_decode(closing->event.seq, bytes, &event, &why);
		err = &why;
	}
	bool is_lost = status == E_NOT_FOUND || status == E_DAMAGED || status == E_VERSION;
	if (is_lost || (status == 0 && event.kind != EVENT_ALARM_DUE)) {
		if (is_lost) {
			log_error("alarm", "the end of a firing is not written: %s", err->text);
		}
		finish(closing);
	} else if (status != 0) {
		try_later(closing);
	} else {
		aim_at_event(closing, &event);
		go_on(closing);
	}
}

static void start(struct closing *closing)
{
	if (closing->event.kind == EVENT_ALARM_DUE) {
		go_on(closing);
		return;
	}
	closing->entry.done = event_came;
	entry_get(closing->closings->store, &closing->entry, closing->event.seq);
}

static struct closing *open_closing(struct alarm_closings *closings, uint64_t seq,
                                    enum outcome outcome)
{
	struct closing *closing = MEM_NEW(struct closing);
	closing->closings = closings;
	closing->event.seq = seq;
	closing->outcome = outcome;
	closing->visit.done = record_came;
	closing->waiter.done = is_durable;
	closing->retry.fn = retry_is_due;
	list_init(&closing->waiter.link);
	list_push(&closings->open, &closing->link);
	closings->count++;
	return closing;
}

void alarm_close_ended(void *ctx, uint64_t seq, const struct dispatch_alarm_end *end)
{
	struct alarm_closings *closings = ctx;
	struct closing *closing =
	        open_closing(closings, seq, end->has_failed ? OUTCOME_FAILED : OUTCOME_DONE);
	closing->done_by = end->binding;
	buf_span(&closing->code, end->code);
	buf_span(&closing->message, end->message);
	buf_span(&closing->trigger, end->trigger);
	closing->attempts = end->attempts;
	start(closing);
}

void alarm_close_matched(void *ctx, const struct event *event, bool taken)
{
	struct alarm_closings *closings = ctx;
	/* Who has taken it tells when it has ended, unless that was before the start. */
	if ((taken && event->seq >= closings->first_seq) ||
	    ask_all(closings, event, NULL).is_owed) {
		return;
	}
	struct closing *closing = open_closing(closings, event->seq, OUTCOME_ASK);
	aim_at_event(closing, event);
	go_on(closing);
}

void alarm_close_look(struct alarm_closings *closings, const struct alarm_address *address,
                      uint64_t seq)
{
	LIST_EACH(&closings->open, link)
	{
		if (MEM_CONTAINER(link, struct closing, link)->event.seq == seq) {
			return;
		}
	}
	struct closing *closing = open_closing(closings, seq, OUTCOME_ASK);
	/* Whether it names a function is not known: if it does not, nobody says so of it. */
	aim(closing, address, SPAN("\"\""));
	if (is_owed(closing)) {
		finish(closing);
	} else {
		go_on(closing);
	}
}

/* ---- life ---- */

struct alarm_closings *alarm_closings_new(const struct core *core, struct alarm_store *alarms)
{
	struct alarm_closings *closings = MEM_NEW(struct alarm_closings);
	closings->core = core;
	closings->store = core->store;
	closings->alarms = alarms;
	closings->first_seq = store_next_seq(core->store);
	list_init(&closings->open);
	return closings;
}

void alarm_closings_free(struct alarm_closings *closings)
{
	if (closings == NULL) {
		return;
	}
	LIST_EACH(&closings->open, link)
	{
		struct closing *closing = MEM_CONTAINER(link, struct closing, link);
		list_remove(link);
		closing->closings = NULL;
		if (alarm_is_set(&closing->retry)) {
			alarm_clear(closings->core->alarms, &closing->retry);
			free_closing(closing);
		}
	}
	mem_free(closings);
}

void alarm_closings_count(const struct alarm_closings *closings, size_t *out_open,
                          uint64_t *out_failed)
{
	*out_open = closings->count;
	*out_failed = closings->failed;
}
