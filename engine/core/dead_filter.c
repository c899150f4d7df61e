/* This file compares dead letters with what somebody asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dead_filter.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/parcel.h"
#include "engine/core/time_bound.h"
#include <string.h>

static const char *const names[DEAD_MEMBERS] = {"trigger", "function", "reason", "scope", "prefix",
                                                "since",   "until",    "queue",  "event"};

int dead_filter_read(struct dead_filter *filter, struct span data, struct err *err)
{
	(void)buf_reserve(&filter->texts, data.len * 2); /* the texts must not move */
	for (size_t i = 0; i < DEAD_MEMBERS; i++) {
		struct span value;
		if (!json_get(data, span_of(names[i]), &value) || json_is_null(value)) {
			continue;
		}
		if (json_kind(value) != JSON_STRING) {
			return err_set(err, E_INVALID, "invalid_data", "'%s' must be text",
			               names[i]);
		}
		struct span text = json_copy_text(value, &filter->texts);
		if ((i == DEAD_SINCE || i == DEAD_UNTIL) && !time_bound_is_good(text)) {
			return err_set(err, E_INVALID, "invalid_data",
			               "'%s' must be a time such as 2026-11-26T20:13:05.120Z, or "
			               "its beginning (2026-11-26), not '%.*s'",
			               names[i], (int)(text.len < 64 ? text.len : 64), text.ptr);
		}
		filter->member[i] = text;
	}
	return 0;
}

void dead_filter_close(struct dead_filter *filter)
{
	buf_free(&filter->texts);
	*filter = (struct dead_filter){0};
}

bool dead_filter_is_empty(const struct dead_filter *filter)
{
	for (size_t i = 0; i < DEAD_MEMBERS; i++) {
		if (filter->member[i].ptr != NULL) {
			return false;
		}
	}
	return true;
}

static bool is_text(struct span json, struct span wanted)
{
	return wanted.ptr == NULL || (json.ptr != NULL && json_string_is(json, wanted));
}

/* A batch: one of its events does. */
static bool asks_of_event(const struct dead_filter *filter)
{
	static const enum dead_member members[] = {DEAD_SCOPE, DEAD_PREFIX, DEAD_QUEUE, DEAD_EVENT};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (filter->member[members[i]].ptr != NULL) {
			return true;
		}
	}
	return false;
}

static bool begins_with(struct span json, struct span prefix)
{
	struct buf text = {0};
	if (json.ptr != NULL) {
		json_string(json, &text);
	}
	bool begins = span_starts_with(buf_view(&text), prefix);
	buf_free(&text);
	return begins;
}

static bool event_fits(const struct dead_filter *filter, struct span event)
{
	enum { SCOPE, KEY, QUEUE, TOPIC, ID, COUNT };
	static const struct span members[COUNT] = {
	        {"scope", 5}, {"key", 3}, {"queue", 5}, {"topic", 5}, {"id", 2}};
	if (!asks_of_event(filter)) {
		return true;
	}
	struct span found[COUNT] = {SPAN_NONE, SPAN_NONE, SPAN_NONE, SPAN_NONE, SPAN_NONE};
	if (event.ptr == NULL || json_kind(event) != JSON_OBJECT) {
		return false; /* a range: its events are not in it */
	}
	struct span item;
	struct span events = parcel_events(event);
	for (struct json_iter iter = json_iter(events.ptr != NULL ? events : SPAN("[]"));
	     json_next_item(&iter, &item);) {
		if (event_fits(filter, item)) {
			return true;
		}
	}
	json_get_many(event, members, COUNT, found);
	struct span holder = found[QUEUE].ptr != NULL ? found[QUEUE] : found[TOPIC];
	struct span prefix = filter->member[DEAD_PREFIX];
	return is_text(found[SCOPE], filter->member[DEAD_SCOPE]) &&
	       is_text(holder, filter->member[DEAD_QUEUE]) &&
	       is_text(found[ID], filter->member[DEAD_EVENT]) &&
	       (prefix.len == 0 || begins_with(found[KEY], prefix));
}

bool dead_filter_fits(const struct dead_filter *filter, struct span letter)
{
	enum { TRIGGER, FUNCTION, REASON, DIED, EVENT, COUNT };
	static const struct span members[COUNT] = {
	        {"trigger", 7}, {"function_id", 11}, {"reason", 6}, {"died_at", 7}, {"event", 5}};
	struct span found[COUNT];
	json_get_many(letter, members, COUNT, found);
	const struct span *wanted = filter->member;
	if (!is_text(found[TRIGGER], wanted[DEAD_TRIGGER]) ||
	    !is_text(found[FUNCTION], wanted[DEAD_FUNCTION]) ||
	    !is_text(found[REASON], wanted[DEAD_REASON])) {
		return false;
	}
	struct buf text = {0};
	json_string(found[DIED], &text);
	struct span died = buf_view(&text);
	bool in_time =
	        (wanted[DEAD_SINCE].ptr == NULL ||
	         !time_bound_is_before(died, wanted[DEAD_SINCE])) &&
	        (wanted[DEAD_UNTIL].ptr == NULL || time_bound_is_before(died, wanted[DEAD_UNTIL]));
	buf_free(&text);
	return in_time && event_fits(filter, found[EVENT]);
}
