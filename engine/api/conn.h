/* This file carries bytes to and from one peer: a connection, its buffers, its deadlines. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CONN_H
#define ENGINE_API_CONN_H

#include "base/buf.h"
#include "base/list.h"
#include "base/span.h"
#include "engine/api/conn_limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A connection speaks one protocol at a time: HTTP first (exchange.h), a WebSocket after an
 * upgrade (websocket.h). All connections of a server share one read buffer; a protocol keeps what
 * is not whole yet, so that an idle connection costs less than 1 KiB.
 *
 * Whoever has something to say appends it to conn_out and calls conn_flush_later. All connections
 * that have something to send are written once per turn of the loop (and by conn_group_flush), with
 * one system call each. A peer that does not read is not read from either: over limits.max_unsent
 * unsent bytes reading stops, and goes on (`relief`) when less than half of that is left.
 *
 *      open --conn_finish--> finishing (what is unsent goes out, input is dropped) --+
 *        |                                                                          v
 *        +--conn_close, error, end of input ---------------------------------> closing --> freed
 *
 * `closed` of the protocol is its last call, never from inside a function of this file.
 */
struct uv_loop_s;
struct alarms;
struct conn;
struct conn_group;
struct listener;

struct conn_protocol {
	/* Takes bytes (which it may change) and returns how many it used. It takes all of them but
	 * when it is held, slow or has changed over; the rest is shown again later. */
	size_t (*data)(struct conn *conn, char *bytes, size_t len);
	void (*timer)(struct conn *conn);  /* conn_set_timer has run out */
	void (*relief)(struct conn *conn); /* unsent bytes are few again; may be NULL */
	/* No more bytes will come; what is unsent may still be finished. */
	void (*ended)(struct conn *conn);
	void (*closed)(struct conn *conn, const char *reason);
};

/* ---- the group: what the connections of one server share ---- */

struct conn_group *conn_group_new(struct uv_loop_s *loop, struct alarms *alarms,
                                  const struct conn_limits *limits);
/* Waits until all connections have ended, at most `grace_ms`, closes those that are left, then
 * calls `freed` (later, once); the group is gone then. */
void conn_group_free(struct conn_group *group, int64_t grace_ms, void (*freed)(void *ctx),
                     void *ctx);
void conn_group_flush(struct conn_group *group); /* writes everything that waits, now */
void conn_group_pause_reading(struct conn_group *group, bool pause);
uint32_t conn_group_count(const struct conn_group *group);
uint64_t conn_group_handshake_failures(const struct conn_group *group); /* of TLS */
const struct conn_limits *conn_group_limits(const struct conn_group *group);
void conn_group_set_limits(struct conn_group *group, const struct conn_limits *limits);
typedef void conn_each_fn(void *ctx, struct conn *conn);
void conn_group_each(struct conn_group *group, conn_each_fn *each, void *ctx);

/* ---- one connection ---- */

/* Accepts from a listener, which outlives it, and speaks `protocol`. If the peer has gone already,
 * `closed` is all that will come. */
struct conn *conn_accept(struct conn_group *group, struct listener *listener,
                         const struct conn_protocol *protocol, void *state);
/* Changes over, from inside the old protocol's `data`; bytes not used go to the new one. */
void conn_speak(struct conn *conn, const struct conn_protocol *protocol, void *state);
void *conn_state(const struct conn *conn); /* what was given with the protocol */
const struct conn_protocol *conn_protocol_of(const struct conn *conn);
struct conn_group *conn_group_of(const struct conn *conn);
struct listener *conn_listener(const struct conn *conn); /* by which it came */

/* Where to append what the peer is to get. Borrowed until the next return to the loop; bytes put
 * into a connection that is closing are dropped. */
struct buf *conn_out(struct conn *conn);
void conn_flush_later(struct conn *conn); /* with all the others, in this turn of the loop */
size_t conn_unsent(const struct conn *conn);
bool conn_is_slow(const struct conn *conn); /* over max_unsent: no new work for it */
/* Its own max_unsent from now on; 0: that of the limits. */
void conn_set_max_unsent(struct conn *conn, size_t most);
/* `relief` comes for sure, even if all goes out at once. */
void conn_await_relief(struct conn *conn);
bool conn_is_open(const struct conn *conn);
bool conn_is_ready(const struct conn *conn); /* open, not slow, not held: show it more */

/* Stops and resumes showing bytes to the protocol: it has all the work it wants. */
void conn_hold(struct conn *conn, bool hold);
/* Calls protocol->timer after that long; 0 = never. There is one timer, the last setting counts. */
void conn_set_timer(struct conn *conn, int64_t delay_ms);
/* When the peer last sent something or took something that had waited (clock_real_ms); now, while
 * it is us who do not read. */
int64_t conn_last_moved_ms(const struct conn *conn);

/* Sends what is unsent, ends our side, waits 2 s at most for the peer to end his, then closes. The
 * reason is a literal. */
void conn_finish(struct conn *conn, const char *reason);
void conn_close(struct conn *conn, const char *reason); /* at once */

#endif
