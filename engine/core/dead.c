/* This file writes, finds and removes dead letters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dead.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/addressee.h"
#include "engine/core/attempt.h"
#include "engine/core/binding.h"
#include "engine/core/dead_event.h"
#include "engine/durable/space.h"
#include "triggers/alarm_wish.h"

enum { DEAD_FORMAT = 1, DELIVERY_ID_MAX = 1024 };

struct dead {
	struct store *store;
	uint64_t max_bytes;
	uint64_t count;
	uint64_t bytes;
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t epoch;
	struct dead_load *load; /* while it is counted what is there */
};

struct dead_load {
	struct dead_list list;
	struct dead *dead; /* NULL once it was freed */
	void (*loaded)(void *ctx, int status, const struct err *err);
	void *ctx;
};

struct dead *dead_new(struct store *store, uint64_t max_bytes)
{
	struct dead *dead = MEM_NEW(struct dead);
	struct adapter_head head;
	store_head(store, &head);
	dead->store = store;
	dead->max_bytes = max_bytes;
	dead->epoch = head.epoch;
	memcpy(dead->log, head.log, sizeof dead->log);
	return dead;
}

void dead_free(struct dead *dead)
{
	if (dead != NULL && dead->load != NULL) {
		dead->load->dead = NULL;
	}
	mem_free(dead);
}

void dead_configure(struct dead *dead, uint64_t max_bytes)
{
	dead->max_bytes = max_bytes;
}

bool dead_is_full(const struct dead *dead)
{
	return dead->bytes >= dead->max_bytes;
}

struct span dead_log(const struct dead *dead)
{
	return span_of(dead->log);
}

uint64_t dead_count(const struct dead *dead)
{
	return dead->count;
}

uint64_t dead_bytes(const struct dead *dead)
{
	return dead->bytes;
}

static void put(struct dead *dead, uint64_t seq, struct span rest, const struct buf *json)
{
	struct space_key room;
	struct record record = {.value = buf_view(json)};
	store_put(dead->store, space_dead(&room, seq, rest), &record);
	dead->count++;
	dead->bytes += json->len;
	if (dead_is_full(dead)) {
		log_warn("dead",
		         "dead letters take %llu bytes and are full (dead.max_bytes); deliveries "
		         "that fail "
		         "for good wait until some are replayed or discarded",
		         (unsigned long long)dead->bytes);
	}
}

void dead_uncount(struct dead *dead, uint64_t bytes)
{
	dead->count -= dead->count != 0;
	dead->bytes -= dead->bytes < bytes ? dead->bytes : bytes;
}

static void write_trigger(const struct dead_event *what, struct buf *out)
{
	const struct binding *binding = what->binding;
	json_write_member_string(out, "trigger", binding->id);
	json_write_member_uint(out, "version", binding->version);
	json_write_member_string(out, "type", binding->type);
	json_write_member_string(out, "namespace", what->namespace_);
	json_write_member_string(out, "function_id", what->function_id);
	json_write_member_raw(out, "config", binding->config);
	if (binding->metadata.len != 0) {
		json_write_member_raw(out, "metadata", binding->metadata);
	}
}

static void write_reason(const struct dead_event *what, struct buf *out)
{
	json_write_member_string(out, "died_at", what->died_at);
	json_write_member_string(out, "reason", what->code);
	json_write_member_string(out, "message", what->message);
}

static void write_id(const struct dead *dead, const struct delivery *delivery,
                     const struct event *event, struct buf *out)
{
	struct span written;
	uint64_t epoch = event ? event->epoch : dead->epoch;
	if (delivery->event_json.len != 0 &&
	    json_get(buf_view(&delivery->event_json), SPAN("delivery_id"), &written)) {
		json_string(written, out);
		return;
	}
	delivery_write_id(delivery, span_of(dead->log),
	                  delivery->epoch != 0 ? delivery->epoch : epoch, out);
}

static void write_undelivered(const struct dead *dead, const struct delivery *delivery,
                              const struct dead_words *words, struct span id, struct buf *out)
{
	json_write_name(out, "event");
	if (delivery->event_json.len != 0) {
		buf_span(out, buf_view(&delivery->event_json));
	} else if (words->batch.len != 0) {
		buf_span(out, words->batch);
	} else if (words->event != NULL) {
		const struct event_delivery shown = {.attempt = attempt_number(delivery),
		                                     .delivery_id = id,
		                                     .debounced = delivery->debounced};
		event_write_json(words->event, span_of(dead->log), &shown, out);
	} else {
		BUF_LITERAL(out, "null");
	}
}

/* A queued message says itself whom it was for, and so may an alarm. */
static void read_addressee(const struct delivery *delivery, const struct event *event,
                           struct addressee *out)
{
	const struct alarm_wish *alarm = delivery->binding->filter->alarm;
	struct span call = SPAN_NONE;
	if (alarm != NULL && alarm->is_named) {
		call = delivery->event_json.len != 0 ? buf_view(&delivery->event_json)
		       : event != NULL               ? event->new_value
		                                     : SPAN_NONE;
	} else if (delivery->event_json.len != 0) {
		(void)json_get(buf_view(&delivery->event_json), SPAN("call"), &call);
	} else if (event != NULL && event->kind == EVENT_QUEUED) {
		call = event->old_value;
	}
	addressee_read(out, call);
	if (out->function_id.len == 0) {
		out->function_id = delivery->binding->function_id;
		out->namespace_ = delivery->binding->namespace_;
	} else if (out->namespace_.len == 0) {
		out->namespace_ = SPAN("default");
	}
}

void dead_put(struct dead *dead, const struct delivery *delivery, const struct dead_words *words)
{
	const struct binding *binding = delivery->binding;
	struct buf id = {0};
	struct buf json = {0};
	char now[CLOCK_TEXT_LEN + 1];
	clock_format(clock_wall_ms(), now);
	write_id(dead, delivery, words->event, &id);
	buf_byte(&json, DEAD_FORMAT);
	buf_byte(&json, '{');
	struct addressee to = {0};
	read_addressee(delivery, words->event, &to);
	const struct dead_event what = {.binding = binding,
	                                .delivery = delivery,
	                                .event = words->event,
	                                .log = span_of(dead->log),
	                                .epoch = dead->epoch,
	                                .id = buf_view(&id),
	                                .code = words->code,
	                                .message = words->message,
	                                .namespace_ = to.namespace_,
	                                .function_id = to.function_id,
	                                .died_at = span_of(now)};
	json_write_member_string(&json, "id", what.id);
	write_trigger(&what, &json);
	write_reason(&what, &json);
	json_write_member_raw(&json, "attempts",
	                      delivery->history.len ? buf_view(&delivery->history) : SPAN("[]"));
	if (delivery->window.ptr != NULL) {
		json_write_member_string(&json, "window", delivery->window);
	}
	write_undelivered(dead, delivery, words, what.id, &json);
	buf_byte(&json, '}');
	const char *slash = memchr(id.ptr, '/', id.len);
	size_t at = (size_t)(slash - id.ptr) + 1;
	put(dead, delivery->seq, span_make(id.ptr + at, id.len - at), &json);
	dead_event_put(dead->store, &what);
	log_warn("dead", "delivery %.*s is dead: %.*s: %.*s", SPAN_ARG(buf_view(&id)),
	         SPAN_ARG(words->code), SPAN_ARG(words->message));
	addressee_close(&to);
	buf_free(&id);
	buf_free(&json);
}

void dead_put_range(struct dead *dead, const struct binding *binding, uint64_t from, uint64_t to,
                    const char *code, const char *message)
{
	struct buf json = {0};
	struct buf id = {0};
	char now[CLOCK_TEXT_LEN + 1];
	clock_format(clock_wall_ms(), now);
	event_write_id(span_of(dead->log), dead->epoch, from, &id);
	buf_format(&id, "/%.*s", SPAN_ARG(binding->id));
	buf_byte(&json, DEAD_FORMAT);
	buf_byte(&json, '{');
	const struct dead_event what = {.binding = binding,
	                                .log = span_of(dead->log),
	                                .epoch = dead->epoch,
	                                .id = buf_view(&id),
	                                .code = span_of(code),
	                                .message = span_of(message),
	                                .namespace_ = binding->namespace_,
	                                .function_id = binding->function_id,
	                                .died_at = span_of(now),
	                                .from_seq = from,
	                                .to_seq = to};
	json_write_member_string(&json, "id", what.id);
	write_trigger(&what, &json);
	write_reason(&what, &json);
	json_write_name(&json, "range");
	buf_format(&json, "{\"from_seq\":%llu,\"to_seq\":%llu}", (unsigned long long)from,
	           (unsigned long long)to);
	BUF_LITERAL(&json, ",\"attempts\":[],\"event\":null}");
	put(dead, from, binding->id, &json);
	dead_event_put(dead->store, &what);
	log_warn("dead", "events %llu to %llu will not reach trigger %.*s: %s",
	         (unsigned long long)from, (unsigned long long)to, SPAN_ARG(binding->id), message);
	buf_free(&json);
	buf_free(&id);
}

/* ---- reading ---- */

static struct span json_of(struct span value)
{
	bool known = value.len > 1 && value.ptr[0] == DEAD_FORMAT;
	return known ? span_make(value.ptr + 1, value.len - 1) : SPAN_NONE;
}

static void fetch_letter(struct dead_get *get);

static void get_ends(struct dead_get *get, int status, struct span json, const struct err *err)
{
	struct buf rest = get->rest;
	get->done(get, status, json, err);
	buf_free(&rest);
}

static void get_is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct dead_get *get = MEM_CONTAINER(waiter, struct dead_get, waiter);
	if (status != 0) {
		get_ends(get, status, SPAN_NONE, err);
	} else {
		fetch_letter(get);
	}
}

static void was_fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	struct dead_get *get = MEM_CONTAINER(fetch, struct dead_get, fetch);
	struct store_look look;
	struct space_key room;
	struct err missing;
	struct span json = SPAN_NONE;
	if (status == 0) {
		struct record_key key = space_dead(&room, get->seq, buf_view(&get->rest));
		bool is_there = store_look(get->dead->store, key, &look) == STORE_FOUND;
		if (!store_wait(get->dead->store, look.group, &get->waiter)) {
			return;
		}
		json = is_there ? json_of(look.record.value) : SPAN_NONE;
		if (json.len == 0) {
			status = err_set(&missing, E_NOT_FOUND, "dead_letter_not_found",
			                 "there is no dead letter of this id; list them with "
			                 "`pawl dead list`");
			err = &missing;
		}
	}
	get_ends(get, status, json, err);
}

static void fetch_letter(struct dead_get *get)
{
	struct space_key room;
	struct record_key key = space_dead(&room, get->seq, buf_view(&get->rest));
	get->fetch = (struct store_fetch){.done = was_fetched};
	get->waiter = (struct store_waiter){.done = get_is_durable};
	store_fetch_start(get->dead->store, &get->fetch, &key, 1);
}

void dead_get_start(struct dead *dead, struct dead_get *get, struct span id)
{
	struct span event_id = id;
	struct span rest = SPAN("");
	const char *slash = memchr(id.ptr, '/', id.len);
	if (slash != NULL) {
		event_id.len = (size_t)(slash - id.ptr);
		rest = span_make(slash + 1, id.len - event_id.len - 1);
	}
	struct span log;
	uint64_t epoch;
	uint64_t seq = 0;
	(void)event_parse_id(event_id, &log, &epoch, &seq); /* seq 0 is no event's: not found */
	if (rest.len > DELIVERY_ID_MAX) {
		rest = SPAN(""); /* nobody's */
	}
	get->dead = dead;
	get->seq = seq;
	get->rest = (struct buf){0};
	buf_span(&get->rest, rest);
	fetch_letter(get);
}

void dead_remove(struct dead *dead, struct dead_get *get, struct span json)
{
	dead_uncount(dead, json.len + 1);
	struct space_key room;
	store_delete(dead->store, space_dead(&room, get->seq, buf_view(&get->rest)), 0);
}

static bool list_row(void *ctx, struct span key, const struct record *record)
{
	(void)key;
	struct dead_list *list = ctx;
	struct span json = json_of(record->value);
	return json.len == 0 || list->each(list, json);
}

static void list_is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct dead_list *list = MEM_CONTAINER(waiter, struct dead_list, waiter);
	list->done(list, status, err);
}

static void list_done(struct store_scan *scan, int status, bool more, uint64_t group,
                      const struct err *err)
{
	(void)more;
	struct dead_list *list = MEM_CONTAINER(scan, struct dead_list, scan);
	if (status != 0 || store_wait(list->store, group, &list->waiter)) {
		list->done(list, status, err);
	}
}

void dead_list_start(struct dead *dead, struct dead_list *list, bool newest_first)
{
	list->store = dead->store;
	list->waiter = (struct store_waiter){.done = list_is_durable};
	list->scan = (struct store_scan){
	        .range = {.space = SPACE_DEAD, .part = SPAN("")},
	        .reverse = newest_first,
	        .row = list_row,
	        .ctx = list,
	        .done = list_done,
	};
	store_scan_start(dead->store, &list->scan);
}

static bool count_one(struct dead_list *list, struct span json)
{
	struct dead *dead = MEM_CONTAINER(list, struct dead_load, list)->dead;
	if (dead != NULL) {
		dead->count++;
		dead->bytes += json.len + 1;
	}
	return dead != NULL;
}

static void counted(struct dead_list *list, int status, const struct err *err)
{
	struct dead_load *load = MEM_CONTAINER(list, struct dead_load, list);
	if (load->dead != NULL) {
		load->dead->load = NULL;
		load->loaded(load->ctx, status, err);
	}
	mem_free(load);
}

void dead_load(struct dead *dead, void (*done)(void *ctx, int status, const struct err *err),
               void *ctx)
{
	struct dead_load *load = MEM_NEW(struct dead_load);
	load->dead = dead;
	load->loaded = done;
	load->ctx = ctx;
	load->list = (struct dead_list){.each = count_one, .done = counted};
	dead->load = load;
	dead_list_start(dead, &load->list, false);
}
