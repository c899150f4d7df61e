/* This file puts and deletes the records of paces. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_THROTTLE_STORE_H
#define ENGINE_CORE_THROTTLE_STORE_H

#include "engine/core/binding.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/* All harmless for a binding without a throttle. They put into the open group; the caller commits.
 */

/* Those that have changed; those that are gone are forgotten. */
void throttle_store_put_dirty(struct store *store, struct binding *binding);
/* All again, after the store has lost what was put last. */
void throttle_store_put_all(struct store *store, struct binding *binding);
bool throttle_store_is_at_rest(const struct binding *binding); /* nothing is to be put */
/* The version goes; with `keep_records` only from memory. Nobody waits any more. */
void throttle_store_drop_all(struct store *store, struct binding *binding, bool keep_records);

/* At the start. E_VERSION, E_DAMAGED. */
int throttle_store_read(struct binding *binding, uint64_t group, struct span value,
                        struct err *err);

#endif
