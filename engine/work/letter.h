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

/* A job takes its place, not before `due_ms` (wall clock; 0 = now). E_UNSUPPORTED
 * "not_replayable", E_CONFLICT "trigger_gone", E_DAMAGED. */
int letter_replay(const struct core *core, struct dead_get *get, struct span json, int64_t due_ms,
                  struct err *err);
/* What waits behind it goes on. */
void letter_discard(const struct core *core, struct dead_get *get, struct span json,
                    struct span id);

#endif
