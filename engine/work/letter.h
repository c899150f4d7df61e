/* This file replays and discards one dead letter that has been looked up. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_LETTER_H
#define ENGINE_WORK_LETTER_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/core.h"
#include "engine/core/dead.h"
#include <stdint.h>

/* Both are called from inside dead_get's done, with records not refused; the caller commits. */

struct letter_again {
	int64_t due_ms;    /* wall clock: not before; 0 = now */
	struct span event; /* a JSON object: members that replace those of the event; absent: as it
	                    * was. The delivery then has another id, with the next "/r<n>" */
};

/* A job takes its place. E_UNSUPPORTED "not_replayable", E_CONFLICT "trigger_gone", E_DAMAGED,
 * E_INVALID "invalid_event". */
int letter_replay(const struct core *core, struct dead_get *get, struct span json,
                  const struct letter_again *again, struct err *err);
/* What waits behind it goes on. */
void letter_discard(const struct core *core, struct dead_get *get, struct span json,
                    struct span id);

#endif
