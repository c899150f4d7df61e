/* This file keeps what is to be exported of one kind, and sends it, bounded and without a hurry. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/otlp_queue.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/work/webhook_fetch.h"

enum { WAIT_MS = 1000, TRIES = 5, FIRST_AGAIN_MS = 1000 };

struct body {
	struct list link;
	struct buf text;
	size_t items;
};

static void send_first(struct otlp_queue *queue);

static struct body *first_of(struct otlp_queue *queue)
{
	return LIST_FIRST(&queue->ready, struct body, link);
}

static void forget_body(struct otlp_queue *queue, struct body *body)
{
	list_remove(&body->link);
	queue->bytes -= body->text.len;
	buf_free(&body->text);
	mem_free(body);
}

/* ---- sending ---- */

static bool may_try_again(const struct webhook_reply *reply, const struct err *err)
{
	return err != NULL || reply->status == 429 || reply->status == 502 ||
	       reply->status == 503 || reply->status == 504;
}

static void drop_first(struct otlp_queue *queue, const struct webhook_reply *reply,
                       const struct err *err)
{
	struct body *body = first_of(queue);
	if (err != NULL) {
		log_debug("otlp", "%zu items for %s are lost: %s", body->items, queue->url,
		          err->text);
	} else {
		log_debug("otlp", "%zu items for %s are lost: it answered %d", body->items,
		          queue->url, reply->status);
	}
	queue->dropped += body->items;
	forget_body(queue, body);
}

static void was_sent(void *ctx, const struct webhook_reply *reply, const struct err *err)
{
	struct otlp_queue *queue = ctx;
	queue->fetch = NULL;
	bool is_good = err == NULL && reply->status >= 200 && reply->status < 300;
	if (!is_good && may_try_again(reply, err) && ++queue->tries < TRIES && !queue->is_closing) {
		int64_t wait_ms = (int64_t)FIRST_AGAIN_MS << (queue->tries - 1);
		if (err == NULL && reply->retry_after_ms > wait_ms) {
			wait_ms = reply->retry_after_ms;
		}
		queue->is_waiting = true;
		alarm_set_real(queue->post->alarms, &queue->due, wait_ms);
		return;
	}
	queue->tries = 0;
	if (is_good) {
		queue->sent += first_of(queue)->items;
		forget_body(queue, first_of(queue));
	} else {
		drop_first(queue, reply, err);
	}
	send_first(queue);
	queue->post->sent(queue->post);
}

static void send_first(struct otlp_queue *queue)
{
	const struct body *body = first_of(queue);
	if (queue->fetch != NULL || body == NULL || queue->is_waiting) {
		return;
	}
	const struct webhook_request request = {
	        .url = queue->url,
	        .method = "POST",
	        .headers = queue->post->headers,
	        .body = buf_view(&body->text),
	        .timeout_ms = queue->post->timeout_ms,
	};
	queue->fetch = webhook_fetch_start(queue->post->fetcher, &request, was_sent, queue);
}

/* ---- collecting ---- */

static void seal(struct otlp_queue *queue)
{
	if (queue->count == 0) {
		return;
	}
	struct body *body = MEM_NEW(struct body);
	buf_span(&queue->items, span_of(queue->after));
	queue->bytes += strlen(queue->after);
	body->text = queue->items;
	body->items = queue->count;
	queue->items = (struct buf){0};
	queue->count = 0;
	list_push(&queue->ready, &body->link);
}

static void is_due(struct alarm *alarm)
{
	struct otlp_queue *queue = MEM_CONTAINER(alarm, struct otlp_queue, due);
	queue->is_waiting = false;
	seal(queue);
	send_first(queue);
}

static bool has_room(struct otlp_queue *queue, size_t bytes)
{
	if (queue->bytes + bytes <= OTLP_BYTES_MOST && !queue->is_closing) {
		return true;
	}
	queue->dropped++;
	return false;
}

struct buf *otlp_queue_item(struct otlp_queue *queue)
{
	if (!has_room(queue, 0)) {
		return NULL;
	}
	queue->mark = queue->items.len;
	buf_span(&queue->items, queue->count == 0 ? span_of(queue->before) : SPAN(","));
	return &queue->items;
}

void otlp_queue_end(struct otlp_queue *queue)
{
	queue->bytes += queue->items.len - queue->mark;
	if (++queue->count == OTLP_ITEMS_MOST) {
		seal(queue);
		send_first(queue);
	} else if (!alarm_is_set(&queue->due)) {
		alarm_set_real(queue->post->alarms, &queue->due, WAIT_MS);
	}
}

void otlp_queue_body(struct otlp_queue *queue, struct span text)
{
	if (!has_room(queue, text.len)) {
		return;
	}
	struct body *body = MEM_NEW(struct body);
	buf_span(&body->text, text);
	body->items = 1;
	queue->bytes += text.len;
	list_push(&queue->ready, &body->link);
	send_first(queue);
}

void otlp_queue_flush(struct otlp_queue *queue)
{
	queue->is_closing = true;
	alarm_clear(queue->post->alarms, &queue->due);
	queue->is_waiting = false;
	seal(queue);
	send_first(queue);
}

bool otlp_queue_is_empty(const struct otlp_queue *queue)
{
	return list_is_empty(&queue->ready) && queue->count == 0;
}

/* ---- life ---- */

void otlp_queue_init(struct otlp_queue *queue, struct otlp_post *post, char *url,
                     const char *before, const char *after)
{
	*queue = (struct otlp_queue){.post = post, .url = url, .before = before, .after = after};
	list_init(&queue->ready);
	queue->due.fn = is_due;
}

void otlp_queue_close(struct otlp_queue *queue)
{
	alarm_clear(queue->post->alarms, &queue->due);
	if (queue->fetch != NULL) {
		webhook_fetch_cancel(queue->fetch);
		queue->fetch = NULL;
	}
	while (!list_is_empty(&queue->ready)) {
		forget_body(queue, first_of(queue));
	}
	buf_free(&queue->items);
	mem_free(queue->url);
}
