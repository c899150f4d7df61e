/* This file keeps the alarms of objects: sets them, finds those that are due, and fires them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_BOOK_H
#define ENGINE_CORE_ALARM_BOOK_H

#include "base/histogram.h"
#include "engine/core/alarm_store.h"
#include "engine/core/core.h"
#include "engine/durable/agenda_rounds.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. An alarm is one record (alarm_record.h); the agenda tells when one has to be looked at,
 * so that far ones cost disk only.
 *
 *   set --> scheduled --due--> running --done----> (removed)
 *               ^                | |
 *               |                | +--given up--> failed     stays, to be read
 *               +--- it is due --+
 *                    again
 *
 * Firing is one group: the record turns running and names the event `alarm:due`, which goes into
 * the journal; triggers of type alarm are woken by it as by any event. Of one alarm one firing runs
 * at a time: what is due meanwhile waits till that has ended (alarm_close.h). An attempt looks at
 * the record first, so one that was deleted is not tried again (alarm_sight.h).
 *
 * The same agenda tells of calls for later (later.h).
 *
 * A crash finds either both, record and event, or none. A record that runs expires at once: the
 * agenda tells of it after a start, and if nobody owes its event any more it is closed.
 */
struct alarm_book;
struct alarm_closings;
struct laters;

struct alarm_book *alarm_book_new(const struct core *core);
/* What is out ends by itself. */
void alarm_book_free(struct alarm_book *book);
/* Triggers and jobs are loaded: what is due fires from now on. */
void alarm_book_start(struct alarm_book *book);
struct alarm_store *alarm_book_store(struct alarm_book *book);
struct alarm_closings *alarm_book_closings(struct alarm_book *book);
struct laters *alarm_book_laters(struct alarm_book *book);

/* Looks again at all that run: a trigger has gone that might have owed some of them. */
void alarm_book_look_again(struct alarm_book *book);
/* There may be queues that were missing. */
void alarm_book_take_config(struct alarm_book *book);

struct alarm_book_stats {
	struct agenda_stats agenda;
	uint64_t fired; /* since the start, as the next two */
	uint64_t failed;
	const struct histogram *late; /* ms; what was due while the engine was away does not
	                                 count */
	size_t closing;
	uint64_t made_later; /* calls for later that have become messages */
};
void alarm_book_get_stats(const struct alarm_book *book, struct alarm_book_stats *out);

#endif
