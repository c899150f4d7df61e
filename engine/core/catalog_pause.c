/* This file pauses and resumes triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog_inside.h"
#include <string.h>

static void pause_one(struct catalog *catalog, struct binding *binding, enum trigger_pause mode,
                      struct span reason)
{
	pause_begin(&binding->pause, mode, reason, store_next_seq(catalog->store));
	react_touch(catalog->react, binding);
	if (store_can_put(catalog->store)) {
		catalog_put_record(catalog, binding); /* else when the store has recovered */
	}
}

/* What waited starts only when all versions know: the older ones go first. */
static void resume_all(struct catalog *catalog, struct span id)
{
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (span_equal(binding->id, id) && binding->pause.is_on) {
			pause_end(&binding->pause, store_next_seq(catalog->store));
			catalog_put_record(catalog, binding);
		}
	}
	LIST_EACH(&catalog->bindings, other_link)
	{
		struct binding *binding = MEM_CONTAINER(other_link, struct binding, link);
		if (span_equal(binding->id, id)) {
			dispatch_go_on(catalog->dispatch, binding);
			react_go_on(catalog->react, binding);
			timetable_go_on(catalog->timetable, binding);
		}
	}
}

static void pause_all(struct catalog *catalog, struct span id, enum trigger_pause mode,
                      struct span reason)
{
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (span_equal(binding->id, id)) {
			pause_one(catalog, binding, mode, reason);
		}
	}
}

/* Its own id is among the triggers of the chain: it is part of the loop, not one that looks on. */
static bool is_in_chain(struct span path, struct span id)
{
	while (path.len != 0) {
		const char *end = memchr(path.ptr, '\n', path.len);
		size_t len = end != NULL ? (size_t)(end - path.ptr) : path.len;
		if (span_equal(span_make(path.ptr, len), id)) {
			return true;
		}
		size_t step = end != NULL ? len + 1 : len;
		path = span_make(path.ptr + step, path.len - step);
	}
	return false;
}

/* Why the death of this delivery pauses its trigger; false: it does not. */
static bool says_why(const struct delivery *delivery, const struct event *event, struct buf *out)
{
	struct span code = span_of(delivery->doom.ptr);
	bool loops = event != NULL && span_is(code, "loop_detected") &&
	             is_in_chain(event->cause.path, delivery->binding->id);
	if (loops) {
		buf_format(out,
		           "loop_detected: event %llu ends a chain of %u changes that came back to "
		           "this trigger",
		           (unsigned long long)delivery->seq, (unsigned)event->cause.depth);
		return true;
	}
	if (delivery->failures == 0 ||
	    delivery->binding->policy.on_exhausted != EXHAUSTED_PAUSE_TRIGGER) {
		return false;
	}
	buf_format(out, "on_exhausted: event %llu is dead: %.*s: %s",
	           (unsigned long long)delivery->seq, SPAN_ARG(code), "");
	buf_span(out, span_make(code.ptr + code.len + 1, delivery->doom.len - code.len - 1));
	return true;
}

void catalog_died(void *ctx, const struct delivery *delivery, const struct event *event)
{
	struct catalog *catalog = ctx;
	struct binding *binding = delivery->binding;
	struct buf why = {0};
	if (!binding->pause.is_on && says_why(delivery, event, &why)) {
		pause_all(catalog, binding->id, PAUSE_HOLD, buf_view(&why));
		log_error("catalog",
		          "trigger %.*s is paused: %s; see its dead letter, mend what is wrong, "
		          "then `pawl trigger resume`",
		          SPAN_ARG(binding->id), binding->pause.reason);
	}
	buf_free(&why);
}

void catalog_suspects(void *ctx, struct binding *binding, struct span reason)
{
	struct catalog *catalog = ctx;
	pause_all(catalog, binding->id, PAUSE_HOLD, reason);
	log_error("catalog", "trigger %.*s is paused: %.*s; then `pawl trigger resume`",
	          SPAN_ARG(binding->id), SPAN_ARG(reason));
	if (store_can_put(catalog->store)) {
		store_commit(catalog->store, NULL);
	}
}

void catalog_inherit_pause(struct catalog *catalog, struct binding *fresh,
                           const struct binding *old)
{
	static const struct span reason = {"its configuration says so (paused: true)", 40};
	const struct trigger_policy *policy = &fresh->policy;
	if (old == NULL && policy->paused) {
		pause_begin(&fresh->pause, policy->pause, reason, store_next_seq(catalog->store));
	}
	if (old == NULL) {
		return;
	}
	if (policy->paused && !old->policy.paused && !old->pause.is_on) {
		pause_all(catalog, fresh->id, policy->pause, reason);
	} else if (!policy->paused && old->policy.paused && old->pause.is_on) {
		resume_all(catalog, fresh->id);
	}
	fresh->pause = old->pause;
}

/* Any version: one that has ended may still have deliveries to hold. */
static struct binding *find_any(const struct catalog *catalog, struct span id, struct err *err)
{
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (span_equal(binding->id, id)) {
			return binding;
		}
	}
	(void)err_set(err, E_NOT_FOUND, "trigger_not_found",
	              "there is no trigger \"%.*s\"; `pawl triggers` lists them", SPAN_ARG(id));
	return NULL;
}

/* A record holds one range of dropped events: the last must be behind every cursor. */
static bool may_drop(const struct catalog *catalog, struct span id)
{
	LIST_EACH(&catalog->bindings, link)
	{
		const struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		const struct pause *pause = &binding->pause;
		bool is_ours = span_equal(binding->id, id) && pause->drop_until != 0;
		if (is_ours && react_cursor(catalog->react, binding) + 1 < pause->drop_until) {
			return false;
		}
	}
	return true;
}

int catalog_pause(struct catalog *catalog, struct span id, const enum trigger_pause *mode,
                  struct span reason, struct store_waiter *waiter, struct err *err)
{
	const struct binding *binding = find_any(catalog, id, err);
	if (binding == NULL) {
		return E_NOT_FOUND;
	}
	int status = store_refuses_records(catalog->store, err);
	if (status != 0) {
		return status;
	}
	enum trigger_pause how = mode != NULL ? *mode : binding->policy.pause;
	if (how == PAUSE_DROP && !may_drop(catalog, id)) {
		return err_set(err, E_CONFLICT, "still_dropping",
		               "trigger \"%.*s\" has not passed the events that it dropped in its "
		               "last pause; try again soon, or pause it with mode hold",
		               SPAN_ARG(id));
	}
	reason = reason.len != 0 ? reason : SPAN("somebody paused it");
	pause_all(catalog, id, how, reason);
	log_info("catalog", "trigger %.*s is paused (%s): %.*s", SPAN_ARG(id), pause_mode_name(how),
	         SPAN_ARG(reason));
	store_commit(catalog->store, waiter);
	return 0;
}

int catalog_resume(struct catalog *catalog, struct span id, struct store_waiter *waiter,
                   struct err *err)
{
	if (find_any(catalog, id, err) == NULL) {
		return E_NOT_FOUND;
	}
	int status = store_refuses_records(catalog->store, err);
	if (status != 0) {
		return status;
	}
	resume_all(catalog, id);
	log_info("catalog", "trigger %.*s goes on", SPAN_ARG(id));
	store_commit(catalog->store, waiter);
	return 0;
}

int catalog_release_key(struct catalog *catalog, struct span id, struct span scope, struct span key,
                        struct store_waiter *waiter, struct err *err)
{
	if (find_any(catalog, id, err) == NULL) {
		return E_NOT_FOUND;
	}
	int status = store_refuses_records(catalog->store, err);
	if (status != 0) {
		return status;
	}
	bool released = false;
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		struct delivery *delivery;
		while (span_equal(binding->id, id) &&
		       (delivery = dispatch_find_blocked(binding, scope, key)) != NULL) {
			dispatch_release(catalog->dispatch, delivery);
			released = true;
		}
	}
	if (!released) {
		return err_set(err, E_NOT_FOUND, "key_not_paused",
		               "no dead delivery of trigger \"%.*s\" holds key \"%.*s\"",
		               SPAN_ARG(id), SPAN_ARG(key));
	}
	store_commit(catalog->store, waiter);
	return 0;
}
