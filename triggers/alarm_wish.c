/* This file compares the scope and the name of an alarm with what a trigger wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/alarm_wish.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/glob.h"

void alarm_wish_free(struct alarm_wish *wish)
{
	if (wish != NULL) {
		for (size_t i = 0; i < ALARM_PARTS; i++) {
			mem_free((char *)wish->glob[i].ptr);
		}
		mem_free((char *)wish->name.ptr);
		mem_free(wish);
	}
}

static bool name_fits(const struct alarm_wish *wish, struct span told)
{
	struct span value;
	struct buf text = {0};
	if (!wish->has_name && wish->glob[ALARM_NAME].ptr == NULL) {
		return true;
	}
	if (told.ptr == NULL || json_kind(told) != JSON_OBJECT ||
	    !json_get(told, SPAN("name"), &value) || json_kind(value) != JSON_STRING) {
		return false;
	}
	struct span name = json_copy_text(value, &text);
	bool fits = wish->has_name ? span_equal(wish->name, name)
	                           : glob_matches(wish->glob[ALARM_NAME], name);
	buf_free(&text);
	return fits;
}

static bool names_function(const struct event *event)
{
	struct span value;
	return event->kind == EVENT_ALARM_DUE && event->new_value.ptr != NULL &&
	       json_kind(event->new_value) == JSON_OBJECT &&
	       json_get(event->new_value, SPAN("function_id"), &value);
}

enum alarm_part alarm_wish_miss(const struct alarm_wish *wish, const struct event *event)
{
	struct span scope = wish->glob[ALARM_IN_SCOPE];
	if (scope.ptr != NULL && !glob_matches(scope, event->scope)) {
		return ALARM_IN_SCOPE;
	}
	if (!name_fits(wish, event->new_value)) {
		return ALARM_NAME;
	}
	return wish->is_named && !names_function(event) ? ALARM_NAMED : ALARM_PARTS;
}

struct span alarm_wish_text(const struct alarm_wish *wish, enum alarm_part part)
{
	PRE(part < ALARM_PARTS);
	if (part == ALARM_NAMED) {
		return SPAN("a function");
	}
	return part == ALARM_NAME && wish->has_name ? wish->name : wish->glob[part];
}

const char *alarm_part_name(enum alarm_part part)
{
	PRE(part < ALARM_PARTS);
	static const char *const names[ALARM_PARTS] = {"scope", "name", "named"};
	return names[part];
}
