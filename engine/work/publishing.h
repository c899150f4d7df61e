/* This file puts events from outside into the journal, for the functions that take them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_PUBLISHING_H
#define ENGINE_WORK_PUBLISHING_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "triggers/event.h"

struct binding;
struct feedback;

enum { PUBLISHING_BYTES_MAX = 2 << 20 }; /* of one event */

/* What all events of one call share. Points into the call. */
struct publishing {
	struct store *store;
	struct event_cause cause;
	struct binding *by; /* whose handler it is; NULL: not known */
	struct span traceparent;
	struct span caller; /* as call.caller */
	struct feedback *feedback;
	int64_t time_ms;
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t epoch;
};

/* E_CONFLICT "stale_delivery", or as store_refuses. */
int publishing_begin(const struct work *work, struct publishing *out, struct err *err);
/* Puts an event whose kind and texts are set into the open group, and appends its id, in quotes.
 * The caller commits. */
void publishing_put(const struct publishing *publishing, struct event *event, struct buf *out_id);

#endif
