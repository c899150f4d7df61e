/* This file adds up what is counted of deliveries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/figures.h"

void figures_add(struct figures *figures, const struct figures *more)
{
	figures->matched += more->matched;
	figures->delivered += more->delivered;
	figures->declined += more->declined;
	figures->dropped += more->dropped;
	figures->cancelled += more->cancelled;
	figures->buried += more->buried;
	figures->failed_attempts += more->failed_attempts;
	figures->retries += more->retries;
	figures->condition_errors += more->condition_errors;
}

void figures_add_binding(struct figures *figures, const struct binding *binding)
{
	const struct figures more = {
	        .matched = binding->matched,
	        .delivered = binding->delivered,
	        .declined = binding->condition_no,
	        .dropped = binding->dropped,
	        .cancelled = binding->cancelled,
	        .buried = binding->buried,
	        .failed_attempts = binding->failed,
	        .retries = binding->retried,
	        .condition_errors = binding->filter->tally.condition_errors,
	};
	figures_add(figures, &more);
}
