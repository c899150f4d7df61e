/* This file knows triggers whose config alone says that they write what may wake them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_OWN_SCOPE_H
#define ENGINE_CORE_OWN_SCOPE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* Those of type state whose function is one of the engine's that write the state, and whose
 * `select` gives it a scope that the trigger wants. `config` is a valid JSON object. Appends why;
 * false: the config does not say so. */
bool own_scope_warns(struct span type, struct span function_id, struct span config,
                     struct buf *out);

#endif
