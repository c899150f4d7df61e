/* This file reads what triggers and functions say of retries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/retry_fields.h"

#define DAY (INT64_C(24) * 60 * 60 * 1000)

const struct field retry_fields[] = {
        {.name = "max_attempts",
         .kind = FIELD_INT,
         .offset = offsetof(struct retry_text, said.max_attempts),
         .min = 1,
         .max = 1000,
         .help = "How often a delivery is tried before it becomes a dead letter; without it, "
                 "like the rest of retry, the engine's own."},
        {.name = "initial_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct retry_text, said.initial_ms),
         .min = 1,
         .max = DAY,
         .unit = "ms",
         .help = "The wait before the second attempt."},
        {.name = "max_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct retry_text, said.max_ms),
         .min = 1,
         .max = DAY,
         .unit = "ms",
         .help = "The longest wait."},
        {.name = "multiplier",
         .kind = FIELD_DECIMAL,
         .offset = offsetof(struct retry_text, said.multiplier),
         .min = 1000,
         .max = 10000,
         .help = "Every wait is so many times the one before."},
        {.name = "jitter",
         .kind = FIELD_INT,
         .offset = offsetof(struct retry_text, said.jitter_percent),
         .min = 0,
         .max = 100,
         .unit = "percent",
         .help = "By how much a wait varies, so that retries do not come in step."},
        {.name = "max_age_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct retry_text, said.max_age_ms),
         .min = 1000,
         .max = 365 * DAY,
         .unit = "ms",
         .help = "The same as max_age, in milliseconds."},
        {.name = "max_age",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct retry_text, said.max_age_ms),
         .min = 1000,
         .max = 365 * DAY,
         .help = "No attempt is made later than this after the first."},
        {.name = "schedule",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct retry_text, schedule),
         .max = RETRY_SCHEDULE_MAX,
         .help = "The waits one after the other ([5s, 5m, 1h]) instead of growing ones; without "
                 "max_attempts the last failure behind them is the last."},
        {.name = NULL},
};

int retry_read_schedule(const struct field_strings *texts, const char *code, int64_t out[],
                        size_t *out_count, struct err *err)
{
	static const struct field wait = {
	        .name = "schedule", .kind = FIELD_DURATION, .min = 1, .max = 365 * DAY};
	if (texts->count > RETRY_SCHEDULE_MAX) {
		return err_set(err, E_INVALID, code, "'schedule' has at most %d waits",
		               RETRY_SCHEDULE_MAX);
	}
	for (size_t i = 0; i < texts->count; i++) {
		if (!field_parse(&wait, span_of(texts->items[i]), &out[i])) {
			struct buf wanted = {0};
			field_expectation(&wait, &wanted);
			int status = err_set(err, E_INVALID, code,
			                     "each of 'schedule' must be %.*s, not '%.64s'",
			                     SPAN_ARG(buf_view(&wanted)), texts->items[i]);
			buf_free(&wanted);
			return status;
		}
	}
	*out_count = texts->count;
	return 0;
}

int retry_finish(struct retry_text *text, const char *code, struct err *err)
{
	return retry_read_schedule(&text->schedule, code, text->said.schedule,
	                           &text->said.schedule_count, err);
}
