/* This file proves calls over HTTP against a small server of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "engine/core/function.h"
#include "engine/durable/alarm.h"
#include "engine/work/webhook.h"
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum { DEADLINE_MS = 20 * 1000 };

struct world {
	uv_loop_t loop;
	struct alarms *alarms;
	struct functions *functions;
	struct webhook *webhook;
	bool freed;
	uv_tcp_t listener; /* the server: one request per connection, all answered with `reply` */
	int port;
	unsigned connections;
	const char *reply; /* NULL: it never answers */
	struct buf seen;   /* the last request */
};

struct peer {
	uv_tcp_t tcp;
	struct world *world;
	char bytes[4096];
	uv_write_t write;
};

static void on_peer_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static void on_peer_written(uv_write_t *write, int status)
{
	(void)status;
	struct peer *peer = write->data;
	if (!uv_is_closing((uv_handle_t *)&peer->tcp)) {
		uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
	}
}

static void on_peer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct peer *peer = handle->data;
	*out = uv_buf_init(peer->bytes, sizeof(peer->bytes));
}

static bool is_whole(const struct buf *seen)
{
	const char *end = memmem(seen->ptr, seen->len, "\r\n\r\n", 4);
	const char *field = end ? memmem(seen->ptr, seen->len, "Content-Length: ", 16) : NULL;
	size_t body = field ? (size_t)atoi(field + 16) : 0;
	return end && seen->len >= (size_t)(end + 4 - seen->ptr) + body;
}

static void on_peer_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
	struct peer *peer = stream->data;
	struct world *world = peer->world;
	if (len < 0) {
		if (!uv_is_closing((uv_handle_t *)stream)) {
			uv_close((uv_handle_t *)stream, on_peer_closed);
		}
		return;
	}
	buf_add(&world->seen, bytes->base, (size_t)len);
	if (is_whole(&world->seen) && world->reply) {
		uv_buf_t reply = {.base = (char *)world->reply, .len = strlen(world->reply)};
		peer->write.data = peer;
		assert_int_equal(uv_write(&peer->write, stream, &reply, 1, on_peer_written), 0);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	assert_int_equal(status, 0);
	struct world *world = listener->data;
	struct peer *peer = MEM_NEW(struct peer);
	world->connections++;
	buf_clear(&world->seen);
	peer->world = world;
	assert_int_equal(uv_tcp_init(&world->loop, &peer->tcp), 0);
	peer->tcp.data = peer;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
	assert_int_equal(uv_read_start((uv_stream_t *)&peer->tcp, on_peer_alloc, on_peer_read), 0);
}

static void serve(struct world *world)
{
	struct sockaddr_in name;
	int len = sizeof(name);
	assert_int_equal(uv_tcp_init(&world->loop, &world->listener), 0);
	world->listener.data = world;
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &name), 0);
	assert_int_equal(uv_tcp_bind(&world->listener, (const struct sockaddr *)&name, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&world->listener, 16, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&world->listener, (struct sockaddr *)&name, &len), 0);
	world->port = ntohs(name.sin_port);
}

/* ---- calls ---- */

struct asked {
	struct call call;
	bool is_done;
	enum call_end end;
	int64_t retry_after_ms;
	struct buf result;
	struct buf code;
	struct buf message;
};

static void on_done(struct call *call, const struct call_result *result)
{
	struct asked *asked = MEM_CONTAINER(call, struct asked, call);
	assert_false(asked->is_done);
	asked->is_done = true;
	asked->end = result->end;
	asked->retry_after_ms = result->not_before ? result->retry_after_ms : 0;
	buf_span(&asked->result, result->result.ptr ? result->result : SPAN("(none)"));
	buf_span(&asked->code, result->code);
	buf_span(&asked->message, result->message);
	buf_byte(&asked->result, '\0');
	buf_byte(&asked->code, '\0');
	buf_byte(&asked->message, '\0');
}

static void asked_close(struct asked *asked)
{
	buf_free(&asked->result);
	buf_free(&asked->code);
	buf_free(&asked->message);
}

static void turn_until(struct world *world, const bool *flag)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	while (!*flag) {
		assert_true(clock_mono_ms() < end);
		(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	}
}

/* Offers "f" at our server; `more` are further members of the invocation. */
static void offer(struct world *world, bool allow_private, const char *more)
{
	struct webhook_options options = {.allow_private = allow_private, .max_reply_bytes = 1000};
	struct buf invocation = {0};
	struct provider *provider;
	struct err err = {0};
	world->webhook = webhook_new(&world->loop, world->functions, &options);
	buf_format(&invocation, "{\"url\":\"http://127.0.0.1:%d/hook\"%s}", world->port, more);
	const struct webhook_offering offering = {.id = SPAN("f"),
	                                          .invocation = buf_view(&invocation)};
	if (webhook_offer(world->webhook, &offering, &provider, &err) != 0) {
		fail_msg("%s", err.text);
	}
	buf_free(&invocation);
}

static void start(struct world *world, struct asked *asked)
{
	*asked = (struct asked){.call = {.function_id = SPAN("f"),
	                                 .data = SPAN("{\"n\":1}"),
	                                 .traceparent = SPAN("00-ab-cd-01"),
	                                 .baggage = SPAN("pawl.delivery=e-1-7/t,pawl.attempt=2"),
	                                 .done = on_done}};
	assert_int_equal(function_call(world->functions, &asked->call, NULL), 0);
}

static void ask(struct world *world, struct asked *asked)
{
	start(world, asked);
	turn_until(world, &asked->is_done);
}

static void on_freed(void *ctx)
{
	((struct world *)ctx)->freed = true;
}

static void stop(struct world *world)
{
	webhook_free(world->webhook, on_freed, world);
	assert_false(world->freed);
	turn_until(world, &world->freed);
}

static int set_up(void **state)
{
	struct world *world = MEM_NEW(struct world);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	world->alarms = alarms_new(&world->loop);
	world->functions = functions_new(world->alarms);
	serve(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	functions_free(world->functions);
	alarms_close(world->alarms, NULL, NULL);
	uv_close((uv_handle_t *)&world->listener, NULL);
	assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	buf_free(&world->seen);
	mem_free(world);
	return 0;
}

static void assert_seen(struct world *world, const char *text)
{
	if (!memmem(world->seen.ptr, world->seen.len, text, strlen(text))) {
		fail_msg("%s is not in %.*s", text, SPAN_ARG(buf_view(&world->seen)));
	}
}

/* ---- tests ---- */

static void a_call_is_a_request(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	               "Content-Length: 11\r\n\r\n{\"ok\":true}";
	offer(world, true, ",\"headers\":{\"X-Team\":\"blue\"}");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_OK);
	assert_string_equal(asked.result.ptr, "{\"ok\":true}");
	assert_seen(world, "POST /hook HTTP/1.1\r\n");
	assert_seen(world, "X-Team: blue\r\n");
	assert_seen(world, "Content-Type: application/json\r\n");
	assert_seen(world, "traceparent: 00-ab-cd-01\r\n");
	assert_seen(world, "baggage: pawl.delivery=e-1-7/t,pawl.attempt=2\r\n");
	assert_seen(world, "webhook-id: e-1-7/t\r\n");
	assert_seen(world, "\r\n\r\n{\"n\":1}");
	asked_close(&asked);
	stop(world);
}

static void an_empty_reply_is_no_result(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 204 No Content\r\n\r\n";
	offer(world, true, ",\"method\":\"PUT\"");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_OK);
	assert_string_equal(asked.result.ptr, "(none)");
	assert_seen(world, "PUT /hook");
	asked_close(&asked);
	stop(world);
}

static void an_ok_in_words_is_no_result(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_OK);
	assert_string_equal(asked.result.ptr, "(none)");
	asked_close(&asked);
	stop(world);
}

static void a_refusal_fails_with_its_text(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply =
	        "HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nContent-Length: 8\r\n\r\nnot now!";
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "http_failed");
	assert_non_null(strstr(asked.message.ptr, "429"));
	assert_non_null(strstr(asked.message.ptr, "not now!"));
	assert_int_equal(asked.retry_after_ms, 7000);
	asked_close(&asked);
	stop(world);
}

static void redirects_are_not_followed(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_non_null(strstr(asked.message.ptr, "redirect"));
	assert_int_equal(world->connections, 1);
	asked_close(&asked);
	stop(world);
}

static void redirects_are_followed_as_often_as_allowed(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n"
	               "Connection: close\r\n\r\n";
	offer(world, true, ",\"follow_redirects\":2");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_non_null(strstr(asked.message.ptr, "redirect"));
	assert_int_equal(world->connections, 3);
	assert_seen(world, "POST /elsewhere HTTP/1.1\r\n");
	assert_seen(world, "\r\n\r\n{\"n\":1}");
	asked_close(&asked);
	stop(world);
}

static void a_secret_goes_to_no_other_origin(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 307 Found\r\nLocation: http://localhost:1/\r\n"
	               "Content-Length: 0\r\n\r\n";
	offer(world, true, ",\"follow_redirects\":2,\"headers\":{\"authorization\":\"x\"}");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "redirect_refused");
	assert_int_equal(world->connections, 1);
	asked_close(&asked);
	stop(world);
}

static void a_date_says_when_to_try_again(void **state)
{
	struct world *world = *state;
	struct asked asked;
	struct buf reply = {0};
	char date[64];
	time_t then = time(NULL) + 100;
	struct tm parts;
	assert_non_null(gmtime_r(&then, &parts));
	assert_true(strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0);
	buf_format(&reply, "HTTP/1.1 503 Later\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
	           date);
	buf_byte(&reply, '\0');
	world->reply = reply.ptr;
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_in_range(asked.retry_after_ms, 80000, 100000);
	asked_close(&asked);
	stop(world);
	buf_free(&reply);
}

static void gone_disables_and_loses_nothing(void **state)
{
	struct world *world = *state;
	struct asked asked;
	struct err err = {0};
	world->reply = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_STOPPED);
	assert_string_equal(asked.code.ptr, "function_disabled");
	asked_close(&asked);
	struct function *function = function_find(world->functions, SPAN_NONE, SPAN("f"));
	assert_non_null(strstr(function_disabled(function).ptr, "410"));
	assert_int_equal(function_call(world->functions, &asked.call, &err), E_DENIED);
	world->reply = "HTTP/1.1 204 No Content\r\n\r\n";
	function_enable(function);
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_OK);
	asked_close(&asked);
	stop(world);
}

static void so_many_run_and_the_rest_waits(void **state)
{
	struct world *world = *state;
	struct asked asked[3];
	offer(world, true, ",\"concurrency\":1");
	start(world, &asked[0]);
	start(world, &asked[1]);
	start(world, &asked[2]);
	assert_null(asked[1].call.executor);
	while (world->connections == 0) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	call_cancel(&asked[0].call);
	assert_null(asked[1].call.executor);
	world->reply = "HTTP/1.1 204 No Content\r\n\r\n";
	turn_until(world, &asked[1].is_done);
	assert_false(asked[2].is_done);
	turn_until(world, &asked[2].is_done);
	assert_int_equal(asked[2].end, CALL_OK);
	asked_close(&asked[1]);
	asked_close(&asked[2]);
	stop(world);
}

static void broken_json_is_an_error(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	               "Content-Length: 5\r\n\r\n{oops";
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "invalid_output");
	assert_non_null(strstr(asked.message.ptr, "{oops"));
	asked_close(&asked);
	stop(world);
}

static void a_large_reply_is_refused(void **state)
{
	struct world *world = *state;
	struct asked asked;
	struct buf reply = {0};
	buf_format(&reply, "HTTP/1.1 200 OK\r\n\r\n\"");
	while (reply.len < 5000) {
		buf_byte(&reply, 'x');
	}
	buf_add(&reply, "\"", 2);
	world->reply = reply.ptr;
	offer(world, true, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "output_too_large");
	asked_close(&asked);
	stop(world);
	buf_free(&reply);
}

static void private_addresses_are_not_called(void **state)
{
	struct world *world = *state;
	struct asked asked;
	offer(world, false, "");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "address_refused");
	assert_int_equal(world->connections, 0);
	asked_close(&asked);
	stop(world);
}

static void silence_times_out(void **state)
{
	struct world *world = *state;
	struct asked asked;
	offer(world, true, ",\"timeout_ms\":50");
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_TIMEOUT);
	assert_string_equal(asked.code.ptr, "TIMEOUT");
	asked_close(&asked);
	stop(world);
}

static void signatures_are_those_of_the_sdk(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 204 No Content\r\n\r\n";
	assert_int_equal(setenv("TEST_HOOK_SECRET", "s3cret", 1), 0);
	offer(world, true, ",\"auth\":{\"type\":\"hmac\",\"secret_key\":\"TEST_HOOK_SECRET\"}");
	clock_set_manual(1700000000000);
	start(world, &asked);
	while (!asked.is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	struct buf text = {0};
	uint8_t mac[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	buf_format(&text, "1700000000:");
	base64_encode(SPAN("{\"n\":1}"), &text);
	struct span part = buf_view(&text);
	sha256_hmac(SPAN("s3cret"), &part, 1, mac);
	id_hex(mac, sizeof(mac), hex);
	buf_clear(&text);
	buf_format(&text, "x-iii-Timestamp: 1700000000\r\nx-iii-Signature: sha256=%s\r\n", hex);
	buf_byte(&text, '\0');
	assert_seen(world, text.ptr);
	buf_free(&text);
	asked_close(&asked);
	stop(world);
}

static void keys_come_from_the_environment(void **state)
{
	struct world *world = *state;
	struct asked asked;
	world->reply = "HTTP/1.1 204 No Content\r\n\r\n";
	assert_int_equal(setenv("TEST_HOOK_TOKEN", "t0ken", 1), 0);
	offer(world, true, ",\"auth\":{\"type\":\"bearer\",\"token_key\":\"TEST_HOOK_TOKEN\"}");
	ask(world, &asked);
	assert_seen(world, "Authorization: Bearer t0ken\r\n");
	asked_close(&asked);
	assert_int_equal(unsetenv("TEST_HOOK_TOKEN"), 0);
	ask(world, &asked);
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "secret_missing");
	assert_non_null(strstr(asked.message.ptr, "TEST_HOOK_TOKEN"));
	asked_close(&asked);
	stop(world);
}

static void bad_invocations_are_refused(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = {
	        "{}",
	        "[]",
	        "{\"url\":7}",
	        "{\"url\":\"ftp://a\"}",
	        "{\"url\":\"file:///etc/passwd\"}",
	        "{\"url\":\"http://a b\"}",
	        "{\"url\":\"http://a\\r\\nX: y\"}",
	        "{\"url\":\"http://a\",\"method\":\"GET /\"}",
	        "{\"url\":\"http://a\",\"timeout_ms\":0}",
	        "{\"url\":\"http://a\",\"headers\":[]}",
	        "{\"url\":\"http://a\",\"headers\":{\"a b\":\"c\"}}",
	        "{\"url\":\"http://a\",\"headers\":{\"a\":\"c\\nd: e\"}}",
	        "{\"url\":\"http://a\",\"auth\":{\"type\":\"magic\"}}",
	        "{\"url\":\"http://a\",\"auth\":{\"type\":\"hmac\"}}",
	        "{\"url\":\"http://a\",\"auth\":{\"type\":\"api_key\",\"value_key\":\"A\"}}"};
	offer(world, true, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct provider *provider;
		struct err err = {0};
		const struct webhook_offering offering = {.id = SPAN("g"),
		                                          .invocation = span_of(bad[i])};
		assert_int_equal(webhook_offer(world->webhook, &offering, &provider, &err),
		                 E_INVALID);
		assert_string_equal(err.code, "invalid_invocation");
	}
	stop(world);
}

static void the_end_stops_calls(void **state)
{
	struct world *world = *state;
	struct asked asked;
	offer(world, true, "");
	start(world, &asked);
	while (world->connections == 0) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	stop(world);
	assert_true(asked.is_done);
	assert_int_equal(asked.end, CALL_STOPPED);
	asked_close(&asked);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(a_call_is_a_request),
	        TEST(an_empty_reply_is_no_result),
	        TEST(an_ok_in_words_is_no_result),
	        TEST(a_refusal_fails_with_its_text),
	        TEST(redirects_are_not_followed),
	        TEST(redirects_are_followed_as_often_as_allowed),
	        TEST(a_secret_goes_to_no_other_origin),
	        TEST(a_date_says_when_to_try_again),
	        TEST(gone_disables_and_loses_nothing),
	        TEST(so_many_run_and_the_rest_waits),
	        TEST(broken_json_is_an_error),
	        TEST(a_large_reply_is_refused),
	        TEST(private_addresses_are_not_called),
	        TEST(silence_times_out),
	        TEST(keys_come_from_the_environment),
	        TEST(bad_invocations_are_refused),
	        TEST(the_end_stops_calls),
	        TEST(signatures_are_those_of_the_sdk), /* stops the clock: the last one */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
