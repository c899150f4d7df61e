/* This file computes exponential backoff with jitter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retry.h"

#include "base/err.h"

int64_t retry_wait_ms(const struct retry_policy *policy, uint32_t failures, int64_t age_ms,
                      uint32_t random)
{
	PRE(failures > 0);
	if (failures >= policy->max_attempts) {
		return -1;
	}
	double wait = (double)policy->initial_ms;
	double most = (double)policy->max_ms;
	for (uint32_t i = 1; i < failures && wait < most; i++) {
		wait *= policy->multiplier;
	}
	wait = wait < most ? wait : most;
	/* From -1 to 1. */
	double spread = (double)random / (double)UINT32_MAX * 2.0 - 1.0;
	wait += wait * spread * (double)policy->jitter_percent / 100.0;
	int64_t wait_ms = (int64_t)wait;
	if (policy->max_age_ms > 0 && age_ms + wait_ms > policy->max_age_ms) {
		return -1;
	}
	return wait_ms;
}
