/* This file speaks WebSocket on a connection: messages in and out, pings, the closing handshake. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/websocket.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/http.h"

/*
 *      open --websocket_close--> leaving --peer's close, or 5 s--> finished
 *        |                                                          ^
 *        +--peer's close, a broken frame----------------------------+
 */
enum { GOODBYE_MS = 5000, PINGS_MISSED = 3 };

struct websocket {
	struct ws ws;
	const struct conn_upgrade *upgrade;
	void *socket; /* NULL: nobody took it */
	bool leaving; /* we have said goodbye */
};

size_t websocket_begin(struct conn *conn)
{
	struct websocket *websocket = conn_state(conn);
	return ws_frame_begin(&websocket->ws, conn_out(conn));
}

void websocket_end(struct conn *conn, size_t mark, enum ws_kind kind)
{
	struct websocket *websocket = conn_state(conn);
	struct buf *out = conn_out(conn);
	if (websocket->leaving || !conn_is_open(conn)) {
		out->len = mark; /* nothing may follow a close frame */
		return;
	}
	ws_frame_end(&websocket->ws, out, mark, kind);
	conn_flush_later(conn);
}

void websocket_close(struct conn *conn, uint16_t code, struct span reason)
{
	struct websocket *websocket = conn_state(conn);
	if (websocket->leaving || !conn_is_open(conn)) {
		return;
	}
	websocket->leaving = true;
	ws_write_close(&websocket->ws, conn_out(conn), code, reason);
	conn_set_timer(conn, GOODBYE_MS);
	conn_flush_later(conn);
}

static void take_event(struct conn *conn, enum ws_kind kind, const struct ws_event *event)
{
	struct websocket *websocket = conn_state(conn);
	switch (kind) {
	case WS_TEXT:
	case WS_BINARY:
		if (!websocket->leaving) {
			websocket->upgrade->message(websocket->socket, kind == WS_TEXT,
			                            event->data);
		}
		break;
	case WS_PING:
		if (!websocket->leaving) {
			ws_write(&websocket->ws, conn_out(conn), WS_PONG, event->data);
			conn_flush_later(conn);
		}
		break;
	case WS_CLOSE:
	case WS_FAILED:
		ws_write_close(&websocket->ws, conn_out(conn), event->close_code,
		               kind == WS_FAILED ? event->data : SPAN(""));
		conn_finish(conn, kind == WS_FAILED ? "broken frame" : "closed by the peer");
		break;
	case WS_MORE:
	case WS_PONG:
		break;
	}
}

static size_t on_data(struct conn *conn, char *bytes, size_t len)
{
	struct websocket *websocket = conn_state(conn);
	size_t at = 0;
	while (at < len && conn_is_ready(conn)) {
		size_t used = 0;
		struct ws_event event = {0};
		enum ws_kind kind = ws_feed(&websocket->ws, bytes + at, len - at, &used, &event);
		at += used;
		take_event(conn, kind, &event);
		if (kind == WS_MORE || !conn_is_open(conn)) {
			return len;
		}
	}
	return at;
}

/* Any sign of life will do: a peer that talks all the time need not answer pings. */
static void on_timer(struct conn *conn)
{
	struct websocket *websocket = conn_state(conn);
	if (websocket->leaving) {
		conn_close(conn, "no answer to our goodbye");
		return;
	}
	int64_t interval = conn_group_limits(conn_group_of(conn))->ping_interval_ms;
	int64_t silent = clock_real_ms() - conn_last_moved_ms(conn);
	if (silent >= interval * PINGS_MISSED) {
		conn_close(conn, "no sign of life");
		return;
	}
	if (!conn_is_slow(conn)) {
		ws_write(&websocket->ws, conn_out(conn), WS_PING, SPAN(""));
		conn_flush_later(conn);
	}
	conn_set_timer(conn, interval);
}

static void on_relief(struct conn *conn)
{
	struct websocket *websocket = conn_state(conn);
	if (websocket->upgrade->relief && websocket->socket && !websocket->leaving) {
		websocket->upgrade->relief(websocket->socket);
	}
}

static void on_ended(struct conn *conn)
{
	conn_close(conn, "connection lost");
}

static void on_closed(struct conn *conn, const char *reason)
{
	struct websocket *websocket = conn_state(conn);
	if (websocket->socket) {
		websocket->upgrade->closed(websocket->socket, reason);
	}
	ws_close(&websocket->ws);
	mem_free(websocket);
}

static const struct conn_protocol websocket_protocol = {
        .data = on_data,
        .timer = on_timer,
        .relief = on_relief,
        .ended = on_ended,
        .closed = on_closed,
};

bool websocket_is(const struct conn *conn)
{
	return conn_protocol_of(conn) == &websocket_protocol;
}

void websocket_start(struct conn *conn, const struct conn_upgrade *upgrade,
                     const struct http_request *request)
{
	const struct conn_limits *limits = conn_group_limits(conn_group_of(conn));
	struct websocket *websocket = MEM_NEW(struct websocket);
	ws_init(&websocket->ws, WS_SERVER, limits->message_bytes);
	websocket->upgrade = upgrade;
	ws_write_upgrade(conn_out(conn), request->websocket_key);
	conn_speak(conn, &websocket_protocol, websocket);
	conn_set_timer(conn, limits->ping_interval_ms);
	conn_flush_later(conn);
	websocket->socket = upgrade->open(upgrade->ctx, conn, request);
	if (websocket->socket == NULL) {
		websocket_close(conn, WS_CLOSE_AGAIN_LATER, SPAN("not now"));
	}
}
