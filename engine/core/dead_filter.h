/* This file says which dead letters somebody means. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DEAD_FILTER_H
#define ENGINE_CORE_DEAD_FILTER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

enum dead_member {
	DEAD_TRIGGER,
	DEAD_FUNCTION,
	DEAD_REASON,
	DEAD_SCOPE,
	DEAD_PREFIX, /* the key begins so */
	DEAD_SINCE,  /* died then or later; a time as letters show it, or the beginning of one */
	DEAD_UNTIL,  /* died before */
	DEAD_QUEUE,  /* a message of this queue or topic */
	DEAD_EVENT,  /* of the event with this id */
	DEAD_MEMBERS
};

/* All that is said must fit. */
struct dead_filter {
	struct buf texts;
	struct span member[DEAD_MEMBERS]; /* into texts; absent: not said */
};

/* From the members trigger, function, reason, scope, prefix, since, until, queue, event of a JSON
 * object. Begins all zero; E_INVALID "invalid_data". */
int dead_filter_read(struct dead_filter *filter, struct span data, struct err *err);
void dead_filter_close(struct dead_filter *filter);
bool dead_filter_is_empty(const struct dead_filter *filter);
bool dead_filter_fits(const struct dead_filter *filter, struct span letter);

#endif
