/* This file keeps the figures of attempts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "engine/core/attempt_inside.h"

/* One that is tried again, or delivered again because somebody wants it, is not late. */
static bool is_first(const struct delivery *delivery)
{
	return delivery->failures == 0 && delivery->stopped == 0 && delivery->replay == 0 &&
	       !delivery->asked;
}

void attempt_note_begin(struct attempt *attempt)
{
	if (attempt->event.time_ms != 0 && is_first(attempt->delivery)) {
		histogram_add(&attempt->attempts->figures.late_ms,
		              attempt->started_ms - attempt->event.time_ms);
	}
}

int64_t attempt_note_end(struct attempt *attempt)
{
	int64_t took_us = clock_mono_us() - attempt->started_us;
	histogram_add(&attempt->attempts->figures.duration_us, took_us);
	return took_us;
}
