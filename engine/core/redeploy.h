/* This file says where the triggers of a new worker take over from those of the one before. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_REDEPLOY_H
#define ENGINE_CORE_REDEPLOY_H

#include "base/list.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/dispatch.h"
#include <stdint.h>

/* See catalog.h on redeploys. */

/* Somebody comes who serves this function: what is detached starts nothing from `seq` on.
 * `bindings` are the catalog's (binding.link). */
void redeploy_hold_back(const struct list *bindings, struct dispatch *dispatch,
                        struct span namespace_, struct span function_id, uint64_t seq);
/* The first event of a new trigger: `next_seq`, or where those that it follows were held back.
 * `held_back` are the dispatcher's (binding.held_link). */
uint64_t redeploy_begins_at(const struct list *held_back, const struct binding *fresh,
                            uint64_t next_seq);

#endif
