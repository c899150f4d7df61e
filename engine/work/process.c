/* This file executes functions as processes: JSON on their standard input, JSON on their output. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/process.h"
#include "base/mem.h"
#include "engine/work/child.h"
#include "engine/work/lines.h"
#include "engine/work/oneshot.h"
#include <unistd.h>
#include <uv.h>

enum { CONCURRENCY = 10, MAX_OUTPUT = 8 << 20 };

struct process {
	struct executor executor;
	enum process_mode mode;
	uv_prepare_t end;       /* never runs: its closing makes `freed` come later */
	struct child_spec spec; /* copies */
	struct span function_id;
	struct oneshots oneshots;
	struct lines lines;
	struct alarms *alarms;
	struct alarm last_call; /* it leaves, and its last call has ended */
	bool closing;
	void (*freed)(void *ctx);
	void *freed_ctx;
};

static void start(struct executor *executor, struct provider *provider, struct call *call)
{
	(void)provider;
	struct process *process = MEM_CONTAINER(executor, struct process, executor);
	if (process->mode == PROCESS_CALL) {
		oneshots_start(&process->oneshots, call);
	} else {
		lines_start(&process->lines, call);
	}
}

static void forget(struct executor *executor, struct call *call)
{
	struct process *process = MEM_CONTAINER(executor, struct process, executor);
	if (process->mode == PROCESS_CALL) {
		oneshots_forget(&process->oneshots, call);
	} else {
		lines_forget(&process->lines, call);
	}
}

static const struct executor_ops ops = {"process", start, forget};

static size_t count_texts(const char *const *texts)
{
	size_t count = 0;
	while (texts && texts[count]) {
		count++;
	}
	return count;
}

static void add_texts(char **to, const char *const *texts)
{
	for (size_t i = 0; texts && texts[i]; i++) {
		to[i] = mem_text(texts[i]);
	}
}

/* The daemon's environment behind the configured one: of equal names the first counts. */
static char **make_environment(const struct process_options *options)
{
	size_t configured = count_texts(options->environment);
	size_t inherited = count_texts((const char *const *)environ);
	char **all = MEM_ARRAY(char *, configured + inherited + 2);
	add_texts(all, options->environment);
	struct buf name = {0};
	buf_format(&name, "PAWL_FUNCTION=%.*s", SPAN_ARG(options->function_id));
	all[configured] = mem_copy(name.ptr, name.len);
	buf_free(&name);
	size_t count = configured + 1;
	for (size_t i = 0; i < inherited; i++) {
		size_t len = strcspn(environ[i], "=") + 1;
		bool is_set = false;
		for (size_t j = 0; j <= configured; j++) {
			is_set = is_set || strncmp(all[j], environ[i], len) == 0;
		}
		if (!is_set) {
			all[count++] = mem_text(environ[i]);
		}
	}
	return all;
}

static void free_texts(const char *const *texts)
{
	for (size_t i = 0; texts[i]; i++) {
		mem_free((char *)texts[i]);
	}
	mem_free((char **)texts);
}

static void on_end(uv_handle_t *handle)
{
	struct process *process = handle->data;
	void (*freed)(void *ctx) = process->freed;
	void *ctx = process->freed_ctx;
	buf_free(&process->lines.partial);
	buf_free(&process->lines.errors);
	buf_free(&process->lines.error_line);
	free_texts(process->spec.command);
	free_texts(process->spec.environment);
	mem_free((char *)process->spec.directory);
	mem_free((char *)process->function_id.ptr);
	mem_free(process);
	freed(ctx);
}

static void process_end(struct process *process)
{
	uv_close((uv_handle_t *)&process->end, on_end);
}

static void oneshots_drained(struct oneshots *set)
{
	process_end(MEM_CONTAINER(set, struct process, oneshots));
}

static void lines_drained(struct lines *lines)
{
	process_end(MEM_CONTAINER(lines, struct process, lines));
}

static void copy_options(struct process *process, const struct process_options *options)
{
	process->mode = options->mode;
	process->function_id = mem_span(options->function_id);
	char **command = MEM_ARRAY(char *, count_texts(options->command) + 1);
	add_texts(command, options->command);
	process->spec = (struct child_spec){
	        .command = (const char *const *)command,
	        .environment = (const char *const *)make_environment(options),
	        .directory = mem_text(options->directory),
	};
}

struct process *process_new(uv_loop_t *loop, struct alarms *alarms, struct functions *functions,
                            const struct process_options *options)
{
	PRE(options->command && options->command[0]);
	struct process *process = MEM_NEW(struct process);
	copy_options(process, options);
	(void)uv_prepare_init(loop, &process->end); /* cannot fail */
	process->end.data = process;
	size_t max_output = options->max_output_bytes ? options->max_output_bytes : MAX_OUTPUT;
	process->alarms = alarms;
	process->oneshots = (struct oneshots){.loop = loop,
	                                      .alarms = alarms,
	                                      .spec = &process->spec,
	                                      .max_output = max_output,
	                                      .drained = oneshots_drained};
	process->lines = (struct lines){.loop = loop,
	                                .alarms = alarms,
	                                .spec = &process->spec,
	                                .function_id = process->function_id,
	                                .max_output = max_output,
	                                .drained = lines_drained};
	oneshots_init(&process->oneshots);
	lines_init(&process->lines);
	executor_init(&process->executor, functions, &ops, SPAN("process"),
	              options->concurrency ? options->concurrency : CONCURRENCY);
	/* Calls that wait for the function start when the offer is complete. */
	process->executor.closed_for_calls = true;
	struct provider *provider =
	        function_offer(&process->executor, options->namespace_, options->function_id);
	provider->timeout_ms = options->timeout_ms;
	if (options->description.ptr) {
		provider->description = mem_span(options->description);
	}
	executor_pause(&process->executor, false);
	return process;
}

static void close_now(struct process *process)
{
	process->closing = true;
	process->executor.idle = NULL;
	alarm_clear(process->alarms, &process->last_call);
	executor_close(&process->executor);
	if (process->mode == PROCESS_CALL) {
		oneshots_close(&process->oneshots);
	} else {
		lines_close(&process->lines);
	}
}

static void last_call_has_ended(struct alarm *alarm)
{
	close_now(MEM_CONTAINER(alarm, struct process, last_call));
}

static void is_idle(struct executor *executor)
{
	struct process *process = MEM_CONTAINER(executor, struct process, executor);
	alarm_set_real(process->alarms, &process->last_call, 0);
}

void process_leave(struct process *process, void (*freed)(void *ctx), void *ctx)
{
	struct executor *executor = &process->executor;
	process->freed = freed;
	process->freed_ctx = ctx;
	process->last_call.fn = last_call_has_ended;
	executor->closed_for_calls = true;
	while (!list_is_empty(&executor->providers)) {
		function_withdraw(LIST_FIRST(&executor->providers, struct provider, in_executor));
	}
	if (executor->running == 0) {
		close_now(process);
	} else {
		executor->idle = is_idle;
	}
}

void process_free(struct process *process, void (*freed)(void *ctx), void *ctx)
{
	if (process->freed == NULL) {
		process->freed = freed;
		process->freed_ctx = ctx;
	}
	if (!process->closing) {
		close_now(process);
	}
}

struct executor *process_executor(struct process *process)
{
	return &process->executor;
}
