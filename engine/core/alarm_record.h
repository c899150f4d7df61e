/* This file spells the record of an alarm, and shows it to people. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_RECORD_H
#define ENGINE_CORE_ALARM_RECORD_H

#include "adapters/batch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	ALARM_SCOPE_MAX = 512,
	ALARM_KEY_MAX = 1024,
	ALARM_NAME_MAX = 512,
	ALARM_FUNCTION_MAX = 512
};

/* Where an alarm is: an object, which may be none (""), and a name, which may be empty too. */
struct alarm_address {
	struct span scope;
	struct span key;
	struct span name;
};

/* What becomes of the times of a recurring alarm that were missed. */
enum alarm_catch_up { CATCH_UP_ONCE, CATCH_UP_ALL, CATCH_UP_SKIP };
extern const char *const alarm_catch_up_words[]; /* "once", "all", "skip"; ends with NULL */

/* When it is to be due again and again; all zero: it is not. */
struct alarm_plan {
	int64_t every_ms;
	struct span cron; /* absent: by every_ms */
	struct span zone;
	enum alarm_catch_up catch_up;
	uint32_t max; /* of catch_up all: how many missed times are made up for */
};

/*
 * DESIGN. The value is a format byte and JSON, so that `sqlite3` shows what is to come. It has up
 * to three parts, which may be there together:
 *
 *   next      when it is due next, and with what       scheduled
 *   running   the event that it fired last             running
 *   failure   how that ended                           failed, if it is not due again
 *
 * The record expires (expires_at_ms) when somebody has to look at it: while something runs, at once
 * (a start looks whether it still does), else when it is due next. Expired ones stay: only state
 * records go by themselves.
 */
struct alarm_record {
	int64_t next_ms; /* wall clock; 0 = it is not due again */
	struct span payload;
	struct span function_id; /* absent: whichever trigger wants it */
	struct span namespace_;
	struct alarm_plan plan;
	uint64_t running_seq; /* 0 = nothing runs */
	int64_t running_ms;   /* when that, or what has failed, was scheduled */
	int64_t fired_ms;
	struct span failure; /* JSON object; absent: none */
	uint64_t firings;
};

static inline bool alarm_plan_recurs(const struct alarm_plan *plan)
{
	return plan->every_ms != 0 || plan->cron.len != 0;
}

/* Spans of the key point into `room`, of the part into the address. */
struct space_key;
struct record_key alarm_record_key(struct space_key *room, const struct alarm_address *address);
int64_t alarm_record_expires_ms(const struct alarm_record *record);
const char *alarm_record_state(const struct alarm_record *record); /* "scheduled", ... */

void alarm_record_encode(const struct alarm_record *record, struct buf *out);
/* Texts are unescaped into `scratch`, the rest points into `value`. E_VERSION, E_DAMAGED. */
int alarm_record_decode(struct span value, struct alarm_record *out, struct buf *scratch,
                        struct err *err);

/* Appends what people are shown. */
void alarm_record_show(const struct alarm_address *address, const struct alarm_record *record,
                       struct buf *out);
/* Appends what an event tells of one that is due. */
void alarm_record_tell(const struct alarm_address *address, const struct alarm_record *record,
                       int64_t scheduled_ms, int64_t fired_ms, uint64_t missed, struct buf *out);

#endif
