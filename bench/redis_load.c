/* This file loads Redis with the same changes and measures them: SET + XADD in one MULTI. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "bench/measure.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

/*
 * DESIGN. The peer of load.c, against a server with appendonly yes and appendfsync always. A change
 * is MULTI, SET of the value, XADD to a stream of events, EXEC: state and event in one durable
 * step. The worker is a consumer group of one that reads with XREADGROUP and answers each event
 * with an XACK. Slots settle as in load.c: EXEC answered and event handled. At the end the run
 * waits for the answers to all XACKs, and XPENDING must be 0.
 *
 * hiredis keeps what is sent in its buffer and reads only when asked, so that one thread polls both
 * connections.
 */
#define STREAM "events"
#define GROUP  "workers"

enum { REPLIES_OF_CHANGE = 4, READ_COUNT = 1000 };

struct load {
	struct measure measure;
	redisContext *writer;
	redisContext *reader;
	uint32_t *order; /* the slots of the changes without an answer yet, a ring */
	uint32_t order_first;
	uint32_t order_count;
	uint32_t replies; /* of the change that is being answered */
	uint64_t acks_owed;
	bool is_reading; /* an XREADGROUP is out */
	struct buf key;
	struct buf value;
};

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "redis_load: %s: %s\n", what, why);
	exit(1);
}

static void need(const redisContext *context, int status)
{
	if (status != REDIS_OK) {
		fail("connection", context->errstr);
	}
}

static redisContext *connect_to(uint32_t port)
{
	redisContext *context = redisConnect("127.0.0.1", (int)port);
	if (context == NULL || context->err != 0) {
		fail("connecting", context ? context->errstr : "no memory");
	}
	return context;
}

/* ---- what is sent ---- */

static void append(redisContext *context, int count, const struct span words[])
{
	const char *texts[16];
	size_t lengths[16];
	for (int i = 0; i < count; i++) {
		texts[i] = words[i].ptr;
		lengths[i] = words[i].len;
	}
	need(context, redisAppendCommandArgv(context, count, texts, lengths));
}

static void write_change(struct load *load, uint32_t slot)
{
	struct measure *measure = &load->measure;
	buf_clear(&load->key);
	buf_clear(&load->value);
	measure_write_key(measure, &load->key);
	measure_write_value(measure, slot, &load->value);
	struct span key = buf_view(&load->key);
	struct span value = buf_view(&load->value);
	append(load->writer, 1, (const struct span[]){SPAN("MULTI")});
	append(load->writer, 3, (const struct span[]){SPAN("SET"), key, value});
	append(load->writer, 7,
	       (const struct span[]){SPAN("XADD"), SPAN(STREAM), SPAN("*"), SPAN("key"), key,
	                             SPAN("value"), value});
	append(load->writer, 1, (const struct span[]){SPAN("EXEC")});
	uint32_t size = measure->options.in_flight;
	load->order[(load->order_first + load->order_count++) % size] = slot;
}

static void read_events(struct load *load)
{
	need(load->reader, redisAppendCommand(load->reader,
	                                      "XREADGROUP GROUP " GROUP
	                                      " one COUNT %d BLOCK 100 STREAMS " STREAM " >",
	                                      READ_COUNT));
	load->is_reading = true;
}

/* ---- what comes back ---- */

static void on_written(struct load *load, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		fail("a change", reply->str);
	}
	if (++load->replies < REPLIES_OF_CHANGE) {
		return;
	}
	load->replies = 0;
	uint32_t slot = load->order[load->order_first];
	load->order_first = (load->order_first + 1) % load->measure.options.in_flight;
	load->order_count--;
	measure_acked(&load->measure, slot, load->measure.slots[slot].generation);
}

static void on_event(struct load *load, const redisReply *event)
{
	const redisReply *id = event->element[0];
	const redisReply *value = event->element[1]->element[3];
	uint32_t slot;
	uint32_t generation;
	if (!measure_read_value(span_make(value->str, (size_t)value->len), &slot, &generation)) {
		fail("an event without our value", value->str);
	}
	need(load->reader,
	     redisAppendCommand(load->reader, "XACK " STREAM " " GROUP " %s", id->str));
	load->acks_owed++;
	measure_invoked(&load->measure, slot, generation);
}

static void on_read(struct load *load, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		fail("an event", reply->str);
	}
	if (reply->type == REDIS_REPLY_INTEGER) {
		load->acks_owed--;
		return;
	}
	load->is_reading = false;
	if (reply->type == REDIS_REPLY_ARRAY) {
		const redisReply *events = reply->element[0]->element[1];
		for (size_t i = 0; i < events->elements; i++) {
			on_event(load, events->element[i]);
		}
	}
	read_events(load);
}

typedef void reply_fn(struct load *load, const redisReply *reply);

static void read_replies(struct load *load, redisContext *context, reply_fn *fn)
{
	need(context, redisBufferRead(context));
	for (;;) {
		void *reply;
		need(context, redisGetReplyFromReader(context, &reply));
		if (reply == NULL) {
			return;
		}
		fn(load, reply);
		freeReplyObject(reply);
	}
}

/* ---- the loop ---- */

static void flush(redisContext *context)
{
	for (int done = 0; !done;) {
		need(context, redisBufferWrite(context, &done));
	}
}

static void wait_for_replies(struct load *load)
{
	bool deliver = load->measure.options.deliver;
	struct pollfd fds[] = {{.fd = load->writer->fd, .events = POLLIN},
	                       {.fd = deliver ? load->reader->fd : -1, .events = POLLIN}};
	int64_t wait = measure_wait_ns(&load->measure);
	if (wait < 0 || wait > 100000000) {
		wait = 100000000;
	}
	const struct timespec timeout = {.tv_nsec = wait};
	flush(load->writer);
	if (deliver) {
		flush(load->reader);
	}
	if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR) {
		fail("ppoll", "failed");
	}
	if (fds[0].revents != 0) {
		read_replies(load, load->writer, on_written);
	}
	if (fds[1].revents != 0) {
		read_replies(load, load->reader, on_read);
	}
}

static void command(redisContext *context, const char *text)
{
	redisReply *reply = redisCommand(context, text);
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
		fail(text, reply ? reply->str : context->errstr);
	}
	freeReplyObject(reply);
}

static void check_pending(redisContext *context)
{
	redisReply *reply = redisCommand(context, "XPENDING " STREAM " " GROUP);
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->element[0]->integer != 0) {
		fail("XPENDING", "events are not acknowledged");
	}
	freeReplyObject(reply);
}

static bool is_over(const struct load *load)
{
	return measure_is_drained(&load->measure) && load->acks_owed == 0;
}

static void run(struct load *load)
{
	struct measure *measure = &load->measure;
	load->writer = connect_to(measure->options.port);
	load->order = MEM_ARRAY(uint32_t, measure->options.in_flight);
	if (measure->options.deliver) {
		command(load->writer, "DEL " STREAM);
		command(load->writer, "XGROUP CREATE " STREAM " " GROUP " $ MKSTREAM");
		load->reader = connect_to(measure->options.port);
		read_events(load);
	}
	measure->started_ns = sample_now_ns();
	while (!is_over(load)) {
		for (uint32_t slot; measure_take(measure, &slot);) {
			write_change(load, slot);
		}
		wait_for_replies(load);
	}
	if (measure->options.deliver) {
		check_pending(load->writer);
		redisFree(load->reader);
	}
	measure_end(measure);
	measure_print(measure);
	redisFree(load->writer);
	mem_free(load->order);
	buf_free(&load->key);
	buf_free(&load->value);
}

int main(int argc, char **argv)
{
	struct measure_options options;
	measure_options(&options, argc, argv);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	struct load load = {0};
	measure_init(&load.measure, &options);
	run(&load);
	measure_close(&load.measure);
	return 0;
}
