/* This file defines how a trigger shapes its events: which it takes together, and for how long. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_SHAPING_H
#define TRIGGERS_SHAPING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/field.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/grouping.h"
#include "triggers/matching.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A trigger that debounces or batches collects its events in windows, one for each value of
 * `key`. A window has a name: the value as canonical JSON, not a hash of it, so that two values
 * never share one. An event for which the expression fails has a name made of its own scope and
 * key.
 */
enum shaping_kind { SHAPING_DEBOUNCE, SHAPING_BATCH };

/* Which event of a window is the one that is delivered. */
enum shaping_keep { KEEP_LAST, KEEP_FIRST };

enum { SHAPING_NAME_MAX = 1024, SHAPING_BATCH_MAX = 1000 };

struct shaping {
	enum shaping_kind kind;
	struct grouping *key; /* of a batch NULL: all events are of one window, whose name is "" */
	int64_t wait_ms;      /* debounce: how long it must be quiet; batch: how long it is open */
	int64_t max_delay_ms; /* debounce: after the first event it ends in any case */
	enum shaping_keep keep; /* debounce */
	uint32_t max_size;      /* batch: events */
};

/* The sections as they are written. */
struct shaping_text {
	struct debounce_text {
		char *key;
		int64_t wait_ms;
		int64_t max_delay_ms;
		int keep; /* enum shaping_keep */
	} debounce;
	struct batch_text {
		char *key;
		int64_t max_size;
		int64_t max_wait_ms;
	} batch;
};

extern const struct field debounce_fields[]; /* struct debounce_text */
extern const struct field batch_fields[];    /* struct batch_text */

/* `config` is the whole config of the trigger, from which `text` was read. *out is NULL where it
 * shapes nothing. E_INVALID with `code`, or "invalid_condition"; `where` may be NULL. `env`
 * outlives it. */
int shaping_new(struct condition_env *env, struct span config, const struct shaping_text *text,
                const char *code, struct condition_fault *where, struct shaping **out,
                struct err *err);
void shaping_free(struct shaping *shaping); /* NULL is harmless */

/* Appends the name of the window that the event belongs to: see DESIGN. False: its expression
 * fails, or says more than SHAPING_NAME_MAX bytes. */
bool shaping_name(const struct shaping *shaping, struct matching *matching, struct span metadata,
                  struct buf *out);

#endif
