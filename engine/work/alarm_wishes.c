/* This file is the table of what alarm::set takes, and makes a record of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/alarm_wishes.h"

#include "base/field_json.h"
#include "base/json.h"
#include "base/zone.h"
#include "engine/core/alarm_times.h"

enum { PAYLOAD_MAX = 1 << 20, CATCH_UP_MAX = 10000 };
#define SECOND INT64_C(1000)

static const char CODE[] = "invalid_data";

#define ADDRESS_FIELDS                                                                             \
	{.name = "scope",                                                                          \
	 .kind = FIELD_STRING,                                                                     \
	 .offset = offsetof(struct alarm_wishes, scope),                                           \
	 .min = 1,                                                                                 \
	 .max = ALARM_SCOPE_MAX,                                                                   \
	 .required = true,                                                                         \
	 .help = "The scope of the object."},                                                      \
	        {.name = "key",                                                                    \
	         .kind = FIELD_STRING,                                                             \
	         .offset = offsetof(struct alarm_wishes, key),                                     \
	         .max = ALARM_KEY_MAX,                                                             \
	         .help = "Its key; without one it is an alarm of the scope."},                     \
	{                                                                                          \
		.name = "name", .kind = FIELD_STRING,                                              \
		.offset = offsetof(struct alarm_wishes, name), .max = ALARM_NAME_MAX,              \
		.help = "An object may have several, each with a name of its own."                 \
	}

static const struct field address_fields[] = {
        ADDRESS_FIELDS,
        {.name = NULL},
};

static const struct field wish_fields[] = {
        ADDRESS_FIELDS,
        {.name = "payload",
         .kind = FIELD_JSON,
         .offset = offsetof(struct alarm_wishes, payload),
         .help = "What the handler is to get."},
        {.name = "function_id",
         .kind = FIELD_STRING,
         .offset = offsetof(struct alarm_wishes, function_id),
         .min = 1,
         .max = ALARM_FUNCTION_MAX,
         .help = "The function that is called, besides those of the triggers that want it."},
        {.name = "namespace",
         .kind = FIELD_STRING,
         .offset = offsetof(struct alarm_wishes, namespace_),
         .max = ALARM_FUNCTION_MAX,
         .help = "Where that function is."},
        DUE_TIME_FIELDS(alarm_wishes, due),
        {.name = "every",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct alarm_wishes, every),
         .min = SECOND,
         .max = DUE_TIME_MOST,
         .help = "Again and again, first so long from now."},
        {.name = "cron",
         .kind = FIELD_STRING,
         .offset = offsetof(struct alarm_wishes, cron),
         .min = 1,
         .max = 1024,
         .help = "Again and again, by a cron expression."},
        {.name = "zone",
         .kind = FIELD_STRING,
         .offset = offsetof(struct alarm_wishes, zone),
         .min = 1,
         .max = ZONE_NAME_MAX,
         .help = "The time zone of cron; UTC without it."},
        {.name = "catch_up",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct alarm_wishes, catch_up),
         .otherwise = "once",
         .words = alarm_catch_up_words,
         .help = "What becomes of times that were missed."},
        {.name = "max",
         .kind = FIELD_INT,
         .offset = offsetof(struct alarm_wishes, max),
         .otherwise = "100",
         .min = 1,
         .max = CATCH_UP_MAX,
         .help = "With catch_up all: at most so many of them are made up for."},
        {.name = "idempotency_key",
         .kind = FIELD_JSON,
         .offset = offsetof(struct alarm_wishes, idempotency_key),
         .help = "It is set once for this text, however often it is asked."},
        {.name = NULL},
};

void alarm_wishes_free(struct alarm_wishes *wishes)
{
	field_free(wish_fields, wishes);
}

int alarm_wishes_read_address(struct span data, struct alarm_wishes *out, struct err *err)
{
	return field_read_json(address_fields, data, CODE, out, err); /* which lets no NUL in */
}

static int check_schedule(const struct alarm_wishes *wishes, struct err *err)
{
	int said = due_time_count(&wishes->due) + (wishes->every != 0) + (wishes->cron != NULL);
	if (said == 0) {
		return err_set(err, E_INVALID, "state_alarm_schedule_required",
		               "say when the alarm is due: delay_ms, delay, at, every or cron");
	}
	if (said > 1) {
		return err_set(err, E_INVALID, "state_alarm_schedule_conflict",
		               "the alarm's time is said twice; keep one of delay_ms, "
		               "delaySeconds, delay, at, scheduledAtUnixMs, every and cron");
	}
	if (wishes->zone != NULL && wishes->cron == NULL) {
		return err_set(err, E_INVALID, CODE, "'zone' is the time zone of 'cron'");
	}
	return 0;
}

static struct alarm_plan plan_of(const struct alarm_wishes *wishes)
{
	bool recurs = wishes->every != 0 || wishes->cron != NULL;
	struct alarm_plan plan = {
	        .every_ms = wishes->every,
	        .cron = wishes->cron != NULL ? span_of(wishes->cron) : SPAN_NONE,
	        .zone = wishes->zone != NULL ? span_of(wishes->zone) : SPAN_NONE,
	};
	if (recurs) {
		plan.catch_up = (enum alarm_catch_up)wishes->catch_up;
		plan.max = (uint32_t)wishes->max;
	}
	return plan;
}

int alarm_wishes_read(struct span data, struct alarm_wishes *out, struct err *err)
{
	out->due = (struct due_time)DUE_TIME_UNSAID;
	int status = field_read_json(wish_fields, data, CODE, out, err);
	if (status == 0) {
		status = check_schedule(out, err);
	}
	if (status == 0 && out->payload.len > PAYLOAD_MAX) {
		status = err_set(err, E_LIMIT, "payload_too_large",
		                 "the payload of an alarm may have at most %d MiB",
		                 PAYLOAD_MAX >> 20);
	}
	const struct alarm_plan plan = plan_of(out);
	return status == 0 ? alarm_times_check(&plan, err) : status;
}

static struct span text_or_empty(const char *text)
{
	return text != NULL ? span_of(text) : SPAN("");
}

struct alarm_address alarm_wishes_address(const struct alarm_wishes *wishes)
{
	return (struct alarm_address){.scope = text_or_empty(wishes->scope),
	                              .key = text_or_empty(wishes->key),
	                              .name = text_or_empty(wishes->name)};
}

static int find_time(const struct alarm_wishes *wishes, const struct alarm_plan *plan,
                     int64_t now_ms, int64_t *out_ms, struct err *err)
{
	if (!alarm_plan_recurs(plan)) {
		return due_time_find(&wishes->due, now_ms, out_ms, err);
	}
	int64_t time_ms = alarm_times_first(plan, now_ms);
	if (time_ms == 0) {
		return err_set(err, E_INVALID, "invalid_cron",
		               "'cron' names no time that is to come");
	}
	*out_ms = time_ms > 1 ? time_ms : 1; /* 0 is "never" */
	return 0;
}

int alarm_wishes_apply(const struct alarm_wishes *wishes, int64_t now_ms,
                       struct alarm_record *record, struct err *err)
{
	const struct alarm_plan plan = plan_of(wishes);
	int64_t next_ms = 0;
	if (find_time(wishes, &plan, now_ms, &next_ms, err) != 0) {
		return err->number;
	}
	record->next_ms = next_ms;
	record->plan = plan;
	record->payload = wishes->payload;
	record->function_id =
	        wishes->function_id != NULL ? span_of(wishes->function_id) : SPAN_NONE;
	record->namespace_ = wishes->namespace_ != NULL ? span_of(wishes->namespace_) : SPAN_NONE;
	if (record->running_seq == 0) {
		record->running_ms = record->fired_ms = 0;
		record->failure = SPAN_NONE;
		record->firings = 0;
	}
	return 0;
}
