/* This file brings triggers, cursors and jobs back into memory at the start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CATALOG_LOAD_H
#define ENGINE_CORE_CATALOG_LOAD_H

#include "engine/core/catalog.h"

/* Reads all three, in this order, into an empty catalog. `done` comes once, later; *out_cursor is
 * the shared cursor by then (0 = none was ever put). A record that cannot be read ends the load
 * with its error. */
void catalog_load(struct catalog *catalog, struct store *store, struct dispatch *dispatch,
                  uint64_t *out_cursor, void (*done)(void *ctx, int status, const struct err *err),
                  void *ctx);

#endif
