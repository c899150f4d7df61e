/* This file sends events and triggers to be judged, and lays out the reasons. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/why.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "cli/trigger_file.h"
#include "wire/url.h"
#include <stdio.h>

static int fail(const struct err *err)
{
	(void)fprintf(stderr, "pawl: %s\n", err->text);
	return EXIT_FAILED;
}

/* ---- members of an answer ---- */

static struct span member(struct span object, const char *name)
{
	struct span value = SPAN_NONE;
	if (object.ptr != NULL && json_kind(object) == JSON_OBJECT) {
		(void)json_get(object, span_of(name), &value);
	}
	return value;
}

static uint64_t number(struct span object, const char *name)
{
	uint64_t value = 0;
	struct span found = member(object, name);
	if (found.ptr != NULL) {
		(void)json_uint64(found, &value);
	}
	return value;
}

/* Appends a text as one line in which nothing steers a terminal. */
static void add_text(struct buf *out, struct span value)
{
	struct buf text = {0};
	if (value.ptr != NULL && json_kind(value) == JSON_STRING) {
		json_string(value, &text);
	}
	terminal_write_safe(buf_view(&text), out);
	buf_free(&text);
}

static void print_line(struct buf *line)
{
	printf("%.*s\n", SPAN_ARG(buf_view(line)));
	buf_clear(line);
}

/* ---- explain ---- */

static void add_param(struct buf *path, const char *name, const char *value)
{
	if (value != NULL) {
		bool is_first = memchr(path->ptr, '?', path->len) == NULL;
		buf_format(path, "%c%s=", is_first ? '?' : '&', name);
		url_encode(span_of(value), path);
	}
}

int why_explain(const struct invocation *invocation)
{
	const char *event = invocation->args[0];
	bool is_seq = event[0] != '\0' && event[strspn(event, "0123456789")] == '\0';
	struct buf path = {0};
	struct buf text = {0};
	struct span body = SPAN_NONE;
	struct err err;
	int code = EXIT_DONE;
	if (is_seq) {
		buf_format(&path, "/v1/events/%s/explain", event);
	} else {
		BUF_LITERAL(&path, "/v1/explain");
		if (files_read_json(event, &text, &body, &err) != 0) {
			code = fail(&err);
		}
	}
	add_param(&path, "trigger", command_option(invocation, "trigger"));
	add_param(&path, "limit", command_option(invocation, "limit"));
	if (code == EXIT_DONE) {
		code = remote_ask(invocation, is_seq ? "GET" : "POST", buf_view(&path), body);
	}
	buf_free(&path);
	buf_free(&text);
	return code;
}

/* "new_value.plan   "free" (string)". */
static void print_value(struct span value, const char *indent, struct buf *line)
{
	struct span error = member(value, "error");
	BUF_LITERAL(line, "  ");
	buf_span(line, span_of(indent));
	add_text(line, member(value, "source"));
	if (error.ptr != NULL) {
		BUF_LITERAL(line, "  failed: ");
		add_text(line, member(error, "text"));
	} else {
		BUF_LITERAL(line, "  is ");
		add_text(line, member(value, "value"));
	}
	print_line(line);
}

static void print_reason(struct span reason, struct buf *line)
{
	struct span saw = member(reason, "saw");
	struct span item;
	add_text(line, member(reason, "text"));
	print_line(line);
	if (member(reason, "conjunct").ptr != NULL) {
		print_value(member(reason, "conjunct"), "", line);
	}
	if (saw.ptr != NULL) {
		for (struct json_iter iter = json_iter(saw); json_next_item(&iter, &item);) {
			print_value(item, "  ", line);
		}
	}
	if (member(reason, "now").ptr != NULL) {
		BUF_LITERAL(line, "  now: ");
		print_reason(member(reason, "now"), line);
	}
}

/* "3 more: 2 scope, 1 key". */
static void print_counts(struct span counts, const char *what, struct buf *line)
{
	uint64_t sum = 0;
	struct span name;
	struct span value;
	struct buf list = {0};
	if (counts.ptr == NULL) {
		return;
	}
	for (struct json_iter iter = json_iter(counts); json_next_member(&iter, &name, &value);) {
		uint64_t count = 0;
		(void)json_uint64(value, &count);
		buf_format(&list, "%s%llu %.*s", sum != 0 ? ", " : "", (unsigned long long)count,
		           SPAN_ARG(name));
		sum += count;
	}
	if (sum != 0) {
		buf_format(line, "%llu %s: %.*s", (unsigned long long)sum, what,
		           SPAN_ARG(buf_view(&list)));
		print_line(line);
	}
	buf_free(&list);
}

static void add_event(struct span event, struct buf *line)
{
	buf_format(line, "%llu  ", (unsigned long long)number(event, "seq"));
	add_text(line, member(event, "time"));
	BUF_LITERAL(line, "  ");
	add_text(line, member(event, "event_type"));
	BUF_LITERAL(line, "  ");
	add_text(line, member(event, "scope"));
	BUF_LITERAL(line, "  ");
	add_text(line, member(event, "key"));
}

void why_show_explanation(struct span answer)
{
	struct buf line = {0};
	struct span triggers = member(answer, "triggers");
	struct span trigger;
	BUF_LITERAL(&line, "event ");
	add_event(member(answer, "event"), &line);
	print_line(&line);
	if (triggers.ptr != NULL) {
		bool any = false;
		for (struct json_iter iter = json_iter(triggers);
		     json_next_item(&iter, &trigger);) {
			any = true;
			add_text(&line, member(trigger, "id"));
			BUF_LITERAL(&line, "  ");
			print_reason(trigger, &line);
		}
		if (!any) {
			BUF_LITERAL(&line, "there are no triggers");
			print_line(&line);
		}
	}
	print_counts(member(answer, "rest"), "more", &line);
	buf_free(&line);
}

/* ---- trying a trigger ---- */

static void write_request(const struct config_trigger *trigger, const char *last, const char *since,
                          struct buf *out)
{
	buf_byte(out, '{');
	if (last != NULL) {
		json_write_member_raw(out, "last", span_of(last));
	}
	if (since != NULL) {
		json_write_member_raw(out, "since", span_of(since));
	}
	json_write_name(out, "trigger");
	buf_byte(out, '{');
	json_write_member_string(out, "type", span_of(trigger->type));
	json_write_member_string(out, "function_id", span_of(trigger->function));
	json_write_member_raw(out, "config", span_of(trigger->config));
	if (trigger->metadata != NULL) {
		json_write_member_raw(out, "metadata", span_of(trigger->metadata));
	}
	BUF_LITERAL(out, "}}");
}

static bool is_count(const char *text)
{
	return text == NULL || (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' &&
	                        (text[0] != '0' || text[1] == '\0'));
}

int why_test(const struct invocation *invocation)
{
	const char *path = command_option(invocation, "file");
	const char *last = command_option(invocation, "last");
	const char *since = command_option(invocation, "since");
	const struct trigger_names names = {.id = "trial", .function = "trial"};
	static struct report report;
	struct config *config = NULL;
	struct buf body = {0};
	struct err err = {0};
	int code = EXIT_FAILED;
	if (path == NULL) {
		return command_wrong(invocation, "name the trigger's file with --file", NULL);
	}
	if (!is_count(last) || !is_count(since)) {
		return command_wrong(invocation, "--last and --since take a number, not",
		                     is_count(last) ? since : last);
	}
	config = MEM_NEW(struct config);
	if (trigger_file_load(path, &names, config, &report, &err) != 0) {
		trigger_file_complain(path, &report, &err);
	} else {
		write_request(&config->triggers[0], last, since, &body);
		code = remote_ask(invocation, "POST", SPAN("/v1/triggers:test"), buf_view(&body));
	}
	report_close(&report);
	config_free_items(config);
	mem_free(config);
	buf_free(&body);
	return code;
}

static void print_sum(struct span answer, struct buf *line)
{
	buf_format(line, "%llu of %llu events would have fired it",
	           (unsigned long long)number(answer, "matched"),
	           (unsigned long long)number(answer, "seen"));
	if (number(answer, "seen") != 0) {
		buf_format(line, " (seq %llu to %llu)",
		           (unsigned long long)number(answer, "first_seq"),
		           (unsigned long long)number(answer, "last_seq"));
	}
	print_line(line);
	buf_format(line, "considered %llu, condition false %llu, condition errors %llu",
	           (unsigned long long)number(answer, "considered"),
	           (unsigned long long)number(answer, "condition_false"),
	           (unsigned long long)number(answer, "condition_errors"));
	print_line(line);
	buf_format(line, "evaluation %llu ns, reading the event %llu ns",
	           (unsigned long long)number(answer, "evaluation_ns"),
	           (unsigned long long)number(answer, "reading_ns"));
	print_line(line);
}

void why_show_trial(struct span answer)
{
	struct buf line = {0};
	struct span matches = member(answer, "matches");
	struct span error = member(answer, "first_error");
	struct span match;
	if (matches.ptr != NULL) {
		for (struct json_iter iter = json_iter(matches); json_next_item(&iter, &match);) {
			add_event(match, &line);
			print_line(&line);
		}
	}
	if (number(answer, "left_out") != 0) {
		buf_format(&line, "and %llu more", (unsigned long long)number(answer, "left_out"));
		print_line(&line);
	}
	print_sum(answer, &line);
	print_counts(member(answer, "counts"), "judged", &line);
	if (error.ptr != NULL && !json_is_null(error)) {
		buf_format(&line, "first error, at event %llu: ",
		           (unsigned long long)number(error, "seq"));
		add_text(&line, member(error, "text"));
		print_line(&line);
	}
	if (!json_is_true(member(answer, "complete"))) {
		buf_format(&line, "stopped early: it took too long; go on with --since %llu",
		           (unsigned long long)number(answer, "last_seq"));
		print_line(&line);
	}
	buf_free(&line);
}

/* ---- triggers ---- */

static void say_condition_error(struct span trigger, struct buf *line)
{
	struct span error = member(trigger, "last_condition_error");
	if (error.ptr == NULL || json_kind(error) != JSON_OBJECT) {
		return;
	}
	add_text(line, member(trigger, "id"));
	buf_format(line, ": its condition failed %llu time%s, last at event %llu: ",
	           (unsigned long long)number(trigger, "condition_errors"),
	           number(trigger, "condition_errors") == 1 ? "" : "s",
	           (unsigned long long)number(error, "seq"));
	add_text(line, member(error, "text"));
}

static void say_warning(struct span trigger, struct buf *line)
{
	struct span warning = member(trigger, "warning");
	if (warning.ptr != NULL) {
		add_text(line, member(trigger, "id"));
		BUF_LITERAL(line, " may wake itself: ");
		add_text(line, warning);
	}
}

void why_show_errors(struct span triggers)
{
	static void (*const say[])(struct span trigger, struct buf * line) = {say_condition_error,
	                                                                      say_warning};
	struct buf line = {0};
	struct span trigger;
	bool is_first = true;
	for (struct json_iter iter = json_iter(triggers); json_next_item(&iter, &trigger);) {
		for (size_t i = 0; i < sizeof say / sizeof *say; i++) {
			say[i](trigger, &line);
			if (line.len != 0 && is_first) {
				printf("\n");
				is_first = false;
			}
			if (line.len != 0) {
				print_line(&line);
			}
		}
	}
	buf_free(&line);
}
