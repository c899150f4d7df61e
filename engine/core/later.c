/* This file spells the records of calls for later, and makes messages of those that are due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/later.h"

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/queue_names.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include "triggers/on_message.h"
#include <inttypes.h>

enum { FORMAT = 1 };

struct laters {
	const struct core *core;
	laters_due_fn *due;
	void *ctx;
	uint32_t made; /* counts on from a number that nobody can know */
	bool has_missed;
	uint64_t fired;
};

/* ---- on disk ---- */

void later_encode(const struct later *later, struct buf *out)
{
	buf_byte(out, FORMAT);
	buf_byte(out, '{');
	json_write_member_int(out, "at", later->at_ms);
	json_write_member_int(out, "made", later->made_ms);
	json_write_member_string(out, "queue", later->queue);
	json_write_member_raw(out, "call", later->call);
	json_write_member_raw(out, "data", later->data);
	if (later->traceparent.len != 0) {
		json_write_member_string(out, "traceparent", later->traceparent);
	}
	buf_byte(out, '}');
}

enum member { AT, MADE, QUEUE, CALL, DATA, TRACEPARENT, MEMBERS };

int later_decode(struct span value, struct later *out, struct buf *scratch, struct err *err)
{
	static const struct span names[MEMBERS] = {{"at", 2},   {"made", 4}, {"queue", 5},
	                                           {"call", 4}, {"data", 4}, {"traceparent", 11}};
	struct span found[MEMBERS];
	struct span json;
	int status = space_json(value, FORMAT, "the record of a call for later", "later_format",
	                        &json, err);
	if (status != 0) {
		return status;
	}
	if (json_check_object(json, names, MEMBERS, found, err) != 0) {
		return err_wrap(err, "the record of a call for later is damaged");
	}
	(void)buf_reserve(scratch, value.len); /* no text is longer: it does not move */
	struct later later = {
	        .queue = json_copy_text(found[QUEUE], scratch),
	        .call = found[CALL],
	        .data = found[DATA],
	        .traceparent = json_copy_text(found[TRACEPARENT], scratch),
	};
	bool good = found[AT].ptr != NULL && json_int64(found[AT], &later.at_ms) &&
	            found[MADE].ptr != NULL && json_int64(found[MADE], &later.made_ms) &&
	            later.at_ms > 0 && later.queue.len != 0 && later.call.ptr != NULL &&
	            json_kind(later.call) == JSON_OBJECT && later.data.ptr != NULL;
	if (!good) {
		return err_set(err, E_DAMAGED, "later_damaged",
		               "a member of the record of a call for later is damaged");
	}
	*out = later;
	return 0;
}

void later_write_time(int64_t at_ms, struct buf *out)
{
	buf_format(out, "%0*" PRIx64, LATER_TIME_LEN, (uint64_t)at_ms);
}

/* ---- putting ---- */

struct laters *laters_new(const struct core *core, laters_due_fn *due, void *ctx)
{
	struct laters *laters = MEM_NEW(struct laters);
	laters->core = core;
	laters->due = due;
	laters->ctx = ctx;
	id_random(&laters->made, sizeof laters->made);
	laters->made >>= 1; /* far from the end, so that it counts on for long */
	return laters;
}

void laters_free(struct laters *laters)
{
	mem_free(laters);
}

void laters_put(struct laters *laters, struct later *later, struct buf *out_id)
{
	struct store *store = laters->core->store;
	struct buf value = {0};
	struct buf id = {0};
	later->made_ms = store_time_ms(store);
	later_write_time(later->at_ms, &id);
	buf_byte(&id, '-');
	later_write_time(later->made_ms, &id);
	buf_format(&id, "%08" PRIx32, laters->made++);
	later_encode(later, &value);
	const struct record_key key = space_later(buf_view(&id));
	const struct record record = {.value = buf_view(&value), .expires_at_ms = later->at_ms};
	store_put(store, key, &record);
	laters->due(laters->ctx, key, later->at_ms);
	buf_span(out_id, buf_view(&id));
	buf_free(&id);
	buf_free(&value);
}

void laters_remove(const struct laters *laters, struct span id)
{
	store_delete(laters->core->store, space_later(id), 0);
}

/* ---- firing ---- */

static const struct binding *find_queue(const struct laters *laters, struct span name)
{
	struct buf id = {0};
	buf_format(&id, QUEUE_TRIGGER "%.*s", SPAN_ARG(name));
	const struct binding *queue = catalog_find(laters->core->catalog, buf_view(&id));
	buf_free(&id);
	return queue != NULL && queue->until_seq == 0 ? queue : NULL;
}

static void put_message(struct laters *laters, const struct later *later,
                        const struct binding *queue)
{
	struct store *store = laters->core->store;
	struct adapter_head head;
	struct buf group = {0};
	uint32_t value_at;
	struct err err;
	store_head(store, &head);
	struct event event = {
	        .seq = store_next_seq(store),
	        .epoch = head.epoch,
	        .kind = EVENT_QUEUED,
	        .scope = later->queue,
	        .old_value = later->call,
	        .new_value = later->data,
	        .time_ms = store_time_ms(store),
	        .traceparent = later->traceparent,
	};
	if (queue->filter->group.count != 0) {
		/* It had one when it was put, or the queue was no fifo one then. */
		if (on_message_group(queue->filter, later->data, &group, &err) != 0) {
			buf_clear(&group);
		}
		event.key = group.len != 0 ? buf_view(&group) : SPAN("");
	}
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store);
	buf_free(&group);
}

/* Points into the store's memory no longer. */
static bool fire(struct laters *laters, struct span id, struct span stored)
{
	struct buf value = {0};
	struct buf texts = {0};
	struct later later = {0};
	struct err err;
	bool fires = false;
	buf_span(&value, stored);
	if (later_decode(buf_view(&value), &later, &texts, &err) != 0) {
		log_error("later", "the call %.*s cannot be made: %s", SPAN_ARG(id), err.text);
	} else if (later.at_ms <= store_time_ms(laters->core->store)) {
		const struct binding *queue = find_queue(laters, later.queue);
		fires = queue != NULL;
		if (fires) {
			put_message(laters, &later, queue);
			laters_remove(laters, id);
			laters->fired++;
		} else {
			laters->has_missed = true;
			log_warn("later",
			         "the call %.*s is due, but its queue \"%.*s\" is not in the "
			         "config any more; it waits until it is",
			         SPAN_ARG(id), SPAN_ARG(later.queue));
		}
	}
	buf_free(&texts);
	buf_free(&value);
	return fires;
}

bool laters_look(struct laters *laters, struct span id, uint64_t *group)
{
	struct store_look look;
	enum store_state state = store_look(laters->core->store, space_later(id), &look);
	PRE(state != STORE_UNKNOWN);
	*group = look.group > *group ? look.group : *group;
	return state == STORE_FOUND && fire(laters, id, look.record.value);
}

bool laters_take_missed(struct laters *laters)
{
	bool has_missed = laters->has_missed;
	laters->has_missed = false;
	return has_missed;
}

uint64_t laters_fired(const struct laters *laters)
{
	return laters->fired;
}
