/* This file lets the journal forget what is old and owed to nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_RETAIN_H
#define ENGINE_CORE_RETAIN_H

#include "engine/core/react.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The journal is kept by age and by size, and never below the least seq that somebody
 * needs. When it is over its size and its oldest part is needed, either the bindings that need that
 * are detached from it (a range dead letter), or writes are refused until they have caught up. They
 * are refused, too, while the dead letters are full: then nobody can be detached without a loss.
 */
struct retain_options {
	int64_t max_age_ms;
	uint64_t max_bytes;
	bool refuse_when_full;
};

struct retain;

struct retain *retain_new(struct store *store, struct react *react, struct alarms *alarms,
                          const struct retain_options *options);
void retain_free(struct retain *retain);
/* The config has changed: looks again soon. */
void retain_configure(struct retain *retain, const struct retain_options *options);
/* Looks now. It does so by itself every few seconds while something comes, and when something has
 * become too old. */
void retain_look(struct retain *retain);

#endif
