/* This file opens windows, moves their deadlines, and turns them into deliveries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/shape.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/window.h"
#include "engine/core/window_store.h"
#include "triggers/shaping.h"

enum { REFUSED_WAIT_MS = 1000, BATCH_BYTES_MAX = 4 << 20 };

struct shape {
	struct store *store;
	struct dispatch *dispatch;
	struct alarms *alarms;
};

struct shape *shape_new(struct store *store, struct dispatch *dispatch, struct alarms *alarms)
{
	struct shape *shape = MEM_NEW(struct shape);
	shape->store = store;
	shape->dispatch = dispatch;
	shape->alarms = alarms;
	return shape;
}

void shape_free(struct shape *shape)
{
	mem_free(shape);
}

/* ---- closing ---- */

static void put_closing(struct window *window);

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct window *window = MEM_CONTAINER(waiter, struct window, waiter);
	struct shape *shape = window->shape;
	struct binding *binding = window->binding;
	waiter->done = NULL;
	if (status != 0) {
		log_warn("shape", "a window of trigger %.*s was not closed, trying again: %s",
		         SPAN_ARG(binding->id), err->text);
		put_closing(window);
		return;
	}
	struct buf text = {0};
	const struct job job = window_job(binding->windows, window, binding->version, &text);
	dispatch_adopt(shape->dispatch, binding, &job);
	windows_drop(binding->windows, window, shape->alarms);
	buf_free(&text);
}

/* One that must wait is put all the same: the mark, which passes its events, is put as well. */
static void put_closing(struct window *window)
{
	struct shape *shape = window->shape;
	struct windows *windows = window->binding->windows;
	bool can_put = store_can_put(shape->store);
	bool must_wait = !can_put || windows_must_wait(windows, window);
	windows_set_stuck(windows, window, must_wait);
	if (can_put) {
		window_store_close(shape->store, window->binding, window);
		store_commit_lazy(shape->store);
	}
	if (must_wait) {
		alarm_set_real(shape->alarms, &window->alarm, REFUSED_WAIT_MS);
		return;
	}
	window->waiter.done = is_durable;
	store_commit(shape->store, &window->waiter);
}

static void close_window(struct window *window)
{
	windows_begin_closing(window->binding->windows, window);
	alarm_clear(window->shape->alarms, &window->alarm);
	put_closing(window);
}

static void is_due(struct alarm *alarm)
{
	struct window *window = MEM_CONTAINER(alarm, struct window, alarm);
	if (window->is_closing) {
		put_closing(window);
	} else if (window->deadline_ms > clock_wall_ms()) {
		alarm_set(window->shape->alarms, alarm, window->deadline_ms);
	} else {
		close_window(window);
	}
}

void shape_close_all(struct shape *shape, struct binding *binding)
{
	(void)shape;
	struct windows *windows = binding->windows;
	while (!list_is_empty(&windows->open)) {
		close_window(LIST_FIRST(&windows->open, struct window, link));
	}
}

/* ---- joining ---- */

static void enter(struct shape *shape, struct binding *binding, struct window *window)
{
	window->shape = shape;
	window->binding = binding;
	window->alarm.fn = is_due;
	alarm_set(shape->alarms, &window->alarm, window->deadline_ms);
}

static struct window *open_window(struct shape *shape, struct binding *binding, struct span name,
                                  uint64_t seq)
{
	const struct shaping *shaping = binding->filter->shaping;
	struct window *window = windows_open(binding->windows, name, seq);
	window->first_ms = clock_wall_ms();
	window->deadline_ms = window->first_ms + shaping->wait_ms;
	window->needs = seq;
	enter(shape, binding, window);
	return window;
}

static void keep(struct window *window, const struct event *event,
                 const struct delivery_groups *groups)
{
	members_clear(&window->members);
	members_add(&window->members, event->seq);
	window_set_place(window, event->scope, event->key);
	window->epoch = event->epoch;
	window->group = groups->concurrency;
	window->throttle = groups->throttle;
}

/* The alarm is moved only when it fires: it costs nothing while events come. */
static void debounce(struct window *window, const struct shaping *shaping,
                     const struct event *event, const struct delivery_groups *groups)
{
	int64_t quiet = clock_wall_ms() + shaping->wait_ms;
	int64_t last = window->first_ms + shaping->max_delay_ms;
	window->deadline_ms = quiet < last ? quiet : last;
	if (shaping->keep == KEEP_LAST || window->count == 0) {
		keep(window, event, groups);
	}
	window->count++;
}

static void batch(struct window *window, const struct event *event,
                  const struct delivery_groups *groups)
{
	if (window->count == 0) {
		keep(window, event, groups);
	} else {
		members_add(&window->members, event->seq);
	}
	window->count++;
	window->bytes +=
	        event->scope.len + event->key.len + event->old_value.len + event->new_value.len;
}

static bool is_full(const struct window *window, const struct shaping *shaping)
{
	return shaping->kind == SHAPING_BATCH &&
	       (window->count >= shaping->max_size || window->bytes > BATCH_BYTES_MAX);
}

void shape_join(struct shape *shape, struct binding *binding, struct matching *matching,
                const struct delivery_groups *groups)
{
	struct windows *windows = binding->windows;
	const struct shaping *shaping = binding->filter->shaping;
	const struct event *event = matching->event;
	struct buf name = {0};
	if (event->seq <= windows->mark) {
		return;
	}
	binding->matched++;
	windows->key_errors += !shaping_name(shaping, matching, binding->filter->metadata, &name);
	struct window *window = windows_find(windows, buf_view(&name));
	if (window != NULL && window->deadline_ms <= clock_wall_ms()) {
		close_window(window);
		window = NULL;
	}
	if (window == NULL) {
		window = open_window(shape, binding, buf_view(&name), event->seq);
	}
	if (shaping->kind == SHAPING_BATCH) {
		batch(window, event, groups);
	} else {
		debounce(window, shaping, event, groups);
	}
	windows->events++;
	windows->mark = event->seq;
	windows_touch(windows, window);
	if (is_full(window, shaping)) {
		close_window(window);
	}
	buf_free(&name);
}

int shape_adopt(struct shape *shape, struct binding *binding, uint64_t first_seq, struct span value,
                struct err *err)
{
	struct window *window;
	int status = first_seq == 0
	                     ? window_store_read_mark(binding, value, err)
	                     : window_decode(binding->windows, first_seq, value, &window, err);
	if (status == 0 && first_seq != 0) {
		enter(shape, binding, window);
	}
	return status;
}
