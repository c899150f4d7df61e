/* This file keeps alarms in a heap for each clock and one uv timer armed for the first of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/alarm.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include <uv.h>

enum { WALL_CHECK_MS = 60000, CLOCKS = 3 };

struct alarms {
	uv_timer_t timer;
	struct heap heaps[CLOCKS]; /* by alarm_state, see heap_of */
	struct list due;           /* taken from the heaps, about to fire */
	int64_t armed_at_ms;       /* real time; INT64_MAX while the timer is off */
	bool is_firing;            /* arms once, at its end */
	bool in_timer;             /* the uv timer's call-back runs */
	struct alarm_stats stats;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static struct heap *heap_of(struct alarms *alarms, enum alarm_state state)
{
	return &alarms->heaps[state - ALARM_WALL];
}

static int64_t now_of(enum alarm_state state)
{
	return state == ALARM_WALL   ? clock_wall_ms()
	       : state == ALARM_MONO ? clock_mono_ms()
	                             : clock_real_ms();
}

static int64_t later(int64_t now, int64_t wait_ms)
{
	return wait_ms > INT64_MAX - now ? INT64_MAX : now + wait_ms;
}

/* Until the first alarm of this kind is due; not above 0 when it is; INT64_MAX without one. */
static int64_t wait_of(const struct alarms *alarms, enum alarm_state state)
{
	const struct heap_node *first = heap_first(&alarms->heaps[state - ALARM_WALL]);
	return first != NULL ? first->rank - now_of(state) : INT64_MAX;
}

/* How long the timer has nothing to do. */
static int64_t idle_ms(const struct alarms *alarms)
{
	int64_t wall = wait_of(alarms, ALARM_WALL);
	int64_t mono = wait_of(alarms, ALARM_MONO);
	int64_t real = wait_of(alarms, ALARM_REAL);
	int64_t users = wall < mono ? wall : mono;
	if (clock_is_virtual()) {
		return users <= 0 || real <= 0 ? 0 : real;
	}
	if (wall != INT64_MAX && wall > WALL_CHECK_MS) {
		wall = WALL_CHECK_MS;
	}
	users = wall < mono ? wall : mono;
	return users < real ? users : real;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct alarms *alarms)
{
	bool never_by_itself = clock_is_manual() && !clock_is_virtual();
	if (alarms->is_firing || never_by_itself) {
		return;
	}
	int64_t wait_ms = idle_ms(alarms);
	if (wait_ms <= 0) {
		/* libuv calls a timer that is set to now from inside its call-back again at once,
		 * and nobody else gets a turn. */
		wait_ms = alarms->in_timer;
	}
	if (wait_ms == INT64_MAX) {
		if (alarms->armed_at_ms != INT64_MAX) {
			(void)uv_timer_stop(&alarms->timer); /* cannot fail */
			alarms->armed_at_ms = INT64_MAX;
		}
		return;
	}
	/* A timer that wakes too early only looks again; one that wakes late is wrong. */
	int64_t next = later(clock_real_ms(), wait_ms);
	if (next < alarms->armed_at_ms) {
		uv_update_time(alarms->timer.loop);
		int failed = uv_timer_start(&alarms->timer, on_timer, (uint64_t)wait_ms, 0);
		PRE(failed == 0);
		alarms->armed_at_ms = next;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct alarms *alarms = timer->data;
	alarms->armed_at_ms = INT64_MAX;
	alarms->in_timer = true;
	(void)alarms_run_due(alarms);
	alarms->in_timer = false;
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
	for (size_t i = 0; i < CLOCKS; i++) {
		heap_close(&alarms->heaps[i]);
	}
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
	case ALARM_MONO:
	case ALARM_REAL:
		heap_remove(heap_of(alarms, alarm->state), &alarm->node);
		break;
	case ALARM_DUE:
		list_remove(&alarm->due);
		break;
	}
	alarm->state = ALARM_OFF;
}

static void put_in(struct alarms *alarms, struct alarm *alarm, enum alarm_state state, int64_t rank)
{
	PRE(alarm->fn != NULL);
	take_out(alarms, alarm);
	heap_add(heap_of(alarms, state), &alarm->node, rank);
	alarm->state = state;
	if (heap_first(heap_of(alarms, state)) == &alarm->node) {
		arm(alarms); /* else the timer is armed for one before it */
	}
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t wall_ms)
{
	put_in(alarms, alarm, ALARM_WALL, wall_ms);
}

void alarm_set_in(struct alarms *alarms, struct alarm *alarm, int64_t wait_ms)
{
	put_in(alarms, alarm, ALARM_MONO, later(clock_mono_ms(), wait_ms < 0 ? 0 : wait_ms));
}

void alarm_set_real(struct alarms *alarms, struct alarm *alarm, int64_t wait_ms)
{
	put_in(alarms, alarm, ALARM_REAL, later(clock_real_ms(), wait_ms < 0 ? 0 : wait_ms));
}

void alarm_clear(struct alarms *alarms, struct alarm *alarm)
{
	if (alarm->state != ALARM_OFF) {
		take_out(alarms, alarm);
		size_t left = 0;
		for (size_t i = 0; i < CLOCKS; i++) {
			left += alarms->heaps[i].count;
		}
		if (left == 0) {
			arm(alarms);
		}
	}
}

bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->state != ALARM_OFF;
}

/* Whichever of the first ones has been due for longest; NULL when none is due. */
static struct alarm *take_longest_due(struct alarms *alarms, const int64_t now[CLOCKS])
{
	int64_t least = INT64_MAX;
	size_t which = 0;
	for (size_t i = 0; i < CLOCKS; i++) {
		const struct heap_node *first = heap_first(&alarms->heaps[i]);
		if (first != NULL && first->rank <= now[i] && first->rank - now[i] < least) {
			least = first->rank - now[i];
			which = i;
		}
	}
	if (least == INT64_MAX) {
		return NULL;
	}
	struct alarm *alarm = MEM_CONTAINER(heap_first(&alarms->heaps[which]), struct alarm, node);
	if (alarm->state != ALARM_REAL) {
		alarms->stats.fired++;
		histogram_add(&alarms->stats.late, -least);
	}
	take_out(alarms, alarm);
	return alarm;
}

size_t alarms_run_due(struct alarms *alarms)
{
	PRE(!alarms->is_firing);
	int64_t now[CLOCKS];
	for (int i = 0; i < CLOCKS; i++) {
		now[i] = now_of((enum alarm_state)(ALARM_WALL + i));
	}
	/* All are taken out before the first fires: what it sets waits for the next turn. */
	for (size_t taken = 0; taken < ALARM_TURN_MAX; taken++) {
		struct alarm *alarm = take_longest_due(alarms, now);
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

int64_t alarms_next_ms(const struct alarms *alarms)
{
	int64_t wall = wait_of(alarms, ALARM_WALL);
	int64_t mono = wait_of(alarms, ALARM_MONO);
	int64_t wait_ms = wall < mono ? wall : mono;
	if (!list_is_empty(&alarms->due)) {
		return clock_wall_ms();
	}
	return wait_ms == INT64_MAX ? INT64_MAX : later(clock_wall_ms(), wait_ms);
}

void alarms_turn(struct alarms *alarms, int64_t by_ms)
{
	clock_advance(by_ms);
	arm(alarms);
}

void alarms_stats(const struct alarms *alarms, struct alarm_stats *out)
{
	*out = alarms->stats;
	for (enum alarm_state state = ALARM_WALL; state <= ALARM_MONO; state++) {
		const struct heap *heap = &alarms->heaps[state - ALARM_WALL];
		out->pending += heap->count;
		out->overdue += heap_count_below(heap, now_of(state));
	}
}
