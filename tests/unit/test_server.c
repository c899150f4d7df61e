/* This file proves the HTTP server over real sockets: order, limits, time, its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server_world.h"

#define HOST "Host: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"

static void send_invoke(struct client *client, const char *function, const char *body)
{
	struct buf out = {0};
	buf_format(&out,
	           "POST /v1/functions/%s/invoke HTTP/1.1\r\n" HOST JSON
	           "Content-Length: %zu\r\n\r\n%s",
	           function, strlen(body), body);
	client_send_bytes(client, buf_view(&out));
	buf_free(&out);
}

static void one_connection_serves_many_requests(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	for (int i = 0; i < 3; i++) {
		client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
		client_expect(&client, "HTTP/1.1 200 OK\r\n");
		client_expect(&client, "\"name\":\"pawl\"");
		client_expect(&client, "\n");
	}
	client_send(&client, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	client_expect(&client, "Connection: close\r\n");
	client_expect_end(&client);
	client_close(&client);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	struct world *world = *state;
	struct client client;
	static const char text[] =
	        "PUT /v1/state/s/k HTTP/1.1\r\n" HOST JSON
	        "Content-Length: 7\r\n\r\n{\"a\":1}GET / HTTP/1.1\r\n" HOST "\r\n";
	world_open(world);
	client_open(&client, world);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		client_send_bytes(&client, span_make(text + i, 1));
	}
	client_expect(&client, "\"data\":{\"value\":{\"a\":1},");
	client_expect(&client, "\"name\":\"pawl\"");
	client_close(&client);
}

static void replies_keep_the_order_of_requests(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	send_invoke(&client, "slow", "1");
	send_invoke(&client, "echo", "2");
	client_send(&client, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
	send_invoke(&client, "echo", "3");
	while (world->started < 3) {
		world_turn(world);
	}
	client_read(&client);
	assert_int_equal(client.in.len, 0);
	world_release(world);
	client_expect(&client, "\"released\"");
	client_expect(&client, "\"data\":2");
	client_expect(&client, "route_not_found");
	client_expect(&client, "\"data\":3");
	client_close(&client);
}

static void a_long_pipeline_is_answered_in_full(void **state)
{
	struct world *world = *state;
	struct client client;
	struct buf out = {0};
	char text[32];
	world_open(world);
	client_open(&client, world);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		buf_format(&out,
		           "POST /v1/functions/echo/invoke HTTP/1.1\r\n" HOST JSON
		           "Content-Length: %zu\r\n\r\n%s",
		           strlen(text), text);
	}
	client_send_bytes(&client, buf_view(&out));
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "\"data\":%d}", i);
		client_expect(&client, text);
	}
	buf_free(&out);
	client_close(&client);
}

static void only_so_many_are_in_flight(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	for (int i = 0; i < 200; i++) {
		send_invoke(&client, "slow", "1");
	}
	for (int i = 0; i < 50; i++) {
		world_turn(world);
	}
	assert_true(world->started > 0);
	assert_true(world->started <= EXCHANGES_MAX);
	for (int i = 0; i < 200; i++) {
		while (list_is_empty(&world->executor.calls)) {
			world_turn(world);
		}
		world_finish(LIST_FIRST(&world->executor.calls, struct call, link), CALL_OK,
		             SPAN("1"));
	}
	assert_int_equal(world->started, 200);
	client_close(&client);
}

static void head_has_the_length_and_no_body(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "HEAD /v1/state/s/k HTTP/1.1\r\n" HOST "\r\n"
	                     "GET / HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "ETag: \"7\"\r\n");
	client_expect(&client, "Content-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\n");
	client_expect(&client, "\"pawl\"");
	client_close(&client);
}

static void a_client_that_waits_for_100_gets_it(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "PUT /v1/state/s/k HTTP/1.1\r\n" HOST JSON
	                     "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n");
	client_expect(&client, "HTTP/1.1 100 Continue\r\n\r\n");
	client_send(&client, "5");
	client_expect(&client, "\"value\":5");
	client_send(&client, "PUT /v1/state/s/k HTTP/1.1\r\n" HOST
	                     "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n");
	client_expect(&client, "HTTP/1.1 415 ");
	client_expect_end(&client);
	client_close(&client);
}

static void strangers_and_other_types_are_refused(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n");
	client_expect(&client, "HTTP/1.1 403 ");
	client_expect(&client, "host_not_allowed");
	client_send(&client, "GET / HTTP/1.1\r\n" HOST "Origin: http://evil.com\r\n\r\n");
	client_expect(&client, "origin_not_allowed");
	client_send(&client, "PUT /v1/state/s/k HTTP/1.1\r\n" HOST
	                     "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n5");
	client_expect(&client, "HTTP/1.1 415 ");
	client_send(&client, "PUT /v1/state/s/k HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n5");
	client_expect(&client, "HTTP/1.1 415 ");
	client_send(&client, "PUT /v1/state/s/k HTTP/1.1\r\n" HOST
	                     "Content-Type: application/json; charset=utf-8\r\n"
	                     "Content-Length: 1\r\n\r\n5");
	client_expect(&client, "HTTP/1.1 200 ");
	assert_int_equal(world->started, 1);
	client_send(&client, "POST /v1/events HTTP/1.1\r\n" HOST
	                     "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n5");
	client_expect(&client, "HTTP/1.1 415 ");
	client_expect(&client, "not_a_cloudevent");
	client_send(&client, "POST /v1/events HTTP/1.1\r\n" HOST JSON "Content-Length: 1\r\n\r\n5");
	client_expect(&client, "HTTP/1.1 415 ");
	client_expect(&client, "not_a_cloudevent");
	client_close(&client);
}

static void a_large_body_is_refused_by_its_head(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client,
	            "PUT /v1/state/s/k HTTP/1.1\r\n" HOST JSON "Content-Length: 41943040\r\n\r\n{");
	client_expect(&client, "HTTP/1.1 413 ");
	client_expect(&client, "Connection: close\r\n");
	client_expect_end(&client);
	client_close(&client);
}

static void nonsense_is_answered_and_closed(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "what do you want\r\n\r\n");
	client_expect(&client, "HTTP/1.1 400 ");
	client_expect_end(&client);
	client_close(&client);
}

/* 200 replies of 1 MiB: the client asks for all and reads none for a while. */
static void a_slow_reader_costs_bounded_memory(void **state)
{
	struct world *world = *state;
	struct client client;
	enum { REPLIES = 200, BYTES = 1 << 20 };
	world_open(world);
	client_open(&client, world);
	for (int i = 0; i < REPLIES; i++) {
		send_invoke(&client, "big", "{\"bytes\":1048576}");
	}
	for (int i = 0; i < 500; i++) {
		world_turn(world);
	}
	/* 8 MiB unsent, what the kernel took, and the first window. */
	assert_true(world->started < 40);
	size_t total = 0;
	int64_t end = world_now_s() + DEADLINE_S;
	while (total < (size_t)REPLIES * BYTES) {
		assert_true(world_now_s() < end);
		assert_false(client.ended);
		client_read(&client);
		for (size_t i = 0; i < client.in.len; i++) {
			total += client.in.ptr[i] == 'x';
		}
		buf_clear(&client.in);
	}
	assert_int_equal(world->started, REPLIES);
	client_close(&client);
}

static void connections_come_and_go(void **state)
{
	struct world *world = *state;
	const char *many = getenv("PAWL_TEST_MANY"); /* 10000 for a long run */
	int count = many ? atoi(many) : 500;
	world_open(world);
	for (int i = 0; i < count; i++) {
		struct client client;
		client_open(&client, world);
		if (i % 4 == 1) {
			client_send(&client, "GET / HT");
		} else if (i % 4 == 2) {
			send_invoke(&client, "slow", "1");
		} else if (i % 4 == 3) {
			send_invoke(&client, "big", "{\"bytes\":100000}");
		}
		client_close(&client);
		world_turn(world);
	}
	world_release(world);
	int64_t end = world_now_s() + DEADLINE_S;
	while (server_connections(world->server) > 0) {
		assert_true(world_now_s() < end);
		world_turn(world);
	}
}

static void too_many_are_told_so(void **state)
{
	struct world *world = *state;
	struct client clients[3];
	world->limits.max_connections = 2;
	world_open(world);
	for (int i = 0; i < 3; i++) {
		client_open(&clients[i], world);
		client_send(&clients[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
		client_expect(&clients[i], i < 2 ? "HTTP/1.1 200 " : "HTTP/1.1 503 ");
	}
	client_expect(&clients[2], "too_many_connections");
	client_expect_end(&clients[2]);
	for (int i = 0; i < 3; i++) {
		client_close(&clients[i]);
	}
}

static void a_paused_server_reads_later(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "\"pawl\"");
	server_pause_reading(world->server, true);
	send_invoke(&client, "echo", "1");
	for (int i = 0; i < 20; i++) {
		world_turn(world);
	}
	assert_int_equal(world->started, 0);
	server_pause_reading(world->server, false);
	client_expect(&client, "\"data\":1");
	client_close(&client);
}

/* ---- time; the clock is turned by hand from here on ---- */

static void half_a_head_times_out(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "GET / HTTP/1.1\r\nHost: loc");
	world_advance(world, world->limits.header_timeout_ms - 1);
	assert_int_equal(server_connections(world->server), 1);
	world_advance(world, 1);
	client_expect(&client, "HTTP/1.1 408 ");
	client_expect_end(&client);
	client_close(&client);
}

static void half_a_body_times_out(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client,
	            "PUT /v1/state/s/k HTTP/1.1\r\n" HOST JSON "Content-Length: 9\r\n\r\n12");
	world_advance(world, world->limits.idle_timeout_ms);
	client_expect(&client, "HTTP/1.1 408 ");
	client_expect_end(&client);
	client_close(&client);
}

static void an_idle_connection_is_closed(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "\"pawl\"");
	world_advance(world, world->limits.idle_timeout_ms);
	world_advance(world, world->limits.idle_timeout_ms);
	client_expect_end(&client);
	client_close(&client);
}

static void a_long_call_is_not_idleness(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client,
	            "POST /v1/functions/slow/invoke?timeout_ms=900000 HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 0; i < 5; i++) {
		world_advance(world, world->limits.idle_timeout_ms);
	}
	world_release(world);
	client_expect(&client, "\"released\"");
	client_close(&client);
}

static void a_peer_that_never_reads_is_dropped(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	send_invoke(&client, "big", "{\"bytes\":30000000}");
	for (int i = 0; i < 3; i++) {
		world_advance(world, world->limits.idle_timeout_ms);
	}
	world_turn(world);
	assert_int_equal(server_connections(world->server), 0);
	client_close(&client);
}

/* ---- the end ---- */

static void the_end_waits_for_requests_in_flight(void **state)
{
	struct world *world = *state;
	struct client busy;
	struct client idle;
	world_open(world);
	client_open(&busy, world);
	client_open(&idle, world);
	client_send(&idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&idle, "\"pawl\"");
	send_invoke(&busy, "slow", "1");
	while (world->started == 0) {
		world_turn(world);
	}
	server_close(world->server, 60000, world_on_closed, world);
	client_expect_end(&idle);
	assert_false(world->closed);
	world_release(world);
	client_expect(&busy, "Connection: close\r\n");
	client_expect(&busy, "\"released\"");
	client_expect_end(&busy);
	client_close(&busy);
	client_close(&idle);
	world_wait_closed(world);
}

static void the_end_waits_only_so_long(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	send_invoke(&client, "slow", "1");
	while (world->started == 0) {
		world_turn(world);
	}
	server_close(world->server, 5000, world_on_closed, world);
	world_advance(world, 4999);
	assert_false(world->closed);
	world_advance(world, 1);
	world_wait_closed(world);
	client_expect_end(&client);
	client_close(&client);
}

static void bad_addresses_are_named(void **state)
{
	struct world *world = *state;
	world_open(world);
	static const char *const bad[] = {"49134",
	                                  ":49134",
	                                  "localhost:",
	                                  "localhost:x",
	                                  "::1:8080",
	                                  "localhost:70000",
	                                  "no.such.host.invalid:1"};
	struct server *server;
	struct err err;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct server_options options = {.listeners = {{.place = bad[i]}},
		                                 .limits = world->limits};
		assert_int_equal(server_open(&world->loop, world->alarms, &options, &server, &err),
		                 E_INVALID);
		assert_string_equal(err.code, "invalid_listen");
	}
	struct server_options options = {
	        .listeners = {{.place = server_address(world->server, LISTENER_TCP)}},
	        .limits = world->limits};
	assert_int_equal(server_open(&world->loop, world->alarms, &options, &server, &err), E_BUSY);
	assert_string_equal(err.code, "address_in_use");
	world_turn(world);
}

static int stop_clock(void **state)
{
	if (!clock_is_manual()) {
		clock_set_manual(1700000000000);
	}
	return world_set_up(state);
}

int main(void)
{
	log_open(LOG_ERROR, false);
#define TEST(name)   cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define MANUAL(name) cmocka_unit_test_setup_teardown(name, stop_clock, world_tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(one_connection_serves_many_requests),
	        TEST(a_request_may_come_byte_by_byte),
	        TEST(replies_keep_the_order_of_requests),
	        TEST(a_long_pipeline_is_answered_in_full),
	        TEST(only_so_many_are_in_flight),
	        TEST(head_has_the_length_and_no_body),
	        TEST(a_client_that_waits_for_100_gets_it),
	        TEST(strangers_and_other_types_are_refused),
	        TEST(a_large_body_is_refused_by_its_head),
	        TEST(nonsense_is_answered_and_closed),
	        TEST(a_slow_reader_costs_bounded_memory),
	        TEST(connections_come_and_go),
	        TEST(too_many_are_told_so),
	        TEST(a_paused_server_reads_later),
	        TEST(the_end_waits_for_requests_in_flight),
	        TEST(bad_addresses_are_named),
	        MANUAL(half_a_head_times_out),
	        MANUAL(half_a_body_times_out),
	        MANUAL(an_idle_connection_is_closed),
	        MANUAL(a_long_call_is_not_idleness),
	        MANUAL(a_peer_that_never_reads_is_dropped),
	        MANUAL(the_end_waits_only_so_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
