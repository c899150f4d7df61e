/* This file turns prefix, start, end and cursor of a request into one range of keys. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_KEY_RANGE_H
#define ENGINE_CORE_KEY_RANGE_H

#include "adapters/adapter.h"
#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* All zero is every key. */
struct key_range {
	struct buf start; /* included; empty = from the beginning */
	struct buf end;   /* excluded; empty = to the end */
};

void key_range_close(struct key_range *range);

/* Each leaves the keys that were in it before and: */
void key_range_from(struct key_range *range, struct span start);    /* are not before start */
void key_range_until(struct key_range *range, struct span end);     /* are before end */
void key_range_within(struct key_range *range, struct span prefix); /* begin with prefix */
void key_range_behind(struct key_range *range, struct span key);    /* are behind key */

bool key_range_is_empty(const struct key_range *range);
/* Borrowed until the range changes. */
struct adapter_range key_range_view(const struct key_range *range, struct span scope);

#endif
