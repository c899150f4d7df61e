/* This file tells how deliveries of alarms have ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dispatch_inside.h"

void dispatch_on_alarm(struct dispatch *dispatch, dispatch_alarm_fn *ended, void *ctx)
{
	dispatch->alarm_ended = ended;
	dispatch->alarm_ctx = ctx;
}

bool dispatch_owes(const struct binding *binding, uint64_t seq)
{
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->seq == seq && delivery->state != DELIVERY_BLOCKED) {
			return true;
		}
	}
	return false;
}

struct alarm_farewell dispatch_part(const struct delivery *delivery)
{
	struct alarm_farewell farewell = {0};
	if (delivery->binding->filter->alarm != NULL) {
		farewell.binding = delivery->binding;
		farewell.seq = delivery->seq;
		farewell.has_failed = delivery->doom.len != 0;
		farewell.attempts = delivery->failures;
		buf_span(&farewell.text, buf_view(&delivery->doom));
	}
	return farewell;
}

void dispatch_tell_parted(struct dispatch *dispatch, struct alarm_farewell *farewell)
{
	if (farewell->binding == NULL) {
		return;
	}
	struct dispatch_alarm_end end = {
	        .binding = farewell->binding,
	        .has_failed = farewell->has_failed,
	        .trigger = farewell->binding->id,
	        .attempts = farewell->attempts,
	};
	if (farewell->text.len != 0) {
		end.code = span_of(farewell->text.ptr);
		end.message = span_make(farewell->text.ptr + end.code.len + 1,
		                        farewell->text.len - end.code.len - 1);
	}
	if (dispatch->alarm_ended != NULL) {
		dispatch->alarm_ended(dispatch->alarm_ctx, farewell->seq, &end);
	}
	buf_free(&farewell->text);
}
