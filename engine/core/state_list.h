/* This file lists the values of a scope. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_LIST_H
#define ENGINE_CORE_STATE_LIST_H

#include "engine/core/task.h"

/*
 *   list         {scope, prefix?, start?, end?, reverse?}    array of values, in the order of keys
 *                ... limit?, cursor?, with_keys?             {items:[{key, value, rev}], cursor?}
 *   ... keys_only: true                         the same items without their values
 *
 * start is included, end is not. Any of `limit`, `cursor`, `with_keys: true` and `keys_only: true`
 * asks for items; those whose value is text or base64 (encoding.h) have a member `encoding`. The
 * answer's `cursor` is there when there is more: the same call with it goes on. A page is shorter
 * than `limit` where the answer would grow over the limit of a reply; a call without `limit` and
 * `cursor` fails then (E_LIMIT "result_too_large"), so that nobody takes a part for the whole.
 *
 * A list is not a snapshot: what is written meanwhile may or may not be in it.
 */
void state_list(struct task *task);

#endif
