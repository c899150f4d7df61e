/* This file deletes the records of a scope, batch by batch. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_CLEAR_H
#define ENGINE_CORE_STATE_CLEAR_H

#include "engine/core/task.h"

/*
 *   clear {scope, prefix?, limit?, cursor?}   {deleted, done, cursor?}
 *
 * An event for each record; every batch of at most 512 is durable on its own. done is false, and
 * the cursor says where to go on, when `limit` records were deleted and there may be more. Whatever
 * stops a clear half-way, the same call again goes on with what is left. A key that is written
 * while the scope is cleared may stay.
 */
void state_clear(struct task *task);

#endif
