/* This file proves the framing of RFC 6455: every rule, every place where bytes may be cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/ws.h"

enum { LIMIT = 70000 };

static const char *const kind_names[] = {
        [WS_MORE] = "more", [WS_TEXT] = "text",   [WS_BINARY] = "binary", [WS_PING] = "ping",
        [WS_PONG] = "pong", [WS_CLOSE] = "close", [WS_FAILED] = "failed",
};

/* What came, "text(hello)"; long payloads by their length. */
static void describe(struct buf *out, enum ws_kind kind, const struct ws_event *event)
{
	buf_format(out, "%s(", kind_names[kind]);
	if (kind == WS_CLOSE || kind == WS_FAILED) {
		buf_format(out, "%u", event->close_code);
	}
	if (kind != WS_FAILED && event->data.len < 200) {
		buf_span(out, event->data);
	} else if (kind != WS_FAILED) {
		buf_format(out, "%zu", event->data.len);
	}
	buf_byte(out, ')');
}

static void feed_piece(struct ws *ws, struct span text, size_t from, size_t to, struct buf *out)
{
	char *bytes = mem_raw(to - from ? to - from : 1);
	memcpy(bytes, text.ptr + from, to - from);
	for (size_t at = 0; at < to - from;) {
		size_t used = 0;
		struct ws_event event = {0};
		enum ws_kind kind = ws_feed(ws, bytes + at, to - from - at, &used, &event);
		at += used;
		if (kind == WS_MORE) {
			assert_int_equal(at, to - from);
		} else {
			describe(out, kind, &event);
			at = kind == WS_FAILED ? to - from : at;
		}
	}
	mem_free(bytes);
}

static void expect_cut(enum ws_role role, struct span text, size_t cut, const char *wanted)
{
	struct ws ws;
	struct buf out = {0};
	ws_init(&ws, role, LIMIT);
	feed_piece(&ws, text, 0, cut, &out);
	feed_piece(&ws, text, cut, text.len, &out);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, wanted);
	ws_close(&ws);
	buf_free(&out);
}

static void expect(enum ws_role role, struct span text, const char *wanted)
{
	size_t step = text.len > 2000 ? 97 : 1;
	for (size_t cut = 0; cut <= text.len; cut += step) {
		expect_cut(role, text, cut, wanted);
	}
	struct ws ws;
	struct buf out = {0};
	ws_init(&ws, role, LIMIT);
	for (size_t i = 0; i < text.len; i++) {
		feed_piece(&ws, text, i, i + 1, &out);
	}
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, wanted);
	ws_close(&ws);
	buf_free(&out);
}

static void the_examples_of_the_standard_are_read(void **state)
{
	(void)state;
	expect(WS_CLIENT, SPAN("\x81\x05Hello"), "text(Hello)");
	expect(WS_SERVER, SPAN("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text(Hello)");
	expect(WS_CLIENT, SPAN("\x01\x03Hel\x80\x02lo"), "text(Hello)");
	expect(WS_CLIENT, SPAN("\x89\x05Hello"), "ping(Hello)");
	expect(WS_SERVER, SPAN("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong(Hello)");
	expect(WS_CLIENT,
	       SPAN("\x82\x7e\x00\x7e"
	            "0123456789012345678901234567890123456789012345678901234567890123456"
	            "78901234567890123456789012345678901234567890123456789012345"),
	       "binary(0123456789012345678901234567890123456789012345678901234567890123456"
	       "78901234567890123456789012345678901234567890123456789012345)");
}

static void messages_follow_each_other(void **state)
{
	(void)state;
	expect(WS_CLIENT,
	       SPAN("\x81\x00\x82\x01"
	            "a\x81\x01"
	            "b\x89\x00\x01\x01"
	            "c\x8a\x02xy\x00\x00\x00\x02"
	            "de\x89\x01"
	            "p\x80\x01"
	            "f\x02\x00\x80\x00\x81\x01g"),
	       "text()binary(a)text(b)ping()pong(xy)ping(p)text(cdef)binary()text(g)");
}

static void characters_may_be_cut_by_fragments(void **state)
{
	(void)state;
	expect(WS_CLIENT, SPAN("\x01\x02\xe2\x82\x89\x00\x80\x01\xac"), "ping()text(\xe2\x82\xac)");
	expect(WS_CLIENT, SPAN("\x01\x02\xe2\x82\x80\x00"), "failed(1007)");
	expect(WS_CLIENT, SPAN("\x81\x02\xe2\x82"), "failed(1007)");
	expect(WS_CLIENT, SPAN("\x81\x03\xed\xa0\x80"), "failed(1007)");
	expect(WS_CLIENT, SPAN("\x82\x02\xe2\x82"), "binary(\xe2\x82)");
	expect(WS_CLIENT, SPAN("\x81\x01z\x81\x01\x80"), "text(z)failed(1007)");
	/* At the first wrong byte, long before the frame ends. */
	expect(WS_CLIENT, SPAN("\x81\x7dok\xff"), "failed(1007)");
}

static void wrong_frames_fail(void **state)
{
	(void)state;
	expect(WS_CLIENT, SPAN("\xc1\x00"), "failed(1002)"); /* reserved bits */
	expect(WS_CLIENT, SPAN("\xa1\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x91\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x83\x00"), "failed(1002)"); /* reserved opcodes */
	expect(WS_CLIENT, SPAN("\x87\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x8b\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x8f\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x81\x80"), "failed(1002)"); /* masks */
	expect(WS_SERVER, SPAN("\x81\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x09\x00"), "failed(1002)"); /* control frames */
	expect(WS_CLIENT, SPAN("\x89\x7e"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x88\x7f"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x80\x00"), "failed(1002)"); /* fragments */
	expect(WS_CLIENT, SPAN("\x01\x00\x81\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x01\x00\x02\x00"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x81\x00\x00\x00"), "text()failed(1002)");
	expect(WS_CLIENT, SPAN("\x81\x7e\x00\x7d"), "failed(1002)"); /* lengths */
	expect(WS_CLIENT, SPAN("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x81\x7f\x80\x00\x00\x00\x00\x01\x00\x00"), "failed(1002)");
}

static void a_message_over_the_limit_fails_from_its_header(void **state)
{
	(void)state;
	expect(WS_CLIENT, SPAN("\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x71"), "failed(1009)");
	expect(WS_CLIENT, SPAN("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "failed(1009)");
	expect(WS_CLIENT, SPAN("\x02\x01x\x80\x7f\x00\x00\x00\x00\x00\x01\x11\x70"),
	       "failed(1009)");

	struct ws ws;
	struct ws_event event = {0};
	size_t used = 0;
	char header[] = "\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x71";
	ws_init(&ws, WS_CLIENT, LIMIT);
	assert_int_equal(ws_feed(&ws, header, 10, &used, &event), WS_FAILED);
	assert_int_equal(ws.message.cap, 0);
	ws_close(&ws);
}

static void closing_is_checked(void **state)
{
	(void)state;
	expect(WS_CLIENT, SPAN("\x88\x00"), "close(1005)");
	expect(WS_CLIENT, SPAN("\x88\x02\x03\xe8"), "close(1000)");
	expect(WS_CLIENT,
	       SPAN("\x88\x05\x03\xe9"
	            "bye"),
	       "close(1001bye)");
	expect(WS_CLIENT, SPAN("\x88\x02\x0f\xa0\x81\x01x"), "close(4000)");
	expect(WS_CLIENT, SPAN("\x01\x01x\x88\x02\x0b\xb8"), "close(3000)");
	expect(WS_CLIENT, SPAN("\x88\x01\x03"), "failed(1002)");
	expect(WS_CLIENT, SPAN("\x88\x03\x03\xe8\xff"), "failed(1007)");
	expect(WS_CLIENT, SPAN("\x88\x04\x03\xe8\xe2\x82"), "failed(1007)");
	static const unsigned wrong[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char frame[] = {'\x88', 2, (char)(uint8_t)(wrong[i] >> 8),
		                (char)(uint8_t)(wrong[i] & 255)};
		expect(WS_CLIENT, span_make(frame, sizeof(frame)), "failed(1002)");
	}
}

static void a_close_is_written_once_and_fits(void **state)
{
	(void)state;
	struct ws ws;
	struct buf out = {0};
	ws_init(&ws, WS_SERVER, LIMIT);
	assert_false(ws.close_sent);
	ws_write_close(&ws, &out, WS_CLOSE_TOO_BIG, SPAN("too big"));
	assert_true(ws.close_sent);
	ws_write_close(&ws, &out, WS_CLOSE_NORMAL, SPAN(""));
	expect(WS_CLIENT, buf_view(&out), "close(1009too big)");

	/* 122 letters and a character of three bytes: it goes as a whole. */
	struct buf reason = {0};
	struct buf wanted = {0};
	BUF_LITERAL(&wanted, "close(1011");
	for (int i = 0; i < 122; i++) {
		buf_byte(&reason, 'x');
		buf_byte(&wanted, 'x');
	}
	buf_add(&wanted, ")", 2);
	BUF_LITERAL(&reason, "\xe2\x82\xac");
	buf_clear(&out);
	ws_init(&ws, WS_SERVER, LIMIT);
	ws_write_close(&ws, &out, WS_CLOSE_INTERNAL, buf_view(&reason));
	expect(WS_CLIENT, buf_view(&out), wanted.ptr);

	buf_clear(&out);
	ws_init(&ws, WS_SERVER, LIMIT);
	ws_write_close(&ws, &out, WS_CLOSE_NONE, SPAN(""));
	expect(WS_CLIENT, buf_view(&out), "close(1005)");
	buf_free(&reason);
	buf_free(&wanted);
	buf_free(&out);
}

/* Every length at which a header changes its size, written both ways, read by the other end. */
static void what_one_end_writes_the_other_reads(enum ws_role role)
{
	static const size_t lengths[] = {0, 1, 7, 8, 125, 126, 127, 1000, 65535, 65536, LIMIT};
	enum ws_role other = role == WS_SERVER ? WS_CLIENT : WS_SERVER;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ws ws;
		struct buf payload = {0};
		struct buf out = {0};
		struct buf wanted = {0};
		ws_init(&ws, role, LIMIT);
		for (size_t j = 0; j < lengths[i]; j++) {
			buf_byte(&payload, (char)('a' + j % 26));
		}
		BUF_LITERAL(&out, "before");
		ws_write(&ws, &out, WS_TEXT, buf_view(&payload));
		size_t first = out.len;
		size_t mark = ws_frame_begin(&ws, &out);
		buf_span(&out, buf_view(&payload));
		ws_frame_end(&ws, &out, mark, WS_BINARY);
		assert_int_equal(out.len - first, first - 6);
		struct ws_event event = {buf_view(&payload), 0};
		describe(&wanted, WS_TEXT, &event);
		describe(&wanted, WS_BINARY, &event);
		buf_byte(&wanted, '\0');
		expect(other, span_make(out.ptr + 6, out.len - 6), wanted.ptr);
		ws_close(&ws);
		buf_free(&payload);
		buf_free(&out);
		buf_free(&wanted);
	}
}

static void servers_write_and_clients_read(void **state)
{
	(void)state;
	what_one_end_writes_the_other_reads(WS_SERVER);
}

static void clients_write_and_servers_read(void **state)
{
	(void)state;
	what_one_end_writes_the_other_reads(WS_CLIENT);
}

static void masks_change_from_frame_to_frame(void **state)
{
	(void)state;
	struct ws ws;
	struct buf out = {0};
	ws_init(&ws, WS_CLIENT, LIMIT);
	ws_write(&ws, &out, WS_PING, SPAN(""));
	ws_write(&ws, &out, WS_PING, SPAN(""));
	assert_int_equal(out.len, 12);
	assert_memory_not_equal(out.ptr + 2, out.ptr + 8, 4);
	buf_free(&out);
}

static void a_whole_message_is_not_copied(void **state)
{
	(void)state;
	struct ws ws;
	struct ws_event event = {0};
	size_t used = 0;
	char bytes[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	ws_init(&ws, WS_SERVER, LIMIT);
	assert_int_equal(ws_feed(&ws, bytes, 11, &used, &event), WS_TEXT);
	assert_ptr_equal(event.data.ptr, bytes + 6);
	assert_int_equal(ws.message.cap, 0);
	assert_false(ws_is_midway(&ws));
	assert_int_equal(ws_feed(&ws, bytes, 1, &used, &event), WS_MORE);
	assert_true(ws_is_midway(&ws));
	ws_close(&ws);
}

static void handshakes_agree(void **state)
{
	(void)state;
	struct buf out = {0};
	ws_write_upgrade(&out, SPAN("dGhlIHNhbXBsZSBub25jZQ=="));
	assert_true(span_is(buf_view(&out), "HTTP/1.1 101 Switching Protocols\r\n"
	                                    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	                                    "Sec-WebSocket-Accept: "
	                                    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
	assert_true(ws_accept_is(SPAN("dGhlIHNhbXBsZSBub25jZQ=="),
	                         SPAN("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
	assert_false(ws_accept_is(SPAN("dGhlIHNhbXBsZSBub25jZQ=="), SPAN("s3pPLMBi")));
	buf_clear(&out);
	char key[WS_KEY_LEN + 1];
	ws_write_request(&out, SPAN("h:1"), SPAN("/ws"), key);
	assert_true(span_starts_with(buf_view(&out), SPAN("GET /ws HTTP/1.1\r\nHost: h:1\r\n")));
	assert_non_null(memmem(out.ptr, out.len, key, WS_KEY_LEN));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_examples_of_the_standard_are_read),
	        cmocka_unit_test(messages_follow_each_other),
	        cmocka_unit_test(characters_may_be_cut_by_fragments),
	        cmocka_unit_test(wrong_frames_fail),
	        cmocka_unit_test(a_message_over_the_limit_fails_from_its_header),
	        cmocka_unit_test(closing_is_checked),
	        cmocka_unit_test(a_close_is_written_once_and_fits),
	        cmocka_unit_test(servers_write_and_clients_read),
	        cmocka_unit_test(clients_write_and_servers_read),
	        cmocka_unit_test(masks_change_from_frame_to_frame),
	        cmocka_unit_test(a_whole_message_is_not_copied),
	        cmocka_unit_test(handshakes_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
