/* This file makes a binding from what a trigger says and from the defaults. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/trigger_spec.h"

#include "base/mem.h"
#include "triggers/triggers.h"

void trigger_spec_default(struct binding *binding, const struct trigger_defaults *defaults)
{
	struct trigger_policy *policy = &binding->policy;
	*policy = binding->said;
	bool is_alarm = binding->filter->alarm != NULL;
	binding->retry = is_alarm ? defaults->alarm_retry : defaults->retry;
	if (policy->concurrency == 0) {
		policy->concurrency = defaults->concurrency;
	}
	if (policy->timeout_ms == 0) {
		policy->timeout_ms = is_alarm ? defaults->alarm_timeout_ms : defaults->timeout_ms;
	}
}

int trigger_spec_build(struct condition_env *conditions, const struct trigger_defaults *defaults,
                       const struct trigger_spec *spec, struct binding **out, struct err *err)
{
	struct span given = spec->config.len != 0 ? spec->config : SPAN("{}");
	struct binding *binding = MEM_NEW(struct binding);
	const struct trigger_request request = {
	        .env = conditions, .type = spec->type, .config = given};
	int status = trigger_parse(&request, &binding->filter, &binding->said, err);
	if (status != 0) {
		mem_free(binding);
		return status;
	}
	struct buf canonical = {0};
	filter_canonical(given, &canonical);
	binding->config = mem_span(buf_view(&canonical));
	buf_free(&canonical);
	binding->version = 1;
	binding->origin = spec->origin;
	binding->type = mem_span(spec->type);
	binding->namespace_ = mem_span(spec->namespace_.len ? spec->namespace_ : SPAN("default"));
	binding->function_id = mem_span(spec->function_id);
	binding->metadata = spec->metadata.len != 0 ? mem_span(spec->metadata) : SPAN_NONE;
	binding->filter->metadata = binding->metadata;
	trigger_spec_default(binding, defaults);
	binding->stays = spec->origin != BINDING_WORKER || binding->policy.durable;
	*out = binding;
	return 0;
}
