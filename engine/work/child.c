/* This file runs one operating system process: pipes to it, its end, and its forced end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/child.h"
#include "base/mem.h"
#include "engine/durable/alarm.h"
#include <signal.h>
#include <uv.h>

enum { KILL_MS = 2000, ORPHAN_MS = 1000, PIPES = 3 };

struct child {
	uv_process_t process;
	uv_pipe_t pipes[PIPES]; /* its standard input, output and errors */
	struct alarms *alarms;
	struct alarm timer; /* while stopping: KILL; after its exit: the outputs are closed */
	const struct child_ops *ops; /* NULL: it never started, nobody is told */
	void *owner;
	struct child_end end;
	unsigned handles; /* not closed yet */
	bool stopping;
	bool exited;
	char read_bytes[16 * 1024];
};

struct write {
	uv_write_t request;
	struct buf bytes;
};

static void close_handle(uv_handle_t *handle, uv_close_cb closed)
{
	if (!uv_is_closing(handle)) {
		uv_close(handle, closed);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct child *child = handle->data;
	if (--child->handles > 0) {
		return;
	}
	alarm_clear(child->alarms, &child->timer);
	if (child->ops) {
		child->ops->ended(child->owner, &child->end);
	}
	mem_free(child);
}

static void close_pipe(struct child *child, int which)
{
	close_handle((uv_handle_t *)&child->pipes[which], on_closed);
}

static void close_pipes(struct child *child)
{
	for (int i = 0; i < PIPES; i++) {
		close_pipe(child, i);
	}
}

static void kill_group(const struct child *child, int signal_number)
{
	(void)kill(-child->process.pid, signal_number); /* all gone already: as wished */
}

static void on_timer(struct alarm *alarm)
{
	struct child *child = MEM_CONTAINER(alarm, struct child, timer);
	if (!child->exited) {
		kill_group(child, SIGKILL);
	} else {
		close_pipes(child);
	}
}

static void on_exit(uv_process_t *process, int64_t exit_code, int signal_number)
{
	struct child *child = process->data;
	child->exited = true;
	child->end = (struct child_end){exit_code, signal_number};
	if (child->stopping) {
		kill_group(child, SIGKILL); /* whoever in the group did not heed TERM */
	}
	close_handle((uv_handle_t *)process, on_closed);
	close_pipe(child, 0);
	alarm_set_real(child->alarms, &child->timer, ORPHAN_MS);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct child *child = handle->data;
	*out = uv_buf_init(child->read_bytes, sizeof(child->read_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
	struct child *child = stream->data;
	int which = (uv_pipe_t *)stream == &child->pipes[1] ? 1 : 2;
	if (len < 0) {
		close_pipe(child, which);
	} else if (len > 0 && which == 1) {
		child->ops->output(child->owner, span_make(bytes->base, (size_t)len));
	} else if (len > 0) {
		child->ops->errors(child->owner, span_make(bytes->base, (size_t)len));
	}
}

static int spawn(uv_loop_t *loop, struct child *child, const struct child_spec *spec)
{
	uv_stdio_container_t stdio[PIPES];
	for (int i = 0; i < PIPES; i++) {
		(void)uv_pipe_init(loop, &child->pipes[i], 0); /* cannot fail */
		child->pipes[i].data = child;
		stdio[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
		stdio[i].data.stream = (uv_stream_t *)&child->pipes[i];
	}
	uv_process_options_t options = {
	        .exit_cb = on_exit,
	        .file = spec->command[0],
	        .args = (char **)spec->command,
	        .env = (char **)spec->environment,
	        .cwd = spec->directory,
	        .flags = UV_PROCESS_DETACHED,
	        .stdio_count = PIPES,
	        .stdio = stdio,
	};
	child->process.data = child;
	child->handles = PIPES + 1;
	int status = uv_spawn(loop, &child->process, &options);
	child->process.data = child;
	return status;
}

int child_start(uv_loop_t *loop, struct alarms *alarms, const struct child_spec *spec,
                const struct child_ops *ops, void *owner, struct child **out, struct err *err)
{
	(void)signal(SIGPIPE, SIG_IGN); /* a child that does not read its input must not end us */
	struct child *child = MEM_NEW(struct child);
	child->alarms = alarms;
	child->timer.fn = on_timer;
	int status = spawn(loop, child, spec);
	if (status != 0) {
		close_handle((uv_handle_t *)&child->process, on_closed);
		close_pipes(child);
		return err_set(err, status == UV_ENOENT ? E_NOT_FOUND : E_IO,
		               "process_start_failed", "cannot start %s: %s%s", spec->command[0],
		               uv_strerror(status),
		               status == UV_ENOENT ? " (is it installed, and on the PATH?)" : "");
	}
	child->ops = ops;
	child->owner = owner;
	(void)uv_read_start((uv_stream_t *)&child->pipes[1], on_alloc, on_read);
	(void)uv_read_start((uv_stream_t *)&child->pipes[2], on_alloc, on_read);
	*out = child;
	return 0;
}

static void on_written(uv_write_t *request, int status)
{
	(void)status; /* whether it read everything is its own affair: its output counts */
	struct write *write = MEM_CONTAINER(request, struct write, request);
	buf_free(&write->bytes);
	mem_free(write);
}

void child_write_give(struct child *child, struct buf *input)
{
	uv_stream_t *pipe = (uv_stream_t *)&child->pipes[0];
	if (uv_is_closing((uv_handle_t *)pipe) || input->len == 0) {
		buf_free(input);
		return;
	}
	struct write *write = MEM_NEW(struct write);
	write->bytes = *input;
	*input = (struct buf){0};
	uv_buf_t all = {.base = write->bytes.ptr, .len = write->bytes.len};
	if (uv_write(&write->request, pipe, &all, 1, on_written) != 0) {
		on_written(&write->request, 0);
	}
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	(void)status;
	struct child *child = request->data;
	close_pipe(child, 0);
	mem_free(request);
}

void child_end_input(struct child *child)
{
	if (uv_is_closing((uv_handle_t *)&child->pipes[0])) {
		return;
	}
	uv_shutdown_t *request = MEM_NEW(uv_shutdown_t);
	request->data = child;
	if (uv_shutdown(request, (uv_stream_t *)&child->pipes[0], on_shutdown) != 0) {
		mem_free(request);
		close_pipe(child, 0);
	}
}

void child_stop(struct child *child)
{
	if (child->stopping || child->exited) {
		return;
	}
	child->stopping = true;
	kill_group(child, SIGTERM);
	alarm_set_real(child->alarms, &child->timer, KILL_MS);
}

void child_describe_end(const struct child_end *end, struct span errors, struct buf *out)
{
	if (end->signal != 0) {
		buf_format(out, "killed by signal %d (%s)", end->signal, strsignal(end->signal));
	} else {
		buf_format(out, "exit code %lld", (long long)end->exit_code);
	}
	while (errors.len > 0 && strchr("\r\n ", errors.ptr[errors.len - 1])) {
		errors.len--;
	}
	const char *line = errors.len ? memrchr(errors.ptr, '\n', errors.len) : NULL;
	const char *from = line ? line + 1 : errors.ptr;
	if (errors.len > 0) {
		buf_format(out, ": %.*s", (int)(errors.ptr + errors.len - from), from);
	}
}
