/* This file asks triggers about events, and hands dispatch what they want. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "engine/core/react_inside.h"

enum { SWEEP_MS = 250 };

void react_want_sweep(struct react *react)
{
	if (!alarm_is_set(&react->sweep_alarm) || react->sweeps_slowly) {
		react->sweeps_slowly = false;
		alarm_set_real(react->alarms, &react->sweep_alarm, SWEEP_MS);
	}
}

void react_activate(struct react *react, struct binding *binding)
{
	if (list_is_empty(&binding->active_link)) {
		list_push(&react->active, &binding->active_link);
	}
	if (list_is_empty(&binding->behind_link) && react_is_behind(binding)) {
		list_push(&react->behind, &binding->behind_link);
	}
	react_want_sweep(react);
	react_want_cursors(react);
}

static bool is_judged_by(const struct binding *binding, uint64_t seq)
{
	return binding->from_seq <= seq && (binding->until_seq == 0 || seq < binding->until_seq);
}

static void offer(struct react *react, struct binding *binding, enum filter_answer answer)
{
	struct delivery_doom doom;
	bool doomed = react_is_doomed(react, binding, answer, &doom);
	const struct delivery_groups groups = dispatch_groups(binding->filter, &react->matching);
	react_activate(react, binding);
	if (binding->windows != NULL && !doomed) {
		shape_join(react->shape, binding, &react->matching, &groups);
		return;
	}
	dispatch_offer(react->dispatch, binding, react->matching.event, &groups,
	               doomed ? &doom : NULL);
}

void react_begin_to_lag(struct react *react, struct binding *binding, uint64_t next_seq)
{
	binding->next_seq = next_seq;
	binding->cursor_put = REACT_NO_CURSOR;
	dispatch_set_lagging(react->dispatch, binding, true);
	react_activate(react, binding);
}

/* An older version of the trigger has not seen all its events yet, or has windows that are not
 * deliveries yet: the younger one waits, since both share the order of a key. */
static bool waits_for_older(const struct react *react, const struct binding *binding)
{
	if (binding->version == 1) {
		return false;
	}
	LIST_EACH(&react->behind, link)
	{
		const struct binding *other = MEM_CONTAINER(link, struct binding, behind_link);
		bool goes_first = (other->lagging && other->next_seq < other->until_seq) ||
		                  windows_count(other->windows) != 0;
		if (goes_first && other->version < binding->version &&
		    span_equal(other->id, binding->id)) {
			return true;
		}
	}
	return false;
}

/* What it would collect now may be a younger trigger's: see catalog.h on redeploys. */
bool react_collects(const struct binding *binding)
{
	return binding->windows == NULL || binding->held_back_from == 0;
}

/* It may be given more events now. */
bool react_may_read(const struct react *react, const struct binding *binding)
{
	return !pause_holds(&binding->pause) && dispatch_has_room(react->dispatch, binding) &&
	       react_collects(binding) && !waits_for_older(react, binding);
}

/* It came while the trigger was paused, and was not to wait. */
static bool is_dropped(struct binding *binding, uint64_t seq)
{
	bool dropped = pause_drops(&binding->pause, seq);
	binding->dropped += dropped;
	return dropped;
}

static void woken(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	struct react *react = ctx;
	struct binding *binding = MEM_CONTAINER(entry, struct binding, entry);
	uint64_t seq = react->matching.event->seq;
	if (binding->lagging || !is_judged_by(binding, seq) ||
	    (answer != FILTER_LATER && is_dropped(binding, seq))) {
		return;
	}
	react->woken++;
	if (answer == FILTER_LATER || !react_may_read(react, binding)) {
		react_begin_to_lag(react, binding, seq);
		return;
	}
	offer(react, binding, answer);
}

int64_t react_match(struct react *react, uint64_t seq, struct span bytes)
{
	struct event event;
	struct err err;
	if (event_decode(seq, bytes, &event, &err) != 0) {
		log_error("react", "event %llu cannot be read and wakes nobody: %s",
		          (unsigned long long)seq, err.text);
		react->next_seq = seq + 1;
		return 0;
	}
	react->woken = 0;
	matching_begin(&react->matching, &event);
	index_match(react->index, &react->matching, woken, react);
	int64_t spent = matching_spent(&react->matching);
	react->next_seq = seq + 1;
	react_tell_alarm(react, &event, react->woken != 0);
	return spent;
}

int64_t react_match_one(struct react *react, struct binding *binding, uint64_t seq,
                        struct span bytes)
{
	struct event event;
	struct err err;
	if (!is_judged_by(binding, seq) || event_decode(seq, bytes, &event, &err) != 0) {
		binding->next_seq = seq + 1;
		return 0;
	}
	matching_begin(&react->matching, &event);
	enum filter_answer answer = filter_matches(binding->filter, &react->matching);
	bool taken = filter_wakes(binding->filter, answer) && !is_dropped(binding, seq);
	if (taken) {
		offer(react, binding, answer);
	}
	int64_t spent = matching_spent(&react->matching);
	binding->next_seq = seq + 1;
	react_tell_alarm(react, &event, taken);
	return spent;
}
