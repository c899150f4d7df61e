/* This file defines how often deliveries of a trigger may start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_PACING_H
#define TRIGGERS_PACING_H

#include "base/err.h"
#include "base/field.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/grouping.h"
#include <stdint.h>

/* One start in every interval: never more than `rate` in any `per`. */
struct pacing {
	struct grouping *key; /* NULL: all deliveries of the trigger together */
	int64_t interval_us;
};

/* The section as it is written. */
struct pacing_text {
	int64_t rate;
	int64_t per_ms;
	char *key;
};

extern const struct field throttle_fields[]; /* struct pacing_text */

/* `config` is the whole config of the trigger. *out is NULL where it says nothing of `throttle`.
 * E_INVALID with `code`, or "invalid_condition"; `where` may be NULL. `env` outlives it. */
int pacing_new(struct condition_env *env, struct span config, const struct pacing_text *text,
               const char *code, struct condition_fault *where, struct pacing **out,
               struct err *err);
void pacing_free(struct pacing *pacing); /* NULL is harmless */

#endif
