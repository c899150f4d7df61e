/* This file tests replies that stay open: how they are framed, and how they end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/stream.h"
#include "tests/unit/server_world.h"
#include "wire/http.h"

enum { IDLE_MS = 75 * 1000 };

/* What the handler below did with the last request: one of /stream is begun, others wait. */
struct streaming {
	struct world *world;
	struct exchange *open;    /* NULL: none, or it is over */
	struct exchange *waiting; /* of another path, not answered yet */
	struct stream_piece piece;
	unsigned begun;
	unsigned over;
	unsigned relieved;
};

static struct streaming streaming;

static void on_over(void *ctx)
{
	struct streaming *own = ctx;
	own->over++;
	own->open = NULL;
}

static void on_relief(void *ctx)
{
	((struct streaming *)ctx)->relieved++;
}

static const struct exchange_keeper keeper = {.over = on_over, .relief = on_relief};

static void on_request(void *ctx, struct exchange *exchange, const struct http_request *http)
{
	struct streaming *own = ctx;
	if (!span_is(http->path, "/stream")) {
		own->waiting = exchange;
		return;
	}
	const struct exchange_reply head = {.status = 200, .content_type = SPAN("text/plain")};
	own->begun++;
	own->open = stream_begin(exchange, &head, &keeper, own) ? exchange : NULL;
}

static bool no_route(void *ctx, struct span path)
{
	(void)ctx;
	(void)path;
	return true;
}

static int set_up(void **state)
{
	streaming = (struct streaming){.world = NULL};
	(void)world_set_up(state);
	struct world *world = *state;
	streaming.world = world;
	world->handler = (struct exchange_handler){
	        .ctx = &streaming, .request = on_request, .is_route = no_route};
	return 0;
}

static int set_up_manual(void **state)
{
	clock_set_manual(1750000000000); /* for good: the last test */
	return set_up(state);
}

static int tear_down(void **state)
{
	int status = world_tear_down(state);
	stream_piece_close(&streaming.piece);
	return status;
}

static void send_piece(const char *text)
{
	stream_piece_begin(&streaming.piece);
	buf_span(&streaming.piece.chunk, span_of(text));
	stream_piece_end(&streaming.piece);
	stream_send(streaming.open, &streaming.piece);
}

static void ask(struct client *client, const char *request)
{
	unsigned before = streaming.begun;
	int64_t end = world_now_s() + DEADLINE_S;
	client_send(client, request);
	while (streaming.begun == before) {
		assert_true(world_now_s() < end);
		world_turn(client->world);
	}
}

static void a_peer_of_http_1_1_gets_chunks(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	client_expect(&client, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	                       "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
	send_piece("one");
	client_expect(&client, "00000003\r\none\r\n");
	send_piece("");
	send_piece("two");
	stream_end(streaming.open);
	client_expect(&client, "00000003\r\ntwo\r\n0\r\n\r\n");
	client_expect_end(&client);
	assert_int_equal(streaming.over, 0);
	client_close(&client);
}

static void a_peer_of_http_1_0_gets_bytes_until_the_end(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
	send_piece("one");
	send_piece("two");
	stream_end(streaming.open);
	client_expect_end(&client);
	client_expect(&client, "Connection: close\r\n\r\nonetwo");
	assert_null(client_find(&client, "chunked"));
	assert_int_equal(client.in.len, 0);
	client_close(&client);
}

static void a_head_request_gets_the_head_only(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_null(streaming.open);
	client_expect(&client, "Transfer-Encoding: chunked\r\n\r\n");
	client_expect_end(&client);
	assert_int_equal(client.in.len, 0);
	client_close(&client);
}

static void earlier_replies_leave_first_and_later_requests_are_dropped(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"
	             "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
	             "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct exchange *earlier = streaming.waiting;
	assert_non_null(earlier);
	send_piece("streamed");
	const struct exchange_reply reply = {.status = 200, .body = SPAN("\"first\"")};
	exchange_reply(earlier, &reply);
	client_expect(&client, "\"first\"HTTP/1.1 200 OK\r\n");
	client_expect(&client, "streamed");
	assert_ptr_equal(streaming.waiting, earlier);
	send_piece("more");
	stream_end(streaming.open);
	client_expect(&client, "more\r\n0\r\n\r\n");
	client_expect_end(&client);
	client_close(&client);
}

static void a_stream_may_end_before_it_is_its_turn(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"
	             "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	send_piece("streamed");
	stream_end(streaming.open);
	const struct exchange_reply reply = {.status = 200, .body = SPAN("\"first\"")};
	exchange_reply(streaming.waiting, &reply);
	client_expect(&client, "\"first\"HTTP/1.1 200 OK\r\n");
	client_expect(&client, "streamed\r\n0\r\n\r\n");
	client_expect_end(&client);
	client_close(&client);
}

static void wait_over(struct world *world)
{
	int64_t end = world_now_s() + DEADLINE_S;
	while (streaming.over == 0) {
		assert_true(world_now_s() < end);
		world_turn(world);
	}
}

static void the_keeper_hears_that_the_peer_has_gone(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	client_close(&client);
	wait_over(*state);
	assert_int_equal(streaming.over, 1);
}

static void a_peer_that_ends_its_side_ends_the_stream(void **state)
{
	struct client client;
	world_open(*state);
	client_open(&client, *state);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	wait_over(*state);
	client_expect_end(&client);
	client_close(&client);
}

static void a_server_that_closes_ends_the_stream(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	send_piece("last words");
	server_close(world->server, 5000, world_on_closed, world);
	assert_int_equal(streaming.over, 1);
	client_expect(&client, "last words\r\n0\r\n\r\n");
	client_expect_end(&client);
	client_close(&client);
	world_wait_closed(world);
}

static void a_server_that_closes_begins_none(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	client_send(&client, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
	int64_t end = world_now_s() + DEADLINE_S;
	while (streaming.waiting == NULL) {
		assert_true(world_now_s() < end);
		world_turn(world);
	}
	server_close(world->server, 60000, world_on_closed, world);
	const struct exchange_reply head = {.status = 200, .content_type = SPAN("text/plain")};
	assert_false(stream_begin(streaming.waiting, &head, &keeper, &streaming));
	client_expect(&client, "chunked\r\n\r\n0\r\n\r\n");
	client_expect_end(&client);
	client_close(&client);
	world_wait_closed(world);
	assert_int_equal(streaming.over, 0);
}

static void a_peer_that_reads_slowly_is_seen(void **state)
{
	struct world *world = *state;
	struct client client;
	char *text = mem_new(64 * 1024 + 1);
	memset(text, 'x', 64 * 1024);
	world_open(world);
	client_open(&client, world);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	stream_set_most(streaming.open, 100 * 1024);
	size_t sent = 0;
	while (!stream_is_slow(streaming.open)) {
		send_piece(text);
		sent++;
		world_turn(world);
	}
	assert_true(stream_unsent(streaming.open) > 100 * 1024);
	assert_int_equal(streaming.relieved, 0);
	client_expect_bytes(&client, sent * 64 * 1024);
	assert_int_equal(streaming.relieved, 1);
	assert_false(stream_is_slow(streaming.open));
	client_close(&client);
	mem_free(text);
}

static void relief_comes_though_all_goes_out_at_once(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	ask(&client, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"
	             "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	stream_await_relief(streaming.open);
	const struct exchange_reply reply = {.status = 200, .body = SPAN("\"first\"")};
	exchange_reply(streaming.waiting, &reply);
	client_expect(&client, "first");
	assert_int_equal(streaming.relieved, 1);
	stream_set_most(streaming.open, 10);
	send_piece("more than ten bytes");
	assert_true(stream_is_slow(streaming.open));
	stream_await_relief(streaming.open);
	client_expect(&client, "ten bytes");
	assert_int_equal(streaming.relieved, 2);
	client_close(&client);
}

static void silence_does_not_end_a_stream(void **state)
{
	struct world *world = *state;
	struct client client;
	world_open(world);
	client_open(&client, world);
	ask(&client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		world_advance(world, IDLE_MS + 1);
	}
	assert_int_equal(streaming.over, 0);
	send_piece("still there");
	client_expect(&client, "still there");
	client_close(&client);
}

#define TEST(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define MANUAL(name) cmocka_unit_test_setup_teardown(name, set_up_manual, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_peer_of_http_1_1_gets_chunks),
	        TEST(a_peer_of_http_1_0_gets_bytes_until_the_end),
	        TEST(a_head_request_gets_the_head_only),
	        TEST(earlier_replies_leave_first_and_later_requests_are_dropped),
	        TEST(a_stream_may_end_before_it_is_its_turn),
	        TEST(the_keeper_hears_that_the_peer_has_gone),
	        TEST(a_peer_that_ends_its_side_ends_the_stream),
	        TEST(a_server_that_closes_ends_the_stream),
	        TEST(a_server_that_closes_begins_none),
	        TEST(a_peer_that_reads_slowly_is_seen),
	        TEST(relief_comes_though_all_goes_out_at_once),
	        MANUAL(silence_does_not_end_a_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
