/* This file answers expressions over a sample event, one from the command line or line by line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/calculator.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/print.h"
#include "triggers/condition_env.h"
#include "triggers/event_draft.h"
#include "triggers/expr/expr.h"
#include "triggers/expr/failure.h"
#include "triggers/matching.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN_MOST = 64 * 1024 };

static const char SAMPLE[] =
        "{\"event_type\":\"state:updated\",\"scope\":\"users\",\"key\":\"ada\","
        "\"old_value\":{\"plan\":\"free\",\"visits\":41,\"email\":\"ada@old.example\"},"
        "\"new_value\":{\"plan\":\"pro\",\"visits\":42,\"email\":\"ada@new.example\","
        "\"tags\":[\"early\",\"paying\"]},\"seq\":7,\"time\":\"2026-01-02T03:04:05.678Z\"}";

static const char HELP[] = "an expression   its value, for the event: new_value.visits > 40 && "
                           "changed('plan')\n"
                           ":event          shows the event\n"
                           ":event FILE     takes another one, as JSON\n"
                           ":vars           lists the variables and helpers\n"
                           ":quit           ends\n";

struct calculator {
	struct condition_env *env;
	struct matching matching;
	struct buf file;  /* the event's text */
	struct buf texts; /* and what was unescaped of it */
	struct span json; /* of the event; borrowed from `file`, or the sample */
	struct event event;
	bool is_json;
};

/* ---- the event ---- */

/* Keeps the old event when the new one is none. */
static int take_event(struct calculator *calculator, const char *path, struct err *err)
{
	struct buf file = {0};
	struct buf texts = {0};
	struct span json = span_of(SAMPLE);
	struct event event;
	int status = path != NULL ? files_read_json(path, &file, &json, err) : 0;
	if (status == 0 && event_draft_read(json, &texts, &event, err) != 0) {
		status = path != NULL ? err_wrap(err, "%s", path) : err->number;
	}
	if (status != 0) {
		buf_free(&file);
		buf_free(&texts);
		return status;
	}
	buf_free(&calculator->file);
	buf_free(&calculator->texts);
	calculator->file = file;
	calculator->texts = texts;
	calculator->json = json;
	calculator->event = event;
	matching_begin(&calculator->matching, &calculator->event);
	return 0;
}

/* ---- answers ---- */

static void print_out(struct buf *out, FILE *to)
{
	(void)fprintf(to, "%.*s\n", SPAN_ARG(buf_view(out)));
	buf_free(out);
}

static void print_fault(const struct calculator *calculator, const struct fault *fault,
                        struct span source)
{
	struct buf text = {0};
	struct buf out = {0};
	fault_print(fault, source, &text);
	if (!calculator->is_json) {
		print_out(&text, stderr);
		return;
	}
	BUF_LITERAL(&out, "{\"error\":{");
	json_write_member_string(&out, "code", SPAN("invalid_expression"));
	json_write_member_string(&out, "text", span_of(fault->text));
	json_write_member_string(&out, "hint", span_of(fault->hint));
	json_write_member_uint(&out, "line", fault->line);
	json_write_member_uint(&out, "column", fault->column);
	json_write_member_string(&out, "shown", buf_view(&text));
	BUF_LITERAL(&out, "}}");
	print_out(&out, stdout);
	buf_free(&text);
}

static void write_value(struct calculator *calculator, struct value value, struct buf *out)
{
	struct allowance *allowance = &calculator->matching.values.allowance;
	struct buf text = {0};
	struct buf json = {0};
	value_write_text(allowance, value, SHOWN_MOST, &text);
	if (!calculator->is_json) {
		buf_format(out, "%.*s : %s", SPAN_ARG(buf_view(&text)), value_tag_name(value));
	} else {
		buf_byte(out, '{');
		json_write_member_string(out, "type", span_of(value_tag_name(value)));
		json_write_member_string(out, "text", buf_view(&text));
		if (!value_is_error(value_write_json(allowance, value, &json))) {
			json_write_member_raw(out, "value", buf_view(&json));
		}
		buf_byte(out, '}');
	}
	buf_free(&json);
	buf_free(&text);
}

static void write_error(const struct calculator *calculator, struct span source, struct value error,
                        struct buf *out)
{
	struct buf text = {0};
	failure_write(source, error, &text);
	if (!calculator->is_json) {
		buf_format(out, "error: %.*s (%s)", SPAN_ARG(buf_view(&text)),
		           value_error_word((enum value_error)error.code));
	} else {
		BUF_LITERAL(out, "{\"error\":{");
		json_write_member_string(out, "code",
		                         span_of(value_error_word((enum value_error)error.code)));
		json_write_member_string(out, "text", buf_view(&text));
		BUF_LITERAL(out, "}}");
	}
	buf_free(&text);
}

static int evaluate(struct calculator *calculator, struct span source)
{
	struct fault fault = {0};
	struct expr *expr = NULL;
	struct buf out = {0};
	if (expr_new(&calculator->env->views[VIEW_EVENT], source, EXPR_ANY, &expr, &fault) != 0) {
		print_fault(calculator, &fault, source);
		return EXIT_USAGE;
	}
	/* Each expression has the whole budget, and the arena to itself. */
	matching_begin(&calculator->matching, &calculator->event);
	struct activation *values = matching_values(&calculator->matching);
	struct value value = matching_eval(&calculator->matching, expr, values);
	bool is_error = value_is_error(value);
	if (is_error) {
		write_error(calculator, source, value, &out);
	} else {
		write_value(calculator, value, &out);
	}
	print_out(&out, is_error && !calculator->is_json ? stderr : stdout);
	expr_free(expr);
	return is_error ? EXIT_FAILED : EXIT_DONE;
}

/* ---- line by line ---- */

static void list_names(const struct calculator *calculator)
{
	const struct expr_env *view = &calculator->env->views[VIEW_EVENT];
	for (size_t i = 0; i < view->variable_count; i++) {
		struct span name = view->variables[i].name;
		if (memchr(name.ptr, '.', name.len) == NULL) {
			printf("%.*s\n", SPAN_ARG(name));
		}
	}
	for (const struct ast_macro *macro = view->macros; macro->name != NULL; macro++) {
		printf("%s()\n", macro->name);
	}
}

/* ":event x" and its like. False: it is time to end. */
static bool obey(struct calculator *calculator, char *line)
{
	struct err err;
	if (strcmp(line, ":quit") == 0) {
		return false;
	}
	if (strcmp(line, ":event") == 0) {
		print_json(calculator->json);
	} else if (strncmp(line, ":event ", 7) == 0) {
		if (take_event(calculator, line + 7, &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
		}
	} else if (strcmp(line, ":vars") == 0) {
		list_names(calculator);
	} else {
		(void)fputs(HELP, stdout);
	}
	return true;
}

static int converse(struct calculator *calculator)
{
	bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	char *line = NULL;
	size_t room = 0;
	int code = EXIT_DONE;
	bool goes_on = true;
	if (is_terminal) {
		(void)fputs("an expression, :help or :quit\n", stdout);
	}
	while (goes_on) {
		if (is_terminal) {
			(void)fputs("> ", stdout);
		}
		(void)fflush(stdout);
		ssize_t len = getline(&line, &room, stdin);
		if (len < 0) {
			break;
		}
		while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL) {
			line[--len] = '\0';
		}
		if (line[0] == ':') {
			goes_on = obey(calculator, line);
		} else if (len > 0) {
			int failed = evaluate(calculator, span_make(line, (size_t)len));
			code = is_terminal || failed == EXIT_DONE ? code : EXIT_FAILED;
		}
	}
	free(line);
	return code;
}

int calculator_run(const struct invocation *invocation)
{
	const char *source = invocation->args[0];
	const char *path = command_option(invocation, "event");
	struct err err;
	if (source == NULL && path != NULL && strcmp(path, "-") == 0) {
		return command_wrong(invocation, "with --event - the expression is an argument",
		                     NULL);
	}
	struct calculator calculator = {.is_json = invocation->json};
	calculator.env = condition_env_new();
	calculator.env->event_users = 1; /* any expression may come */
	matching_init(&calculator.matching, calculator.env, SPAN("sample"));
	int code = EXIT_FAILED;
	if (take_event(&calculator, path, &err) != 0) {
		(void)fprintf(stderr, "pawl eval: %s\n", err.text);
	} else {
		code = source != NULL ? evaluate(&calculator, span_of(source))
		                      : converse(&calculator);
	}
	matching_close(&calculator.matching);
	condition_env_free(calculator.env);
	buf_free(&calculator.file);
	buf_free(&calculator.texts);
	return code;
}
