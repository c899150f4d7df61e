/* This file is the ground that tests of the server stand on: a server, functions, raw clients. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SERVER_WORLD_H
#define TESTS_UNIT_SERVER_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/api/rest.h"
#include "engine/api/server.h"
#include "engine/core/function.h"
#include "engine/durable/alarm.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { DEADLINE_S = 30 };

/*
 * Everything runs on one thread: a client's socket does not block, and while it waits for something
 * the server's loop is turned. The executor answers these functions:
 *   slow            when world_release is called
 *   fail, refuse, stop, time    with that end; the code is in the data's "code"
 *   big             with a string of data's "bytes" letters
 *   state::get      {"value":{"n":1},"rev":"7"}; nothing when its data names the key "missing"
 *   any other       {"f":its id,"data":its data}
 */
struct world {
	uv_loop_t loop;
	struct alarms *alarms;
	struct functions *functions;
	struct executor executor;
	struct rest *rest;
	struct server *server;
	struct conn_limits limits;
	struct conn_upgrade upgrade;
	struct exchange_handler handler; /* instead of the rest's, if it is set */

	unsigned started;
	bool closed;
};

static inline void world_finish(struct call *call, enum call_end end, struct span text)
{
	struct call_result result = {.end = end};
	if (end == CALL_OK) {
		result.result = text;
	} else {
		result.code = text;
		result.message = SPAN("as was asked for");
	}
	call_finish(call, &result);
}

static inline struct span world_member(struct span data, const char *name)
{
	struct span value = SPAN_NONE;
	(void)json_get(data, span_of(name), &value);
	return value;
}

static inline void world_answer_big(struct call *call)
{
	uint64_t bytes = 0;
	struct buf out = {0};
	assert_true(json_uint64(world_member(call->data, "bytes"), &bytes));
	buf_byte(&out, '"');
	memset(buf_reserve(&out, bytes), 'x', bytes);
	out.len += bytes;
	buf_byte(&out, '"');
	world_finish(call, CALL_OK, buf_view(&out));
	buf_free(&out);
}

static inline void world_start(struct executor *executor, struct provider *provider,
                               struct call *call)
{
	static const struct {
		const char *id;
		enum call_end end;
	} ends[] = {{"fail", CALL_FAILED},
	            {"refuse", CALL_REFUSED},
	            {"stop", CALL_STOPPED},
	            {"time", CALL_TIMEOUT}};
	struct world *world = MEM_CONTAINER(executor, struct world, executor);
	struct span id = provider->function->id;
	world->started++;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (span_is(id, ends[i].id)) {
			struct buf code = {0};
			json_string(world_member(call->data, "code"), &code);
			world_finish(call, ends[i].end, buf_view(&code));
			buf_free(&code);
			return;
		}
	}
	if (span_is(id, "slow")) {
		return;
	}
	if (span_is(id, "big")) {
		world_answer_big(call);
	} else if (span_is(id, "state::get")) {
		bool is_missing = memmem(call->data.ptr, call->data.len, "missing", 7) != NULL;
		world_finish(call, CALL_OK,
		             is_missing ? SPAN_NONE : SPAN("{\"value\":{\"n\":1},\"rev\":\"7\"}"));
	} else {
		struct buf out = {0};
		buf_format(&out, "{\"f\":\"%.*s\",\"data\":%.*s}", SPAN_ARG(id),
		           SPAN_ARG(call->data));
		world_finish(call, CALL_OK, buf_view(&out));
		buf_free(&out);
	}
}

static inline void world_forget(struct executor *executor, struct call *call)
{
	(void)executor;
	(void)call;
}

/* Lets all calls of "slow" end. */
static inline void world_release(struct world *world)
{
	while (!list_is_empty(&world->executor.calls)) {
		world_finish(LIST_FIRST(&world->executor.calls, struct call, link), CALL_OK,
		             SPAN("\"released\""));
	}
}

static inline void world_open(struct world *world)
{
	static const struct executor_ops ops = {"builtin", world_start, world_forget};
	static const char *const functions[] = {
	        "slow",          "fail",        "refuse",        "stop",       "time",
	        "big",           "echo",        "state::get",    "state::set", "state::delete",
	        "state::update", "state::list", "engine::status"};
	assert_int_equal(uv_loop_init(&world->loop), 0);
	world->alarms = alarms_new(&world->loop);
	world->functions = functions_new(world->alarms);
	executor_init(&world->executor, world->functions, &ops, SPAN("builtin"), 0);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		(void)function_offer(&world->executor, SPAN_NONE, span_of(functions[i]));
	}
	world->rest = rest_new(world->functions, "default");
	struct server_options options = {
	        .listeners = {{.place = "127.0.0.1:0"}},
	        .limits = world->limits,
	        .handler = world->handler.request ? world->handler : rest_handler(world->rest),
	        .upgrade = world->upgrade,
	};
	struct err err = {0};
	if (server_open(&world->loop, world->alarms, &options, &world->server, &err) != 0) {
		fail_msg("%s", err.text);
	}
}

static inline int64_t world_now_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* not base/clock: tests turn that by hand */
	return now.tv_sec;
}

static inline void world_turn(struct world *world)
{
	(void)uv_run(&world->loop, UV_RUN_NOWAIT);
}

static inline void world_on_closed(void *ctx)
{
	((struct world *)ctx)->closed = true;
}

static inline void world_wait_closed(struct world *world)
{
	int64_t end = world_now_s() + DEADLINE_S;
	while (!world->closed) {
		assert_true(world_now_s() < end);
		world_turn(world);
	}
	world->server = NULL;
}

static inline int world_set_up(void **state)
{
	struct world *world = MEM_NEW(struct world);
	conn_limits_default(&world->limits);
	*state = world;
	return 0;
}

static inline int world_tear_down(void **state)
{
	struct world *world = *state;
	if (world->server) {
		server_close(world->server, 0, world_on_closed, world);
		world_wait_closed(world);
	}
	rest_free(world->rest);
	executor_close(&world->executor);
	functions_free(world->functions);
	alarms_close(world->alarms, NULL, NULL);
	assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	mem_free(world);
	return 0;
}

/* Turns the manual clock. */
static inline void world_advance(struct world *world, int64_t by_ms)
{
	for (int i = 0; i < 20; i++) {
		world_turn(world); /* what was sent before has arrived by then */
	}
	clock_advance(by_ms);
	(void)alarms_run_due(world->alarms);
	world_turn(world);
}

/* ---- a client ---- */

struct client {
	struct world *world;
	int fd;
	struct buf in; /* what has come */
	bool ended;
};

static inline void client_open(struct client *client, struct world *world)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
	                           .sin_port = htons(server_port(world->server, LISTENER_TCP)),
	                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
	*client = (struct client){.world = world};
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	int yes = 1;
	assert_int_equal(setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)), 0);
	assert_int_equal(connect(client->fd, (const struct sockaddr *)&name, sizeof(name)), 0);
}

static inline void client_close(struct client *client)
{
	(void)close(client->fd);
	buf_free(&client->in);
}

static inline void client_send_bytes(struct client *client, struct span bytes)
{
	int64_t end = world_now_s() + DEADLINE_S;
	size_t sent = 0;
	while (sent < bytes.len) {
		assert_true(world_now_s() < end);
		ssize_t n = send(client->fd, bytes.ptr + sent, bytes.len - sent,
		                 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return; /* what came back says why */
		} else {
			assert_int_equal(errno, EAGAIN);
		}
		world_turn(client->world);
	}
}

static inline void client_send(struct client *client, const char *text)
{
	client_send_bytes(client, span_of(text));
}

/* Reads what is there; turns the loop when there is nothing. */
static inline void client_read(struct client *client)
{
	char bytes[65536];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0) {
		buf_add(&client->in, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		client->ended = true;
	}
	world_turn(client->world);
}

static inline const char *client_find(const struct client *client, const char *text)
{
	return client->in.len ? memmem(client->in.ptr, client->in.len, text, strlen(text)) : NULL;
}

/* Waits until `text` has come, and forgets everything up to its end. */
static inline void client_expect(struct client *client, const char *text)
{
	int64_t end = world_now_s() + DEADLINE_S;
	const char *found = client_find(client, text);
	for (; found == NULL; found = client_find(client, text)) {
		if (client->ended || world_now_s() >= end) {
			fail_msg("\"%s\" does not come, this does: %.*s", text,
			         SPAN_ARG(buf_view(&client->in)));
		}
		client_read(client);
	}
	buf_remove_front(&client->in, (size_t)(found - client->in.ptr) + strlen(text));
}

static inline void client_expect_bytes(struct client *client, size_t count)
{
	int64_t end = world_now_s() + DEADLINE_S;
	while (client->in.len < count) {
		assert_true(world_now_s() < end);
		assert_false(client->ended);
		client_read(client);
	}
}

static inline void client_expect_end(struct client *client)
{
	int64_t end = world_now_s() + DEADLINE_S;
	while (!client->ended) {
		assert_true(world_now_s() < end);
		client_read(client);
	}
}

#endif
