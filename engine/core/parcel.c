/* This file reads the events of a batch and writes them as one JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/parcel.h"

#include "base/json.h"
#include "base/json_splice.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	GAP_MOST = 16, /* events between two members that are read for nothing */
	CHUNK_ENTRIES = 512,
	CHUNK_BYTES = 256 * 1024
};

/* ---- writing ---- */

static void add_item(struct parcel *parcel, uint64_t seq, uint64_t epoch)
{
	parcel->items = mem_grow(parcel->items, (parcel->count + 1) * sizeof *parcel->items);
	parcel->items[parcel->count++] = (struct parcel_item){seq, epoch};
}

static int select_of(struct parcel *parcel, const struct event *event, struct err *err)
{
	matching_begin(parcel->matching, event);
	int status = selection_write(parcel->selection, parcel->matching, parcel->metadata,
	                             &parcel->events, err);
	return status == 0
	               ? 0
	               : err_wrap(err, "event %llu of the batch", (unsigned long long)event->seq);
}

static void keep_deepest(struct parcel *parcel, const struct event *event, struct span bytes)
{
	struct event copy;
	if (parcel->count != 0 && event->cause.depth <= parcel->deepest.cause.depth) {
		return;
	}
	buf_clear(&parcel->deepest_bytes);
	buf_span(&parcel->deepest_bytes, bytes);
	if (event_decode(event->seq, buf_view(&parcel->deepest_bytes), &copy, NULL) == 0) {
		parcel->deepest = copy;
	}
}

static int add_entry(struct parcel *parcel, uint64_t seq, struct span bytes, struct err *err)
{
	struct event event;
	int status = event_decode(seq, bytes, &event, err);
	if (status != 0) {
		return status;
	}
	if (parcel->events.len != 0) {
		buf_byte(&parcel->events, ',');
	}
	if (parcel->selection == NULL) {
		event_write_json(&event, parcel->log, NULL, &parcel->events);
	} else {
		status = select_of(parcel, &event, err);
	}
	keep_deepest(parcel, &event, bytes);
	add_item(parcel, seq, event.epoch);
	return status;
}

void parcel_write(const struct parcel *parcel, struct span trigger, struct span delivery_id,
                  uint32_t attempt, struct buf *out)
{
	enum { REST = 256 };
	(void)buf_reserve(out, parcel->events.len + trigger.len + delivery_id.len + REST);
	BUF_LITERAL(out, "{\"type\":\"batch\"");
	json_write_member_string(out, "trigger", trigger);
	json_write_member_string(out, "delivery_id", delivery_id);
	json_write_member_uint(out, "attempt", attempt);
	json_write_member_uint(out, "count", parcel->count);
	BUF_LITERAL(out, ",\"events\":[");
	buf_span(out, buf_view(&parcel->events));
	BUF_LITERAL(out, "]}");
}

/* ---- events that a delivery carries ---- */

struct span parcel_events(struct span json)
{
	struct span type;
	struct span events;
	bool is_batch = json.len != 0 && json_kind(json) == JSON_OBJECT &&
	                json_get(json, SPAN("type"), &type) && json_kind(type) == JSON_STRING &&
	                json_string_is(type, SPAN("batch")) &&
	                json_get(json, SPAN("events"), &events) && json_kind(events) == JSON_ARRAY;
	return is_batch ? events : SPAN_NONE;
}

static int take_one(struct parcel *parcel, struct span json, struct err *err)
{
	struct buf texts = {0};
	struct event event;
	struct span id = SPAN_NONE;
	struct span log;
	uint64_t epoch = 0;
	uint64_t seq = 0;
	int status = 0;
	(void)buf_reserve(&texts, json.len * 2); /* the texts must not move */
	event_read_json(json, &texts, &event);
	if (json_kind(json) == JSON_OBJECT && json_get(json, SPAN("id"), &id)) {
		(void)event_parse_id(json_plain(id, &texts), &log, &epoch, &seq);
	}
	if (parcel->events.len != 0) {
		buf_byte(&parcel->events, ',');
	}
	if (parcel->selection == NULL) {
		buf_span(&parcel->events, json);
	} else {
		status = select_of(parcel, &event, err);
	}
	add_item(parcel, seq, epoch);
	buf_free(&texts);
	return status;
}

int parcel_take(struct parcel *parcel, struct span json, struct err *err)
{
	struct span events = parcel_events(json);
	if (events.ptr == NULL) {
		return take_one(parcel, json, err);
	}
	int status = 0;
	struct span item;
	for (struct json_iter iter = json_iter(events);
	     status == 0 && json_next_item(&iter, &item);) {
		status = take_one(parcel, item, err);
	}
	return status;
}

/* ---- reading ---- */

static void go_on(struct parcel *parcel);

static void end(struct parcel *parcel)
{
	members_free(&parcel->wanted);
	parcel->done(parcel, parcel->status, &parcel->err);
}

/* One cannot be had: left out, or the end of it all. */
static void miss(struct parcel *parcel, int status, const struct err *err)
{
	bool gone = status == E_NOT_FOUND || status == E_DAMAGED || status == E_VERSION;
	if (parcel->leaves_out && gone) {
		log_error("parcel", "event %llu of a batch cannot be read and is left out: %s",
		          (unsigned long long)parcel->wanted.seqs[parcel->at], err->text);
		parcel->at++;
		return;
	}
	parcel->status = status;
	parcel->err = *err;
}

static void add(struct parcel *parcel, struct span bytes)
{
	struct err err;
	int status = add_entry(parcel, parcel->wanted.seqs[parcel->at], bytes, &err);
	if (status != 0) {
		miss(parcel, status, &err);
	} else {
		parcel->at++;
	}
}

static void entry_came(void *ctx, uint64_t seq, struct span bytes)
{
	struct parcel *parcel = ctx;
	if (!parcel->is_dropped && parcel->status == 0 && parcel->at < parcel->wanted.count &&
	    seq == parcel->wanted.seqs[parcel->at]) {
		add(parcel, bytes);
	}
}

static void was_read(struct store_read *read, int status, const struct err *err)
{
	struct parcel *parcel = MEM_CONTAINER(read, struct parcel, read);
	bool is_missing = parcel->at < parcel->wanted.count &&
	                  parcel->wanted.seqs[parcel->at] == read->from && parcel->status == 0;
	if (status != 0 && parcel->status == 0 && parcel->at < parcel->wanted.count) {
		miss(parcel, status, err);
	} else if (is_missing && !parcel->is_dropped) {
		struct err missing;
		(void)err_set(&missing, E_NOT_FOUND, "compacted",
		              "event %llu is not in the journal any more",
		              (unsigned long long)read->from);
		miss(parcel, E_NOT_FOUND, &missing);
	}
	go_on(parcel);
}

/* As far as the next ones are near. */
static uint64_t run_from(const struct members *wanted, size_t at)
{
	uint64_t from = wanted->seqs[at];
	while (at + 1 < wanted->count && wanted->seqs[at + 1] - wanted->seqs[at] <= GAP_MOST &&
	       wanted->seqs[at + 1] - from < CHUNK_ENTRIES) {
		at++;
	}
	return wanted->seqs[at] - from + 1;
}

static void read_next(struct parcel *parcel)
{
	parcel->read = (struct store_read){
	        .from = parcel->wanted.seqs[parcel->at],
	        .count = run_from(&parcel->wanted, parcel->at),
	        .max_bytes = CHUNK_BYTES,
	        .entry = entry_came,
	        .ctx = parcel,
	        .done = was_read,
	};
	store_read_start(parcel->store, &parcel->read);
}

static void go_on(struct parcel *parcel)
{
	struct span bytes;
	while (!parcel->is_dropped && parcel->status == 0 && parcel->at < parcel->wanted.count) {
		if (!store_recent(parcel->store, parcel->wanted.seqs[parcel->at], &bytes)) {
			read_next(parcel);
			return;
		}
		add(parcel, bytes);
	}
	end(parcel);
}

void parcel_gather(struct parcel *parcel, const struct members *members)
{
	members_copy(members, &parcel->wanted);
	go_on(parcel);
}

void parcel_drop(struct parcel *parcel)
{
	parcel->is_dropped = true;
}

void parcel_close(struct parcel *parcel)
{
	members_free(&parcel->wanted);
	buf_free(&parcel->events);
	buf_free(&parcel->deepest_bytes);
	mem_free(parcel->items);
	*parcel = (struct parcel){0};
}

void parcel_narrow(struct buf *json, const bool keeps[])
{
	struct span event = buf_view(json);
	struct buf events = {0};
	struct buf narrowed = {0};
	struct span item;
	size_t at = 0;
	buf_byte(&events, '[');
	for (struct json_iter iter = json_iter(parcel_events(event)); json_next_item(&iter, &item);
	     at++) {
		if (keeps[at]) {
			json_write_comma(&events);
			buf_span(&events, item);
		}
	}
	buf_byte(&events, ']');
	json_set(event, SPAN("events"), buf_view(&events), &narrowed);
	buf_free(&events);
	buf_free(json);
	*json = narrowed;
}
