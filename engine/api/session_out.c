/* This file writes frames to workers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/session_out.h"

#include "engine/api/websocket.h"

void session_send(struct conn *conn, const struct message *message)
{
	size_t mark = websocket_begin(conn);
	message_write(conn_out(conn), message);
	websocket_end(conn, mark, WS_TEXT);
}

void session_send_failed(struct conn *conn, const struct message *message,
                         const struct message_error *error)
{
	size_t mark = websocket_begin(conn);
	message_write_failed(conn_out(conn), message, error);
	websocket_end(conn, mark, WS_TEXT);
}

void session_send_error(struct conn *conn, const struct message *message, struct span code,
                        struct span text)
{
	const struct message_error error = {.code = code, .text = text};
	session_send_failed(conn, message, &error);
}

struct conn *session_conn_of(const struct worker *worker)
{
	const struct session_peer *peer = worker ? worker->connection : NULL;
	return peer ? peer->conn : NULL;
}
