/* This file carries bytes to and from one peer: a connection, its buffers, its deadlines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/conn.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "engine/api/channel.h"
#include "engine/api/conn_inside.h"
#include "engine/api/listener.h"
#include "engine/durable/alarm.h"
#include <uv.h>

/*
 * DESIGN. Output has two buffers: `out` grows while the loop turns; what the socket did not take at
 * once becomes `writing` and belongs to libuv until its callback. Empty output buffers go to a
 * small pool of the group, so that a thousand connections do not keep a thousand of them.
 *
 * `kept` is input that the protocol did not take because it was held or slow. It is shown again in
 * the next flush after that has ended; nothing more is read before it is empty.
 */
enum { LINGER_MS = 2000 };

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;
	struct conn_group *group = conn->group;
	list_remove(&conn->link);
	group->count--;
	conn->protocol->closed(conn, conn->reason);
	channel_free(conn->channel);
	buf_free(&conn->out);
	buf_free(&conn->writing);
	buf_free(&conn->kept);
	mem_free(conn->write);
	mem_free(conn->shutdown);
	mem_free(conn);
	if (group->closing && group->count == 0) {
		conn_group_end(group);
	}
}

void conn_close(struct conn *conn, const char *reason)
{
	if (conn->closing) {
		return;
	}
	conn->closing = true;
	conn->reason = conn->finishing ? conn->reason : reason;
	conn->reading = false;
	list_remove(&conn->dirty);
	alarm_clear(conn->group->alarms, &conn->timer);
	uv_close(&conn->handle.any, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct conn *conn = request->data;
	conn->shut = true;
	if (status != 0 || conn->ended) {
		conn_close(conn, "finished");
	} else {
		conn_set_timer(conn, LINGER_MS);
	}
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct conn *conn = handle->data;
	*out = uv_buf_init(conn->group->read_bytes, READ_BYTES);
}

/* Shows bytes to the protocol until it wants no more; returns how many it used. */
static size_t show(struct conn *conn, char *bytes, size_t len)
{
	size_t used = 0;
	while (used < len && !conn->held && !conn->slow && !conn->closing) {
		if (conn->finishing) {
			return len;
		}
		const struct conn_protocol *protocol = conn->protocol;
		size_t step = protocol->data(conn, bytes + used, len - used);
		used += step;
		if (step == 0 && protocol == conn->protocol) {
			break;
		}
	}
	return used;
}

static void end_input(struct conn *conn)
{
	if (!conn->finishing) {
		conn->protocol->ended(conn);
	} else if (conn->shut) {
		conn_close(conn, "finished");
	}
}

static void take(struct conn *conn, char *bytes, size_t len)
{
	size_t used = show(conn, bytes, len);
	if (used < len && !conn->closing) {
		buf_add(&conn->kept, bytes + used, len - used);
	}
}

/* What came over TLS: is shown as what it says. */
static void take_sealed(struct conn *conn, struct span wire)
{
	struct buf *plain = &conn->group->plain;
	struct err err;
	buf_clear(plain);
	int status = channel_open_bytes(conn->channel, wire, plain, &err);
	conn_flush_later(conn); /* it may have an answer of its own */
	if (plain->len > 0) {
		take(conn, plain->ptr, plain->len);
	}
	if (status != 0) {
		conn_finish(conn, "TLS failed");
	} else if (channel_has_ended(conn->channel) && !conn->ended) {
		conn->ended = true;
		conn->end_due = true;
	}
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
	struct conn *conn = stream->data;
	if (len == 0 || conn->closing) {
		return;
	}
	if (len < 0) {
		conn->ended = true;
		conn->reading = false;
		(void)uv_read_stop(stream);
		if (len == UV_EOF) {
			end_input(conn);
		} else {
			conn_close(conn, "connection lost");
		}
		return;
	}
	conn->moved_ms = clock_real_ms();
	if (conn->channel) {
		take_sealed(conn, span_make(bytes->base, (size_t)len));
	} else {
		take(conn, bytes->base, (size_t)len);
	}
}

void conn_choose_reading(struct conn *conn)
{
	bool must = conn->finishing || (conn->channel && channel_is_shaking(conn->channel));
	bool want = !conn->closing && !conn->ended && !conn->held && !conn->slow &&
	            conn->kept.len == 0 && (!conn->group->paused || must);
	if (want == conn->reading) {
		return;
	}
	conn->reading = want;
	if (!want) {
		(void)uv_read_stop(&conn->handle.stream);
		return;
	}
	conn->moved_ms = clock_real_ms();
	if (uv_read_start(&conn->handle.stream, on_alloc, on_read) != 0) {
		conn_close(conn, "reading failed");
	}
}

static void show_kept(struct conn *conn)
{
	if (conn->kept.len == 0 || conn->held || conn->slow || conn->closing) {
		return;
	}
	struct buf kept = conn->kept;
	conn->kept = (struct buf){0};
	size_t used = show(conn, kept.ptr, kept.len);
	if (used < kept.len && !conn->closing) {
		buf_add(&conn->kept, kept.ptr + used, kept.len - used);
	}
	buf_free(&kept);
}

/* The peer has said goodbye over TLS, and the protocol has taken all that came before. */
static void hear_end(struct conn *conn)
{
	if (conn->end_due && conn->kept.len == 0 && !conn->closing) {
		conn->end_due = false;
		end_input(conn);
	}
}

/* ---- writing ---- */

size_t conn_unsent(const struct conn *conn)
{
	size_t sealed = conn->channel ? channel_unsent(conn->channel) : 0;
	return conn->out.len + sealed + uv_stream_get_write_queue_size(&conn->handle.stream);
}

static size_t max_unsent(const struct conn *conn)
{
	return conn->max_unsent != 0 ? conn->max_unsent : conn->group->limits.max_unsent;
}

static void judge_speed(struct conn *conn)
{
	size_t unsent = conn_unsent(conn);
	size_t most = max_unsent(conn);
	if (!conn->slow && unsent > most) {
		conn->slow = true;
	} else if (conn->slow && unsent <= most / 2) {
		conn->slow = false;
		if (conn->kept.len > 0) {
			conn_flush_later(conn);
		}
		if (conn->protocol->relief && !conn->finishing) {
			conn->protocol->relief(conn);
		}
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct conn *conn = request->data;
	conn_group_give_spare(conn->group, &conn->writing);
	mem_free(conn->write);
	conn->write = NULL;
	if (status != 0) {
		conn_close(conn, "writing failed");
		return;
	}
	conn->moved_ms = clock_real_ms();
	conn_flush(conn);
}

/* Hands what the socket did not take at once to libuv. */
static void write_rest(struct conn *conn, struct buf *out, size_t sent)
{
	conn->writing = *out;
	*out = (struct buf){0};
	conn->moved_ms = clock_real_ms(); /* it begins to wait now */
	conn->write = MEM_NEW(uv_write_t);
	conn->write->data = conn;
	uv_buf_t rest = uv_buf_init(conn->writing.ptr + sent, 0);
	rest.len = conn->writing.len - sent;
	int status = uv_write(conn->write, &conn->handle.stream, &rest, 1, on_written);
	if (status != 0) {
		conn_close(conn, "writing failed");
	}
}

static void send_out(struct conn *conn, struct buf *out)
{
	uv_buf_t all = {.base = out->ptr, .len = out->len};
	int sent = uv_try_write(&conn->handle.stream, &all, 1);
	if (sent < 0 && sent != UV_EAGAIN) {
		conn_close(conn, "writing failed");
	} else if (sent >= 0 && (size_t)sent == out->len) {
		conn_group_give_spare(conn->group, out);
	} else {
		write_rest(conn, out, sent > 0 ? (size_t)sent : 0);
	}
}

/* What goes to the socket: `out`, or for TLS what becomes of it. */
static struct buf *choose_out(struct conn *conn)
{
	if (conn->channel == NULL) {
		return &conn->out;
	}
	struct buf *wire = channel_wire(conn->channel);
	conn_group_take_spare(conn->group, wire);
	if (!channel_seal(conn->channel, &conn->out)) {
		conn_close(conn, "TLS failed");
	}
	if (conn->out.len == 0) {
		conn_group_give_spare(conn->group, &conn->out);
	}
	if (wire->len == 0) {
		conn_group_give_spare(conn->group, wire);
	}
	return wire;
}

static void finish_output(struct conn *conn)
{
	if (conn->shutdown) {
		return;
	}
	if (conn->channel && channel_end(conn->channel)) {
		send_out(conn, channel_wire(conn->channel));
		if (conn->closing || conn->write) {
			return;
		}
	}
	conn->shutdown = MEM_NEW(uv_shutdown_t);
	conn->shutdown->data = conn;
	if (uv_shutdown(conn->shutdown, &conn->handle.stream, on_shutdown) != 0) {
		conn_close(conn, "finished");
	}
}

void conn_flush(struct conn *conn)
{
	show_kept(conn);
	hear_end(conn);
	if (!conn->closing && !conn->write) {
		struct buf *out = choose_out(conn);
		if (out->len > 0 && !conn->closing) {
			send_out(conn, out);
		}
	}
	if (conn->closing) {
		return;
	}
	judge_speed(conn);
	if (conn->closing) {
		return;
	}
	conn_choose_reading(conn);
	if (conn->kept.len > 0 && !conn->held && !conn->slow) {
		conn_flush_later(conn); /* the protocol wanted a rest only while `out` was full */
	}
	if (conn->finishing && !conn->write && conn->out.len == 0 && !conn->closing) {
		finish_output(conn);
	}
}

struct buf *conn_out(struct conn *conn)
{
	conn_group_take_spare(conn->group, &conn->out);
	return &conn->out;
}

void conn_flush_later(struct conn *conn)
{
	if (!conn->closing && list_is_empty(&conn->dirty)) {
		list_push(&conn->group->dirty, &conn->dirty);
	}
}

bool conn_is_slow(const struct conn *conn)
{
	return conn->slow || conn_unsent(conn) > max_unsent(conn);
}

void conn_set_max_unsent(struct conn *conn, size_t most)
{
	conn->max_unsent = most;
}

void conn_await_relief(struct conn *conn)
{
	conn->slow = true;
	conn_flush_later(conn);
}

bool conn_is_open(const struct conn *conn)
{
	return !conn->closing && !conn->finishing;
}

bool conn_is_ready(const struct conn *conn)
{
	return conn_is_open(conn) && !conn->held && !conn_is_slow(conn);
}

void conn_hold(struct conn *conn, bool hold)
{
	conn->held = hold;
	conn_flush_later(conn);
}

/* ---- time ---- */

static void on_timer(struct alarm *alarm)
{
	struct conn *conn = MEM_CONTAINER(alarm, struct conn, timer);
	if (conn->finishing) {
		conn_close(conn, "finished");
	} else {
		conn->protocol->timer(conn);
	}
}

void conn_set_timer(struct conn *conn, int64_t delay_ms)
{
	if (delay_ms <= 0 || conn->closing) {
		alarm_clear(conn->group->alarms, &conn->timer);
	} else {
		alarm_set_real(conn->group->alarms, &conn->timer, delay_ms);
	}
}

int64_t conn_last_moved_ms(const struct conn *conn)
{
	bool ours = conn->held || conn->kept.len > 0 || conn->group->paused;
	return ours && !conn->slow ? clock_real_ms() : conn->moved_ms;
}

void conn_finish(struct conn *conn, const char *reason)
{
	if (conn->closing || conn->finishing) {
		return;
	}
	conn->finishing = true;
	conn->held = false;
	conn->reason = reason;
	buf_free(&conn->kept);
	conn_set_timer(conn, conn->group->limits.idle_timeout_ms);
	conn_flush_later(conn);
}

/* The handle that a connection of this kind needs; without a socket yet it cannot fail. */
static void init_handle(struct conn *conn)
{
	uv_loop_t *loop = conn->group->loop;
	if (listener_kind(conn->listener) == LISTENER_UNIX) {
		(void)uv_pipe_init(loop, &conn->handle.pipe, 0);
	} else {
		(void)uv_tcp_init(loop, &conn->handle.tcp);
	}
	conn->handle.any.data = conn;
}

static void shake_is_late(void *ctx)
{
	conn_close(ctx, "the TLS handshake was not done in time");
}

static void open_channel(struct conn *conn)
{
	const struct channel_options options = {
	        .alarms = conn->group->alarms,
	        .timeout_ms = conn->group->limits.header_timeout_ms,
	        .late = shake_is_late,
	        .ctx = conn,
	        .failures = &conn->group->handshake_failures,
	};
	conn->channel = channel_new(listener_tls(conn->listener), &options);
}

struct conn *conn_accept(struct conn_group *group, struct listener *listener,
                         const struct conn_protocol *protocol, void *state)
{
	struct conn *conn = MEM_NEW(struct conn);
	conn->group = group;
	conn->listener = listener;
	conn->protocol = protocol;
	conn->state = state;
	conn->moved_ms = clock_real_ms();
	conn->timer.fn = on_timer;
	list_init(&conn->link);
	list_init(&conn->dirty);
	init_handle(conn);
	group->count++;
	list_push(&group->conns, &conn->link);
	if (uv_accept(listener_stream(listener), &conn->handle.stream) != 0) {
		conn_close(conn, "accepting failed");
		return conn;
	}
	if (listener_tls(listener) != NULL) {
		open_channel(conn);
	}
	if (listener_kind(listener) != LISTENER_UNIX) {
		(void)uv_tcp_nodelay(&conn->handle.tcp, 1); /* it works without, only later */
	}
	conn_choose_reading(conn);
	return conn;
}

void conn_speak(struct conn *conn, const struct conn_protocol *protocol, void *state)
{
	conn->protocol = protocol;
	conn->state = state;
}

void *conn_state(const struct conn *conn)
{
	return conn->state;
}

const struct conn_protocol *conn_protocol_of(const struct conn *conn)
{
	return conn->protocol;
}

struct listener *conn_listener(const struct conn *conn)
{
	return conn->listener;
}

struct conn_group *conn_group_of(const struct conn *conn)
{
	return conn->group;
}
