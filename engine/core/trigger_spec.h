/* This file defines what somebody says who wants a trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TRIGGER_SPEC_H
#define ENGINE_CORE_TRIGGER_SPEC_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include <stdint.h>

struct trigger_spec {
	enum binding_origin origin;
	struct span id; /* absent for workers' own: made from the rest */
	struct span type;
	struct span namespace_;
	struct span function_id;
	struct span config;   /* JSON object; absent = {} */
	struct span metadata; /* JSON; may be absent */
};

/* Where a trigger says nothing. */
struct trigger_defaults {
	uint32_t concurrency;
	int64_t timeout_ms;
	struct retry_policy retry;
	struct retry_policy alarm_retry; /* of type alarm */
	int64_t alarm_timeout_ms;
};

/* A new binding that nobody knows yet; trigger_record_free frees it. E_INVALID and others: see
 * trigger_parse. */
int trigger_spec_build(struct condition_env *conditions, const struct trigger_defaults *defaults,
                       const struct trigger_spec *spec, struct binding **out, struct err *err);

/* The binding says the same, and the defaults are others now. */
void trigger_spec_default(struct binding *binding, const struct trigger_defaults *defaults);

#endif
