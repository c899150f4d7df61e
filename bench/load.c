/* This file loads the engine over the worker protocol and measures how fast changes settle. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "bench/measure.h"
#include "bench/peer.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/*
 * DESIGN. One thread, connections that write and, with --deliver, one more that is the worker: it
 * answers every invocation as soon as it has read it.
 *
 *   REGISTERING --trigger is registered--> LOADING --all sent, none in flight-->
 *   SETTLING --waiting and running are 0, delivered is what we counted--> LEAVING --trigger gone-->
 *   DONE
 *
 * Without --deliver LOADING goes straight to DONE, and so it does with --serve, where the trigger
 * is not ours. With --drain nothing is sent: REGISTERING goes to SETTLING, and that to DONE.
 * SETTLING and LEAVING ask the engine for its list of triggers, again as soon as it has answered.
 * The program fails when nothing has settled and no phase has ended for STUCK_NS.
 */
enum phase { REGISTERING, LOADING, SETTLING, LEAVING, DONE };

static const char *const phase_names[] = {"registering", "loading", "settling", "leaving", "done"};
static const int64_t STUCK_NS = 30000000000;
static const int64_t PROBE_NS = 60000000000;
static const int64_t PROBE_PAUSE_NS = 500000;

#define FUNCTION "bench::handle"
#define TRIGGER  "7d1a3c50-0000-4000-8000-000000000001"
#define QUERY    "query"

enum { PEERS_MOST = 64 };

struct load {
	struct measure measure;
	enum phase phase;
	int64_t moved_ns; /* when something was settled last */
	uint64_t settled; /* as of then */
	struct peer *writers;
	struct peer worker;
	uint32_t next_writer;
	uint64_t drained;
	struct buf last_row; /* what the engine said about our trigger last, for the error text */
};

static _Noreturn void fail(const char *text, struct span detail)
{
	fprintf(stderr, "load: %s: %.*s\n", text, SPAN_ARG(detail));
	exit(1);
}

static void need(int status, const struct err *err)
{
	if (status != 0) {
		fail("failed", span_of(err->text));
	}
}

static void enter(struct load *load, enum phase phase)
{
	load->phase = phase;
	load->moved_ns = sample_now_ns();
}

/* ---- what is sent ---- */

static void ask_for_triggers(struct load *load)
{
	const struct message frame = {.type = MESSAGE_INVOKE_FUNCTION,
	                              .invocation_id = SPAN(QUERY),
	                              .function_id = SPAN("engine::registered-triggers::list"),
	                              .data = SPAN("{}")};
	peer_send(&load->worker, &frame);
}

static void register_worker(struct load *load)
{
	struct peer *peer = &load->worker;
	const struct message frames[] = {
	        {.type = MESSAGE_INVOKE_FUNCTION,
	         .function_id = SPAN("engine::workers::register"),
	         .data = SPAN("{\"name\":\"bench\",\"runtime\":\"c\",\"version\":\"1\"}"),
	         .action = SPAN("{\"type\":\"void\"}")},
	        {.type = MESSAGE_REGISTER_FUNCTION, .id = SPAN(FUNCTION)},
	        {.type = MESSAGE_REGISTER_TRIGGER,
	         .id = SPAN(TRIGGER),
	         .trigger_type = SPAN("state"),
	         .function_id = SPAN(FUNCTION),
	         .config = SPAN("{\"scope\":\"bench\",\"concurrency\":1000}")},
	};
	bool owns_trigger = !load->measure.options.serve && !load->measure.options.drain;
	for (size_t i = 0; i < sizeof frames / sizeof *frames - !owns_trigger; i++) {
		peer_send(peer, &frames[i]);
	}
	if (!owns_trigger) {
		ask_for_triggers(load); /* which is answered behind the registration */
	}
}

/* One change; without an invocation id nobody waits for it. */
static void write_change(struct load *load, struct peer *peer, uint32_t slot, struct span id)
{
	struct measure *measure = &load->measure;
	bool is_alarm = measure->options.alarm;
	const struct message frame = {.type = MESSAGE_INVOKE_FUNCTION,
	                              .invocation_id = id,
	                              .function_id =
	                                      is_alarm ? SPAN("alarm::set") : SPAN("state::set"),
	                              .action = id.ptr ? SPAN_NONE : SPAN("{\"type\":\"void\"}")};
	size_t mark = peer_begin(peer, &frame, MESSAGE_FIELD_data);
	BUF_LITERAL(&peer->out, "{\"scope\":\"bench\",\"key\":\"");
	measure_write_key(measure, &peer->out);
	BUF_LITERAL(&peer->out, "\",");
	buf_span(&peer->out, is_alarm ? SPAN("\"payload\":") : SPAN("\"value\":"));
	measure_write_value(measure, slot, &peer->out);
	if (measure->expires_at_ms != 0) {
		buf_span(&peer->out, is_alarm ? SPAN(",\"at\":") : SPAN(",\"expires_at\":"));
		buf_int(&peer->out,
		        measure->expires_at_ms + (is_alarm ? (int64_t)(measure->sent % 1000) : 0));
	}
	buf_byte(&peer->out, '}');
	peer_end(peer, mark);
}

enum { ID_GENERATION_AT = 0, ID_SLOT_AT = 24, ID_LEN = 36 };

static void write_changes(struct load *load)
{
	struct measure *measure = &load->measure;
	for (uint32_t slot; measure_take(measure, &slot);) {
		struct peer *peer = &load->writers[load->next_writer];
		load->next_writer = (load->next_writer + 1) % measure->options.connections;
		for (uint32_t i = 1; i < measure->options.train; i++) {
			write_change(load, peer, slot, SPAN_NONE);
		}
		char id[ID_LEN + 1];
		(void)snprintf(id, sizeof id, "%08x-0000-4000-8000-%012x",
		               measure->slots[slot].generation, slot);
		write_change(load, peer, slot, span_make(id, ID_LEN));
	}
}

/* ---- what comes back ---- */

static void on_ack(struct load *load, struct span id)
{
	char text[ID_LEN + 1] = {0};
	if (id.len != ID_LEN) {
		fail("an answer that nobody asked for", id);
	}
	memcpy(text, id.ptr, ID_LEN);
	measure_acked(&load->measure, (uint32_t)strtoul(text + ID_SLOT_AT, NULL, 16),
	              (uint32_t)strtoul(text + ID_GENERATION_AT, NULL, 16));
}

static void on_invocation(struct load *load, const struct message *frame)
{
	const struct message answer = {.type = MESSAGE_INVOCATION_RESULT,
	                               .invocation_id = frame->invocation_id,
	                               .function_id = frame->function_id};
	struct span value;
	uint32_t slot;
	uint32_t generation;
	if (load->measure.options.drain) {
		peer_send(&load->worker, &answer);
		load->drained++;
		load->measure.settled++;
		return;
	}
	if (!json_get(frame->data, SPAN("new_value"), &value) ||
	    !measure_read_value(value, &slot, &generation)) {
		fail("an event without our value", frame->data);
	}
	peer_send(&load->worker, &answer);
	measure_invoked(&load->measure, slot, generation);
}

static uint64_t number(struct span row, struct span name)
{
	struct span value = SPAN_NONE;
	(void)json_get(row, name, &value);
	return value.len ? strtoull(value.ptr, NULL, 10) : 0;
}

/* The row of our trigger in the engine's list. */
static bool find_row(struct span result, struct span *out_row)
{
	struct span rows;
	struct span function;
	if (!json_get(result, SPAN("registered_triggers"), &rows)) {
		fail("no list of triggers", result);
	}
	struct json_iter iter = json_iter(rows);
	while (json_next_item(&iter, out_row)) {
		if (json_get(*out_row, SPAN("function_id"), &function) &&
		    json_string_is(function, SPAN(FUNCTION))) {
			return true;
		}
	}
	return false;
}

static void begin_loading(struct load *load)
{
	load->measure.started_ns = sample_now_ns();
	enter(load, load->measure.options.drain ? SETTLING : LOADING);
}

static void end_draining(struct load *load)
{
	double seconds = (double)(sample_now_ns() - load->measure.started_ns) / 1e9;
	printf("{\"count\":%llu,\"seconds\":%.3f,\"per_second\":%.1f}\n",
	       (unsigned long long)load->drained, seconds, (double)load->drained / seconds);
	enter(load, DONE);
}

static void on_triggers(struct load *load, struct span result)
{
	struct span row;
	if (load->phase == REGISTERING) {
		begin_loading(load);
		if (load->phase == LOADING) {
			return;
		}
	}
	bool is_there = find_row(result, &row);
	if (load->phase == LEAVING && !is_there) {
		enter(load, DONE);
		return;
	}
	if (load->phase == SETTLING && !is_there) {
		fail("the trigger is gone", result);
	}
	buf_clear(&load->last_row);
	buf_span(&load->last_row, row);
	bool settled = number(row, SPAN("waiting")) == 0 && number(row, SPAN("running")) == 0 &&
	               number(row, SPAN("delivered")) == load->measure.sent;
	if (load->measure.options.drain) {
		bool is_done = load->drained >= load->measure.options.keys;
		if (is_done && number(row, SPAN("waiting")) == 0 &&
		    number(row, SPAN("running")) == 0) {
			end_draining(load);
			return;
		}
	} else if (load->phase == SETTLING && settled) {
		const struct message frame = {.type = MESSAGE_UNREGISTER_TRIGGER,
		                              .id = SPAN(TRIGGER),
		                              .trigger_type = SPAN("state")};
		measure_end(&load->measure);
		measure_print(&load->measure);
		peer_send(&load->worker, &frame);
		enter(load, LEAVING);
	}
	ask_for_triggers(load);
}

static void on_frame(void *ctx, struct peer *peer, const struct message *frame)
{
	struct load *load = ctx;
	(void)peer;
	if (frame->error.ptr != NULL) {
		fail("the engine answered with an error", frame->error);
	}
	switch (frame->type) {
	case MESSAGE_INVOKE_FUNCTION:
		on_invocation(load, frame);
		break;
	case MESSAGE_INVOCATION_RESULT:
		if (span_is(frame->invocation_id, QUERY)) {
			on_triggers(load, frame->result);
		} else {
			on_ack(load, frame->invocation_id);
		}
		break;
	case MESSAGE_TRIGGER_REGISTRATION_RESULT:
		if (load->phase == REGISTERING) {
			begin_loading(load);
		}
		break;
	default:
		break;
	}
}

/* ---- the loop ---- */

static void tick(struct load *load)
{
	if (load->phase == LOADING) {
		write_changes(load);
	}
	if (load->phase == LOADING && measure_is_drained(&load->measure)) {
		if (load->measure.options.deliver && !load->measure.options.serve) {
			enter(load, SETTLING);
			ask_for_triggers(load);
		} else {
			measure_end(&load->measure);
			measure_print(&load->measure);
			enter(load, DONE);
		}
	}
	int64_t now = sample_now_ns();
	if (load->settled != load->measure.settled) {
		load->settled = load->measure.settled;
		load->moved_ns = now;
	}
	if (now > load->moved_ns + STUCK_NS && load->phase != DONE) {
		fprintf(stderr, "load: sent %llu, settled %llu, delivered %llu, repeated %llu\n",
		        (unsigned long long)load->measure.sent,
		        (unsigned long long)load->measure.settled,
		        (unsigned long long)load->measure.delivered,
		        (unsigned long long)load->measure.repeated);
		fail(phase_names[load->phase], buf_view(&load->last_row));
	}
}

static void wait_for_peers(struct load *load, struct peer **peers, size_t count)
{
	struct pollfd fds[PEERS_MOST];
	for (size_t i = 0; i < count; i++) {
		struct err err;
		need(peer_flush(peers[i], &err), &err);
		fds[i] = (struct pollfd){.fd = peers[i]->fd, .events = POLLIN};
		if (peer_wants_write(peers[i])) {
			fds[i].events |= POLLOUT;
		}
	}
	int64_t wait = load->phase == LOADING ? measure_wait_ns(&load->measure) : -1;
	if (wait < 0 || wait > 100000000) {
		wait = 100000000;
	}
	const struct timespec timeout = {.tv_nsec = wait};
	if (ppoll(fds, count, &timeout, NULL) < 0 && errno != EINTR) {
		fail("ppoll", span_of(strerror(errno)));
	}
	for (size_t i = 0; i < count; i++) {
		struct err err;
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) {
			need(peer_read(peers[i], on_frame, load, &err), &err);
		}
	}
}

static void run(struct load *load)
{
	const struct measure_options *options = &load->measure.options;
	size_t count = options->connections;
	if (count == 0 || count >= PEERS_MOST) {
		fail("--connections", SPAN("is from 1 to 63"));
	}
	struct peer **peers = MEM_ARRAY(struct peer *, count + 1);
	struct err err;
	load->writers = MEM_ARRAY(struct peer, count);
	for (size_t i = 0; i < count; i++) {
		need(peer_open(&load->writers[i], (uint16_t)options->port, &err), &err);
		peers[i] = &load->writers[i];
	}
	if (options->deliver || options->drain) {
		need(peer_open(&load->worker, (uint16_t)options->port, &err), &err);
		peers[count++] = &load->worker;
		register_worker(load);
	}
	enter(load, options->deliver || options->drain ? REGISTERING : LOADING);
	while (load->phase != DONE) {
		tick(load);
		wait_for_peers(load, peers, count);
	}
	for (size_t i = 0; i < count; i++) {
		peer_close(peers[i]);
	}
	mem_free(peers);
	mem_free(load->writers);
	buf_free(&load->last_row);
}

/* ---- the probe ---- */

static void on_probe(void *ctx, struct peer *peer, const struct message *frame)
{
	(void)peer;
	bool *answered = ctx;
	*answered = *answered || frame->type == MESSAGE_INVOCATION_RESULT;
}

/* Asks for the first key until there is an answer; prints when that was and whether it existed. */
static void probe(uint16_t port)
{
	const struct message frame = {
	        .type = MESSAGE_INVOKE_FUNCTION,
	        .invocation_id = SPAN("first"),
	        .function_id = SPAN("state::get"),
	        .data = SPAN("{\"scope\":\"bench\",\"key\":\"user-00000000\"}")};
	const struct timespec pause = {.tv_nsec = PROBE_PAUSE_NS};
	int64_t give_up_ns = sample_now_ns() + PROBE_NS;
	struct peer peer;
	struct err err;
	while (peer_open(&peer, port, &err) != 0) {
		if (sample_now_ns() > give_up_ns) {
			fail("no answer", span_of(err.text));
		}
		(void)nanosleep(&pause, NULL);
	}
	bool answered = false;
	peer_send(&peer, &frame);
	need(peer_flush(&peer, &err), &err);
	while (!answered) {
		struct pollfd fd = {.fd = peer.fd, .events = POLLIN};
		(void)poll(&fd, 1, 1000);
		need(peer_read(&peer, on_probe, &answered, &err), &err);
		if (sample_now_ns() > give_up_ns) {
			fail("no answer", SPAN("to state::get"));
		}
	}
	printf("{\"answered_at\":%.6f}\n", (double)sample_now_ns() / 1e9);
	peer_close(&peer);
}

int main(int argc, char **argv)
{
	struct measure_options options;
	measure_options(&options, argc, argv);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	if (options.probe) {
		probe((uint16_t)options.port);
		return 0;
	}
	struct load load = {0};
	measure_init(&load.measure, &options);
	run(&load);
	measure_close(&load.measure);
	return 0;
}
