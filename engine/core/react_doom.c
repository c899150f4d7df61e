/* This file knows the events that can only become dead letters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/react_inside.h"

bool react_is_loop(const struct react *react, const struct event *event)
{
	uint64_t most = react->options.loop_depth;
	most += event->kind == EVENT_DEAD ? 2 : 0;
	return event->cause.depth >= most;
}

bool react_is_doomed(const struct react *react, const struct binding *binding,
                     enum filter_answer answer, struct delivery_doom *out)
{
	const struct event *event = react->matching.event;
	const struct filter *filter = binding->filter;
	if (react_is_loop(react, event)) {
		out->code = SPAN("loop_detected");
		out->message =
		        SPAN("the chain of changes that led to this event is too long; a function "
		             "that this trigger wakes probably writes what wakes it");
		return true;
	}
	if (answer == FILTER_ERROR && filter->on_error == ON_ERROR_DEAD) {
		out->code = SPAN("condition_error");
		out->message = span_of(filter_error(binding->filter));
		return true;
	}
	return false;
}
