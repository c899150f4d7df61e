/* This file keeps the figures of attempts, and makes a span of each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "engine/core/attempt_inside.h"

/* One that is tried again, or delivered again because somebody wants it, is not late. */
static bool is_first(const struct delivery *delivery)
{
	return delivery->failures == 0 && delivery->stopped == 0 && delivery->replay == 0 &&
	       !delivery->asked;
}

static void begin_span(struct attempt *attempt)
{
	struct tracer *tracer = attempt->attempts->tracer;
	if (tracer == NULL) {
		traceparent_continue(attempt->event.traceparent, attempt->traceparent);
		return;
	}
	if (attempt->span.text[0] == '\0') { /* else it goes on behind its condition function */
		tracer_begin(tracer, attempt->event.traceparent, buf_view(&attempt->id),
		             &attempt->span);
	}
	memcpy(attempt->traceparent, attempt->span.text, sizeof attempt->traceparent);
}

void attempt_note_begin(struct attempt *attempt)
{
	if (attempt->event.time_ms != 0 && is_first(attempt->delivery)) {
		histogram_add(&attempt->attempts->figures.late_ms,
		              attempt->started_ms - attempt->event.time_ms);
	}
	begin_span(attempt);
}

static void end_span(struct attempt *attempt, const struct attempt_end *end)
{
	const struct delivery *delivery = attempt->delivery;
	const struct binding *binding = delivery->binding;
	const struct tracer_attribute attributes[] = {
	        {"messaging.system", SPAN("pawl"), 0},
	        {"messaging.operation.name", SPAN("process"), 0},
	        {"messaging.operation.type", SPAN("process"), 0},
	        {"messaging.destination.name", binding->id, 0},
	        {"messaging.message.id", buf_view(&attempt->id), 0},
	        {"pawl.function", attempt->call.function_id, 0},
	        {"pawl.scope", attempt->event.scope.ptr != NULL ? attempt->event.scope : SPAN(""),
	         0},
	        {"pawl.attempt", SPAN_NONE, attempt_number(delivery)},
	        {"error.type", end->code.ptr != NULL ? end->code : SPAN(""), 0},
	};
	struct buf name = {0};
	buf_format(&name, "process %.*s", SPAN_ARG(binding->id));
	const struct tracer_end told = {
	        .kind = TRACER_CONSUMER,
	        .name = buf_view(&name),
	        .error = end->code.len != 0 ? end->message : SPAN_NONE,
	        .attributes = attributes,
	        .count = sizeof attributes / sizeof *attributes,
	};
	tracer_end(attempt->attempts->tracer, &attempt->span, &told);
	buf_free(&name);
}

int64_t attempt_note_end(struct attempt *attempt, const struct attempt_end *end)
{
	int64_t took_us = clock_mono_us() - attempt->started_us;
	histogram_add(&attempt->attempts->figures.duration_us, took_us);
	if (end->verdict == VERDICT_WAIT) {
		attempt->span.text[0] = '\0'; /* nobody was called */
	} else if (attempt->span.text[0] != '\0') {
		end_span(attempt, end);
	}
	return took_us;
}
