/* This file tests what a state trigger may ask for, and which events it then wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "triggers/filter.h"
#include "triggers/on_state.h"
#include "triggers/triggers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct filter *parse(const char *config, struct trigger_policy *out_policy)
{
	struct filter *filter = NULL;
	struct trigger_policy policy;
	struct err err = {0};
	assert_int_equal(json_check(span_of(config), NULL, &err), 0);
	if (trigger_parse(SPAN("state"), span_of(config), &filter, &policy, &err) != 0) {
		fail_msg("%s: %s", config, err.text);
	}
	if (out_policy != NULL) {
		*out_policy = policy;
	}
	return filter;
}

static bool wants(const char *config, struct event event)
{
	struct filter *filter = parse(config, NULL);
	bool matches = filter_matches(filter, &event);
	filter_free(filter);
	return matches;
}

static struct event updated(const char *old_value, const char *new_value)
{
	return (struct event){.kind = EVENT_UPDATED,
	                      .scope = SPAN("users"),
	                      .key = SPAN("user_1"),
	                      .old_value = span_of(old_value),
	                      .new_value = span_of(new_value)};
}

static void scope_and_key_are_exact_globs_or_regexes(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{}", event));
	assert_true(wants("{\"scope\":null,\"key\":null}", event));
	assert_true(wants("{\"scope\":\"users\"}", event));
	assert_false(wants("{\"scope\":\"user\"}", event));
	assert_false(wants("{\"scope\":\"u*\"}", event));
	assert_true(wants("{\"key\":\"user_1\"}", event));
	assert_true(wants("{\"key\":\"user\\u005f1\"}", event));
	assert_false(wants("{\"key\":\"user_\"}", event));
	assert_true(wants("{\"key\":\"user_*\"}", event));
	assert_true(wants("{\"key\":\"user_[0-9]\"}", event));
	assert_false(wants("{\"key\":\"user_\\\\*\"}", event));
	assert_true(wants("{\"key_regex\":\"^user_\\\\d$\"}", event));
	assert_true(wants("{\"key_regex\":\"er\"}", event));
	assert_false(wants("{\"key_regex\":\"^er\"}", event));
	event.key = SPAN("user_*");
	assert_true(wants("{\"key\":\"user_\\\\*\"}", event));
	event.key = SPAN("c:\\x");
	assert_true(wants("{\"key\":\"c:\\\\\\\\x\"}", event));
}

static void events_are_named(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{\"events\":[\"updated\"]}", event));
	assert_true(wants("{\"events\":[\"created\",\"state:updated\"]}", event));
	assert_false(wants("{\"events\":[\"created\",\"deleted\"]}", event));
	event.kind = EVENT_TOUCHED;
	assert_false(wants("{}", event));
	assert_true(wants("{\"events\":[\"touched\"]}", event));
	event.kind = EVENT_DELETED;
	assert_true(wants("{}", event));
}

static void changed_compares_values_at_paths(void **state)
{
	(void)state;
	static const struct {
		const char *changed;
		const char *old_value;
		const char *new_value;
		bool wanted;
	} CASES[] = {
	        {"[\"a\"]", "{\"a\":1}", "{\"a\":2}", true},
	        {"[\"a\"]", "{\"a\":1,\"b\":1}", "{\"b\":2,\"a\":1.0}", false},
	        {"[\"a\"]", "{}", "{\"a\":null}", true},
	        {"[\"a\"]", "{\"a\":null}", "{}", true},
	        {"[\"a\"]", "{}", "{\"b\":1}", false},
	        {"[\"a\"]", NULL, "{\"a\":1}", true},
	        {"[\"a\"]", NULL, "{\"b\":1}", false},
	        {"[\"a\"]", "{\"a\":1}", NULL, true},
	        {"[\"a\"]", "5", "6", false},
	        {"[\"a\"]", "{\"a\":1}", "6", true},
	        {"[\"a\",\"b\"]", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":2}", true},
	        {"[\"a.b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", false},
	        {"[\"a.b\"]", "{\"a.b\":1}", "{\"a.b\":2}", true},
	        {"[\"/a/b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", true},
	        {"[\"/a/b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}", false},
	        {"[\"/a~1b/~0\"]", "{\"a/b\":{\"~\":1}}", "{\"a/b\":{\"~\":2}}", true},
	        {"[\"/\"]", "{\"\":1}", "{\"\":2}", true},
	        {"[\"/a/\"]", "{\"a\":{\"\":1}}", "{\"a\":{\"\":2}}", true},
	        {"[\"/a/1\"]", "{\"a\":[0,1]}", "{\"a\":[0,2]}", true},
	        {"[[\"a\",1]]", "{\"a\":[0,1]}", "{\"a\":[5,1]}", false},
	        {"[[\"a\",\"/b\"]]", "{\"a\":{\"/b\":1}}", "{\"a\":{\"/b\":[]}}", true},
	        {"[\"\\u0061\"]", "{\"a\":{\"x\":1,\"y\":2}}", "{\"\\u0061\":{\"y\":2,\"x\":1}}",
	         false},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct buf config = {0};
		buf_format(&config, "{\"changed\":%s}%c", CASES[i].changed, 0);
		struct event event = updated(CASES[i].old_value, CASES[i].new_value);
		if (wants(config.ptr, event) != CASES[i].wanted) {
			fail_msg("%s from %s to %s", config.ptr, CASES[i].old_value,
			         CASES[i].new_value);
		}
		buf_free(&config);
	}
}

static void a_policy_says_only_what_the_config_says(void **state)
{
	(void)state;
	struct trigger_policy policy;
	filter_free(parse("{\"retry\":{\"max_ms\":null}}", &policy));
	assert_int_equal(policy.concurrency, 0);
	assert_int_equal(policy.order, ORDER_KEY);
	assert_false(policy.durable);
	assert_int_equal(policy.timeout_ms, 0);
	assert_null(policy.condition_function_id.ptr);
	assert_int_equal(policy.retry.max_attempts, -1);
	assert_int_equal(policy.retry.initial_ms, -1);
	assert_int_equal(policy.retry.max_ms, -1);
	assert_int_equal(policy.retry.multiplier, -1);
	assert_int_equal(policy.retry.jitter_percent, -1);
	assert_int_equal(policy.retry.max_age_ms, -1);
	struct filter *filter =
	        parse("{\"concurrency\":10000,\"order\":\"trigger\",\"durable\":true,"
	              "\"timeout_ms\":5e3,\"condition_function_id\":\"ask::me\",\"retry\":{"
	              "\"max_attempts\":3,\"initial_ms\":10,\"max_ms\":20,\"multiplier\":4,"
	              "\"jitter\":0,\"max_age_ms\":60000}}",
	              &policy);
	assert_int_equal(policy.concurrency, 10000);
	assert_int_equal(policy.order, ORDER_TRIGGER);
	assert_true(policy.durable);
	assert_int_equal(policy.timeout_ms, 5000);
	assert_true(span_is(policy.condition_function_id, "ask::me"));
	assert_ptr_equal(policy.condition_function_id.ptr, filter->condition_function_id.ptr);
	assert_int_equal(policy.retry.max_attempts, 3);
	assert_int_equal(policy.retry.initial_ms, 10);
	assert_int_equal(policy.retry.max_ms, 20);
	assert_int_equal(policy.retry.multiplier, 4);
	assert_int_equal(policy.retry.jitter_percent, 0);
	assert_int_equal(policy.retry.max_age_ms, 60000);
	filter_free(filter);
}

static void of_two_members_the_last_decides(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{\"key\":\"*\",\"key\":\"user_1\"}", event));
	assert_true(wants("{\"key\":\"no\",\"key\":null}", event));
	assert_true(wants("{\"key_regex\":\"a\",\"key_regex\":\"user\"}", event));
	assert_true(wants("{\"events\":[\"created\"],\"events\":[\"updated\"]}", event));
}

static void faults_name_field_value_and_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		int number;
		const char *says;
	} CASES[] = {
	        {"{\"scope\":5}", E_INVALID, "'scope' must be text of 1 to 512 bytes, not 5"},
	        {"{\"key\":\"\"}", E_INVALID, "'key' must be text of 1 to 1024 bytes, not \"\""},
	        {"{\"key\":\"a\\u0000\"}", E_INVALID, "'key' must be text"},
	        {"{\"key\":\"a[\"}", E_INVALID, "'key': byte 2: the set has no ]; write"},
	        {"{\"key\":\"a\",\"key_regex\":\"b\"}", E_INVALID, "keep one of them"},
	        {"{\"key_regex\":\"(?=a)\"}", E_INVALID, "'key_regex': column 1: look-ahead"},
	        {"{\"events\":[]}", E_INVALID, "'events' must be a list of 1 to 16 texts, not []"},
	        {"{\"events\":\"created\"}", E_INVALID, "'events' must be a list"},
	        {"{\"events\":[\"create\"]}", E_INVALID, "deleted and touched, not 'create'"},
	        {"{\"events\":[1]}", E_INVALID, "'events' must be a list"},
	        {"{\"changed\":\"a\"}", E_INVALID, "'changed' must be a list of 1 to 64 paths"},
	        {"{\"changed\":[]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[\"\"]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[-1]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[1.5]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[{}]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[\"/a~2\"]}", E_INVALID, "~0 (for ~)"},
	        {"{\"changed\":[\"/a~\"]}", E_INVALID, "~0 (for ~)"},
	        {"{\"concurrency\":0}", E_INVALID, "an integer from 1 to 10000, not 0"},
	        {"{\"concurrency\":10001}", E_INVALID, "an integer from 1 to 10000, not 10001"},
	        {"{\"concurrency\":\"5\"}", E_INVALID, "not \"5\""},
	        {"{\"concurrency\":1.5}", E_INVALID, "not 1.5"},
	        {"{\"durable\":1}", E_INVALID, "'durable' must be true or false, not 1"},
	        {"{\"order\":\"keys\"}", E_INVALID, "'order' must be key, none or trigger"},
	        {"{\"retry\":5}", E_INVALID, "'retry' must be a mapping, not 5"},
	        {"{\"retry\":{\"jitter\":101}}", E_INVALID,
	         "retry: 'jitter' must be an integer (percent) from 0 to 100, not 101"},
	        {"{\"retry\":{\"max_attempt\":5}}", E_INVALID, "do you mean 'max_attempts'?"},
	        {"{\"timeout\":5}", E_INVALID, "do you mean 'timeout_ms'?"},
	        {"{\"evnets\":[]}", E_INVALID,
	         "there is no option 'evnets' here; do you mean 'events'"},
	        {"{\"xyzzy\":1}", E_INVALID,
	         "there is no option 'xyzzy' here; the options are scope, key, key_regex"},
	        {"{\"when\":\"true\"}", E_UNSUPPORTED, "'when' is not available yet"},
	        {"{\"debounce\":{}}", E_UNSUPPORTED, "'debounce' is not available yet"},
	        {"{\"ttl\":1}", E_UNSUPPORTED, "'ttl' is not available yet"},
	        {"[]", E_INVALID, "must be an object, not array"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct filter *filter = NULL;
		struct trigger_policy policy;
		struct err err = {0};
		int status = trigger_parse(SPAN("state"), span_of(CASES[i].config), &filter,
		                           &policy, &err);
		if (status != CASES[i].number || strstr(err.text, CASES[i].says) == NULL) {
			fail_msg("%s: %d %s", CASES[i].config, status, err.text);
		}
		assert_null(filter);
		assert_string_equal(err.code,
		                    status == E_INVALID ? "invalid_trigger" : "not_available");
	}
}

static void changed_is_bounded(void **state)
{
	(void)state;
	for (int paths = 64; paths <= 65; paths++) {
		struct buf config = {0};
		struct filter *filter = NULL;
		struct trigger_policy policy;
		BUF_LITERAL(&config, "{\"changed\":[\"/a\"");
		for (int i = 1; i < paths; i++) {
			BUF_LITERAL(&config, ",\"b\"");
		}
		BUF_LITERAL(&config, "]}");
		assert_int_equal(on_state_parse(buf_view(&config), &filter, &policy, NULL),
		                 paths == 64 ? 0 : E_INVALID);
		filter_free(filter);
		buf_free(&config);
	}
	for (int segments = 32; segments <= 33; segments++) {
		struct buf config = {0};
		struct filter *filter = NULL;
		struct trigger_policy policy;
		BUF_LITERAL(&config, "{\"changed\":[\"");
		for (int i = 0; i < segments; i++) {
			BUF_LITERAL(&config, "/a");
		}
		BUF_LITERAL(&config, "\"]}");
		assert_int_equal(on_state_parse(buf_view(&config), &filter, &policy, NULL),
		                 segments == 32 ? 0 : E_INVALID);
		filter_free(filter);
		buf_free(&config);
	}
}

static void assert_canonical(const char *config, const char *wanted)
{
	struct buf out = {0};
	filter_canonical(span_of(config), &out);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
}

static void equal_configs_have_equal_bytes(void **state)
{
	(void)state;
	assert_canonical("{ }", "{}");
	assert_canonical("{\"scope\" : \"s\", \"key\":\"\\u006b\" , \"events\":null}",
	                 "{\"key\":\"k\",\"scope\":\"s\"}");
	assert_canonical("{\"key\":\"k\",\"key\":null}", "{}");
	assert_canonical("{\"retry\":{\"max_ms\":null,\"jitter\":1}}",
	                 "{\"retry\":{\"jitter\":1}}");
	assert_canonical("{\"changed\":[null, [\"a\", {\"b\":null}]]}",
	                 "{\"changed\":[null,[\"a\",{\"b\":null}]]}");
}

static void types_are_known_planned_or_unknown(void **state)
{
	(void)state;
	struct filter *filter = NULL;
	struct trigger_policy policy;
	struct err err = {0};
	assert_int_equal(trigger_parse(SPAN("cron"), SPAN("{}"), &filter, &policy, &err),
	                 E_UNSUPPORTED);
	assert_string_equal(err.code, "not_available");
	assert_non_null(strstr(err.text, "'cron' are not available yet"));
	assert_int_equal(trigger_parse(SPAN("stat"), SPAN("{}"), &filter, &policy, &err),
	                 E_NOT_FOUND);
	assert_string_equal(err.code, "trigger_type_not_found");
	assert_non_null(strstr(err.text, "the types are: state"));
	assert_true(trigger_type_is_ours(SPAN("state")));
	assert_true(trigger_type_is_ours(SPAN("alarm")));
	assert_false(trigger_type_is_ours(SPAN("my-type")));
	assert_int_equal(trigger_type_count(), 1);
	assert_string_equal(trigger_type_at(0)->name, "state");
}

static void the_manual_comes_from_the_table(void **state)
{
	(void)state;
	struct buf out = {0};
	on_state_print("t.", &out);
	buf_byte(&out, 0);
	assert_non_null(strstr(out.ptr, "t.events: [created, updated, deleted]\n    Which"));
	assert_non_null(strstr(out.ptr, "t.concurrency\n    How many"));
	assert_non_null(strstr(out.ptr, "t.changed\n    Only when"));
	assert_non_null(strstr(out.ptr, "t.retry.jitter\n    By how much"));
	assert_non_null(strstr(out.ptr, "One of: key"));
	assert_null(strstr(out.ptr, "debounce"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scope_and_key_are_exact_globs_or_regexes),
	        cmocka_unit_test(events_are_named),
	        cmocka_unit_test(changed_compares_values_at_paths),
	        cmocka_unit_test(a_policy_says_only_what_the_config_says),
	        cmocka_unit_test(of_two_members_the_last_decides),
	        cmocka_unit_test(faults_name_field_value_and_what_to_do),
	        cmocka_unit_test(changed_is_bounded),
	        cmocka_unit_test(equal_configs_have_equal_bytes),
	        cmocka_unit_test(types_are_known_planned_or_unknown),
	        cmocka_unit_test(the_manual_comes_from_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
