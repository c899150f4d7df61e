/* This file puts and deletes the records of windows, and the mark beside them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_WINDOW_STORE_H
#define ENGINE_CORE_WINDOW_STORE_H

#include "engine/core/binding.h"
#include "engine/core/window.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/* Everything here goes into the open group; the caller commits. The binding has windows, except
 * where it is said. */

/* Those that have changed, and the mark if it has. Harmless without windows. */
void window_store_put_dirty(struct store *store, struct binding *binding);
/* It closes: its record goes, its job is put, and what is dirty with them. */
void window_store_close(struct store *store, struct binding *binding, struct window *window);
/* All of them again, after the store has lost what was put last. Harmless without windows. */
void window_store_put_all(struct store *store, struct binding *binding);
/* What they are to deliver up to to_seq is dropped; *from_seq becomes the first event of one of
 * them if it is greater. Harmless without windows. */
void window_store_drop_until(struct store *store, struct alarms *alarms, struct binding *binding,
                             uint64_t to_seq, uint64_t *from_seq);
/* The version goes, and all of it; with `keep_records` only from memory. Harmless without
 * windows. */
void window_store_drop_all(struct store *store, struct alarms *alarms, struct binding *binding,
                           bool keep_records);

/* At the start. E_VERSION, E_DAMAGED. */
int window_store_read_mark(struct binding *binding, struct span value, struct err *err);

#endif
