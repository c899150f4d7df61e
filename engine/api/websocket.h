/* This file speaks WebSocket on a connection: messages in and out, pings, the closing handshake. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_WEBSOCKET_H
#define ENGINE_API_WEBSOCKET_H

#include "base/span.h"
#include "engine/api/conn.h"
#include "wire/ws.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Whoever takes upgrades (the worker session) is called through these pointers. To send a
 * frame: websocket_begin, append to conn_out, websocket_end. A frame over limits.message_bytes is
 * refused from its header, before any of it is kept.
 */
struct http_request;

struct conn_upgrade {
	void *ctx;
	/* A socket was accepted. Returns what the others get as `socket`; NULL: it is closed with
	 * 1013. The request (path, headers) is borrowed. Frames sent here leave behind the answer
	 * to the upgrade. */
	void *(*open)(void *ctx, struct conn *conn, const struct http_request *request);
	/* A whole message, borrowed; its bytes may be changed; text is valid UTF-8. */
	void (*message)(void *socket, bool is_text, struct span message);
	void (*relief)(void *socket); /* the peer reads again: conn_is_slow was true; may be NULL */
	/* The last call; `conn` is gone after it. Not called when open returned NULL. */
	void (*closed)(void *socket, const char *reason);
};

/* Turns a connection that has asked for it into a WebSocket, with the answer to the upgrade and all
 * calls that follow. `upgrade` outlives the connection. Called from inside the `data` of the
 * protocol that read the request. */
void websocket_start(struct conn *conn, const struct conn_upgrade *upgrade,
                     const struct http_request *request);

/* One frame: append its payload to conn_out between the two. End marks the connection for the next
 * flush. */
size_t websocket_begin(struct conn *conn);
void websocket_end(struct conn *conn, size_t mark, enum ws_kind kind);

/* Says goodbye (enum ws_close_code): no message comes after this; the connection ends when the peer
 * has answered, or after 5 s. */
void websocket_close(struct conn *conn, uint16_t code, struct span reason);
bool websocket_is(const struct conn *conn); /* does it speak WebSocket? */

#endif
