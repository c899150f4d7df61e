/* This file walks all records of a space, for an adapter that cannot tell which are due. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_AGENDA_WALK_H
#define ENGINE_DURABLE_AGENDA_WALK_H

#include "adapters/adapter.h"
#include "engine/durable/store.h"

struct agenda_walk;

/* `each` for every record that expires, in no order, over many turns; then `done`, once. */
struct agenda_walk_hooks {
	void (*each)(void *ctx, const struct adapter_due *due);
	void (*done)(void *ctx, int status, const struct err *err);
	void *ctx;
};

struct agenda_walk *agenda_walk_start(struct store *store, enum space space,
                                      const struct agenda_walk_hooks *hooks);
/* Nothing is called any more. It frees itself. */
void agenda_walk_drop(struct agenda_walk *walk);

#endif
