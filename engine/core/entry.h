/* This file gets one journal entry: from memory at once, or from the disk later. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ENTRY_H
#define ENGINE_CORE_ENTRY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/durable/store.h"

/* Embedded in who asks; not to be freed or used again before `done`. */
struct entry {
	/* Once. May come from inside entry_get (touch nothing behind the call). The bytes are
	 * borrowed for the time of the call. status: 0, or as store_read says. */
	void (*done)(struct entry *entry, int status, struct span bytes, const struct err *err);

	struct store_read read;
	struct buf copy;
};

void entry_get(struct store *store, struct entry *entry, uint64_t seq);

#endif
