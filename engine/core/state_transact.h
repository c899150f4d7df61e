/* This file changes several state records together, or none of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_TRANSACT_H
#define ENGINE_CORE_STATE_TRANSACT_H

#include "engine/core/task.h"

/*
 *   transact {ops:[{type: "set" | "delete" | "update" | "check", scope, key,
 *                   value | data, ops, if_rev, event_on_noop, ttl_ms, expires_at,
 *                   ttl}]}
 *   answers  {results:[{old_value, new_value, rev} | {rev}]}     {rev}: of a check
 *
 * Everything is judged against the state before the transaction, then all is put at once: the
 * events are contiguous and name the first of them as their txn. A key may be changed once
 * (E_INVALID "duplicate_key") and checked besides. `check` needs `if_rev`. An update is atomic: the
 * first of its operations that does not fit fails the transaction (E_INVALID "update_failed"). At
 * most transact_keys operations and transact_bytes of keys and new values (E_LIMIT
 * "transact_too_large"). An error names the operation by its index.
 */
void state_transact(struct task *task);

#endif
