/* This file answers calls by one process that is kept alive: a line in, a line out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/lines.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/function.h"
#include "wire/baggage.h"

enum {
	REST_LEAST_MS = 100,
	REST_MOST_MS = 30 * 1000,
	LIVED_WELL_MS = 10 * 1000, /* after so long the next death is not a repeated one */
	STUCK_MS = 1000,
	ERRORS_KEPT = 4096,
	ERROR_LINE_MAX = 1000,
	SHOWN = 120
};

struct line_call {
	struct list link;
	struct call *call;
	uint64_t id;
	int64_t asked_ms;
};

static void line_call_free(struct line_call *line)
{
	list_remove(&line->link);
	mem_free(line);
}

static void fail_all(struct list *calls, struct span code, struct span message,
                     struct span stacktrace)
{
	struct call_result result = {
	        .end = CALL_FAILED,
	        .code = code,
	        .message = message,
	        .stacktrace = stacktrace,
	        .worker = SPAN("process"),
	};
	while (!list_is_empty(calls)) {
		struct line_call *line = LIST_FIRST(calls, struct line_call, link);
		struct call *call = line->call;
		line_call_free(line);
		call_finish(call, &result);
	}
}

/* ---- asking ---- */

static void write_question(struct buf *out, const struct line_call *line)
{
	struct call *call = line->call;
	struct buf scratch = {0};
	struct baggage baggage;
	buf_format(out, "{\"id\":\"%llu\",\"data\":", (unsigned long long)line->id);
	size_t data_at = out->len;
	if (call->write_data) {
		call->write_data(call, out);
	} else {
		buf_span(out, call->data.ptr ? call->data : SPAN("null"));
	}
	for (size_t i = data_at; i < out->len; i++) {
		/* In valid JSON a line break is white space. */
		out->ptr[i] = out->ptr[i] == '\n' || out->ptr[i] == '\r' ? ' ' : out->ptr[i];
	}
	if (call->metadata.ptr) {
		struct span metadata = call->metadata;
		json_write_name(out, "metadata");
		json_compact(metadata, out);
	}
	if (call->baggage.ptr && baggage_parse(call->baggage, &scratch, &baggage)) {
		json_write_member_string(out, "delivery", baggage.delivery);
		json_write_member_uint(out, "attempt", baggage.attempt);
	}
	if (call->traceparent.ptr) {
		json_write_member_string(out, "traceparent", call->traceparent);
	}
	BUF_LITERAL(out, "}\n");
	buf_free(&scratch);
}

static void ask_queued(struct lines *lines)
{
	struct buf out = {0};
	while (!list_is_empty(&lines->queue)) {
		struct line_call *line = LIST_FIRST(&lines->queue, struct line_call, link);
		list_remove(&line->link);
		list_push(&lines->asked, &line->link);
		line->id = ++lines->last_id;
		line->asked_ms = clock_mono_ms();
		write_question(&out, line);
	}
	child_write_give(lines->child, &out);
}

/* ---- answers ---- */

/* Who answers what is no longer known: the process has to go. */
static void break_off(struct lines *lines, struct span reason, struct span line)
{
	if (lines->broken.ptr) {
		return;
	}
	int shown = line.len > SHOWN ? SHOWN : (int)line.len;
	log_warn("lines", "%.*s: %.*s: %.*s", SPAN_ARG(lines->function_id), SPAN_ARG(reason), shown,
	         line.ptr ? line.ptr : "");
	lines->broken = reason;
	child_stop(lines->child);
}

static struct line_call *find_asked(struct lines *lines, uint64_t id)
{
	LIST_EACH(&lines->asked, link)
	{
		struct line_call *line = MEM_CONTAINER(link, struct line_call, link);
		if (line->id == id) {
			return line;
		}
	}
	return NULL;
}

static void finish_call(struct call *call, struct span value, struct span error)
{
	static const struct span names[] = {{"code", 4}, {"message", 7}};
	struct call_result result = {.end = CALL_OK, .result = value, .worker = SPAN("process")};
	struct span found[2] = {0};
	struct buf code = {0};
	struct buf message = {0};
	if (!json_is_null(error)) {
		result.end = CALL_FAILED;
		result.result = SPAN_NONE;
		bool is_text = json_kind(error) == JSON_STRING;
		if (json_kind(error) == JSON_OBJECT) {
			json_get_many(error, names, 2, found);
		}
		struct span text = is_text ? error : found[1];
		if (found[0].ptr && json_kind(found[0]) == JSON_STRING) {
			json_string(found[0], &code);
		} else {
			BUF_LITERAL(&code, "invocation_failed");
		}
		if (text.ptr && json_kind(text) == JSON_STRING) {
			json_string(text, &message);
		} else {
			buf_span(&message, error);
		}
		result.code = buf_view(&code);
		result.message = buf_view(&message);
	}
	call_finish(call, &result);
	buf_free(&code);
	buf_free(&message);
}

static void take_line(struct lines *lines, struct span text)
{
	static const struct span names[] = {{"id", 2}, {"result", 6}, {"error", 5}};
	struct span found[3];
	struct err err;
	if (json_check_object(text, names, 3, found, &err) != 0) {
		break_off(lines, SPAN("a line of output is no JSON object"), text);
		return;
	}
	struct buf scratch = {0};
	uint64_t id = 0;
	bool has_id = found[0].ptr && json_kind(found[0]) == JSON_STRING &&
	              id_parse_uint(json_plain(found[0], &scratch), &id);
	buf_free(&scratch);
	if (!has_id || id == 0 || id > lines->last_id) {
		break_off(lines, SPAN("a line of output has no id that was asked"), text);
		return;
	}
	lines->answered_ms = clock_mono_ms();
	struct line_call *line = find_asked(lines, id);
	if (line == NULL) {
		return; /* forgotten meanwhile */
	}
	struct call *call = line->call;
	line_call_free(line);
	finish_call(call, found[1], found[2]);
}

static void on_output(void *owner, struct span bytes)
{
	struct lines *lines = owner;
	size_t searched = lines->partial.len;
	buf_span(&lines->partial, bytes);
	size_t from = 0;
	const char *end;
	while (lines->broken.ptr == NULL &&
	       (end = memchr(lines->partial.ptr + searched, '\n', lines->partial.len - searched))) {
		size_t len = (size_t)(end - lines->partial.ptr) - from;
		if (len > 0) {
			take_line(lines, span_make(lines->partial.ptr + from, len));
		}
		from += len + 1;
		searched = from;
	}
	buf_remove_front(&lines->partial, from);
	if (lines->partial.len > lines->max_output) {
		break_off(lines, SPAN("a line of output is too long"), buf_view(&lines->partial));
	}
	if (lines->broken.ptr) {
		buf_clear(&lines->partial);
	}
}

static void on_errors(void *owner, struct span bytes)
{
	struct lines *lines = owner;
	buf_span(&lines->errors, bytes);
	if (lines->errors.len > ERRORS_KEPT) {
		buf_remove_front(&lines->errors, lines->errors.len - ERRORS_KEPT);
	}
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] != '\n' && lines->error_line.len < ERROR_LINE_MAX) {
			buf_byte(&lines->error_line, bytes.ptr[i]);
			continue;
		}
		log_info("process", "%.*s: %.*s", SPAN_ARG(lines->function_id),
		         SPAN_ARG(buf_view(&lines->error_line)));
		buf_clear(&lines->error_line);
	}
}

/* ---- its lives ---- */

static void on_ended(void *owner, const struct child_end *end)
{
	struct lines *lines = owner;
	struct buf message = {0};
	lines->child = NULL;
	if (lines->broken.ptr) {
		buf_span(&message, lines->broken);
	} else {
		BUF_LITERAL(&message, "the process ended before it answered: ");
		child_describe_end(end, buf_view(&lines->errors), &message);
	}
	int64_t lived_ms = clock_real_ms() - lines->started_ms;
	bool repeated = lines->backoff_ms > 0 && lived_ms < LIVED_WELL_MS;
	int64_t doubled = lines->backoff_ms * 2;
	lines->backoff_ms = !repeated                ? REST_LEAST_MS
	                    : doubled < REST_MOST_MS ? doubled
	                                             : REST_MOST_MS;
	if (lines->closing) {
		buf_free(&message);
		lines->drained(lines);
		return;
	}
	alarm_set_real(lines->alarms, &lines->rest, lines->backoff_ms);
	struct span code = lines->broken.ptr ? SPAN("invalid_output") : SPAN("process_failed");
	fail_all(&lines->asked, code, buf_view(&message), buf_view(&lines->errors));
	buf_free(&message);
}

static void run(struct lines *lines)
{
	static const struct child_ops ops = {on_output, on_errors, on_ended};
	struct err err = {0};
	buf_free(&lines->partial);
	buf_clear(&lines->errors);
	buf_clear(&lines->error_line);
	lines->broken = SPAN_NONE;
	lines->started_ms = clock_real_ms();
	lines->answered_ms = clock_mono_ms();
	if (child_start(lines->loop, lines->alarms, lines->spec, &ops, lines, &lines->child,
	                &err) != 0) {
		alarm_set_real(lines->alarms, &lines->rest, REST_LEAST_MS);
		fail_all(&lines->queue, span_of(err.code), span_of(err.text), SPAN_NONE);
		return;
	}
	ask_queued(lines);
}

static void on_rested(struct alarm *alarm)
{
	struct lines *lines = MEM_CONTAINER(alarm, struct lines, rest);
	if (!list_is_empty(&lines->queue)) {
		run(lines);
	}
}

void lines_init(struct lines *lines)
{
	list_init(&lines->asked);
	list_init(&lines->queue);
	lines->rest.fn = on_rested;
}

void lines_start(struct lines *lines, struct call *call)
{
	struct line_call *line = MEM_NEW(struct line_call);
	line->call = call;
	list_init(&line->link);
	list_push(&lines->queue, &line->link);
	if (lines->child && lines->broken.ptr == NULL) {
		ask_queued(lines);
	} else if (lines->child == NULL && !alarm_is_set(&lines->rest)) {
		run(lines);
	}
}

static bool remove_call(struct list *calls, const struct call *call, int64_t *out_asked_ms)
{
	LIST_EACH(calls, link)
	{
		struct line_call *line = MEM_CONTAINER(link, struct line_call, link);
		if (line->call == call) {
			*out_asked_ms = line->asked_ms;
			line_call_free(line);
			return true;
		}
	}
	return false;
}

void lines_forget(struct lines *lines, struct call *call)
{
	int64_t asked_ms = 0;
	if (remove_call(&lines->queue, call, &asked_ms) ||
	    !remove_call(&lines->asked, call, &asked_ms) || lines->child == NULL) {
		return;
	}
	bool is_silent = lines->answered_ms <= asked_ms;
	if (is_silent && clock_mono_ms() - asked_ms >= STUCK_MS) {
		break_off(lines, SPAN("the process is stuck: it has let a call time out"),
		          SPAN(""));
	}
}

void lines_close(struct lines *lines)
{
	int64_t asked_ms;
	lines->closing = true;
	alarm_clear(lines->alarms, &lines->rest);
	while (!list_is_empty(&lines->asked)) {
		(void)remove_call(&lines->asked,
		                  LIST_FIRST(&lines->asked, struct line_call, link)->call,
		                  &asked_ms);
	}
	while (!list_is_empty(&lines->queue)) {
		(void)remove_call(&lines->queue,
		                  LIST_FIRST(&lines->queue, struct line_call, link)->call,
		                  &asked_ms);
	}
	if (lines->child) {
		child_stop(lines->child);
	} else {
		lines->drained(lines);
	}
}
