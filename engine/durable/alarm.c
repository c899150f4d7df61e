/* This file keeps alarms in two heaps and one uv timer armed for the first of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/alarm.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include <uv.h>

enum { WALL_CHECK_MS = 60000 };

struct alarms {
	uv_timer_t timer;
	struct heap wall;
	struct heap mono;
	struct list due;     /* taken from the heaps, about to fire */
	int64_t armed_at_ms; /* monotonic; INT64_MAX while the timer is off */
	bool is_firing;      /* arms once, at its end */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static int64_t later(int64_t now, int64_t wait_ms)
{
	return wait_ms > INT64_MAX - now ? INT64_MAX : now + wait_ms;
}

/* Monotonic time at which the timer has something to do. */
static int64_t next_look_ms(const struct alarms *alarms, int64_t mono_now)
{
	int64_t next = INT64_MAX;
	const struct heap_node *mono = heap_first(&alarms->mono);
	if (mono != NULL) {
		next = mono->rank;
	}
	const struct heap_node *wall = heap_first(&alarms->wall);
	if (wall != NULL) {
		int64_t wall_now = clock_wall_ms();
		int64_t wait = wall->rank <= wall_now ? 0 : wall->rank - wall_now;
		int64_t at = mono_now + (wait < WALL_CHECK_MS ? wait : WALL_CHECK_MS);
		next = at < next ? at : next;
	}
	return next;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct alarms *alarms)
{
	if (alarms->is_firing || clock_is_manual()) {
		return;
	}
	int64_t now = clock_mono_ms();
	int64_t next = next_look_ms(alarms, now);
	if (next == INT64_MAX) {
		if (alarms->armed_at_ms != INT64_MAX) {
			(void)uv_timer_stop(&alarms->timer); /* cannot fail */
			alarms->armed_at_ms = INT64_MAX;
		}
		return;
	}
	/* A timer that wakes too early only looks again; one that wakes late is wrong. */
	if (next < alarms->armed_at_ms) {
		uv_update_time(alarms->timer.loop);
		uint64_t wait = next <= now ? 0 : (uint64_t)(next - now);
		int failed = uv_timer_start(&alarms->timer, on_timer, wait, 0);
		PRE(failed == 0);
		alarms->armed_at_ms = next;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct alarms *alarms = timer->data;
	alarms->armed_at_ms = INT64_MAX;
	(void)alarms_run_due(alarms);
}

struct alarms *alarms_new(struct uv_loop_s *loop)
{
	struct alarms *alarms = MEM_NEW(struct alarms);
	list_init(&alarms->due);
	alarms->armed_at_ms = INT64_MAX;
	int failed = uv_timer_init(loop, &alarms->timer);
	PRE(failed == 0);
	alarms->timer.data = alarms;
	return alarms;
}

static void on_closed(uv_handle_t *handle)
{
	struct alarms *alarms = handle->data;
	heap_close(&alarms->wall);
	heap_close(&alarms->mono);
	if (alarms->closed != NULL) {
		alarms->closed(alarms->closed_ctx);
	}
	mem_free(alarms);
}

void alarms_close(struct alarms *alarms, void (*closed)(void *ctx), void *ctx)
{
	alarms->closed = closed;
	alarms->closed_ctx = ctx;
	uv_close((uv_handle_t *)&alarms->timer, on_closed);
}

static void take_out(struct alarms *alarms, struct alarm *alarm)
{
	switch (alarm->state) {
	case ALARM_OFF:
		break;
	case ALARM_WALL:
		heap_remove(&alarms->wall, &alarm->node);
		break;
	case ALARM_MONO:
		heap_remove(&alarms->mono, &alarm->node);
		break;
	case ALARM_DUE:
		list_remove(&alarm->due);
		break;
	}
	alarm->state = ALARM_OFF;
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t wall_ms)
{
	PRE(alarm->fn != NULL);
	take_out(alarms, alarm);
	heap_add(&alarms->wall, &alarm->node, wall_ms);
	alarm->state = ALARM_WALL;
	arm(alarms);
}

void alarm_set_in(struct alarms *alarms, struct alarm *alarm, int64_t wait_ms)
{
	PRE(alarm->fn != NULL);
	take_out(alarms, alarm);
	heap_add(&alarms->mono, &alarm->node, later(clock_mono_ms(), wait_ms < 0 ? 0 : wait_ms));
	alarm->state = ALARM_MONO;
	arm(alarms);
}

void alarm_clear(struct alarms *alarms, struct alarm *alarm)
{
	if (alarm->state != ALARM_OFF) {
		take_out(alarms, alarm);
		if (heap_first(&alarms->wall) == NULL && heap_first(&alarms->mono) == NULL) {
			arm(alarms);
		}
	}
}

bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->state != ALARM_OFF;
}

/* Whichever of the two first ones has been due for longer; NULL when neither is due. */
static struct alarm *take_longest_due(struct alarms *alarms, int64_t wall_now, int64_t mono_now)
{
	struct heap_node *wall = heap_first(&alarms->wall);
	struct heap_node *mono = heap_first(&alarms->mono);
	bool wall_is_due = wall != NULL && wall->rank <= wall_now;
	bool mono_is_due = mono != NULL && mono->rank <= mono_now;
	if (!wall_is_due && !mono_is_due) {
		return NULL;
	}
	bool take_wall =
	        wall_is_due && (!mono_is_due || wall->rank - wall_now <= mono->rank - mono_now);
	struct alarm *alarm = MEM_CONTAINER(take_wall ? wall : mono, struct alarm, node);
	take_out(alarms, alarm);
	return alarm;
}

size_t alarms_run_due(struct alarms *alarms)
{
	PRE(!alarms->is_firing);
	int64_t wall_now = clock_wall_ms();
	int64_t mono_now = clock_mono_ms();
	/* All are taken out before the first fires: what it sets waits for the next turn. */
	for (size_t taken = 0; taken < ALARM_TURN_MAX; taken++) {
		struct alarm *alarm = take_longest_due(alarms, wall_now, mono_now);
		if (alarm == NULL) {
			break;
		}
		alarm->state = ALARM_DUE;
		list_push(&alarms->due, &alarm->due);
	}
	size_t fired = 0;
	alarms->is_firing = true;
	while (!list_is_empty(&alarms->due)) {
		struct alarm *alarm = LIST_FIRST(&alarms->due, struct alarm, due);
		take_out(alarms, alarm);
		fired++;
		alarm->fn(alarm);
	}
	alarms->is_firing = false;
	arm(alarms);
	return fired;
}
