/* This file decides which dead letters a trigger of type "dead" wants to hear of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_DEAD_WISH_H
#define TRIGGERS_DEAD_WISH_H

#include "base/span.h"
#include "triggers/event.h"

/* In the order of asking. */
enum dead_part { DEAD_OF_TRIGGER, DEAD_OF_FUNCTION, DEAD_REASON_IS, DEAD_IN_SCOPE, DEAD_PARTS };

/* Checked globs, owned; absent: any. */
struct dead_wish {
	struct span glob[DEAD_PARTS];
};

void dead_wish_free(struct dead_wish *wish); /* NULL is harmless */
/* The first part that the event (of a dead letter) does not fit; DEAD_PARTS: it fits. */
enum dead_part dead_wish_miss(const struct dead_wish *wish, const struct event *event);
const char *dead_part_name(enum dead_part part); /* the field */

#endif
