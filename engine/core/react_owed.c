/* This file knows which events are still needed, and gives up those that nobody can handle. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/react_inside.h"

/* In the group of the letter the trigger's cursor passes its events: a start behind it must not
 * find them again, behind younger ones that began meanwhile. A live one has none of its own till
 * then. */
static void give_up(struct react *react, struct binding *binding, uint64_t last, const char *code,
                    const char *message)
{
	dispatch_bury_all(react->dispatch, binding, last, code, message);
	if (!binding->lagging) {
		react_begin_at(react, binding, react->next_seq);
	}
	if (binding->next_seq <= last) {
		binding->next_seq = last + 1;
	}
	react_put_own_cursor(react, binding);
	store_commit(react->store, NULL);
	react_want_cursors(react);
}

/* Events that nobody could handle for too long become one dead letter. How long the others have;
 * INT64_MAX: there are none, or no letter can be written now. */
static int64_t look_at(struct react *react, struct binding *binding)
{
	bool parked = !binding->pause.is_on && !dispatch_owes_nothing(binding) &&
	              binding->busy == 0 && !dispatch_is_served(binding);
	int64_t now = clock_mono_ms(); /* a clock that is set forward buries nothing */
	if (!parked) {
		binding->parked_since_ms = 0;
		return dispatch_give_up_absent(react->dispatch, binding,
		                               react->options.park_max_ms);
	}
	if (binding->parked_since_ms == 0) {
		binding->parked_since_ms = now;
	}
	int64_t left_ms = react->options.park_max_ms - (now - binding->parked_since_ms);
	if (left_ms > 0) {
		return left_ms;
	}
	if (store_can_put(react->store) && !dead_is_full(react->dead)) {
		give_up(react, binding,
		        binding->lagging ? store_durable_seq(react->store) : react->next_seq - 1,
		        "function_absent",
		        "nobody served the function for longer than delivery.park_max");
	}
	return INT64_MAX;
}

void react_look_at_parked(struct react *react)
{
	int64_t least_ms = INT64_MAX;
	LIST_EACH(&react->active, link)
	{
		int64_t left_ms = look_at(react, MEM_CONTAINER(link, struct binding, active_link));
		least_ms = left_ms < least_ms ? left_ms : least_ms;
	}
	if (least_ms != INT64_MAX) {
		alarm_set_in(react->alarms, &react->park_alarm, least_ms);
	} else {
		alarm_clear(react->alarms, &react->park_alarm);
	}
}

void react_park_is_over(struct alarm *alarm)
{
	react_look_at_parked(MEM_CONTAINER(alarm, struct react, park_alarm));
}

uint64_t react_first_needed(const struct react *react)
{
	uint64_t first = react->cursor_put + 1;
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		uint64_t by_record = dispatch_first_needed_by(binding);
		if (by_record != 0 && by_record < first) {
			first = by_record;
		}
		if (binding->lagging && react_cursor(react, binding) + 1 < first) {
			first = react_cursor(react, binding) + 1;
		}
	}
	return first;
}

bool react_detach_before(struct react *react, uint64_t keep_from)
{
	bool all = true;
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		uint64_t needs = dispatch_first_needed_by(binding);
		bool holds = (binding->lagging && react_cursor(react, binding) + 1 < keep_from) ||
		             (needs != 0 && needs < keep_from);
		if (!holds) {
			continue;
		}
		if (dead_is_full(react->dead)) {
			all = false;
			continue;
		}
		give_up(react, binding, keep_from - 1, "journal_full",
		        "the journal reached journal.max_bytes while these events waited");
	}
	return all;
}
