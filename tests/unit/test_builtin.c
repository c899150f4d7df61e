/* This file proves that a built-in function ends well when its caller does not wait for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"
#include "engine/core/core.h"
#include "engine/core/state.h"
#include "engine/work/builtin.h"

static void never_done(struct call *call, const struct call_result *result)
{
	(void)call;
	(void)result;
	fail_msg("it was given up");
}

static bool has_come;

static void had(struct call *call, const struct call_result *result)
{
	(void)call;
	has_come = true;
	assert_int_equal(result->end, CALL_OK);
	assert_true(span_is(result->result, "{\"n\":1}"));
}

/* The record has to be read first; by then all that the caller had is gone. */
static void a_write_outlives_its_call(void **state)
{
	(void)state;
	const struct record old = {.value = SPAN("{\"n\":0}"), .rev = 1};
	fault_put(world->disk, (struct record_key){SPACE_STATE, SPAN("s"), SPAN("k")}, &old);
	world->adapter = &fault_with_view;
	world_up();
	const struct state_limits limits = {.value_bytes = 1000, .reply_bytes = 1000};
	struct core core = {.store = world->store,
	                    .alarms = world->alarms,
	                    .functions = world->functions,
	                    .state = state_new(world->store, &limits)};
	struct builtins *builtins = builtins_new(&core);
	builtins_open(builtins);
	struct err err = {0};
	static const char text[] = "{\"scope\":\"s\",\"key\":\"k\",\"value\":{\"n\":1}}";
	char *data = mem_copy(text, sizeof text - 1);
	char *name = mem_copy("state::set", 10);
	struct call *call = MEM_NEW(struct call);
	*call = (struct call){.function_id = span_make(name, 10),
	                      .data = span_make(data, sizeof text - 1),
	                      .timeout_ms = 1000,
	                      .done = never_done};
	fault_shut(world->disk, FAULT_GET);
	assert_int_equal(function_call(world->functions, call, &err), 0);
	call_cancel(call);
	memset(data, '#', sizeof text - 1);
	memset(name, '#', 10);
	mem_free(data);
	mem_free(name);
	mem_free(call);
	fault_let_go(world->disk, FAULT_GET);
	struct call read = {.function_id = SPAN("state::get"),
	                    .data = SPAN("{\"scope\":\"s\",\"key\":\"k\"}"),
	                    .done = had};
	assert_int_equal(function_call(world->functions, &read, &err), 0);
	while (!has_come) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	builtins_free(builtins);
	state_free(core.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {WORLD_TEST(a_write_outlives_its_call)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
