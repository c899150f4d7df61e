/* This file decides whether an event is one that a trigger wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_FILTER_H
#define TRIGGERS_FILTER_H

#include "base/buf.h"
#include "base/span.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A way into a value: names of members, indexes of arrays. */
struct filter_path {
	struct span *segments;
	size_t count;
};

/* What is asked of an event; all must hold. All texts are owned. */
struct filter {
	struct span scope;       /* absent: any */
	struct span key;         /* exact; absent: any, or what one of the next two says */
	struct span key_glob;    /* checked; absent: none */
	struct regex *key_regex; /* NULL: none */
	unsigned events;         /* bit 1 << kind for each wanted kind */
	struct filter_path *changed;
	size_t changed_count;              /* 0: any change */
	struct span condition_function_id; /* the policy's, kept here */
};

enum trigger_order { ORDER_KEY, ORDER_NONE, ORDER_TRIGGER };

/* What a trigger says of retries; -1 where it says nothing. */
struct trigger_retry {
	int64_t max_attempts;
	int64_t initial_ms;
	int64_t max_ms;
	int64_t multiplier;
	int64_t jitter_percent;
	int64_t max_age_ms;
};

/* How a trigger wants its events delivered; 0 or absent where it says nothing. */
struct trigger_policy {
	uint32_t concurrency;
	enum trigger_order order;
	bool durable;
	int64_t timeout_ms;
	struct trigger_retry retry;
	struct span condition_function_id; /* owned by the filter */
};

void filter_free(struct filter *filter); /* NULL is harmless */

/* Scope, key, kind, then what takes longer: glob or regex, then `changed`. Values are compared as
 * JSON values; one that is missing differs from any that is there. A regex over its limit is "no".
 */
bool filter_matches(const struct filter *filter, const struct event *event);

/* Appends the config (a valid JSON object) in the form whose bytes are its identity: canonical
 * JSON, members that are null left out at every level of objects. */
void filter_canonical(struct span config, struct buf *out);

#endif
