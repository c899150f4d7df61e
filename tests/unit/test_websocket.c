/* This file proves WebSockets on the server: upgrade, messages, limits, pings, goodbyes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server_world.h"
#include "wire/http.h"
#include "wire/ws.h"

/* The other side of an upgrade: answers every message with itself. */
struct echo {
	struct conn *conn;
	unsigned messages;
	unsigned reliefs;
	unsigned slow;
	bool closed;
	bool refuses;
	const char *reason;
	size_t answer_bytes; /* if set: answers with so many bytes instead */
};

static void *echo_open(void *ctx, struct conn *conn, const struct http_request *request)
{
	struct echo *echo = ctx;
	assert_true(span_is(request->path, "/") || span_is(request->path, "/worker"));
	if (echo->refuses) {
		return NULL;
	}
	echo->conn = conn;
	echo->closed = false;
	size_t mark = websocket_begin(conn);
	BUF_LITERAL(conn_out(conn), "hello");
	websocket_end(conn, mark, WS_TEXT);
	return echo;
}

static void echo_message(void *socket, bool is_text, struct span message)
{
	struct echo *echo = socket;
	echo->messages++;
	size_t mark = websocket_begin(echo->conn);
	if (echo->answer_bytes) {
		struct buf *out = conn_out(echo->conn);
		memset(buf_reserve(out, echo->answer_bytes), 'y', echo->answer_bytes);
		out->len += echo->answer_bytes;
	} else {
		buf_span(conn_out(echo->conn), message);
	}
	websocket_end(echo->conn, mark, is_text ? WS_TEXT : WS_BINARY);
	echo->slow += conn_is_slow(echo->conn);
}

static void echo_relief(void *socket)
{
	((struct echo *)socket)->reliefs++;
}

static void echo_closed(void *socket, const char *reason)
{
	struct echo *echo = socket;
	echo->closed = true;
	echo->reason = reason;
}

/* A client that speaks WebSocket. */
struct ws_client {
	struct client client;
	struct ws ws;
};

static void ws_open(struct ws_client *peer, struct world *world, const char *target)
{
	struct buf out = {0};
	char key[WS_KEY_LEN + 1];
	client_open(&peer->client, world);
	ws_init(&peer->ws, WS_CLIENT, 64u << 20);
	ws_write_request(&out, SPAN("localhost"), span_of(target), key);
	client_send_bytes(&peer->client, buf_view(&out));
	client_expect(&peer->client, "HTTP/1.1 101 ");
	client_expect(&peer->client, "\r\n\r\n");
	buf_free(&out);
}

static void ws_end(struct ws_client *peer)
{
	ws_close(&peer->ws);
	client_close(&peer->client);
}

static void ws_send(struct ws_client *peer, enum ws_kind kind, struct span payload)
{
	struct buf out = {0};
	ws_write(&peer->ws, &out, kind, payload);
	client_send_bytes(&peer->client, buf_view(&out));
	buf_free(&out);
}

/* The next message or control frame; the data is good until the next call. */
static enum ws_kind ws_next(struct ws_client *peer, struct ws_event *event)
{
	int64_t end = world_now_s() + DEADLINE_S;
	static struct buf taken;
	buf_free(&taken);
	for (;;) {
		size_t used = 0;
		enum ws_kind kind = WS_MORE;
		if (peer->client.in.len > 0) {
			kind = ws_feed(&peer->ws, peer->client.in.ptr, peer->client.in.len, &used,
			               event);
			if (kind != WS_MORE) {
				buf_span(&taken, event->data);
				event->data = buf_view(&taken);
			}
			buf_remove_front(&peer->client.in, used);
		}
		if (kind != WS_MORE) {
			return kind;
		}
		assert_true(world_now_s() < end);
		assert_false(peer->client.ended);
		client_read(&peer->client);
	}
}

static void ws_expect(struct ws_client *peer, enum ws_kind kind, const char *text)
{
	struct ws_event event = {0};
	assert_int_equal(ws_next(peer, &event), kind);
	if (!span_is(event.data, text)) {
		fail_msg("%s does not come, but %.*s", text, SPAN_ARG(event.data));
	}
}

static void ws_expect_close(struct ws_client *peer, int code)
{
	struct ws_event event = {0};
	assert_int_equal(ws_next(peer, &event), WS_CLOSE);
	assert_int_equal(event.close_code, code);
}

static struct echo the_echo;

static int open_world(void **state)
{
	int failed = world_set_up(state);
	struct world *world = *state;
	the_echo = (struct echo){0};
	world->upgrade = (struct conn_upgrade){.ctx = &the_echo,
	                                       .open = echo_open,
	                                       .message = echo_message,
	                                       .relief = echo_relief,
	                                       .closed = echo_closed};
	world_open(world);
	return failed;
}

static int open_manual(void **state)
{
	if (!clock_is_manual()) {
		clock_set_manual(1700000000000);
	}
	return open_world(state);
}

static void wait_closed(struct world *world)
{
	int64_t end = world_now_s() + DEADLINE_S;
	while (!the_echo.closed) {
		assert_true(world_now_s() < end);
		world_turn(world);
	}
}

static void messages_go_to_and_fro(void **state)
{
	struct ws_client peer;
	ws_open(&peer, *state, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	ws_send(&peer, WS_TEXT, SPAN("{\"a\":1}"));
	ws_send(&peer, WS_BINARY, SPAN("OTLP\x01\x02"));
	ws_send(&peer, WS_PING, SPAN("are you there"));
	ws_expect(&peer, WS_TEXT, "{\"a\":1}");
	ws_expect(&peer, WS_BINARY, "OTLP\x01\x02");
	ws_expect(&peer, WS_PONG, "are you there");
	ws_end(&peer);
	wait_closed(*state);
	assert_string_equal(the_echo.reason, "connection lost");
}

static void a_message_may_come_in_pieces(void **state)
{
	struct ws_client peer;
	struct buf out = {0};
	ws_open(&peer, *state, "/worker");
	ws_expect(&peer, WS_TEXT, "hello");
	ws_write(&peer.ws, &out, WS_TEXT, SPAN("one by one"));
	for (size_t i = 0; i < out.len; i++) {
		client_send_bytes(&peer.client, span_make(out.ptr + i, 1));
	}
	ws_expect(&peer, WS_TEXT, "one by one");
	buf_free(&out);
	ws_end(&peer);
}

static void a_request_and_frames_may_come_at_once(void **state)
{
	struct ws_client peer;
	struct buf out = {0};
	char key[WS_KEY_LEN + 1];
	client_open(&peer.client, *state);
	ws_init(&peer.ws, WS_CLIENT, 1000);
	ws_write_request(&out, SPAN("localhost"), SPAN("/"), key);
	ws_write(&peer.ws, &out, WS_TEXT, SPAN("eager"));
	client_send_bytes(&peer.client, buf_view(&out));
	client_expect(&peer.client, "\r\n\r\n");
	ws_expect(&peer, WS_TEXT, "hello");
	ws_expect(&peer, WS_TEXT, "eager");
	buf_free(&out);
	ws_end(&peer);
}

static void a_route_is_no_place_for_a_socket(void **state)
{
	struct client client;
	struct buf out = {0};
	char key[WS_KEY_LEN + 1];
	client_open(&client, *state);
	ws_write_request(&out, SPAN("localhost"), SPAN("/v1/state/s/k"), key);
	client_send_bytes(&client, buf_view(&out));
	client_expect(&client, "HTTP/1.1 200 ");
	buf_clear(&out);
	ws_write_request(&out, SPAN("evil.com"), SPAN("/"), key);
	client_send_bytes(&client, buf_view(&out));
	client_expect(&client, "HTTP/1.1 403 ");
	buf_free(&out);
	client_close(&client);
}

static void who_is_not_taken_is_told_later(void **state)
{
	struct ws_client peer;
	the_echo.refuses = true;
	ws_open(&peer, *state, "/");
	ws_expect_close(&peer, WS_CLOSE_AGAIN_LATER);
	ws_end(&peer);
}

static void a_large_frame_is_refused_by_its_head(void **state)
{
	struct ws_client peer;
	ws_open(&peer, *state, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	/* 40 MiB announced, nothing of it sent. */
	static const char head[] = "\x81\xff\x00\x00\x00\x00\x02\x80\x00\x00\x01\x02\x03\x04";
	client_send_bytes(&peer.client, span_make(head, sizeof(head) - 1));
	ws_expect_close(&peer, WS_CLOSE_TOO_BIG);
	client_expect_end(&peer.client);
	assert_int_equal(the_echo.messages, 0);
	ws_end(&peer);
	wait_closed(*state);
}

static void a_large_message_gets_through(void **state)
{
	struct ws_client peer;
	struct buf big = {0};
	size_t len = 20u << 20;
	memset(buf_reserve(&big, len), 'z', len);
	big.len = len;
	ws_open(&peer, *state, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	ws_send(&peer, WS_TEXT, buf_view(&big));
	struct ws_event event = {0};
	assert_int_equal(ws_next(&peer, &event), WS_TEXT);
	assert_int_equal(event.data.len, len);
	buf_free(&big);
	ws_end(&peer);
	wait_closed(*state);
}

static void a_slow_reader_is_not_read_from(void **state)
{
	struct world *world = *state;
	struct ws_client peer;
	struct ws_event event = {0};
	enum { MESSAGES = 200 };
	the_echo.answer_bytes = 1 << 20;
	ws_open(&peer, world, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	for (int i = 0; i < MESSAGES; i++) {
		ws_send(&peer, WS_TEXT, SPAN("x"));
	}
	for (int i = 0; i < 200; i++) {
		world_turn(world);
	}
	assert_true(the_echo.messages < 40); /* 8 MiB, and what the kernel took */
	assert_true(the_echo.slow > 0);
	for (int i = 0; i < MESSAGES; i++) {
		assert_int_equal(ws_next(&peer, &event), WS_TEXT);
		assert_int_equal(event.data.len, 1 << 20);
	}
	assert_int_equal(the_echo.messages, MESSAGES);
	assert_true(the_echo.reliefs > 0);
	ws_end(&peer);
	wait_closed(world);
}

static void the_peer_may_say_goodbye(void **state)
{
	struct ws_client peer;
	struct buf out = {0};
	ws_open(&peer, *state, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	ws_write_close(&peer.ws, &out, WS_CLOSE_NORMAL, SPAN("done"));
	client_send_bytes(&peer.client, buf_view(&out));
	ws_expect_close(&peer, WS_CLOSE_NORMAL);
	client_expect_end(&peer.client);
	buf_free(&out);
	ws_end(&peer);
	wait_closed(*state);
	assert_string_equal(the_echo.reason, "closed by the peer");
}

static void the_end_says_goodbye(void **state)
{
	struct world *world = *state;
	struct ws_client peer;
	struct buf out = {0};
	ws_open(&peer, world, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	server_close(world->server, 60000, world_on_closed, world);
	ws_expect_close(&peer, WS_CLOSE_AWAY);
	ws_write_close(&peer.ws, &out, WS_CLOSE_AWAY, SPAN(""));
	client_send_bytes(&peer.client, buf_view(&out));
	client_expect_end(&peer.client);
	buf_free(&out);
	ws_end(&peer);
	world_wait_closed(world);
	assert_true(the_echo.closed);
}

/* ---- the clock is turned by hand from here on ---- */

static void a_silent_peer_is_pinged_then_dropped(void **state)
{
	struct world *world = *state;
	struct ws_client peer;
	int64_t interval = world->limits.ping_interval_ms;
	ws_open(&peer, world, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	for (int i = 0; i < 5; i++) {
		world_advance(world, interval);
		ws_expect(&peer, WS_PING, "");
		ws_send(&peer, WS_PONG, SPAN(""));
	}
	for (int i = 0; i < 2; i++) {
		world_advance(world, interval);
		ws_expect(&peer, WS_PING, "");
	}
	assert_false(the_echo.closed);
	world_advance(world, interval);
	wait_closed(world);
	assert_string_equal(the_echo.reason, "no sign of life");
	ws_end(&peer);
}

static void pings_wait_while_the_server_does_not_read(void **state)
{
	struct world *world = *state;
	struct ws_client peer;
	ws_open(&peer, world, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	server_pause_reading(world->server, true);
	for (int i = 0; i < 10; i++) {
		world_advance(world, world->limits.ping_interval_ms);
	}
	assert_false(the_echo.closed);
	server_pause_reading(world->server, false);
	ws_send(&peer, WS_TEXT, SPAN("still here"));
	while (the_echo.messages == 0) {
		world_turn(world);
	}
	ws_end(&peer);
	wait_closed(world);
}

static void no_answer_to_a_goodbye_is_cut_off(void **state)
{
	struct world *world = *state;
	struct ws_client peer;
	ws_open(&peer, world, "/");
	ws_expect(&peer, WS_TEXT, "hello");
	websocket_close(the_echo.conn, WS_CLOSE_POLICY, SPAN("out"));
	ws_expect_close(&peer, WS_CLOSE_POLICY);
	world_advance(world, 5000);
	wait_closed(world);
	ws_end(&peer);
}

int main(void)
{
	log_open(LOG_ERROR, false);
#define TEST(name)   cmocka_unit_test_setup_teardown(name, open_world, world_tear_down)
#define MANUAL(name) cmocka_unit_test_setup_teardown(name, open_manual, world_tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(messages_go_to_and_fro),
	        TEST(a_message_may_come_in_pieces),
	        TEST(a_request_and_frames_may_come_at_once),
	        TEST(a_route_is_no_place_for_a_socket),
	        TEST(who_is_not_taken_is_told_later),
	        TEST(a_large_frame_is_refused_by_its_head),
	        TEST(a_large_message_gets_through),
	        TEST(a_slow_reader_is_not_read_from),
	        TEST(the_peer_may_say_goodbye),
	        TEST(the_end_says_goodbye),
	        MANUAL(a_silent_peer_is_pinged_then_dropped),
	        MANUAL(pings_wait_while_the_server_does_not_read),
	        MANUAL(no_answer_to_a_goodbye_is_cut_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
