/* This file connects to a worker socket and moves its frames over a plain TCP socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/message.h"
#include "wire/ws.h"
#include <stdbool.h>
#include <stdint.h>

/* Embedded. What is sent stays in `out` until peer_flush; the owner polls `fd`. */
struct peer {
	int fd;
	struct ws ws;
	struct buf out;
	struct buf in;
	struct buf scratch;
};

typedef void peer_frame_fn(void *ctx, struct peer *peer, const struct message *frame);

/* Connects to 127.0.0.1 and becomes a WebSocket, blocking. E_IO; nothing to close then. */
int peer_open(struct peer *peer, uint16_t port, struct err *err);
void peer_close(struct peer *peer);

/* Queues one frame. peer_begin composes `last` in place: append its JSON to peer->out, then
 * peer_end with the mark. */
void peer_send(struct peer *peer, const struct message *frame);
size_t peer_begin(struct peer *peer, const struct message *frame, enum message_field last);
void peer_end(struct peer *peer, size_t mark);

/* Writes as much as the socket takes; peer_wants_write tells whether some is left. E_IO. */
int peer_flush(struct peer *peer, struct err *err);
bool peer_wants_write(const struct peer *peer);

/* Reads once and shows every whole frame; pings are answered. E_IO when the other end is gone. */
int peer_read(struct peer *peer, peer_frame_fn *fn, void *ctx, struct err *err);

#endif
