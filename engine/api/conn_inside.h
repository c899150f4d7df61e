/* This file is what connections and their group know of each other. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CONN_INSIDE_H
#define ENGINE_API_CONN_INSIDE_H

#include "engine/api/conn.h"
#include "engine/durable/alarm.h"
#include <uv.h>

enum {
	READ_BYTES = 64 * 1024,
	SPARE_MAX = 32,
	SPARE_BYTES = 64 * 1024 /* a larger buffer is not worth keeping */
};

struct conn_group {
	uv_loop_t *loop;
	struct alarms *alarms;
	struct conn_limits limits;
	uv_prepare_t before_poll;
	uv_check_t after_poll;
	uv_idle_t impatient; /* runs while something is left to flush: the loop must not sleep */
	struct list conns;   /* conn.link */
	struct list dirty;   /* conn.dirty */
	uint32_t count;
	bool paused;
	bool closing;
	struct alarm grace; /* while closing: when the last connections are cut off */
	unsigned helpers;   /* handles of the group itself that are not closed yet */
	void (*freed)(void *ctx);
	void *freed_ctx;
	size_t spare_count;
	struct buf spares[SPARE_MAX];
	struct buf plain;            /* what was read over TLS, while it is being shown */
	uint64_t handshake_failures; /* since the start */
	char read_bytes[READ_BYTES];
};

struct conn {
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe; /* a Unix socket */
	} handle;
	struct conn_group *group;
	struct listener *listener; /* by which it came */
	struct channel *channel;   /* NULL: it speaks plainly */
	const struct conn_protocol *protocol;
	void *state;
	struct list link;
	struct list dirty;
	struct alarm timer;
	struct buf out;
	struct buf writing;
	struct buf kept;
	uv_write_t *write; /* while libuv has `writing` */
	uv_shutdown_t *shutdown;
	size_t max_unsent; /* 0: that of the group's limits */
	int64_t moved_ms;
	const char *reason;
	bool reading;
	bool held;
	bool slow;
	bool ended;     /* the peer sends no more */
	bool end_due;   /* and the protocol hears of it when it has taken what was kept */
	bool shut;      /* and has been told that we do not either */
	bool finishing; /* input is dropped, what is unsent goes out */
	bool closing;
};

/* ---- what the group asks of a connection ---- */

/* Shows what was kept, writes what there is, and decides whether to read on. */
void conn_flush(struct conn *conn);
/* Reads or stops to, by what the flags say now. */
void conn_choose_reading(struct conn *conn);

/* ---- what a connection asks of its group ---- */

/* Output buffers: gets one for an empty `buf` if there is one, takes one back. */
void conn_group_take_spare(struct conn_group *group, struct buf *buf);
void conn_group_give_spare(struct conn_group *group, struct buf *buf);
void conn_group_end(struct conn_group *group); /* the last connection of a closing one has gone */

#endif
