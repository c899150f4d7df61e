/* This file checks the members of an event from outside before they are taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/event_draft.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/spelling.h"

static const char CODE[] = "invalid_event";

enum member { TYPE, EVENT_TYPE, SCOPE, KEY, OLD_VALUE, NEW_VALUE, SEQ, TIME, KNOWN };

static const struct {
	struct span name;
	bool is_text;
} MEMBERS[] = {
        [TYPE] = {{"type", 4}, true},
        [EVENT_TYPE] = {{"event_type", 10}, true},
        [SCOPE] = {{"scope", 5}, true},
        [KEY] = {{"key", 3}, true},
        [OLD_VALUE] = {{"old_value", 9}, false},
        [NEW_VALUE] = {{"new_value", 9}, false},
        [SEQ] = {{"seq", 3}, false},
        [TIME] = {{"time", 4}, true},
        /* what a handler gets besides */
        {{"id", 2}, true},
        {{"rev", 3}, true},
        {{"reason", 6}, true},
        {{"expires_at", 10}, true},
        {{"cause", 5}, false},
        {{"attempt", 7}, false},
        {{"delivery_id", 11}, true},
};

enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

static int check_name(struct span name, struct span value, struct err *err)
{
	size_t nearest = 0;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (json_name_is(name, MEMBERS[i].name)) {
			if (MEMBERS[i].is_text && json_kind(value) != JSON_STRING) {
				return err_set(err, E_INVALID, CODE,
				               "'%s' of an event must be a text, not %s",
				               MEMBERS[i].name.ptr,
				               json_kind_name(json_kind(value)));
			}
			return 0;
		}
		if (spelling_distance(name, MEMBERS[i].name) <
		    spelling_distance(name, MEMBERS[nearest].name)) {
			nearest = i;
		}
	}
	return err_set(err, E_INVALID, CODE, "an event has no '%.*s'; did you mean '%s'?",
	               (int)(name.len < 64 ? name.len : 64), name.ptr, MEMBERS[nearest].name.ptr);
}

static int check_type(struct span type, struct span event_type, struct err *err)
{
	enum event_kind kind;
	struct buf text = {0};
	int status = 0;
	if (type.ptr != NULL && !json_string_is(type, SPAN("state"))) {
		status = err_set(err, E_INVALID, CODE, "'type' of an event can only be \"state\"");
	} else if (event_type.ptr != NULL) {
		json_string(event_type, &text);
		if (!event_kind_parse(buf_view(&text), &kind) || !event_kind_is_change(kind)) {
			status = err_set(err, E_INVALID, CODE,
			                 "'event_type' is state:created, state:updated, "
			                 "state:deleted or state:touched, not '%.*s'",
			                 (int)(text.len < 64 ? text.len : 64), buf_view(&text).ptr);
		}
	}
	buf_free(&text);
	return status;
}

static int check_values(const struct span found[], struct err *err)
{
	uint64_t seq = 0;
	for (enum member at = SCOPE; at <= KEY; at++) {
		if (found[at].len <= 2) {
			return err_set(err, E_INVALID, CODE, "an event needs a '%s'",
			               MEMBERS[at].name.ptr);
		}
	}
	if (found[SEQ].ptr != NULL && !(json_kind(found[SEQ]) == JSON_NUMBER &&
	                                json_uint64(found[SEQ], &seq) && seq <= INT64_MAX)) {
		return err_set(err, E_INVALID, CODE, "'seq' of an event must be a whole number");
	}
	if (json_is_null(found[OLD_VALUE]) && json_is_null(found[NEW_VALUE])) {
		return err_set(err, E_INVALID, CODE,
		               "an event needs an 'old_value', a 'new_value' or both");
	}
	return 0;
}

static int check(struct span json, const struct span found[], struct err *err)
{
	struct span name;
	struct span value;
	int status = 0;
	for (struct json_iter iter = json_iter(json);
	     status == 0 && json_next_member(&iter, &name, &value);) {
		status = check_name(name, value, err);
	}
	if (status == 0) {
		status = check_type(found[TYPE], found[EVENT_TYPE], err);
	}
	return status == 0 ? check_values(found, err) : status;
}

int event_draft_read(struct span json, struct buf *texts, struct event *out, struct err *err)
{
	if (json_kind(json) != JSON_OBJECT) {
		return err_set(err, E_INVALID, CODE, "an event must be an object, not %s",
		               json_kind_name(json_kind(json)));
	}
	struct span names[KNOWN];
	struct span found[KNOWN];
	for (size_t i = 0; i < KNOWN; i++) {
		names[i] = MEMBERS[i].name;
	}
	json_get_many(json, names, KNOWN, found);
	int status = check(json, found, err);
	if (status != 0) {
		return status;
	}
	struct event event;
	event_read_json(json, texts, &event);
	if (found[TIME].ptr != NULL && event.time_ms == 0) {
		return err_set(err, E_INVALID, CODE,
		               "'time' of an event is like \"2026-01-02T03:04:05.678Z\"");
	}
	if (found[TIME].ptr == NULL) {
		event.time_ms = clock_wall_ms();
	}
	if (found[EVENT_TYPE].ptr == NULL) {
		event.kind = event.old_value.ptr == NULL   ? EVENT_CREATED
		             : event.new_value.ptr == NULL ? EVENT_DELETED
		                                           : EVENT_UPDATED;
	}
	*out = event;
	return 0;
}
