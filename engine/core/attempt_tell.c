/* This file tells about attempts that run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "engine/core/attempt_inside.h"

const struct attempt_figures *attempts_figures(const struct attempts *attempts)
{
	return &attempts->figures;
}

void attempts_trace(struct attempts *attempts, struct tracer *tracer)
{
	attempts->tracer = tracer;
}

uint32_t attempt_number(const struct delivery *delivery)
{
	return delivery->failures + 1;
}

struct span attempt_worker(const struct delivery *delivery)
{
	const struct attempt *attempt = delivery->attempt;
	bool has_one = attempt != NULL && attempt->calling && attempt->call.executor != NULL;
	return has_one ? attempt->call.executor->name : SPAN_NONE;
}

int64_t attempt_running_ms(const struct delivery *delivery)
{
	const struct attempt *attempt = delivery->attempt;
	return attempt ? (clock_mono_us() - attempt->started_us) / 1000 : 0;
}

struct span attempt_function(const struct delivery *delivery)
{
	const struct attempt *attempt = delivery->attempt;
	return attempt != NULL && attempt->calling ? attempt->call.function_id
	                                           : delivery->binding->function_id;
}

bool attempt_cause(const struct delivery *delivery, struct span log, struct buf *scratch,
                   struct event_cause *out)
{
	const struct attempt *attempt = delivery->attempt;
	if (attempt == NULL) {
		return false;
	}
	buf_clear(scratch);
	(void)buf_reserve(scratch, attempt->cause_path.len + attempt->cause_root.len +
	                                   delivery->binding->id.len + attempt->id.len + 2);
	if (attempt->cause_root.len != 0) {
		buf_span(scratch, buf_view(&attempt->cause_root));
	} else {
		event_write_id(log, attempt->event.epoch, attempt->event.seq, scratch);
	}
	out->root = buf_view(scratch);
	size_t at = scratch->len;
	if (attempt->cause_path.len != 0) {
		buf_span(scratch, buf_view(&attempt->cause_path));
		buf_byte(scratch, '\n');
	}
	buf_span(scratch, delivery->binding->id);
	out->path = span_make(scratch->ptr + at, scratch->len - at);
	out->depth = attempt->depth + 1;
	out->delivery = buf_view(&attempt->id);
	return true;
}
