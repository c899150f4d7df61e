/* This file keeps who wants to know what react does, and tells them of alarms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/react_inside.h"

void react_on_events(struct react *react, void (*came)(void *ctx), void *ctx)
{
	react->came = came;
	react->came_ctx = ctx;
}

void react_on_finished(struct react *react, void (*finished)(void *ctx, struct binding *binding),
                       void *ctx)
{
	react->finished = finished;
	react->finished_ctx = ctx;
}

void react_on_recovery(struct react *react, void (*recovered)(void *ctx), void *ctx)
{
	react->recovered = recovered;
	react->recovered_ctx = ctx;
}

void react_on_alarm(struct react *react,
                    void (*matched)(void *ctx, const struct event *event, bool taken), void *ctx)
{
	react->alarm_matched = matched;
	react->alarm_ctx = ctx;
}

void react_on_alarm_gone(struct react *react, void (*gone)(void *ctx), void *ctx)
{
	react->alarm_gone = gone;
	react->alarm_gone_ctx = ctx;
}

uint64_t react_next_seq(const struct react *react)
{
	return react->next_seq;
}

void react_tell_alarm(struct react *react, const struct event *event, bool taken)
{
	if (event->kind == EVENT_ALARM_DUE && react->alarm_matched != NULL) {
		react->alarm_matched(react->alarm_ctx, event, taken);
	}
}

void react_tell_alarm_gone(struct react *react, const struct binding *binding)
{
	if (binding->filter->alarm != NULL && binding->lagging && react->alarm_gone != NULL) {
		react->alarm_gone(react->alarm_gone_ctx);
	}
}
