/* This file proves which rights calls take, and that every function of the engine takes some. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api/permission.h"
#include "engine/core/core.h"
#include "engine/core/function.h"
#include "engine/durable/alarm.h"
#include "engine/work/builtin.h"
#include <uv.h>

static uv_loop_t loop;
static struct core core;
static struct builtins *builtins;
static struct executor worker;
static const struct executor_ops worker_ops = {.kind = "worker"};

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	core = (struct core){.alarms = alarms_new(&loop)};
	core.functions = functions_new(core.alarms);
	builtins = builtins_new(&core);
	executor_init(&worker, core.functions, &worker_ops, SPAN("w"), 0);
	(void)function_offer(&worker, SPAN("default"), SPAN("mail::welcome"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	executor_close(&worker);
	builtins_free(builtins);
	functions_free(core.functions);
	alarms_close(core.alarms, NULL, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* Whether a token with these rights may do it. */
static bool may(const char *rights_text, const char *function, const char *data)
{
	struct rights rights = {0};
	struct err err = {0};
	assert_int_equal(rights_read(&rights, span_of(rights_text), &err), 0);
	const struct permission_call call = {.function_id = span_of(function),
	                                     .data = span_of(data)};
	int status = permission_check(&rights, core.functions, &call, &err);
	if (status != 0) {
		assert_int_equal(status, E_DENIED);
		assert_string_equal(err.code, "forbidden");
	}
	rights_free(&rights);
	return status == 0;
}

#define ALL "{\"admin\":[\"*\"],\"invoke\":[\"*\"],\"work\":[\"*\"],\"manage\":[\"all\"]}"

struct missing {
	size_t count; /* of all */
	struct buf names;
};

static void need_row(void *ctx, struct function *function)
{
	struct missing *missing = ctx;
	if (span_is(function->namespace_, "engine")) {
		missing->count++;
		if (!permission_has_row(function->id)) {
			buf_format(&missing->names, " %.*s", SPAN_ARG(function->id));
		}
	}
}

static void every_function_of_the_engine_has_a_row(void **state)
{
	(void)state;
	struct missing missing = {0};
	functions_each(core.functions, need_row, &missing);
	if (missing.names.len != 0) {
		fail_msg("no row in engine/api/permission.c for%.*s",
		         SPAN_ARG(buf_view(&missing.names)));
	}
	assert_true(missing.count > 50);
}

static void deny_and_allow(void *ctx, struct function *function)
{
	struct buf id = {0};
	(void)ctx;
	buf_span(&id, function->id);
	buf_byte(&id, '\0');
	bool is_free = span_is(function->id, "engine::clock::now");
	if (may("{}", id.ptr, "{\"scope\":\"s\"}") != is_free) {
		fail_msg("%s can be called by who has no right at all", id.ptr);
	}
	if (!may(ALL, id.ptr, "{\"scope\":\"s\"}")) {
		fail_msg("%s cannot be called by who may do everything", id.ptr);
	}
	buf_free(&id);
}

static void nothing_is_allowed_without_rights_and_everything_with_all(void **state)
{
	(void)state;
	functions_each(core.functions, deny_and_allow, NULL);
	const struct permission_call any = {.function_id = SPAN("state::clear"),
	                                    .data = SPAN("{}")};
	assert_int_equal(permission_check(NULL, core.functions, &any, NULL), 0);
}

static void scopes_count_by_pattern_and_kind(void **state)
{
	(void)state;
	static const char read[] = "{\"read\":[\"cache-*\"]}";
	static const char write[] = "{\"write\":[\"users\"]}";
	static const char admin[] = "{\"admin\":[\"users\"]}";
	static const char users[] = "{\"scope\":\"users\",\"key\":\"a\"}";
	static const char cache[] = "{\"scope\":\"cache-1\",\"key\":\"a\"}";
	assert_true(may(read, "state::get", cache));
	assert_false(may(read, "state::get", users));
	assert_false(may(read, "state::set", cache));
	assert_true(may(write, "state::set", users));
	assert_true(may(write, "state::get", users));
	assert_false(may(write, "state::set", cache));
	assert_false(may(write, "state::clear", users));
	assert_true(may(admin, "state::clear", users));
	assert_true(may(admin, "state::set", users));
	/* The last of two counts, as for the function itself. */
	assert_false(may(write, "state::set", "{\"scope\":\"users\",\"scope\":\"other\"}"));
	assert_true(may(write, "state::set", "{\"scope\":\"\\u0075sers\",\"key\":\"a\"}"));
	assert_false(may(write, "state::set", "{\"key\":\"a\"}"));
	assert_false(may(read, "state::list_groups", "{}"));
	assert_true(may("{\"read\":[\"*\"]}", "state::list_groups", "{}"));
	static const char rooms[] = "{\"read\":[\"room/*\",\"hall/1\"]}";
	assert_true(may(rooms, "state::list_objects", "{\"namespace\":\"room\"}"));
	assert_false(may(rooms, "state::list_objects", "{\"namespace\":\"hall\"}"));
	assert_false(may(rooms, "state::list_objects", "{}"));
	assert_false(may(write, "engine::events::list", "{}"));
	assert_true(may(write, "engine::events::list", "{\"scope\":\"users\"}"));
	assert_false(may(read, "alarm::list", "{}"));
	assert_false(may(write, "alarm::fire", users));
}

static void every_item_counts(void **state)
{
	(void)state;
	static const char rights[] = "{\"read\":[\"a\"],\"write\":[\"b\"]}";
	assert_true(may(rights, "state::get_many",
	                "{\"items\":[{\"scope\":\"a\",\"key\":\"1\"},{\"scope\":\"b\"}]}"));
	assert_false(may(rights, "state::get_many",
	                 "{\"items\":[{\"scope\":\"a\",\"key\":\"1\"},{\"scope\":\"c\"}]}"));
	assert_true(may(rights, "state::get_many", "{\"scope\":\"a\",\"keys\":[\"1\"]}"));
	assert_false(may(rights, "state::get_many", "{\"scope\":\"c\",\"keys\":[\"1\"]}"));
	assert_false(may(rights, "state::get_many",
	                 "{\"scope\":\"c\",\"keys\":[\"1\"],\"items\":[{\"scope\":\"a\"}]}"));
	assert_false(may(rights, "state::get_many", "{\"items\":[{\"key\":\"1\"}]}"));
	assert_true(may(rights, "state::transact",
	                "{\"ops\":[{\"type\":\"check\",\"scope\":\"a\"},{\"type\":\"set\","
	                "\"scope\":\"b\"}]}"));
	assert_false(
	        may(rights, "state::transact", "{\"ops\":[{\"type\":\"set\",\"scope\":\"a\"}]}"));
	assert_false(may(rights, "state::transact",
	                 "{\"ops\":[{\"type\":\"set\",\"type\":\"check\","
	                 "\"scope\":\"c\"}]}"));
	assert_false(may(rights, "state::transact", "{}"));
}

static void functions_are_invoked_by_pattern(void **state)
{
	(void)state;
	static const char rights[] = "{\"invoke\":[\"mail::*\"]}";
	assert_true(may(rights, "mail::welcome", "{}"));
	assert_true(may(rights, "mail::not-there", "null"));
	assert_false(may(rights, "billing::charge", "{}"));
	assert_false(may("{\"invoke\":[\"*\"]}", "state::set", "{\"scope\":\"a\"}"));
	assert_false(may("{\"invoke\":[\"*\"]}", "engine::config::reload", "{}"));
	assert_true(may("{\"invoke\":[\"publish\"]}", "publish", "{}"));
	assert_false(may(rights, "publish", "{}"));
}

static void later_calls_take_the_same_rights(void **state)
{
	(void)state;
	static const char rights[] = "{\"invoke\":[\"mail::*\"],\"write\":[\"users\"],\"manage\":["
	                             "\"triggers\"]}";
#define ENQUEUE(id, data)                                                                          \
	may(rights, "engine::queue::enqueue",                                                      \
	    "{\"queue\":\"default\",\"function_id\":\"" id "\",\"data\":" data "}")
	assert_true(ENQUEUE("mail::welcome", "{}"));
	assert_false(ENQUEUE("billing::charge", "{}"));
	assert_true(ENQUEUE("state::set", "{\"scope\":\"users\"}"));
	assert_false(ENQUEUE("state::set", "{\"scope\":\"other\"}"));
	assert_false(ENQUEUE("engine::queue::enqueue", "{\"function_id\":\"mail::welcome\"}"));
#define ALARM(id) may(rights, "alarm::set", "{\"scope\":\"users\",\"function_id\":\"" id "\"}")
	assert_true(ALARM("mail::welcome"));
	assert_false(ALARM("billing::charge"));
	assert_false(ALARM("engine::config::reload"));
#define TRIGGER(id, config)                                                                        \
	may(rights, "engine::register_trigger",                                                    \
	    "{\"trigger_type\":\"state\",\"function_id\":\"" id "\",\"config\":" config "}")
	assert_true(TRIGGER("mail::welcome", "{\"scope\":\"users\"}"));
	assert_false(TRIGGER("mail::welcome", "{\"scope\":\"other\"}"));
	assert_false(TRIGGER("mail::welcome", "{\"scope\":\"user*\"}"));
	assert_false(TRIGGER("mail::welcome", "{}"));
	assert_false(TRIGGER("state::delete", "{\"scope\":\"users\"}"));
	assert_false(TRIGGER("mail::welcome",
	                     "{\"scope\":\"users\",\"condition_function_id\":\"billing::ok\"}"));
}

static void a_pattern_covers_narrower_ones(void **state)
{
	(void)state;
	struct rights rights = {0};
	assert_int_equal(
	        rights_read(&rights, SPAN("{\"read\":[\"user*\",\"a?\",\"x[12]\"]}"), NULL), 0);
	assert_true(rights_cover(&rights, RIGHT_READ, SPAN("users")));
	assert_true(rights_cover(&rights, RIGHT_READ, SPAN("users-*")));
	assert_true(rights_cover(&rights, RIGHT_READ, SPAN("a?")));
	assert_true(rights_cover(&rights, RIGHT_READ, SPAN("a1")));
	assert_false(rights_cover(&rights, RIGHT_READ, SPAN("a*")));
	assert_false(rights_cover(&rights, RIGHT_READ, SPAN("us*")));
	assert_false(rights_cover(&rights, RIGHT_READ, SPAN_NONE));
	rights_free(&rights);
}

static void wrong_rights_are_explained(void **state)
{
	(void)state;
	static const char *const wrong[] = {"{\"read\":\"users\"}", "{\"reads\":[]}",
	                                    "{\"read\":[\"[\"]}", "{\"read\":[\"\"]}",
	                                    "{\"manage\":[\"everything\"]}"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct rights rights = {0};
		struct err err = {0};
		assert_int_equal(rights_read(&rights, span_of(wrong[i]), &err), E_INVALID);
		assert_string_equal(err.code, "invalid_rights");
		rights_free(&rights);
	}
}

static void a_worker_serves_what_it_may(void **state)
{
	(void)state;
	struct rights rights = {0};
	assert_int_equal(rights_read(&rights, SPAN("{\"work\":[\"mail::*\"]}"), NULL), 0);
	assert_true(rights_manage(&rights, RIGHTS_VIEW));
	assert_int_equal(permission_check_work(&rights, SPAN("mail::x"), NULL), 0);
	assert_int_equal(permission_check_work(&rights, SPAN("other"), NULL), E_DENIED);
	assert_int_equal(permission_check_work(NULL, SPAN("other"), NULL), 0);
	const struct permission_call own = {.function_id = SPAN("mail::x")};
	assert_int_equal(permission_check_trigger(&rights, core.functions, &own, SPAN("cron"),
	                                          SPAN_NONE, NULL),
	                 0);
	assert_int_equal(permission_check_trigger(&rights, core.functions, &own, SPAN("state"),
	                                          SPAN("{\"scope\":\"s\"}"), NULL),
	                 E_DENIED);
	assert_int_equal(permission_check_trigger(&rights, core.functions, &own, SPAN("dead"),
	                                          SPAN("{}"), NULL),
	                 E_DENIED);
	rights_free(&rights);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(every_function_of_the_engine_has_a_row),
	        TEST(nothing_is_allowed_without_rights_and_everything_with_all),
	        TEST(scopes_count_by_pattern_and_kind),
	        TEST(every_item_counts),
	        TEST(functions_are_invoked_by_pattern),
	        TEST(later_calls_take_the_same_rights),
	        TEST(a_worker_serves_what_it_may),
	        cmocka_unit_test(a_pattern_covers_narrower_ones),
	        cmocka_unit_test(wrong_rights_are_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
