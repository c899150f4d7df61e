/* This file runs one-shot timers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_timer.h"

#include "base/err.h"
#include "base/mem.h"

void store_timer_init(struct store_timer *timer, uv_loop_t *loop)
{
	int failed = uv_timer_init(loop, &timer->uv);
	PRE(failed == 0);
	timer->is_due = false;
}

static void on_timer(uv_timer_t *timer)
{
	MEM_CONTAINER(timer, struct store_timer, uv)->is_due = true;
}

void store_timer_start(struct store_timer *timer, int64_t ms)
{
	if (!timer->is_due && uv_is_active((uv_handle_t *)&timer->uv) == 0) {
		uv_update_time(timer->uv.loop);
		int failed = uv_timer_start(&timer->uv, on_timer, (uint64_t)ms, 0);
		PRE(failed == 0);
	}
}

void store_timer_stop(struct store_timer *timer)
{
	(void)uv_timer_stop(&timer->uv); /* cannot fail */
	timer->is_due = false;
}
