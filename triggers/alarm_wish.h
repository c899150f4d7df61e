/* This file decides which alarms a trigger of type "alarm" wants to hear of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ALARM_WISH_H
#define TRIGGERS_ALARM_WISH_H

#include "base/span.h"
#include "triggers/event.h"
#include <stdbool.h>

/* In the order of asking. */
enum alarm_part { ALARM_IN_SCOPE, ALARM_NAME, ALARM_NAMED, ALARM_PARTS };

/* Checked globs, owned; absent: any. */
struct alarm_wish {
	struct span glob[ALARM_PARTS];
	bool has_name; /* `name`, which may be empty, is wanted exactly */
	struct span name;
	bool is_named; /* only alarms that name a function, which then is the one that is called */
};

void alarm_wish_free(struct alarm_wish *wish); /* NULL is harmless */
/* The first part that the event (of an alarm) does not fit; ALARM_PARTS: it fits. */
enum alarm_part alarm_wish_miss(const struct alarm_wish *wish, const struct event *event);
/* What is wanted there, for who is told that it does not fit. */
struct span alarm_wish_text(const struct alarm_wish *wish, enum alarm_part part);
const char *alarm_part_name(enum alarm_part part); /* the field */

#endif
