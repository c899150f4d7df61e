/* This file keeps the paces of a trigger's deliveries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/throttle.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "engine/core/delivery.h"

enum {
	LATE_MOST_US = 100000, /* a later one than this begins a new row of intervals */
	PUT_FROM_US = 1000000
};

static void is_due(struct alarm *alarm);

struct throttle *throttle_new(struct binding *binding, struct alarms *alarms, int64_t interval_us)
{
	struct throttle *throttle = MEM_NEW(struct throttle);
	throttle->binding = binding;
	throttle->alarms = alarms;
	throttle->interval_us = interval_us;
	list_init(&throttle->dirty);
	return throttle;
}

void throttle_forget(struct pace *pace)
{
	PRE(list_is_empty(&pace->waiting));
	alarm_clear(pace->throttle->alarms, &pace->alarm);
	map_remove(&pace->throttle->paces, &pace->node);
	list_remove(&pace->in_dirty);
	mem_free(pace);
}

void throttle_free(struct throttle *throttle)
{
	if (throttle != NULL) {
		MAP_EACH(&throttle->paces, node)
		{
			throttle_forget(MEM_CONTAINER(node, struct pace, node));
		}
		map_close(&throttle->paces);
		mem_free(throttle);
	}
}

static bool is_any(const struct map_node *node, const void *key)
{
	(void)key;
	return node != NULL; /* the map has compared the 64 bits */
}

static struct pace *find(const struct throttle *throttle, uint64_t group)
{
	struct map_node *node = map_get(&throttle->paces, group, NULL, is_any);
	return node != NULL ? MEM_CONTAINER(node, struct pace, node) : NULL;
}

static struct pace *need(struct throttle *throttle, uint64_t group)
{
	struct pace *pace = find(throttle, group);
	if (pace == NULL) {
		pace = MEM_NEW(struct pace);
		pace->throttle = throttle;
		pace->alarm.fn = is_due;
		list_init(&pace->waiting);
		list_init(&pace->in_dirty);
		map_add(&throttle->paces, &pace->node, group);
	}
	return pace;
}

static int64_t now_us(void)
{
	return clock_wall_ms() * 1000;
}

static void touch(struct pace *pace)
{
	struct throttle *throttle = pace->throttle;
	if (list_is_empty(&pace->in_dirty)) {
		list_push(&throttle->dirty, &pace->in_dirty);
		throttle->changed(throttle->binding);
	}
}

/* Elapsed time, not the wall clock's: that may jump. */
static void wait_for(struct pace *pace)
{
	if (!alarm_is_set(&pace->alarm)) {
		int64_t left_us = pace->next_us - now_us();
		alarm_set_in(pace->throttle->alarms, &pace->alarm,
		             left_us > 0 ? (left_us + 999) / 1000 : 0);
	}
}

static void release_next(struct pace *pace)
{
	struct throttle *throttle = pace->throttle;
	struct delivery *delivery = LIST_FIRST(&pace->waiting, struct delivery, in_queue);
	list_remove(&delivery->in_queue);
	delivery->throttled = THROTTLE_RELEASED;
	throttle->waiting--;
	pace->is_released = true;
	throttle->release(delivery);
}

/* It may have been set back. */
static void mind_the_clock(struct pace *pace, int64_t now)
{
	int64_t most = now + pace->throttle->interval_us;
	pace->next_us = pace->next_us < most ? pace->next_us : most;
}

static void is_due(struct alarm *alarm)
{
	struct pace *pace = MEM_CONTAINER(alarm, struct pace, alarm);
	mind_the_clock(pace, now_us());
	if (pace->next_us > now_us()) {
		wait_for(pace);
	} else if (!list_is_empty(&pace->waiting)) {
		if (!pace->is_released) {
			release_next(pace);
		}
	} else if (!pace->is_released) {
		pace->is_gone = true;
		if (pace->is_put) {
			touch(pace);
		} else {
			throttle_forget(pace);
		}
	}
}

static void stand_behind(struct pace *pace, struct delivery *delivery, bool first)
{
	list_remove(&delivery->in_queue);
	if (first) {
		list_push_front(&pace->waiting, &delivery->in_queue);
	} else {
		list_push(&pace->waiting, &delivery->in_queue);
	}
	delivery->throttled = THROTTLE_WAITS;
	pace->throttle->waiting++;
	if (!pace->is_released) {
		wait_for(pace);
	}
}

bool throttle_take(struct throttle *throttle, struct delivery *delivery)
{
	struct pace *pace = need(throttle, delivery->throttle_group);
	int64_t now = now_us();
	bool released = delivery->throttled == THROTTLE_RELEASED;
	pace->is_gone = false;
	mind_the_clock(pace, now);
	if (released) {
		pace->is_released = false;
		delivery->throttled = THROTTLE_NOT;
	} else if (pace->is_released || !list_is_empty(&pace->waiting)) {
		stand_behind(pace, delivery, false);
		return false;
	}
	if (pace->next_us > now) {
		stand_behind(pace, delivery, released);
		return false;
	}
	/* Who waited for his time keeps the row, so that late alarms do not add up. */
	bool in_row = released && now - pace->next_us <= LATE_MOST_US;
	pace->next_us = (in_row ? pace->next_us : now) + throttle->interval_us;
	if (throttle->interval_us >= PUT_FROM_US) {
		touch(pace);
	}
	if (pace->next_us <= now && !list_is_empty(&pace->waiting)) {
		release_next(pace);
	} else {
		wait_for(pace);
	}
	return true;
}

void throttle_leave(struct throttle *throttle, struct delivery *delivery)
{
	if (delivery->throttled == THROTTLE_NOT) {
		return;
	}
	struct pace *pace = find(throttle, delivery->throttle_group);
	list_remove(&delivery->in_queue);
	if (delivery->throttled == THROTTLE_WAITS) {
		throttle->waiting--;
	} else {
		pace->is_released = false;
		wait_for(pace); /* the next one may go instead */
	}
	delivery->throttled = THROTTLE_NOT;
}

void throttle_adopt(struct throttle *throttle, uint64_t group, int64_t next_us)
{
	struct pace *pace = need(throttle, group);
	pace->next_us = next_us;
	mind_the_clock(pace, now_us());
	pace->is_put = true;
	wait_for(pace);
}
