/* This file buries one delivery: its dead letter and its outcome become durable together. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_BURIAL_H
#define ENGINE_CORE_BURIAL_H

#include "base/err.h"
#include "engine/core/dead.h"
#include "engine/core/delivery.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/* `status` 0: it is dead and settled on disk. Else nothing was done and it is to be buried later.
 * Comes once, perhaps from inside burial_start, unless burial_drop came first. */
typedef void burial_done_fn(struct delivery *delivery, int status, const struct err *err);

/* Its dead letter is in the open group, which is about to be committed: what has to be durable with
 * it can be put now. `event` is NULL when it cannot be read, or is a replayed one. */
typedef void burial_put_fn(struct delivery *delivery, const struct event *event);

struct burial_hooks {
	burial_put_fn *put;
	burial_done_fn *done;
};

/* Why it dies stands in delivery->doom. Its tombstone is put with its dead letter; the caller
 * adopts it in `done`. The hooks are static. */
void burial_start(struct store *store, struct dead *dead, struct delivery *delivery,
                  const struct burial_hooks *hooks);
/* When it is dead its lane waits behind it: a job record that says so takes the place of the
 * tombstone. */
bool delivery_blocks(const struct delivery *delivery);
/* The delivery goes away; whatever has been put stays put. */
void burial_drop(struct delivery *delivery);

#endif
