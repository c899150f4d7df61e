/* This file compares what is told of a dead letter with globs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/dead_wish.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/glob.h"

static const struct {
	const char *field;
	struct span member; /* of what is told of it; absent: the event's scope */
} PARTS[DEAD_PARTS] = {
        [DEAD_OF_TRIGGER] = {"of_trigger", {"trigger", 7}},
        [DEAD_OF_FUNCTION] = {"of_function", {"function_id", 11}},
        [DEAD_REASON_IS] = {"reason", {"reason", 6}},
        [DEAD_IN_SCOPE] = {"scope", {NULL, 0}},
};

void dead_wish_free(struct dead_wish *wish)
{
	if (wish != NULL) {
		for (size_t i = 0; i < DEAD_PARTS; i++) {
			mem_free((char *)wish->glob[i].ptr);
		}
		mem_free(wish);
	}
}

static bool member_fits(struct span glob, struct span told, struct span name, struct buf *text)
{
	struct span value;
	if (told.ptr == NULL || json_kind(told) != JSON_OBJECT || !json_get(told, name, &value) ||
	    json_kind(value) != JSON_STRING) {
		return false;
	}
	buf_clear(text);
	return glob_matches(glob, json_copy_text(value, text));
}

enum dead_part dead_wish_miss(const struct dead_wish *wish, const struct event *event)
{
	struct buf text = {0};
	enum dead_part part = DEAD_OF_TRIGGER;
	for (; part < DEAD_PARTS; part++) {
		struct span glob = wish->glob[part];
		struct span member = PARTS[part].member;
		bool fits =
		        glob.ptr == NULL ||
		        (member.ptr == NULL ? glob_matches(glob, event->scope)
		                            : member_fits(glob, event->new_value, member, &text));
		if (!fits) {
			break;
		}
	}
	buf_free(&text);
	return part;
}

const char *dead_part_name(enum dead_part part)
{
	PRE(part < DEAD_PARTS);
	return PARTS[part].field;
}
