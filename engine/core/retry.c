/* This file computes exponential backoff with jitter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retry.h"

#include "base/err.h"
#include <string.h>

void retry_apply(struct retry_policy *policy, const struct trigger_retry *said)
{
	bool grows = said->initial_ms >= 0 || said->max_ms >= 0 || said->multiplier >= 0;
	if (said->schedule_count != 0) {
		policy->schedule_count = said->schedule_count;
		memcpy(policy->schedule, said->schedule, sizeof policy->schedule);
		policy->max_attempts = (uint32_t)said->schedule_count + 1;
	} else if (grows) {
		policy->schedule_count = 0;
	}
	if (said->max_attempts >= 0) {
		policy->max_attempts = (uint32_t)said->max_attempts;
	}
	if (said->initial_ms >= 0) {
		policy->initial_ms = said->initial_ms;
	}
	if (said->max_ms >= 0) {
		policy->max_ms = said->max_ms;
	}
	if (said->multiplier >= 0) {
		policy->multiplier = (double)said->multiplier / 1000.0;
	}
	if (said->jitter_percent >= 0) {
		policy->jitter_percent = (uint32_t)said->jitter_percent;
	}
	if (said->max_age_ms >= 0) {
		policy->max_age_ms = said->max_age_ms;
	}
}

/* Without jitter. */
static double plain_wait(const struct retry_policy *policy, uint32_t failures)
{
	if (policy->schedule_count != 0) {
		size_t last = policy->schedule_count - 1;
		return (double)policy->schedule[failures - 1 < last ? failures - 1 : last];
	}
	double wait = (double)policy->initial_ms;
	double most = (double)policy->max_ms;
	for (uint32_t i = 1; i < failures && wait < most && policy->multiplier > 1.0; i++) {
		wait *= policy->multiplier;
	}
	return wait < most ? wait : most;
}

int64_t retry_wait_ms(const struct retry_policy *policy, uint32_t failures, int64_t age_ms,
                      uint32_t random)
{
	PRE(failures > 0);
	if (failures >= policy->max_attempts) {
		return -1;
	}
	double wait = plain_wait(policy, failures);
	/* From -1 to 1. */
	double spread = (double)random / (double)UINT32_MAX * 2.0 - 1.0;
	wait += wait * spread * (double)policy->jitter_percent / 100.0;
	int64_t wait_ms = (int64_t)wait;
	if (policy->max_age_ms > 0 && age_ms + wait_ms > policy->max_age_ms) {
		return -1;
	}
	return wait_ms;
}
