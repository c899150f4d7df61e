/* This file feeds any JSON to state triggers, and their filters with events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/filter.h"
#include "triggers/on_state.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_canonical(struct span config)
{
	struct buf once = {0};
	struct buf twice = {0};
	filter_canonical(config, &once);
	PRE(json_check(buf_view(&once), NULL, NULL) == 0);
	filter_canonical(buf_view(&once), &twice);
	PRE(span_equal(buf_view(&once), buf_view(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value;
	if (json_check(span_make((const char *)data, size), &value, NULL) != 0 ||
	    json_kind(value) != JSON_OBJECT) {
		return 0;
	}
	check_canonical(value);
	struct condition_env *env = condition_env_new();
	const struct trigger_request request = {.env = env, .config = value};
	struct matching matching;
	matching_init(&matching, env, SPAN("log"));
	struct filter *filter = NULL;
	struct trigger_policy policy;
	struct err err = {0};
	int status = on_state_parse(&request, &filter, &policy, &err);
	PRE(status == 0 || (err.number == status && err.code != NULL && err.text[0] != '\0'));
	PRE((status == 0) == (filter != NULL));
	if (status == 0) {
		struct event event = {.kind = EVENT_UPDATED,
		                      .scope = SPAN("users"),
		                      .key = SPAN("user_1"),
		                      .old_value = SPAN("{\"a\":{\"b\":[1,2]}}"),
		                      .new_value = value};
		matching_begin(&matching, &event);
		(void)filter_matches(filter, &matching);
		if (filter->scope.ptr != NULL) {
			event.scope = filter->scope;
		}
		if (filter->key.ptr != NULL) {
			event.key = filter->key;
		}
		bool is_plain = filter->key_glob.ptr == NULL && filter->key_regex == NULL &&
		                filter->changed_count == 0 && filter->condition == NULL &&
		                (filter->events & 1u << EVENT_UPDATED) != 0;
		matching_begin(&matching, &event);
		PRE(!is_plain || filter_matches(filter, &matching) == FILTER_YES);
	}
	filter_free(filter);
	matching_close(&matching);
	condition_env_free(env);
	return 0;
}
