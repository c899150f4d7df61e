/* This file tests concurrency by a value of the event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static const char by_tenant[] = "{\"concurrency\":2,\"concurrency_key\":\"new_value.tenant\"}";

static uint64_t of_tenant(const char *key, const char *tenant)
{
	char value[64];
	(void)snprintf(value, sizeof value, "{\"tenant\":%s}", tenant);
	return change(key, "{}", value);
}

static void each_value_has_its_own_room(void **state)
{
	(void)state;
	begin(by_tenant);
	uint64_t a[4];
	for (int i = 0; i < 4; i++) {
		char key[3] = {'a', (char)('0' + i), '\0'};
		a[i] = of_tenant(key, "\"acme\"");
	}
	uint64_t other = of_tenant("b", "7");
	uint64_t same = of_tenant("c", "7");
	uint64_t third = of_tenant("d", "7");
	assert_true(is_running(a[0]) && is_running(a[1]));
	assert_false(is_running(a[2]) || is_running(a[3]));
	assert_true(is_running(other) && is_running(same));
	assert_false(is_running(third));
	answer(a[0]);
	assert_true(is_running(a[2]));
	assert_false(is_running(a[3]));
	answer(other);
	assert_true(is_running(third));
	fails(a[1]); /* a sleeping one takes no room */
	assert_true(is_running(a[3]));
	answer(a[2]);
	answer(a[3]);
	answer(same);
	answer(third);
	pass(1100);
	answer(a[1]);
	assert_int_equal(trigger("t")->held, 0);
}

static void an_expression_that_fails_is_one_value(void **state)
{
	(void)state;
	begin(by_tenant);
	uint64_t first = change("a", "{}", "{}");
	uint64_t second = change("b", "{}", "5");
	uint64_t third = change("c", "{}", "null");
	assert_true(is_running(first) && is_running(second));
	assert_false(is_running(third));
	dispatch_cancel(world->dispatch, dispatch_find(trigger("t"), first, 0));
	assert_true(is_running(third));
}

static void values_are_known_again_after_a_crash(void **state)
{
	(void)state;
	begin("{\"concurrency\":1,\"concurrency_key\":\"new_value.tenant\"}");
	uint64_t first = of_tenant("a", "1");
	uint64_t second = of_tenant("b", "1");
	fails(first); /* it has a record from here on */
	pass(300);
	assert_true(is_running(second));
	restart(true);
	offer("f");
	pass(1000);
	/* Both are back, one from its record and one from the journal. */
	assert_int_equal((is_running(first) ? 1 : 0) + (is_running(second) ? 1 : 0), 1);
	answer(is_running(first) ? first : second);
	pass(100);
	answer(is_running(first) ? first : second);
}

static void a_paused_one_starts_nothing(void **state)
{
	(void)state;
	begin(by_tenant);
	uint64_t first = of_tenant("a", "1");
	uint64_t second = of_tenant("a", "1");
	struct err err;
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), NULL, SPAN(""), NULL, &err), 0);
	answer(first);
	assert_false(is_running(second));
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	turn();
	answer(second);
}

static void a_wrong_expression_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	world_up();
	const struct trigger_spec spec = {.type = SPAN("state"),
	                                  .function_id = SPAN("f"),
	                                  .config = SPAN("{\"concurrency_key\":\"new_value.\"}")};
	assert_int_equal(catalog_check(world->catalog, &spec, &err), E_INVALID);
	assert_string_equal(err.code, "invalid_condition");
	assert_non_null(strstr(err.text, "concurrency_key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(each_value_has_its_own_room),
	        WORLD_TEST(an_expression_that_fails_is_one_value),
	        WORLD_TEST(values_are_known_again_after_a_crash),
	        WORLD_TEST(a_paused_one_starts_nothing),
	        WORLD_TEST(a_wrong_expression_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
