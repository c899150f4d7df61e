/* This file has due records looked at, a batch at a time, and makes durable what follows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_AGENDA_ROUNDS_H
#define ENGINE_DURABLE_AGENDA_ROUNDS_H

#include "adapters/batch.h"
#include "base/crash.h"
#include "engine/durable/agenda.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Each batch that the agenda tells of is one round:
 *
 *   told --> fetched --> looked at, one record after the other --> durable --> agenda_done
 *
 * What was looked at and found to be otherwise must be so for good, too, or the entry is still
 * owed. If a round fails, or writes are refused, the agenda begins again a second later.
 */
struct agenda_rounds;

struct agenda_rounds_options {
	enum space space;
	enum crash_point point; /* behind the last look of a round */
	/* A record that may be due; store_look knows it. Puts into the open group what follows, and
	 * says whether it did. *group becomes what was looked at, if that is greater. */
	bool (*look)(void *ctx, struct record_key key, uint64_t *group);
	void *ctx;
};

struct agenda_rounds *agenda_rounds_new(struct store *store, struct alarms *alarms,
                                        const struct agenda_rounds_options *options);
/* Rounds that are out end by themselves. NULL is harmless. */
void agenda_rounds_free(struct agenda_rounds *rounds);
void agenda_rounds_start(struct agenda_rounds *rounds);
/* A record that becomes due was put. */
void agenda_rounds_note(struct agenda_rounds *rounds, struct record_key key, int64_t at_ms);
/* All that is due is looked at again, in a second. */
void agenda_rounds_repeat(struct agenda_rounds *rounds);
void agenda_rounds_get_stats(const struct agenda_rounds *rounds, struct agenda_stats *out);

#endif
