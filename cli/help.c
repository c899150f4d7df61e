/* This file explains the commands: help, the manual page and docs/cli.md, all from the table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/command.h"
#include <stdio.h>

/* Options that are no business of an invocation. */
static const struct option_row last_options[] = {
        {"help", NULL, "this text, or that of a command"},
        {"version", NULL, "the version"},
};

enum { LAST_COUNT = sizeof last_options / sizeof *last_options };

static const struct exit_row {
	enum exit_code code;
	const char *text;
} exit_rows[] = {
        {EXIT_DONE, "done"},
        {EXIT_FAILED, "refused or failed"},
        {EXIT_USAGE, "wrong command line"},
        {EXIT_UNREACHABLE, "no engine answers"},
        {EXIT_ABSENT, "no such thing"},
};

enum { EXIT_COUNT = sizeof exit_rows / sizeof *exit_rows };

static const struct variable_row {
	const char *name;
	const char *text;
} variables[] = {
        {"PAWL_TOKEN", "The token that goes along with every request."},
        {"NO_COLOR", "Where it is set and not empty there are no colours unless --color always."},
        {"TERM", "dumb: no colours and no progress bar."},
};

enum { VARIABLE_COUNT = sizeof variables / sizeof *variables };

static void write_exit_codes(struct buf *out)
{
	BUF_LITERAL(out, "exit codes: ");
	for (size_t i = 0; i < EXIT_COUNT; i++) {
		buf_format(out, "%s%d %s", i == 0 ? "" : ", ", exit_rows[i].code,
		           exit_rows[i].text);
	}
	BUF_LITERAL(out, "\n");
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

/* ---- options of one command, wherever they come from ---- */

enum { ROWS_MAX = OPTIONS_MAX + 16 };

struct rows {
	const struct option_row *rows[ROWS_MAX];
	size_t count;
};

static void add_row(struct rows *list, const struct option_row *row)
{
	PRE(list->count < ROWS_MAX);
	list->rows[list->count++] = row;
}

static struct rows own_rows(const struct command *command)
{
	struct rows list = {.count = 0};
	for (const struct option_row *row = command->options; row && row->name; row++) {
		add_row(&list, row);
	}
	for (size_t i = 0; command_shown_option(command, i) != NULL; i++) {
		add_row(&list, command_shown_option(command, i));
	}
	return list;
}

static struct rows common_rows(void)
{
	struct rows list = {.count = 0};
	for (size_t i = 0; command_common_option(i) != NULL; i++) {
		add_row(&list, command_common_option(i));
	}
	for (size_t i = 0; i < LAST_COUNT; i++) {
		add_row(&list, &last_options[i]);
	}
	return list;
}

static void write_option(const struct option_row *row, struct buf *out)
{
	size_t begin = out->len;
	buf_format(out, "  --%s %s", row->name, or_none(row->value));
	while (out->len - begin < 25) {
		buf_byte(out, ' ');
	}
	buf_format(out, " %s\n", row->help);
}

static void write_options(struct rows list, struct buf *out)
{
	for (size_t i = 0; i < list.count; i++) {
		write_option(list.rows[i], out);
	}
}

/* ---- help ---- */

static void write_command_line(const struct command *command, struct buf *out)
{
	size_t begin = out->len;
	buf_format(out, "  %s %s", command->name, or_none(command->args));
	while (out->len - begin < 28) {
		buf_byte(out, ' ');
	}
	buf_format(out, " %s\n", command->help);
}

static bool is_of_topic(const struct command *command, const char *topic)
{
	size_t len = topic ? strlen(topic) : 0;
	return topic == NULL || (strncmp(command->name, topic, len) == 0 &&
	                         (command->name[len] == ' ' || command->name[len] == '\0'));
}

static void write_list(const struct command_set *set, const char *topic, struct buf *out)
{
	if (topic == NULL) {
		BUF_LITERAL(out, "pawl: a trigger and workflow engine over state changes\n\n"
		                 "usage: pawl COMMAND [ARGUMENTS] [OPTIONS]\n");
	} else {
		buf_format(out, "usage: pawl %s COMMAND [ARGUMENTS] [OPTIONS]\n\n", topic);
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct command *command = &set->commands[i];
		if (topic == NULL && command->group != NULL) {
			buf_format(out, "\n%s\n", command->group);
		}
		if (is_of_topic(command, topic)) {
			write_command_line(command, out);
		}
	}
	BUF_LITERAL(out, "\nOptions of all commands\n");
	write_options(common_rows(), out);
	BUF_LITERAL(out, "\n`pawl help COMMAND` tells more. ");
	write_exit_codes(out);
}

static void write_one(const struct command *command, struct buf *out)
{
	buf_format(out, "usage: pawl %s %s%s[OPTIONS]\n\n%s\n\n", command->name,
	           or_none(command->args), command->args ? " " : "", command->help);
	write_options(own_rows(command), out);
	write_options(common_rows(), out);
}

void help_write(const struct invocation *invocation, struct buf *out)
{
	if (invocation->command != NULL) {
		write_one(invocation->command, out);
	} else {
		write_list(invocation->set, invocation->topic, out);
	}
}

/* ---- the manual page ---- */

/* Text that troff takes as it is: no line begins with a dot or an apostrophe, a backslash and a
 * hyphen are themselves. */
static void write_troff(const char *text, struct buf *out)
{
	if (*text == '.' || *text == '\'') {
		BUF_LITERAL(out, "\\&");
	}
	for (; *text != '\0'; text++) {
		if (*text == '\\') {
			BUF_LITERAL(out, "\\e");
		} else if (*text == '-') {
			BUF_LITERAL(out, "\\-");
		} else {
			buf_byte(out, *text);
		}
	}
}

/* ".B name" and ".I value" on one line, and the sentence below. */
static void write_tag(const char *dashes, const char *name, const char *value, const char *help,
                      struct buf *out)
{
	BUF_LITERAL(out, ".TP\n\\fB");
	write_troff(dashes, out);
	write_troff(name, out);
	BUF_LITERAL(out, "\\fR");
	if (value != NULL) {
		BUF_LITERAL(out, " \\fI");
		write_troff(value, out);
		BUF_LITERAL(out, "\\fR");
	}
	BUF_LITERAL(out, "\n");
	write_troff(help, out);
	BUF_LITERAL(out, "\n");
}

static void write_tags(struct rows list, struct buf *out)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct option_row *row = list.rows[i];
		write_tag("--", row->name, row->value, row->help, out);
	}
}

static void write_man_command(const struct command *command, struct buf *out)
{
	if (command->group != NULL) {
		BUF_LITERAL(out, ".SS ");
		write_troff(command->group, out);
		BUF_LITERAL(out, "\n");
	}
	write_tag("pawl ", command->name, command->args, command->help, out);
	struct rows list = own_rows(command);
	if (list.count != 0) {
		BUF_LITERAL(out, ".RS\n");
		write_tags(list, out);
		BUF_LITERAL(out, ".RE\n");
	}
}

static const char man_head[] =
        ".TH PAWL 1 \"2026-11-27\" \"pawl " PAWL_VERSION "\" \"User Commands\"\n.SH NAME\n"
        "pawl \\- a trigger and workflow engine over state changes\n.SH SYNOPSIS\n"
        ".B pawl\n.I COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
        "pawl stores state, turns every change into an event that cannot be lost, asks the "
        "triggers\nwhich of them it wakes, and gets worker functions to act on it.\n"
        "\\fBpawl run\\fR is the engine; most of the other commands ask one that runs.\n"
        ".SH COMMANDS\n";

static const char man_tail[] =
        ".SH FILES\n.TP\n\\fIconfig.yaml\\fR\nThe configuration, named with \\fB\\-\\-config\\fR. "
        "\\fBpawl check \\-\\-print\\-example\\fR prints one\nwith every option.\n.TP\n"
        "\\fIdata\\fR\nThe data directory: the journal's segments, the view of the records, and "
        "the lock of the\nengine that has it.\n.SH EXAMPLES\n.nf\npawl run \\-\\-config "
        "config.yaml\npawl set users ada '{\"plan\":\"free\"}'\npawl explain 1\n"
        "pawl export \\-\\-scope users \\-\\-output users.jsonl\npawl doctor \\-\\-config "
        "config.yaml\n.fi\n";

void help_write_man(const struct command_set *set, struct buf *out)
{
	BUF_LITERAL(out, man_head);
	for (size_t i = 0; i < set->count; i++) {
		write_man_command(&set->commands[i], out);
	}
	BUF_LITERAL(out, ".SH OPTIONS\nEvery command takes these.\n");
	write_tags(common_rows(), out);
	BUF_LITERAL(out, ".SH ENVIRONMENT\n");
	for (size_t i = 0; command_common_option(i) != NULL; i++) {
		if (command_common_variable(i) != NULL) {
			char text[64];
			(void)snprintf(text, sizeof text, "What is taken where no --%s is given.",
			               command_common_option(i)->name);
			write_tag("", command_common_variable(i), NULL, text, out);
		}
	}
	for (size_t i = 0; i < VARIABLE_COUNT; i++) {
		write_tag("", variables[i].name, NULL, variables[i].text, out);
	}
	BUF_LITERAL(out, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < EXIT_COUNT; i++) {
		const char code[] = {(char)('0' + exit_rows[i].code), '\0'};
		write_tag("", code, NULL, exit_rows[i].text, out);
	}
	BUF_LITERAL(out, man_tail);
}

/* ---- docs/cli.md ---- */

/* What --json prints. */
static void write_docs_answer(const struct command *command, struct buf *out)
{
	if (command->answer != NULL) {
		buf_format(out, "`--json`: %s\n\n", command->answer);
	} else if (command->path != NULL && command->list != NULL) {
		buf_format(out, "`--json`: the answer of `%s %s`; its list is `%s`.\n\n",
		           command->method, command->path, command->list);
	} else if (command->path != NULL) {
		buf_format(out, "`--json`: the answer of `%s %s`.\n\n", command->method,
		           command->path);
	}
}

static void write_docs_command(const struct command *command, struct buf *out)
{
	struct rows list = own_rows(command);
	buf_format(out, "### pawl %s%s%s\n\n%s\n\n", command->name, command->args ? " " : "",
	           or_none(command->args), command->help);
	for (size_t i = 0; i < list.count; i++) {
		const struct option_row *row = list.rows[i];
		buf_format(out, "- `--%s%s%s`: %s\n", row->name, row->value ? " " : "",
		           or_none(row->value), row->help);
	}
	if (list.count != 0) {
		BUF_LITERAL(out, "\n");
	}
	write_docs_answer(command, out);
}

void help_write_docs(const struct command_set *set, struct buf *out)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->commands[i].group != NULL) {
			buf_format(out, "## %s\n\n", set->commands[i].group);
		}
		write_docs_command(&set->commands[i], out);
	}
	out->len -= out->len != 0; /* the last line is no empty one */
}

/* ---- for programs ---- */

void help_write_json(const struct command_set *set, struct buf *out)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct command *command = &set->commands[i];
		struct rows list = own_rows(command);
		buf_byte(out, '{');
		json_write_member_string(out, "command", span_of(command->name));
		json_write_member_string(out, "args", span_of(or_none(command->args)));
		json_write_member_string(out, "help", span_of(command->help));
		BUF_LITERAL(out, ",\"options\":[");
		for (size_t j = 0; j < list.count; j++) {
			BUF_LITERAL(out, "{");
			json_write_member_string(out, "name", span_of(list.rows[j]->name));
			json_write_member_string(out, "value",
			                         span_of(or_none(list.rows[j]->value)));
			buf_format(out, "}%s", j + 1 < list.count ? "," : "");
		}
		BUF_LITERAL(out, "]}\n");
	}
}
