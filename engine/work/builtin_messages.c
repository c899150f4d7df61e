/* This file takes messages: into queues, and to topics. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/addressee.h"
#include "engine/core/alarm_book.h"
#include "engine/core/catalog.h"
#include "engine/core/later.h"
#include "engine/core/queue_names.h"
#include "engine/work/builtin.h"
#include "engine/work/due_time.h"
#include "engine/work/once.h"
#include "engine/work/publishing.h"
#include "engine/work/queues.h"
#include "triggers/on_message.h"

enum { TOPIC_MAX = 512, KEY_MAX = 1024, FUNCTION_MAX = 512 };

/* ---- what both take ---- */

static int need_text(struct span text, size_t max, const char *name, struct err *err)
{
	return text.len != 0 && text.len <= max
	               ? 0
	               : err_set(err, E_INVALID, "invalid_data",
	                         "'%s' must be a text of 1 to %zu bytes", name, max);
}

/* The first of the members that is there. */
static int need_data(struct span data, const char *name, const char *other, struct span *out,
                     struct err *err)
{
	if (!json_get(data, span_of(name), out) && !json_get(data, span_of(other), out)) {
		return err_set(err, E_INVALID, "invalid_data",
		               "'%s' is missing: what the handler is to get, null if it is nothing",
		               name);
	}
	if (out->len > PUBLISHING_BYTES_MAX) {
		return err_set(err, E_LIMIT, "payload_too_large",
		               "a message may have at most %d MiB", PUBLISHING_BYTES_MAX >> 20);
	}
	return 0;
}

/* ---- topics ---- */

static int read_message(struct span data, struct buf *texts, struct event *event, struct err *err)
{
	struct span key;
	(void)buf_reserve(texts, data.len * 3); /* the texts must not move */
	event->scope = work_text(data, "topic", texts);
	if (event->scope.ptr == NULL) {
		event->scope = work_text(data, "queue", texts);
	}
	int status = need_text(event->scope, TOPIC_MAX, "topic", err);
	if (status == 0 && json_get(data, SPAN("key"), &key) && !json_is_null(key)) {
		event->key = work_text(data, "key", texts);
		status = need_text(event->key, KEY_MAX, "key", err);
	}
	return status == 0 ? need_data(data, "data", "payload", &event->new_value, err) : status;
}

/* Answered when it is durable. */
static void publish_as(struct once *once, enum event_kind kind)
{
	struct work *work = once->work;
	struct event event = {.kind = kind};
	struct publishing publishing;
	struct err err;
	if (once_is_answered(once)) {
		return;
	}
	if (read_message(once->data, &work->data, &event, &err) != 0 ||
	    publishing_begin(work, &publishing, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	BUF_LITERAL(&work->out, "{\"id\":");
	publishing_put(&publishing, &event, &work->out);
	buf_byte(&work->out, '}');
	once_commit(once);
}

static void publish_durable_once(struct once *once)
{
	publish_as(once, EVENT_PUBLISHED);
}

static void publish_once(struct once *once)
{
	publish_as(once, EVENT_BROADCAST);
}

static void publish_durable(struct work *work, struct span data)
{
	once_run(work, data, NULL, 0, publish_durable_once);
}

static void publish(struct work *work, struct span data)
{
	once_run(work, data, NULL, 0, publish_once);
}

/* ---- queues ---- */

static bool is_of_queue(struct span trigger)
{
	return span_starts_with(trigger, SPAN(QUEUE_TRIGGER));
}

/* A message that a message of a queue puts into a queue is no deeper than that one: work that makes
 * its own next piece is no loop of triggers. */
static void stay_as_deep(struct event_cause *cause)
{
	const char *last =
	        cause->path.len == 0 ? NULL : memrchr(cause->path.ptr, '\n', cause->path.len);
	if (last == NULL) {
		return;
	}
	size_t at = (size_t)(last + 1 - cause->path.ptr);
	if (is_of_queue(span_make(last + 1, cause->path.len - at))) {
		cause->path.len = at - 1;
		cause->depth--;
	}
}

struct letter_to_queue {
	struct event event;
	struct buf call;
	struct buf group;
};

static void close_letter(struct letter_to_queue *letter)
{
	buf_free(&letter->call);
	buf_free(&letter->group);
}

static int read_letter(const struct work *work, struct span data, struct buf *texts,
                       struct letter_to_queue *out, struct err *err)
{
	struct span metadata = SPAN_NONE;
	(void)buf_reserve(texts, data.len * 4); /* the texts must not move */
	struct span name = work_text(data, "queue", texts);
	struct span function_id = work_text(data, "function_id", texts);
	struct span namespace_ = work_text(data, "namespace", texts);
	(void)json_get(data, SPAN("metadata"), &metadata);
	const struct binding *queue = queues_find(work->core->catalog, name, err);
	if (queue == NULL) {
		return err->number;
	}
	int status = need_text(function_id, FUNCTION_MAX, "function_id", err);
	if (status == 0) {
		status = need_data(data, "data", "payload", &out->event.new_value, err);
	}
	if (status == 0 && queue->filter->group.count != 0) {
		status = on_message_group(queue->filter, out->event.new_value, &out->group, err);
		out->event.key = buf_view(&out->group);
	}
	if (status == 0) {
		addressee_write(function_id, namespace_.len ? namespace_ : work->call->namespace_,
		                metadata, &out->call);
		out->event.old_value = buf_view(&out->call);
		out->event.scope = queue->filter->scope;
	}
	return status;
}

static void put_now(struct work *work, struct publishing *publishing, struct event *event)
{
	stay_as_deep(&publishing->cause);
	BUF_LITERAL(&work->out, "{\"messageReceiptId\":");
	publishing_put(publishing, event, &work->out);
	buf_byte(&work->out, '}');
}

/* The wait ends the chain of causes, as that of an alarm does: work that comes back after a while
 * is no loop. */
static int put_for_later(struct work *work, const struct due_time *due, const struct event *event,
                         struct err *err)
{
	struct buf id = {0};
	struct later later = {
	        .queue = event->scope,
	        .call = event->old_value,
	        .data = event->new_value,
	        .traceparent = work->call->traceparent,
	};
	int status = due_time_find(due, store_time_ms(work->core->store), &later.at_ms, err);
	if (status == 0) {
		laters_put(alarm_book_laters(work->core->alarm_book), &later, &id);
		buf_byte(&work->out, '{');
		json_write_member_string(&work->out, "messageReceiptId", buf_view(&id));
		json_write_member_string(&work->out, "id", buf_view(&id));
		json_write_member_int(&work->out, "scheduled_at", later.at_ms);
		buf_byte(&work->out, '}');
	}
	buf_free(&id);
	return status;
}

static int put_letter(struct once *once, struct letter_to_queue *letter, struct err *err)
{
	struct work *work = once->work;
	struct publishing publishing;
	struct due_time due;
	int status = read_letter(work, once->data, &work->data, letter, err);
	if (status == 0) {
		status = due_time_pick(once->data, &due, err);
	}
	if (status == 0) {
		status = publishing_begin(work, &publishing, err);
	}
	if (status == 0 && due_time_count(&due) != 0) {
		return put_for_later(work, &due, &letter->event, err);
	}
	if (status == 0) {
		put_now(work, &publishing, &letter->event);
	}
	return status;
}

static void enqueue_once(struct once *once)
{
	struct letter_to_queue letter = {.event = {.kind = EVENT_QUEUED}};
	struct err err;
	if (once_is_answered(once)) {
		return;
	}
	if (put_letter(once, &letter, &err) != 0) {
		work_fail(once->work, &err);
	} else {
		once_commit(once);
	}
	close_letter(&letter);
}

static void enqueue(struct work *work, struct span data)
{
	once_run(work, data, NULL, 0, enqueue_once);
}

/* What the trigger of a queue names: the function that is really called stands in the message. */
static void run(struct work *work, struct span data)
{
	(void)data;
	work_refuse(work, "function_not_invokable",
	            "the engine runs the messages of its queues itself; put one in "
	            "with " QUEUE_ENQUEUE);
}

const struct builtin_row builtin_message_rows[] = {
        {"iii::durable::publish", publish_durable,
         "Publishes a message to a topic, for triggers of type durable:subscriber."},
        {"publish", publish, "Publishes a message to a topic, for triggers of type subscribe."},
        {QUEUE_ENQUEUE, enqueue, "Puts a call of a function into a queue, now or later."},
        {QUEUE_RUN, run, "What the trigger of a queue wakes; calls what the message names."},
        {NULL, NULL, NULL},
};
