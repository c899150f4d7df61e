/* This file is what the connections of a server share: buffers, the turn's writing, the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/mem.h"
#include "engine/api/conn.h"
#include "engine/api/conn_inside.h"
#include <signal.h>

void conn_group_take_spare(struct conn_group *group, struct buf *buf)
{
	if (buf->ptr == NULL && group->spare_count > 0) {
		*buf = group->spares[--group->spare_count];
	}
}

void conn_group_give_spare(struct conn_group *group, struct buf *buf)
{
	if (buf->cap == 0 || buf->cap > SPARE_BYTES || group->spare_count == SPARE_MAX) {
		buf_free(buf);
		return;
	}
	buf_clear(buf);
	group->spares[group->spare_count++] = *buf;
	*buf = (struct buf){0};
}

void conn_group_flush(struct conn_group *group)
{
	struct list now;
	list_init(&now);
	list_move(&group->dirty, &now);
	while (!list_is_empty(&now)) {
		struct conn *conn = LIST_FIRST(&now, struct conn, dirty);
		list_remove(&conn->dirty);
		conn_flush(conn);
	}
}

static void on_impatient(uv_idle_t *handle)
{
	(void)handle;
}

static void on_prepare(uv_prepare_t *handle)
{
	struct conn_group *group = handle->data;
	conn_group_flush(group);
	if (list_is_empty(&group->dirty)) {
		(void)uv_idle_stop(&group->impatient);
	} else {
		(void)uv_idle_start(&group->impatient, on_impatient);
	}
}

static void on_check(uv_check_t *handle)
{
	conn_group_flush(handle->data);
}

static void close_all(struct alarm *alarm)
{
	struct conn_group *group = MEM_CONTAINER(alarm, struct conn_group, grace);
	LIST_EACH(&group->conns, link)
	{
		conn_close(MEM_CONTAINER(link, struct conn, link), "shutting down");
	}
}

struct conn_group *conn_group_new(uv_loop_t *loop, struct alarms *alarms,
                                  const struct conn_limits *limits)
{
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that goes while we write must not end us */
	struct conn_group *group = MEM_NEW(struct conn_group);
	group->loop = loop;
	group->alarms = alarms;
	group->limits = *limits;
	group->grace.fn = close_all;
	list_init(&group->conns);
	list_init(&group->dirty);
	(void)uv_prepare_init(loop, &group->before_poll); /* none of these can fail */
	(void)uv_prepare_start(&group->before_poll, on_prepare);
	(void)uv_check_init(loop, &group->after_poll);
	(void)uv_check_start(&group->after_poll, on_check);
	(void)uv_idle_init(loop, &group->impatient);
	group->before_poll.data = group;
	group->after_poll.data = group;
	group->impatient.data = group;
	group->helpers = 3;
	return group;
}

static void helper_closed(uv_handle_t *handle)
{
	struct conn_group *group = handle->data;
	if (--group->helpers > 0) {
		return;
	}
	for (size_t i = 0; i < group->spare_count; i++) {
		buf_free(&group->spares[i]);
	}
	buf_free(&group->plain);
	void (*freed)(void *ctx) = group->freed;
	void *ctx = group->freed_ctx;
	mem_free(group);
	freed(ctx);
}

void conn_group_end(struct conn_group *group)
{
	alarm_clear(group->alarms, &group->grace);
	uv_close((uv_handle_t *)&group->before_poll, helper_closed);
	uv_close((uv_handle_t *)&group->after_poll, helper_closed);
	uv_close((uv_handle_t *)&group->impatient, helper_closed);
}

void conn_group_free(struct conn_group *group, int64_t grace_ms, void (*freed)(void *ctx),
                     void *ctx)
{
	PRE(!group->closing);
	group->closing = true;
	group->freed = freed;
	group->freed_ctx = ctx;
	if (group->count == 0) {
		conn_group_end(group);
	} else if (grace_ms > 0) {
		alarm_set_real(group->alarms, &group->grace, grace_ms);
	} else {
		close_all(&group->grace);
	}
}

void conn_group_pause_reading(struct conn_group *group, bool pause)
{
	if (group->paused == pause) {
		return;
	}
	group->paused = pause;
	LIST_EACH(&group->conns, link)
	{
		conn_choose_reading(MEM_CONTAINER(link, struct conn, link));
	}
}

uint32_t conn_group_count(const struct conn_group *group)
{
	return group->count;
}

uint64_t conn_group_handshake_failures(const struct conn_group *group)
{
	return group->handshake_failures;
}

const struct conn_limits *conn_group_limits(const struct conn_group *group)
{
	return &group->limits;
}

void conn_group_set_limits(struct conn_group *group, const struct conn_limits *limits)
{
	group->limits = *limits;
}

void conn_group_each(struct conn_group *group, conn_each_fn *each, void *ctx)
{
	LIST_EACH(&group->conns, link)
	{
		each(ctx, MEM_CONTAINER(link, struct conn, link));
	}
}
