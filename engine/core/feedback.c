/* This file counts how often triggers are woken by what their own functions write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/feedback.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/attempt.h"
#include "engine/core/delivery.h"
#include "triggers/matching.h"
#include "triggers/ruling.h"

enum { LOOK_MS = 1000 };

struct feedback {
	uint64_t rate;
	struct list watched; /* feedback_watch.link */
	struct matching matching;
	feedback_suspect_fn *suspect;
	void *ctx;
};

struct feedback_watch {
	struct list link;
	struct binding *binding;
	uint64_t own; /* since the last look */
};

struct feedback *feedback_new(struct condition_env *conditions, struct span log, uint64_t rate)
{
	struct feedback *feedback = MEM_NEW(struct feedback);
	feedback->rate = rate;
	list_init(&feedback->watched);
	matching_init(&feedback->matching, conditions, log);
	return feedback;
}

void feedback_free(struct feedback *feedback)
{
	if (feedback != NULL) {
		PRE(list_is_empty(&feedback->watched));
		matching_close(&feedback->matching);
		mem_free(feedback);
	}
}

void feedback_on_suspect(struct feedback *feedback, feedback_suspect_fn *suspect, void *ctx)
{
	feedback->suspect = suspect;
	feedback->ctx = ctx;
}

void feedback_configure(struct feedback *feedback, uint64_t rate)
{
	feedback->rate = rate;
	LIST_EACH(&feedback->watched, link)
	{
		feedback_forget(MEM_CONTAINER(link, struct feedback_watch, link)->binding);
	}
}

void feedback_forget(struct binding *binding)
{
	struct feedback_watch *watch = binding->watch_own;
	if (watch != NULL) {
		list_remove(&watch->link);
		mem_free(watch);
		binding->watch_own = NULL;
	}
}

static void begin(struct feedback *feedback, struct binding *binding)
{
	struct feedback_watch *watch = MEM_NEW(struct feedback_watch);
	watch->binding = binding;
	list_push(&feedback->watched, &watch->link);
	binding->watch_own = watch;
}

static void suspect(struct feedback *feedback, struct binding *binding, uint64_t per_second)
{
	struct buf reason = {0};
	buf_format(&reason,
	           "loop_suspected: its function wrote %llu of the events that wake it in a "
	           "second, on the keys that it was called for (delivery.loop_rate %llu); if that "
	           "is right, raise it or let the worker send its baggage back",
	           (unsigned long long)per_second, (unsigned long long)feedback->rate);
	feedback_forget(binding);
	feedback->suspect(feedback->ctx, binding, buf_view(&reason));
	buf_free(&reason);
}

void feedback_look(struct feedback *feedback, struct binding *binding)
{
	int64_t now_ms = clock_real_ms();
	int64_t passed_ms = now_ms - binding->looked_ms;
	if (feedback->rate == 0 || passed_ms < LOOK_MS) {
		return;
	}
	uint64_t woken = binding->matched - binding->looked_matched;
	uint64_t most = feedback->rate * (uint64_t)passed_ms / 1000;
	struct feedback_watch *watch = binding->watch_own;
	binding->looked_ms = now_ms;
	binding->looked_matched = binding->matched;
	if (woken <= most || binding->pause.is_on) {
		feedback_forget(binding);
	} else if (watch == NULL) {
		begin(feedback, binding);
	} else if (watch->own > most) {
		suspect(feedback, binding, watch->own * 1000 / (uint64_t)passed_ms);
	} else {
		watch->own = 0;
	}
}

bool feedback_is_on(const struct feedback *feedback)
{
	return !list_is_empty(&feedback->watched);
}

/* The worker has a delivery of this place in hand. Those that run are among the oldest. */
static bool runs_it(const struct binding *binding, struct span worker, const struct event *event)
{
	uint32_t left = binding->busy;
	LIST_EACH(&binding->deliveries, link)
	{
		if (left == 0) {
			break;
		}
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->state != DELIVERY_BUSY) {
			continue;
		}
		left--;
		if (span_equal(delivery->key, event->key) &&
		    span_equal(delivery->scope, event->scope) &&
		    span_equal(attempt_worker(delivery), worker)) {
			return true;
		}
	}
	return false;
}

void feedback_wrote(struct feedback *feedback, struct span worker, const struct event *event)
{
	LIST_EACH(&feedback->watched, link)
	{
		struct feedback_watch *watch = MEM_CONTAINER(link, struct feedback_watch, link);
		struct binding *binding = watch->binding;
		struct value error;
		if (!runs_it(binding, worker, event)) {
			continue;
		}
		matching_begin(&feedback->matching, event);
		watch->own += ruling_wakes(ruling_of(binding->filter, &feedback->matching, &error));
	}
}
