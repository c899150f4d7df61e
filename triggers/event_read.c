/* This file reads the JSON of events back, as far as it is such. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "triggers/event.h"

/* "2026-01-02T03:04:05.678Z", as clock_format writes it; 0 for anything else. */
static int64_t read_time(struct span text)
{
	static const size_t AT[] = {0, 5, 8, 11, 14, 17, 20};
	static const size_t LENS[] = {4, 2, 2, 2, 2, 2, 3};
	int64_t numbers[7] = {0};
	if (text.len != CLOCK_TEXT_LEN) {
		return 0;
	}
	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < LENS[i]; j++) {
			char digit = text.ptr[AT[i] + j];
			if (digit < '0' || digit > '9') {
				return 0;
			}
			numbers[i] = numbers[i] * 10 + (digit - '0');
		}
	}
	const struct civil_date date = {numbers[0], (int)numbers[1], (int)numbers[2]};
	if (!civil_date_is_valid(date)) {
		return 0;
	}
	int64_t seconds = civil_days(date) * CIVIL_DAY_SECONDS + numbers[3] * 3600 +
	                  numbers[4] * 60 + numbers[5];
	return seconds * 1000 + numbers[6];
}

static struct span value_or_none(struct span value)
{
	return json_is_null(value) ? SPAN_NONE : value;
}

void event_read_json(struct span json, struct buf *texts, struct event *out)
{
	enum {
		TYPE,
		SCOPE,
		KEY,
		OLD,
		NEW,
		ID,
		SEQ,
		REV,
		TIME,
		REASON,
		WHAT,
		SUBJECT,
		CUSTOM,
		DEAD,
		QUEUE,
		TOPIC,
		CALL,
		DATA,
		JOB,
		COUNT
	};
	static const struct span names[COUNT] = {
	        {"event_type", 10}, {"scope", 5},  {"key", 3},   {"old_value", 9},
	        {"new_value", 9},   {"id", 2},     {"seq", 3},   {"rev", 3},
	        {"time", 4},        {"reason", 6}, {"type", 4},  {"subject", 7},
	        {"event", 5},       {"dead", 4},   {"queue", 5}, {"topic", 5},
	        {"call", 4},        {"data", 4},   {"job_id", 6}};
	struct span found[COUNT];
	struct event event = {.kind = EVENT_UPDATED};
	json_get_many(json, names, COUNT, found);
	/* No text is longer than all: the buffer does not move between them. */
	(void)buf_reserve(texts, json.len);
	struct span type = json_copy_text(found[TYPE], texts);
	struct span id = json_copy_text(found[ID], texts);
	struct span rev = json_copy_text(found[REV], texts);
	struct span log;
	uint64_t seq;
	(void)event_kind_parse(type, &event.kind);
	(void)event_parse_id(id, &log, &event.epoch, &seq);
	for (size_t i = 0; i < rev.len && rev.ptr[i] >= '0' && rev.ptr[i] <= '9'; i++) {
		event.rev = event.rev * 10 + (uint64_t)(rev.ptr[i] - '0');
	}
	event.scope = json_copy_text(found[SCOPE], texts);
	event.key = json_copy_text(found[KEY], texts);
	event.old_value = value_or_none(found[OLD]);
	event.new_value = value_or_none(found[NEW]);
	if (found[SEQ].ptr != NULL) {
		(void)json_uint64(found[SEQ], &event.seq);
	}
	event.time_ms = read_time(json_copy_text(found[TIME], texts));
	event.reason = json_copy_text(found[REASON], texts);
	if (found[WHAT].ptr != NULL && span_is(found[WHAT], "\"event\"")) {
		event.kind = EVENT_CUSTOM;
		event.scope = type;
		event.key = json_copy_text(found[SUBJECT], texts);
		event.new_value = value_or_none(found[CUSTOM]);
	} else if (event.kind == EVENT_DEAD) {
		event.new_value = value_or_none(found[DEAD]);
	} else if (event_kind_is_message(event.kind)) {
		struct span name = found[event.kind == EVENT_QUEUED ? QUEUE : TOPIC];
		event.scope = json_copy_text(name, texts);
		event.old_value = value_or_none(found[CALL]);
		event.new_value = found[DATA];
	} else if (event_kind_is_alarm(event.kind)) {
		event.new_value = json; /* what is told of it stands there */
	} else if (event.kind == EVENT_CRON) {
		event.scope = json_copy_text(found[JOB], texts);
		event.key = SPAN_NONE;
		event.new_value = json; /* its members are there, too */
	}
	*out = event;
}
