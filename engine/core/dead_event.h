/* This file tells triggers of type "dead" that there is a new dead letter. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DEAD_EVENT_H
#define ENGINE_CORE_DEAD_EVENT_H

#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/delivery.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include <stdint.h>

/*
 * DESIGN. The event `dead:created` goes into the group of the letter: there is never one without
 * the other. It names the letter and does not hold its event again, so it is small, and smaller
 * than the letter; all of them together are bounded as the letters are (dead.max_bytes). So it is
 * put while the journal is full, too: that a trigger has lost its events must not stay untold.
 *
 * It is the consequence of the event that died, one change further. A loop through dead letters
 * grows longer with each round and ends as every loop does; that the chain is too long is told
 * nevertheless (react_is_loop). The letter of a dead trigger's own delivery makes no event: what
 * tells of failures and fails itself would go on telling that.
 */
struct dead_event {
	const struct binding *binding;
	const struct delivery *delivery; /* NULL: a range */
	const struct event *event;       /* NULL: the delivery has it as JSON, or it is lost */
	struct span log;
	uint64_t epoch;
	struct span id; /* of the letter */
	struct span code;
	struct span message;
	struct span namespace_; /* of the function that was called, or would have been */
	struct span function_id;
	struct span died_at;
	uint64_t from_seq; /* of a range */
	uint64_t to_seq;
};

/* Put into the open group, unless the delivery was a dead trigger's own. */
void dead_event_put(struct store *store, const struct dead_event *what);

#endif
