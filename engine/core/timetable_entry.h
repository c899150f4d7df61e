/* This file keeps where in its times a cron trigger is, in memory and as a record. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TIMETABLE_ENTRY_H
#define ENGINE_CORE_TIMETABLE_ENTRY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/span.h"
#include "triggers/cron_rule.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct binding;
struct timetable;

/* What the record says. Times are wall clock, without jitter. */
struct timetable_place {
	int64_t until_ms;  /* times up to here have been dealt with */
	int64_t last_ms;   /* the last one that fired; 0 = none yet */
	uint64_t last_seq; /* its event */
	uint64_t fired;
	uint64_t skipped;
	uint64_t missed;
};

struct timetable_entry {
	struct timetable *table;
	struct list link;
	struct heap_node node; /* by due_ms; in no heap while it stands still */
	struct list waiting;   /* due, but to be looked at again soon */
	struct binding *binding;
	struct timetable_place place;
	int64_t begun_ms; /* until_ms when it came into memory */
	int64_t due_ms;   /* when it fires next, jitter included; 0 = never */
	bool is_read;     /* its record has been */
};

void timetable_place_encode(const struct timetable_place *place, struct buf *out);
/* E_DAMAGED, E_VERSION. */
int timetable_place_decode(struct span value, struct timetable_place *out, struct err *err);

/* The latest time that has come by `now_ms`, jitter included; `out` is until_ms if none has come
 * since. Errors of cron_rule_last, but for never_fires. */
int timetable_entry_last(const struct timetable_entry *entry, const struct cron_rule *rule,
                         int64_t now_ms, int64_t *out, struct err *err);

#endif
