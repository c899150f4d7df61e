/* This file evaluates the expression that groups events, down to a number. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/grouping.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

enum { GROUP_FAILED = 1 };

struct grouping {
	struct condition_env *env;
	struct expr *expr;
	bool has_event;
	bool has_metadata;
};

int grouping_new(struct condition_env *env, const char *member, struct span source,
                 struct grouping **out, struct condition_fault *where, struct err *err)
{
	struct fault fault = {0};
	struct expr *expr;
	if (expr_new(&env->views[VIEW_EVENT], source, EXPR_ANY, &expr, &fault) != 0) {
		return condition_refuse(&fault, member, source, where, err);
	}
	struct grouping *grouping = MEM_NEW(struct grouping);
	grouping->env = env;
	grouping->expr = expr;
	grouping->has_event = condition_env_mentions(source, "event");
	grouping->has_metadata = condition_env_mentions(source, "metadata");
	env->event_users += grouping->has_event;
	*out = grouping;
	return 0;
}

void grouping_free(struct grouping *grouping)
{
	if (grouping != NULL) {
		grouping->env->event_users -= grouping->has_event;
		expr_free(grouping->expr);
		mem_free(grouping);
	}
}

bool grouping_write(const struct grouping *grouping, struct matching *matching,
                    struct span metadata, struct buf *out)
{
	struct activation *values = grouping->has_metadata
	                                    ? matching_values_with(matching, metadata)
	                                    : matching_values(matching);
	struct value value = matching_eval(matching, grouping->expr, values);
	struct buf text = {0};
	bool good = !value_is_error(value) &&
	            !value_is_error(value_write_json(&values->allowance, value, &text));
	if (good) {
		json_canonical(buf_view(&text), out);
	}
	buf_free(&text);
	return good;
}

uint64_t grouping_of(const struct grouping *grouping, struct matching *matching,
                     struct span metadata)
{
	struct buf canonical = {0};
	uint64_t group = GROUP_FAILED;
	if (grouping_write(grouping, matching, metadata, &canonical)) {
		group = hash_stable(buf_view(&canonical), 0);
		group = group > GROUP_FAILED ? group : group + 2;
	}
	buf_free(&canonical);
	return group;
}
