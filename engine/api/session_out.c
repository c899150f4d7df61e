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

void session_refuse(struct conn *conn, const struct message *frame, const struct err *err)
{
	struct message reply = {
	        .function_id = frame->function_id.len ? frame->function_id : SPAN(""),
	};
	if (frame->type == MESSAGE_INVOKE_FUNCTION && frame->invocation_id.len != 0) {
		reply.type = MESSAGE_INVOCATION_RESULT;
		reply.invocation_id = frame->invocation_id;
		session_send_error(conn, &reply, span_of(err->code), span_of(err->text));
	} else if (frame->type == MESSAGE_REGISTER_TRIGGER && frame->id.len != 0) {
		reply.type = MESSAGE_TRIGGER_REGISTRATION_RESULT;
		reply.id = frame->id;
		reply.trigger_type = frame->trigger_type.len ? frame->trigger_type : SPAN("");
		session_send_error(conn, &reply, SPAN("trigger_registration_failed"),
		                   span_of(err->text));
	}
}

struct conn *session_conn_of(const struct worker *worker)
{
	const struct session_peer *peer = worker ? worker->connection : NULL;
	return peer ? peer->conn : NULL;
}

void session_send_to(void *ctx, struct worker *worker, const struct message *frame,
                     const struct err *err)
{
	(void)ctx;
	struct conn *conn = session_conn_of(worker);
	if (conn == NULL) {
		return;
	}
	if (err != NULL) {
		session_send_error(conn, frame, span_of(err->code), span_of(err->text));
	} else {
		session_send(conn, frame);
	}
}
