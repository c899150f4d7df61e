/* This file fires cron triggers: each of their times becomes an event, once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TIMETABLE_H
#define ENGINE_CORE_TIMETABLE_H

#include "base/err.h"
#include "base/histogram.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/dispatch.h"
#include "engine/core/react.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Every cron trigger has an entry here while it is there, whatever its version, and a
 * record (space_cron) that says up to where its times have been dealt with. A fire is an event
 * (EVENT_CRON) in the group in which that record moves on: so there is never one without the other,
 * and a crash neither loses a fire nor makes it twice. All entries share one alarm, which is set
 * for the first of them.
 *
 *   due --> may it fire now? --no: its trigger is paused--> stands still until that ends
 *                |       |
 *                |       +--no: the store, or its last event is not matched yet--> looked at again
 *                yes
 *                +--> which times have come since the last one? --> events, the record --> due
 *
 * More than one time has come when the engine was away, the clock was put forward or the trigger
 * was paused: `catch_up` says what becomes of them. A clock that is put back makes nothing due
 * again.
 *
 * When the store has lost a group, the records say what has really fired.
 */
struct timetable;

/* Going up: the catalog knows the triggers. */
struct timetable_hooks {
	/* The current version; NULL: there is none. */
	struct binding *(*find)(void *ctx, struct span id);
	/* All versions. */
	void (*each_version)(void *ctx, struct span id, void (*each)(void *, struct binding *),
	                     void *each_ctx);
	void *ctx;
};

struct timetable *timetable_new(struct store *store, struct alarms *alarms, struct react *react,
                                struct dispatch *dispatch, const struct timetable_hooks *hooks);
void timetable_free(struct timetable *table); /* every entry has ended */

/* A cron trigger is new: its first time is the next one from now on. If it is another version of
 * `old` (else NULL) with the same times, it goes on where that is; the old one fires no more. Puts
 * the record; the caller commits. */
void timetable_begin(struct timetable *table, struct binding *fresh, struct binding *old);
/* One that was found on disk at the start... */
void timetable_adopt(struct timetable *table, struct binding *binding);
/* ...and its record. E_DAMAGED, E_VERSION. */
int timetable_read(struct binding *binding, struct span value, struct err *err);
/* From here on it fires; what has come meanwhile is caught up with. */
void timetable_start(struct timetable *table);
/* It fires no more; harmless if it never did. Without `keep_record` the caller commits. */
void timetable_end(struct timetable *table, struct binding *binding, bool keep_record);
/* Its pause has ended. */
void timetable_go_on(struct timetable *table, struct binding *binding);
/* The store has lost what was put last. */
void timetable_recovered(struct timetable *table);

struct timetable_figures {
	uint64_t fired;        /* events since the start */
	struct histogram late; /* ms; what was due while the engine was away does not count */
};
const struct timetable_figures *timetable_figures(const struct timetable *table);

struct timetable_view {
	int64_t next_ms;  /* when it fires next, jitter included; 0 = never, or not while it is
	                     paused */
	int64_t last_ms;  /* the time of the last fire; 0 = there was none */
	uint64_t fired;   /* events */
	uint64_t skipped; /* times that came while the last fire ran or waited */
	uint64_t missed;  /* times that nobody could fire, and that were not caught up with */
};
/* False: it has no times. */
bool timetable_show(const struct binding *binding, struct timetable_view *out);

#endif
