/* This file completes events from outside: seq, time, cause, and their place in the open group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/publishing.h"

#include "engine/core/cause.h"
#include "engine/core/dispatch.h"
#include "engine/core/footprint.h"
#include "engine/core/react.h"

int publishing_begin(const struct work *work, struct publishing *out, struct err *err)
{
	const struct core *core = work->core;
	int status = store_refuses(core->store, err);
	if (status != 0) {
		return status;
	}
	struct adapter_head head;
	store_head(core->store, &head);
	*out = (struct publishing){.store = core->store,
	                           .traceparent = work->call->traceparent,
	                           .caller = work->call->caller,
	                           .feedback = react_feedback(core->react),
	                           .time_ms = store_time_ms(core->store),
	                           .epoch = head.epoch};
	memcpy(out->log, head.log, sizeof out->log);
	return work->call->baggage.ptr != NULL
	               ? causes_find(dispatch_causes(core->dispatch), work->call->baggage,
	                             &out->cause, &out->by, err)
	               : 0;
}

void publishing_put(const struct publishing *publishing, struct event *event, struct buf *out_id)
{
	uint32_t value_at;
	event->seq = store_next_seq(publishing->store);
	event->epoch = publishing->epoch;
	event->time_ms = publishing->time_ms;
	event->cause = publishing->cause;
	event->traceparent = publishing->traceparent;
	if (publishing->caller.ptr != NULL && feedback_is_on(publishing->feedback)) {
		feedback_wrote(publishing->feedback, publishing->caller, event);
	}
	if (publishing->by != NULL && !event_kind_is_message(event->kind)) {
		footprint_note(publishing->by, event);
	}
	event_encode(event, store_entry_begin(publishing->store), &value_at);
	(void)store_entry_end(publishing->store);
	buf_byte(out_id, '"');
	event_write_id(span_of(publishing->log), publishing->epoch, event->seq, out_id);
	buf_byte(out_id, '"');
}
