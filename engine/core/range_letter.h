/* This file puts range dead letters, and puts them again when their group was lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_RANGE_LETTER_H
#define ENGINE_CORE_RANGE_LETTER_H

#include "base/list.h"
#include "engine/core/binding.h"
#include "engine/core/dead.h"
#include "engine/durable/store.h"
#include <stdint.h>

/*
 * DESIGN. Whoever gives up a range forgets its events at once, so that nobody but the letter knows
 * of them any more. If the letter's group is lost, its writer is told before the store is open
 * again; the letter is put into the first group behind the recovery, the one of the cursors that
 * have passed its events. A crash before it is on disk finds records and cursors as they were
 * before all this: so until then nothing of the binding starts that stood behind those events in
 * its order.
 */
struct range_letters {
	struct store *store;
	struct dead *dead;
	/* The binding may start deliveries again. */
	void (*written)(void *ctx, struct binding *binding);
	void *ctx;
	struct list waiting; /* for their group */
	struct list lost;
};

void range_letters_init(struct range_letters *letters, struct store *store, struct dead *dead,
                        void (*written)(void *ctx, struct binding *binding), void *ctx);
void range_letters_close(struct range_letters *letters);

/* `code` and `message` are literals. The group is committed. */
void range_letter_put(struct range_letters *letters, struct binding *binding, uint64_t from,
                      uint64_t to, const char *code, const char *message);
/* The binding goes. Its records are what a start finds, if the group of that is lost. */
void range_letters_forget(struct range_letters *letters, const struct binding *binding);
/* After a recovery, before the records of deliveries and the cursors are put again. */
void range_letters_put_again(struct range_letters *letters);

#endif
