/* This file is how a frame reaches the worker behind a connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SESSION_OUT_H
#define ENGINE_API_SESSION_OUT_H

#include "base/span.h"
#include "engine/api/conn.h"
#include "engine/core/worker.h"
#include "wire/message.h"

/* What worker.connection points to: the first member of a session. */
struct session_peer {
	struct conn *conn;
};

void session_send(struct conn *conn, const struct message *message);
/* The message as a failure. */
void session_send_failed(struct conn *conn, const struct message *message,
                         const struct message_error *error);
void session_send_error(struct conn *conn, const struct message *message, struct span code,
                        struct span text);

/* Tells that the frame is passed over, and why, if it says whom to tell. */
void session_refuse(struct conn *conn, const struct message *frame, const struct err *err);

/* The connection of a worker; NULL while it is away, or if there is no worker. */
struct conn *session_conn_of(const struct worker *worker);

/* A session_send_fn: to wherever the worker is connected; with `err` as a failure. */
void session_send_to(void *ctx, struct worker *worker, const struct message *frame,
                     const struct err *err);

#endif
