/* This file proves the executor of processes with real processes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/function.h"
#include "engine/durable/alarm.h"
#include "engine/work/process.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { DEADLINE_MS = 20 * 1000 };

struct world {
	uv_loop_t loop;
	struct alarms *alarms;
	struct functions *functions;
	struct process *process;
	bool freed;
};

/* A call and how it ended. */
struct asked {
	struct call call;
	struct list link;
	bool is_done;
	enum call_end end;
	struct buf result;
	struct buf code;
	struct buf message;
	struct buf stacktrace;
};

static void on_done(struct call *call, const struct call_result *result)
{
	struct asked *asked = MEM_CONTAINER(call, struct asked, call);
	assert_false(asked->is_done);
	asked->is_done = true;
	asked->end = result->end;
	buf_span(&asked->result, result->result.ptr ? result->result : SPAN("(none)"));
	buf_span(&asked->code, result->code);
	buf_span(&asked->message, result->message);
	buf_span(&asked->stacktrace, result->stacktrace);
	buf_byte(&asked->result, '\0');
	buf_byte(&asked->code, '\0');
	buf_byte(&asked->message, '\0');
	buf_byte(&asked->stacktrace, '\0');
}

static void asked_close(struct asked *asked)
{
	buf_free(&asked->result);
	buf_free(&asked->code);
	buf_free(&asked->message);
	buf_free(&asked->stacktrace);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Turns the loop until the flag is set, with a deadline. */
static void turn_until(struct world *world, const bool *flag)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	uv_timer_t tick;
	assert_int_equal(uv_timer_init(&world->loop, &tick), 0);
	assert_int_equal(uv_timer_start(&tick, on_tick, 5, 5), 0);
	while (!*flag) {
		assert_true(clock_mono_ms() < end);
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&tick, NULL);
	(void)uv_run(&world->loop, UV_RUN_NOWAIT);
}

static struct process *start(struct world *world, enum process_mode mode, const char *script)
{
	const char *command[] = {"sh", "-c", script, NULL};
	const char *environment[] = {"GREETING=hello", NULL};
	struct process_options options = {
	        .function_id = SPAN("f"),
	        .command = command,
	        .environment = environment,
	        .mode = mode,
	        .max_output_bytes = 100000,
	};
	world->process = process_new(&world->loop, world->alarms, world->functions, &options);
	return world->process;
}

static void ask(struct world *world, struct asked *asked, const char *data)
{
	*asked = (struct asked){
	        .call = {.function_id = SPAN("f"), .data = span_of(data), .done = on_done}};
	assert_int_equal(function_call(world->functions, &asked->call, NULL), 0);
}

static void ask_and_wait(struct world *world, struct asked *asked, const char *data)
{
	ask(world, asked, data);
	turn_until(world, &asked->is_done);
}

static void on_freed(void *ctx)
{
	((struct world *)ctx)->freed = true;
}

static void stop(struct world *world)
{
	world->freed = false;
	process_free(world->process, on_freed, world);
	turn_until(world, &world->freed);
}

static int set_up(void **state)
{
	struct world *world = MEM_NEW(struct world);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	world->alarms = alarms_new(&world->loop);
	world->functions = functions_new(world->alarms);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	functions_free(world->functions);
	alarms_close(world->alarms, NULL, NULL);
	assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	mem_free(world);
	return 0;
}

static void input_goes_in_and_output_comes_out(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "cat");
	ask_and_wait(world, &asked, "{\"n\": 12345678901234567890}");
	assert_int_equal(asked.end, CALL_OK);
	assert_string_equal(asked.result.ptr, "{\"n\": 12345678901234567890}");
	asked_close(&asked);
	stop(world);
}

static void no_output_is_no_result(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "echo; exit 0"); /* does not even read its input */
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_OK);
	assert_string_equal(asked.result.ptr, "(none)");
	asked_close(&asked);
	stop(world);
}

static void an_exit_code_fails_with_the_last_words(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "echo first >&2; echo 'no such user' >&2; exit 3");
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "process_failed");
	assert_string_equal(asked.message.ptr, "exit code 3: no such user");
	assert_string_equal(asked.stacktrace.ptr, "first\nno such user\n");
	asked_close(&asked);
	stop(world);
}

static void output_that_is_no_json_is_shown(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "echo 'Traceback: oh'");
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "invalid_output");
	assert_non_null(strstr(asked.message.ptr, "Traceback: oh"));
	asked_close(&asked);
	stop(world);
}

static void output_over_the_limit_is_refused(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "exec yes");
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "output_too_large");
	asked_close(&asked);
	stop(world);
}

static void a_missing_command_is_named(void **state)
{
	struct world *world = *state;
	struct asked asked;
	const char *command[] = {"no-such-command-here", NULL};
	struct process_options options = {.function_id = SPAN("f"), .command = command};
	world->process = process_new(&world->loop, world->alarms, world->functions, &options);
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "process_start_failed");
	assert_non_null(strstr(asked.message.ptr, "no-such-command-here"));
	assert_non_null(strstr(asked.message.ptr, "PATH"));
	asked_close(&asked);
	stop(world);
}

static void the_environment_names_the_delivery(void **state)
{
	struct world *world = *state;
	struct asked asked = {.call = {.function_id = SPAN("f"),
	                               .data = SPAN("{}"),
	                               .traceparent = SPAN("00-ab-cd-01"),
	                               .baggage = SPAN("pawl.delivery=e-1-7/t,pawl.attempt=2"),
	                               .done = on_done}};
	start(world, PROCESS_CALL,
	      "echo \"\\\"$GREETING $PAWL_FUNCTION $PAWL_DELIVERY $PAWL_ATTEMPT "
	      "$TRACEPARENT\\\"\"");
	assert_int_equal(function_call(world->functions, &asked.call, NULL), 0);
	turn_until(world, &asked.is_done);
	assert_string_equal(asked.result.ptr, "\"hello f e-1-7/t 2 00-ab-cd-01\"");
	asked_close(&asked);
	stop(world);
}

/* Waits until the process of that number has gone. */
static void wait_for_end(struct world *world, pid_t pid)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	while (kill(pid, 0) == 0) {
		assert_true(clock_mono_ms() < end);
		(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	}
}

static pid_t read_pid(struct world *world, const char *path)
{
	int64_t end = clock_mono_ms() + DEADLINE_MS;
	int pid = 0;
	while (pid == 0) {
		assert_true(clock_mono_ms() < end);
		(void)uv_run(&world->loop, UV_RUN_NOWAIT);
		FILE *file = fopen(path, "r");
		if (file) {
			char line[32] = "";
			bool is_whole = fgets(line, sizeof(line), file) && strchr(line, '\n');
			pid = is_whole ? atoi(line) : 0;
			(void)fclose(file);
		}
	}
	(void)unlink(path);
	return pid;
}

static void a_call_that_times_out_takes_its_process_along(void **state)
{
	struct world *world = *state;
	char path[] = "/tmp/pawl-process-XXXXXX";
	(void)close(mkstemp(path));
	char script[128];
	(void)snprintf(script, sizeof(script), "sleep 1000 & echo $! > %s; wait", path);
	start(world, PROCESS_CALL, script);
	struct asked asked;
	ask(world, &asked, "{}");
	pid_t grandchild = read_pid(world, path);
	call_cancel(&asked.call);
	assert_false(asked.is_done);
	wait_for_end(world, grandchild);
	asked_close(&asked);
	stop(world);
}

static void the_end_stops_what_runs(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "exec sleep 1000");
	ask(world, &asked, "{}");
	stop(world);
	assert_true(asked.is_done);
	assert_int_equal(asked.end, CALL_STOPPED);
	asked_close(&asked);
}

static const char echo_lines[] =
        "while read -r line; do id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}; "
        "echo \"{\\\"id\\\":\\\"$id\\\",\\\"result\\\":{\\\"pid\\\":$$,\\\"got\\\":$line}}\"; done";

static void lines_share_one_process(void **state)
{
	struct world *world = *state;
	struct asked first;
	struct asked second;
	start(world, PROCESS_LINES, echo_lines);
	ask(world, &first, "{\n\"a\":1}");
	ask(world, &second, "2");
	turn_until(world, &first.is_done);
	turn_until(world, &second.is_done);
	assert_int_equal(first.end, CALL_OK);
	assert_non_null(strstr(first.result.ptr, "\"got\":{\"id\":\"1\",\"data\":{ \"a\":1}}"));
	assert_non_null(strstr(second.result.ptr, "\"got\":{\"id\":\"2\",\"data\":2}"));
	size_t len = strcspn(first.result.ptr, ",");
	assert_memory_equal(first.result.ptr, second.result.ptr, len); /* the same pid */
	asked_close(&first);
	asked_close(&second);
	stop(world);
}

static void a_line_can_be_an_error(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_LINES,
	      "read -r line; echo "
	      "'{\"id\":\"1\",\"error\":{\"code\":\"no_user\",\"message\":\"who?\"}}'; "
	      "read -r line");
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "no_user");
	assert_string_equal(asked.message.ptr, "who?");
	asked_close(&asked);
	stop(world);
}

static void a_process_that_dies_is_started_again(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_LINES, "read -r line; echo 'out of luck' >&2; exit 7");
	for (int i = 0; i < 2; i++) {
		ask_and_wait(world, &asked, "{}");
		assert_int_equal(asked.end, CALL_FAILED);
		assert_string_equal(asked.code.ptr, "process_failed");
		assert_non_null(strstr(asked.message.ptr, "exit code 7: out of luck"));
		asked_close(&asked);
	}
	stop(world);
}

static void a_line_of_nonsense_ends_the_process(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_LINES, "read -r line; echo 'debug: here'; exec sleep 1000");
	ask_and_wait(world, &asked, "{}");
	assert_int_equal(asked.end, CALL_FAILED);
	assert_string_equal(asked.code.ptr, "invalid_output");
	asked_close(&asked);
	stop(world);
}

static void one_that_leaves_finishes_its_calls(void **state)
{
	struct world *world = *state;
	/* It answers when the file is there. */
	static const char *const scripts[] = {
	        [PROCESS_CALL] = "until [ -e go ]; do sleep 0.01; done; echo 1",
	        [PROCESS_LINES] = "while read -r line; do until [ -e go ]; do sleep 0.01; done; "
	                          "id=${line#*\\\"id\\\":\\\"}; "
	                          "echo \"{\\\"id\\\":\\\"${id%%\\\"*}\\\",\\\"result\\\":1}\"; "
	                          "done",
	};
	for (int mode = PROCESS_CALL; mode <= PROCESS_LINES; mode++) {
		char dir[] = "/tmp/pawl-test-leave-XXXXXX";
		char script[512];
		struct asked asked;
		struct asked late;
		assert_non_null(mkdtemp(dir));
		(void)snprintf(script, sizeof script, "cd %s; %s", dir, scripts[mode]);
		start(world, (enum process_mode)mode, script);
		ask(world, &asked, "{}");
		world->freed = false;
		process_leave(world->process, on_freed, world);
		late.call = (struct call){.function_id = SPAN("f"), .done = on_done};
		assert_int_equal(function_call(world->functions, &late.call, NULL), E_NOT_FOUND);
		assert_false(world->freed);
		(void)snprintf(script, sizeof script, "%s/go", dir);
		assert_int_equal(close(creat(script, 0600)), 0);
		turn_until(world, &world->freed);
		assert_true(asked.is_done);
		assert_string_equal(asked.result.ptr, "1");
		asked_close(&asked);
		assert_int_equal(unlink(script), 0);
		assert_int_equal(rmdir(dir), 0);
	}
}

static void one_that_is_freed_while_it_leaves_stops_its_calls(void **state)
{
	struct world *world = *state;
	struct asked asked;
	start(world, PROCESS_CALL, "exec sleep 1000");
	ask(world, &asked, "{}");
	world->freed = false;
	process_leave(world->process, on_freed, world);
	process_free(world->process, on_freed, world);
	turn_until(world, &world->freed);
	assert_int_equal(asked.end, CALL_STOPPED);
	asked_close(&asked);
}

int main(void)
{
	log_open(LOG_ERROR, false);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(input_goes_in_and_output_comes_out),
	        TEST(no_output_is_no_result),
	        TEST(an_exit_code_fails_with_the_last_words),
	        TEST(output_that_is_no_json_is_shown),
	        TEST(output_over_the_limit_is_refused),
	        TEST(a_missing_command_is_named),
	        TEST(the_environment_names_the_delivery),
	        TEST(a_call_that_times_out_takes_its_process_along),
	        TEST(the_end_stops_what_runs),
	        TEST(lines_share_one_process),
	        TEST(a_line_can_be_an_error),
	        TEST(a_process_that_dies_is_started_again),
	        TEST(a_line_of_nonsense_ends_the_process),
	        TEST(one_that_leaves_finishes_its_calls),
	        TEST(one_that_is_freed_while_it_leaves_stops_its_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
