/* This file reads and writes WebSocket frames (RFC 6455) for either end of a connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_WS_H
#define WIRE_WS_H

#include "base/buf.h"
#include "base/span.h"
#include "base/utf8_check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. ws_feed takes bytes and returns behind each message or control frame:
 *
 *   while (len > 0) { kind = ws_feed(&ws, at, len, &used, &event); at += used; len -= used; ... }
 *
 * The bytes are unmasked in place. A message of one frame that lies whole in them is handed out as
 * a span into them; others are put together in ws->message, and the span is good until the next
 * feed. Text is checked to be UTF-8 as it comes. A length over the limit fails before a byte of it
 * is kept.
 *
 * Closing: whoever begins calls ws_write_close and feeds on until WS_CLOSE comes; who gets WS_CLOSE
 * and has not closed (ws.close_sent) answers with ws_write_close(event.close_code). Then the socket
 * goes: the server's side first. After WS_FAILED: ws_write_close(event.close_code, event.data) and
 * close; the reader takes nothing more.
 */
enum ws_role { WS_SERVER, WS_CLIENT };

enum ws_kind {
	WS_MORE, /* everything was taken */
	WS_TEXT,
	WS_BINARY,
	WS_PING, /* answer with ws_write(WS_PONG, event.data) */
	WS_PONG,
	WS_CLOSE,
	WS_FAILED
};

enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_NONE = 1005, /* the peer gave no code; is never sent */
	WS_CLOSE_NOT_UTF8 = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011,
	WS_CLOSE_AGAIN_LATER = 1013
};

struct ws_event {
	struct span data;    /* the payload; of a close or a failure: the reason */
	uint16_t close_code; /* of a close or a failure */
};

/* Embedded. Set up with ws_init; everything but close_sent is private. */
struct ws {
	enum ws_role role;
	bool close_sent;
	bool over;              /* closed by the peer or failed: nothing is read any more */
	bool in_payload;        /* the header of a frame is complete */
	bool final;             /* of the frame */
	bool message_given;     /* `message` was handed out; the next feed clears it */
	uint8_t opcode;         /* of the frame */
	uint8_t message_opcode; /* of the message whose fragments come; 0: none is open */
	uint8_t header_len;
	uint8_t header[14]; /* of the frame */
	uint8_t mask[4];
	size_t limit;     /* bytes of one message */
	size_t frame_len; /* payload of the frame */
	size_t frame_at;  /* how much of it has been taken */
	uint64_t mask_seed;
	struct utf8_check utf8;
	struct buf message; /* what came in more than one piece */
	char control[125];  /* the payload of a control frame that came in pieces */
};

void ws_init(struct ws *ws, enum ws_role role, size_t limit);
void ws_close(struct ws *ws); /* frees the memory; says nothing to the peer */
enum ws_kind ws_feed(struct ws *ws, char *bytes, size_t len, size_t *out_used,
                     struct ws_event *event);
/* True between the fragments or the bytes of a message. */
bool ws_is_midway(const struct ws *ws);

/* Appends one frame of kind WS_TEXT, WS_BINARY, WS_PING or WS_PONG (at most 125 bytes for these).
 */
void ws_write(struct ws *ws, struct buf *out, enum ws_kind kind, struct span payload);
/* code WS_CLOSE_NONE sends none; a reason over 123 bytes is cut between characters. Once only: the
 * second call writes nothing. */
void ws_write_close(struct ws *ws, struct buf *out, uint16_t code, struct span reason);

/* A frame composed in place: begin, append the payload to `out`, end. */
size_t ws_frame_begin(struct ws *ws, struct buf *out);
void ws_frame_end(struct ws *ws, struct buf *out, size_t mark, enum ws_kind kind);

/* The handshake. The server's whole answer to a request with this key: */
void ws_write_upgrade(struct buf *out, struct span key);
/* The client's whole request; out_key is what ws_accept_is compares with the answer's field. */
enum { WS_KEY_LEN = 24, WS_ACCEPT_LEN = 28 };
void ws_write_request(struct buf *out, struct span host, struct span target,
                      char out_key[WS_KEY_LEN + 1]);
bool ws_accept_is(struct span key, struct span accept); /* Sec-WebSocket-Accept */

#endif
