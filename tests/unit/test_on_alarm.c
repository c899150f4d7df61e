/* This file proves what a trigger of type alarm asks of an event, and what it refuses to be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "triggers/alarm_wish.h"
#include "triggers/filter.h"
#include "triggers/triggers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct condition_env *env;

static int parse(const char *config, struct filter **out, struct err *err)
{
	struct trigger_policy policy;
	const struct trigger_request request = {
	        .env = env, .type = SPAN("alarm"), .config = span_of(config)};
	return trigger_parse(&request, out, &policy, err);
}

static void each_part_is_asked(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		enum filter_miss miss;
	} rows[] = {
	        {"{}", MISS_NOTHING},
	        {"{\"scope\":\"users\",\"key\":\"ada\",\"name\":\"trial_end\"}", MISS_NOTHING},
	        {"{\"scope\":\"us*\",\"key\":\"a*\",\"name\":\"trial_*\"}", MISS_NOTHING},
	        {"{\"scope\":\"others\"}", MISS_SCOPE},
	        {"{\"scope\":\"o*\"}", MISS_ALARM},
	        {"{\"key\":\"bob\"}", MISS_KEY},
	        {"{\"name\":\"\"}", MISS_ALARM},
	        {"{\"name\":\"x*\"}", MISS_ALARM},
	        {"{\"named\":true}", MISS_ALARM},
	        {"{\"events\":[\"failed\"]}", MISS_EVENTS},
	        {"{\"events\":[\"failed\",\"due\"]}", MISS_NOTHING},
	};
	const struct event event = {.kind = EVENT_ALARM_DUE,
	                            .scope = SPAN("users"),
	                            .key = SPAN("ada"),
	                            .new_value = SPAN("{\"name\":\"trial_end\"}")};
	const struct event change = {
	        .kind = EVENT_UPDATED, .scope = SPAN("users"), .key = SPAN("ada")};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct filter *filter;
		struct err err;
		assert_int_equal(parse(rows[i].config, &filter, &err), 0);
		assert_int_equal(filter_miss(filter, &event), rows[i].miss);
		assert_false(filter_fits(filter, &change));
		filter_free(filter);
	}
}

static void named_ones_name_a_function(void **state)
{
	(void)state;
	struct filter *filter;
	struct err err;
	struct event event = {.kind = EVENT_ALARM_DUE,
	                      .scope = SPAN("s"),
	                      .key = SPAN(""),
	                      .new_value = SPAN("{\"name\":\"\",\"function_id\":\"f\"}")};
	assert_int_equal(parse("{\"named\":true}", &filter, &err), 0);
	assert_true(filter_fits(filter, &event));
	event.new_value = SPAN("{\"name\":\"\"}");
	assert_false(filter_fits(filter, &event));
	filter_free(filter);
}

static void what_speaks_of_changes_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
	        "{\"changed\":[\"a\"]}",
	        "{\"fire\":\"rising\"}",
	        "{\"batch\":{\"max_size\":2}}",
	        "{\"debounce\":{\"key\":\"key\",\"wait\":\"1s\",\"max_delay\":\"2s\"}}",
	        "{\"events\":[\"created\"]}",
	        "{\"name\":1}",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct filter *filter = NULL;
		struct err err;
		assert_int_equal(parse(rows[i], &filter, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_trigger");
		assert_null(filter);
	}
}

static int begin(void **state)
{
	(void)state;
	env = condition_env_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	condition_env_free(env);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_part_is_asked),
	        cmocka_unit_test(named_ones_name_a_function),
	        cmocka_unit_test(what_speaks_of_changes_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
