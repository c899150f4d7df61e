/* This file makes one moment of the words that say when something is to happen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/due_time.h"

#include "base/clock.h"
#include "base/field_json.h"
#include "base/json.h"
#include "triggers/expr/moment_read.h"

static const char CODE[] = "invalid_data";

/* Alone, for objects that others read the rest of. */
struct alone {
	struct due_time due;
};

static const struct field fields[] = {
        DUE_TIME_FIELDS(alone, due),
        {.name = NULL},
};

enum { FIELDS = sizeof fields / sizeof *fields - 1 };

int due_time_count(const struct due_time *due)
{
	return (due->delay_ms >= 0) + (due->delay_seconds >= 0) + (due->delay >= 0) +
	       (due->at.ptr != NULL) + (due->at_ms.ptr != NULL);
}

/* A number, or the same as a text, as a query has it. */
static bool read_ms(struct span text, int64_t *out_ms)
{
	struct span number;
	return text.len != 0 && json_check(text, &number, NULL) == 0 &&
	       json_kind(number) == JSON_NUMBER && json_int64(number, out_ms);
}

static bool read_text(struct span text, int64_t *out_ms)
{
	int64_t seconds;
	uint32_t nanos;
	if (read_ms(text, out_ms)) {
		return true;
	}
	bool good = moment_read_timestamp(text, &seconds, &nanos) == 0;
	/* A part of a millisecond counts: nothing comes before its time. */
	*out_ms = good ? seconds * 1000 + (nanos + 999999) / 1000000 : 0;
	return good;
}

static int read_moment(struct span at, int64_t *out_ms, struct err *err)
{
	struct buf text = {0};
	bool good = false;
	if (json_kind(at) == JSON_STRING) {
		json_string(at, &text);
		good = read_text(buf_view(&text), out_ms);
		buf_free(&text);
	} else {
		good = read_ms(at, out_ms);
	}
	return good && *out_ms < CLOCK_MOST_MS
	               ? 0
	               : err_set(err, E_INVALID, CODE,
	                         "'at' must be a time: ms since 1970, or RFC 3339 such as "
	                         "2026-01-02T03:04:05Z");
}

int due_time_find(const struct due_time *due, int64_t now_ms, int64_t *out_ms, struct err *err)
{
	struct span at = due->at.ptr != NULL ? due->at : due->at_ms;
	int64_t time_ms = now_ms;
	if (at.ptr != NULL) {
		if (read_moment(at, &time_ms, err) != 0) {
			return err->number;
		}
	} else if (due->delay_seconds >= 0) {
		time_ms += due->delay_seconds * 1000;
	} else if (due->delay_ms >= 0 || due->delay >= 0) {
		time_ms += due->delay_ms >= 0 ? due->delay_ms : due->delay;
	}
	*out_ms = time_ms > 1 ? time_ms : 1; /* 0 is "never" */
	return 0;
}

/* What was read lay in a copy. */
static void point_into(struct span data, struct due_time *due)
{
	if (due->at.ptr != NULL) {
		(void)json_get(data, SPAN("at"), &due->at);
	}
	if (due->at_ms.ptr != NULL) {
		(void)json_get(data, SPAN("scheduledAtUnixMs"), &due->at_ms);
	}
}

static int read_alone(struct span own, struct due_time *out, struct err *err)
{
	struct alone alone = {DUE_TIME_UNSAID};
	int status = field_read_json(fields, own, CODE, &alone, err);
	if (status == 0 && due_time_count(&alone.due) > 1) {
		status = err_set(err, E_INVALID, CODE,
		                 "the time is said twice; keep one of delay_ms, delaySeconds, "
		                 "delay, at and scheduledAtUnixMs");
	}
	if (status == 0) {
		*out = alone.due;
	}
	return status;
}

void due_time_copy(struct span data, struct buf *out)
{
	struct span names[FIELDS];
	struct span found[FIELDS] = {0};
	for (size_t i = 0; i < FIELDS; i++) {
		names[i] = span_of(fields[i].name);
	}
	json_get_many(data, names, FIELDS, found);
	for (size_t i = 0; i < FIELDS; i++) {
		if (found[i].ptr != NULL) {
			json_write_member_raw(out, fields[i].name, found[i]);
		}
	}
}

int due_time_pick(struct span data, struct due_time *out, struct err *err)
{
	struct due_time due = DUE_TIME_UNSAID;
	struct buf own = {0};
	buf_byte(&own, '{');
	due_time_copy(data, &own);
	buf_byte(&own, '}');
	int status = own.len > 2 ? read_alone(buf_view(&own), &due, err) : 0;
	if (status == 0) {
		point_into(data, &due);
		*out = due;
	}
	buf_free(&own);
	return status;
}
