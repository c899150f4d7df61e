/* This file decides how long a failed delivery waits before it is tried again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_RETRY_H
#define ENGINE_CORE_RETRY_H

#include "triggers/retry_fields.h"
#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	uint32_t max_attempts; /* the first one included; at least 1 */
	int64_t initial_ms;
	int64_t max_ms;
	double multiplier;       /* at least 1 */
	uint32_t jitter_percent; /* 0 to 100: the wait varies by so much both ways */
	int64_t max_age_ms;      /* counted from the first attempt; 0 = no bound */
	size_t schedule_count;   /* not 0: the waits are these, the last one again and again */
	int64_t schedule[RETRY_SCHEDULE_MAX];
};

/* What somebody nearer says goes before. Waits that grow and a schedule replace each other; a
 * schedule without max_attempts has one more attempt than waits. */
void retry_apply(struct retry_policy *policy, const struct trigger_retry *said);

/* The wait before the next attempt after `failures` (at least 1) failed ones, or -1: give up.
 * `age_ms` is the time since the first attempt; `random` any number. */
int64_t retry_wait_ms(const struct retry_policy *policy, uint32_t failures, int64_t age_ms,
                      uint32_t random);

#endif
