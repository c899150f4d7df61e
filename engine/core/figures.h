/* This file defines what is counted of deliveries, for one trigger or for several together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_FIGURES_H
#define ENGINE_CORE_FIGURES_H

#include "base/histogram.h"
#include "engine/core/binding.h"
#include <stdint.h>

/* Since the start. */
struct figures {
	uint64_t matched;
	uint64_t delivered;
	uint64_t declined; /* the condition function said no */
	uint64_t dropped;
	uint64_t cancelled;
	uint64_t buried;
	uint64_t failed_attempts;
	uint64_t retries;
	uint64_t condition_errors;
};

void figures_add(struct figures *figures, const struct figures *more);
void figures_add_binding(struct figures *figures, const struct binding *binding);

/* Of all attempts. */
struct attempt_figures {
	struct histogram late_ms;     /* from the event until its first attempt began */
	struct histogram duration_us; /* of each attempt */
};

#endif
