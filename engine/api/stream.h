/* This file keeps a reply open: its head first, then piece after piece, as they come to be. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_STREAM_H
#define ENGINE_API_STREAM_H

#include "base/buf.h"
#include "base/span.h"
#include "engine/api/exchange.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A stream is an exchange whose reply has begun and not ended. HTTP/1.1 peers get chunks,
 * HTTP/1.0 peers get bytes until the connection ends. Nothing can follow it: it is the last
 * exchange of its connection, requests that were pipelined behind it are dropped, and
 * the connection ends behind it. Replies that are owed before it leave first. A peer that ends its
 * side of the connection ends the stream. Idle timeouts do not touch it, but a peer that does not
 * read what waits for it for that long is cut off.
 *
 *      stream_begin --stream_send...--> open --stream_end--> the last chunk, freed
 *                                         +--peer gone, server closes--> `over`, freed
 */
/* Bytes that many streams send, made ready once. */
struct stream_piece {
	struct buf chunk; /* the size before it and the line break behind it included */
	size_t at;        /* where the bytes themselves begin, while they are appended */
};

/* Begins the reply; the body of `head` is not looked at. `keeper` is borrowed until the end. False:
 * it was a HEAD, the peer has gone or the server closes; the exchange is gone then. */
bool stream_begin(struct exchange *exchange, const struct exchange_reply *head,
                  const struct exchange_keeper *keeper, void *ctx);

/* Append to piece->chunk between the two; the piece is used again by the next begin. */
void stream_piece_begin(struct stream_piece *piece);
void stream_piece_end(struct stream_piece *piece);
void stream_piece_close(struct stream_piece *piece);

/* Goes out with all the others in this turn of the loop. Dropped when the peer is going. */
void stream_send(struct exchange *exchange, const struct stream_piece *piece);
size_t stream_unsent(const struct exchange *exchange);
/* More is unsent than is good: stop until `relief`, or end it. */
bool stream_is_slow(const struct exchange *exchange);
/* Whoever stops because it is slow: `relief` comes. */
void stream_await_relief(struct exchange *exchange);
/* From how many unsent bytes on it is slow; 0: limits.max_unsent. */
void stream_set_most(struct exchange *exchange, size_t most);
/* Ends the reply. The exchange is gone after it; what is unsent still goes out. */
void stream_end(struct exchange *exchange);

#endif
