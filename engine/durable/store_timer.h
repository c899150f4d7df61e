/* This file keeps the store's one-shot timers: due until somebody acts on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_TIMER_H
#define ENGINE_DURABLE_STORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Timers run before the prepare handles of the same turn: nobody is called. */
struct store_timer {
	uv_timer_t uv;
	bool is_due;
};

void store_timer_init(struct store_timer *timer, uv_loop_t *loop);
/* No effect while it runs or is due already. */
void store_timer_start(struct store_timer *timer, int64_t ms);
void store_timer_stop(struct store_timer *timer);

#endif
