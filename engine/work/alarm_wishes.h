/* This file reads what somebody wants who sets an alarm. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_ALARM_WISHES_H
#define ENGINE_WORK_ALARM_WISHES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/field.h"
#include "base/span.h"
#include "engine/core/alarm_record.h"
#include "engine/work/due_time.h"
#include <stdint.h>

/* As it is written; all zero to begin with. */
struct alarm_wishes {
	char *scope, *key, *name;
	char *function_id, *namespace_;
	struct span payload;
	struct due_time due;
	int64_t every; /* 0: it does not say */
	char *cron, *zone;
	int catch_up; /* enum alarm_catch_up */
	int64_t max;
	struct span idempotency_key; /* for once.h */
};

/* Reads `data`, an object; alarm_wishes_free is the caller's also on failure. E_INVALID
 * "invalid_data", "state_alarm_schedule_required", "state_alarm_schedule_conflict",
 * "invalid_cron", "unknown_zone"; E_LIMIT "payload_too_large". */
int alarm_wishes_read(struct span data, struct alarm_wishes *out, struct err *err);
void alarm_wishes_free(struct alarm_wishes *wishes);
struct alarm_address alarm_wishes_address(const struct alarm_wishes *wishes);
/* What the record is to say of what is to come; what it says of what runs stays. E_INVALID. */
int alarm_wishes_apply(const struct alarm_wishes *wishes, int64_t now_ms,
                       struct alarm_record *record, struct err *err);

/* Only where it is: {scope, key, name}. The same errors. */
int alarm_wishes_read_address(struct span data, struct alarm_wishes *out, struct err *err);

#endif
