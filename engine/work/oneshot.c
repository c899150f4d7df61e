/* This file answers each call with a process of its own: input, output, exit code. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/oneshot.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/function.h"
#include "wire/baggage.h"

enum { ERRORS_KEPT = 4096, SHOWN = 120, OWN_VARIABLES = 3 };

struct oneshot {
	struct list link;
	struct oneshots *set;
	struct child *child;
	struct call *call; /* NULL: nobody waits any more */
	struct buf output;
	struct buf errors; /* the tail of it */
	bool is_too_long;
};

void oneshots_init(struct oneshots *set)
{
	list_init(&set->running);
}

static void fail(struct call *call, struct span code, struct span message, struct span stacktrace)
{
	struct call_result result = {
	        .end = CALL_FAILED,
	        .code = code,
	        .message = message,
	        .stacktrace = stacktrace,
	        .worker = SPAN("process"),
	};
	call_finish(call, &result);
}

static void on_output(void *owner, struct span bytes)
{
	struct oneshot *oneshot = owner;
	if (oneshot->output.len + bytes.len > oneshot->set->max_output) {
		oneshot->is_too_long = true;
		child_stop(oneshot->child);
		return;
	}
	buf_span(&oneshot->output, bytes);
}

static void on_errors(void *owner, struct span bytes)
{
	struct oneshot *oneshot = owner;
	buf_span(&oneshot->errors, bytes);
	if (oneshot->errors.len > ERRORS_KEPT) {
		buf_remove_front(&oneshot->errors, oneshot->errors.len - ERRORS_KEPT);
	}
}

/* The process has exited with 0: its output is the answer. */
static void finish_with_output(struct oneshot *oneshot, struct call *call)
{
	struct call_result result = {.end = CALL_OK, .worker = SPAN("process")};
	struct span output = buf_view(&oneshot->output);
	struct err err = {0};
	if (strspn(output.len ? oneshot->output.ptr : "", " \t\r\n") == output.len) {
		call_finish(call, &result);
		return;
	}
	if (json_check(output, &result.result, &err) == 0) {
		call_finish(call, &result);
		return;
	}
	struct buf message = {0};
	bool is_cut = output.len > SHOWN;
	buf_format(&message, "standard output is not one JSON document: %s; it begins: %.*s%s",
	           err.text, is_cut ? SHOWN : (int)output.len, output.ptr, is_cut ? "..." : "");
	fail(call, SPAN("invalid_output"), buf_view(&message), buf_view(&oneshot->errors));
	buf_free(&message);
}

static void finish(struct oneshot *oneshot, struct call *call, const struct child_end *end)
{
	struct buf message = {0};
	if (oneshot->is_too_long) {
		buf_format(&message, "the output is over %zu bytes", oneshot->set->max_output);
		fail(call, SPAN("output_too_large"), buf_view(&message), SPAN_NONE);
	} else if (end->exit_code != 0 || end->signal != 0) {
		child_describe_end(end, buf_view(&oneshot->errors), &message);
		fail(call, SPAN("process_failed"), buf_view(&message), buf_view(&oneshot->errors));
	} else {
		buf_byte(&oneshot->output, '\0');
		oneshot->output.len--;
		finish_with_output(oneshot, call);
	}
	buf_free(&message);
}

static void oneshot_free(struct oneshot *oneshot)
{
	list_remove(&oneshot->link);
	buf_free(&oneshot->output);
	buf_free(&oneshot->errors);
	mem_free(oneshot);
}

static void on_ended(void *owner, const struct child_end *end)
{
	struct oneshot *oneshot = owner;
	struct oneshots *set = oneshot->set;
	struct call *call = oneshot->call;
	oneshot->call = NULL;
	if (call) {
		finish(oneshot, call, end);
	}
	oneshot_free(oneshot);
	if (set->closing && list_is_empty(&set->running)) {
		set->drained(set);
	}
}

/* The shared environment and what names this call. The array is the caller's to free, its first
 * OWN_VARIABLES entries point into `texts`. */
static const char **make_environment(const struct oneshots *set, const struct call *call,
                                     struct buf *texts)
{
	size_t count = 0;
	while (set->spec->environment[count]) {
		count++;
	}
	struct buf scratch = {0};
	struct baggage baggage;
	size_t at[OWN_VARIABLES];
	size_t own = 0;
	if (call->baggage.ptr && baggage_parse(call->baggage, &scratch, &baggage)) {
		at[own++] = texts->len;
		buf_format(texts, "PAWL_DELIVERY=%.*s", SPAN_ARG(baggage.delivery));
		buf_byte(texts, '\0');
		at[own++] = texts->len;
		buf_format(texts, "PAWL_ATTEMPT=%u", (unsigned)baggage.attempt);
		buf_byte(texts, '\0');
	}
	if (call->traceparent.ptr) {
		at[own++] = texts->len;
		buf_format(texts, "TRACEPARENT=%.*s", SPAN_ARG(call->traceparent));
		buf_byte(texts, '\0');
	}
	buf_free(&scratch);
	const char **environment = MEM_ARRAY(const char *, count + own + 1);
	for (size_t i = 0; i < own; i++) {
		environment[i] = texts->ptr + at[i];
	}
	memcpy(environment + own, set->spec->environment, count * sizeof(*environment));
	return environment;
}

static void write_input(struct child *child, struct call *call)
{
	struct buf input = {0};
	if (call->write_data) {
		call->write_data(call, &input);
	} else if (call->data.ptr) {
		buf_span(&input, call->data);
	} else {
		BUF_LITERAL(&input, "null");
	}
	child_write_give(child, &input);
	child_end_input(child);
}

static const struct child_ops ops = {on_output, on_errors, on_ended};

void oneshots_start(struct oneshots *set, struct call *call)
{
	struct oneshot *oneshot = MEM_NEW(struct oneshot);
	oneshot->set = set;
	oneshot->call = call;
	list_init(&oneshot->link);
	struct buf texts = {0};
	struct err err = {0};
	struct child_spec spec = *set->spec;
	const char **environment = make_environment(set, call, &texts);
	spec.environment = environment;
	int status =
	        child_start(set->loop, set->alarms, &spec, &ops, oneshot, &oneshot->child, &err);
	mem_free(environment);
	buf_free(&texts);
	if (status != 0) {
		oneshot_free(oneshot);
		fail(call, span_of(err.code), span_of(err.text), SPAN_NONE);
		return;
	}
	list_push(&set->running, &oneshot->link);
	write_input(oneshot->child, call);
}

void oneshots_forget(struct oneshots *set, struct call *call)
{
	LIST_EACH(&set->running, link)
	{
		struct oneshot *oneshot = MEM_CONTAINER(link, struct oneshot, link);
		if (oneshot->call == call) {
			oneshot->call = NULL;
			child_stop(oneshot->child);
			return;
		}
	}
}

void oneshots_close(struct oneshots *set)
{
	set->closing = true;
	LIST_EACH(&set->running, link)
	{
		struct oneshot *oneshot = MEM_CONTAINER(link, struct oneshot, link);
		oneshot->call = NULL;
		child_stop(oneshot->child);
	}
	if (list_is_empty(&set->running)) {
		set->drained(set);
	}
}
