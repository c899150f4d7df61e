/* This file reads command lines by the table of commands, and explains them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- help ---- */

static const char usage[] = "pawl: a trigger and workflow engine over state changes\n"
                            "\n"
                            "usage: pawl COMMAND [ARGUMENTS] [OPTIONS]\n"
                            "\n";

/* Options that every command takes, and where in the invocation they go. */
static const struct common_option {
	struct option_row row;
	size_t offset;        /* of a const char *; of a bool when it takes no value */
	const char *variable; /* of the environment: the value where none is given */
	const char *otherwise;
} common_options[] = {
        {{"json", NULL, "print the answer as the engine gave it"},
         offsetof(struct invocation, json),
         NULL,
         NULL},
        {{"url", "URL", "the engine to ask (default PAWL_URL, else http://127.0.0.1:49134)"},
         offsetof(struct invocation, engine.link.url),
         "PAWL_URL",
         "http://127.0.0.1:49134"},
        {{"ca", "FILE", "whose signature its certificate needs (default PAWL_CA)"},
         offsetof(struct invocation, engine.link.ca_file),
         "PAWL_CA",
         NULL},
        {{"insecure-tls", NULL, "do not look at its certificate"},
         offsetof(struct invocation, engine.link.insecure_tls),
         NULL,
         NULL},
};

enum { COMMON_COUNT = sizeof common_options / sizeof *common_options };

static const char last_options[] = "  --help           this text, or that of a command\n"
                                   "  --version        the version\n";

static const char wide_help[] = "show every cell whole, however long the lines become";

static const char exit_codes[] = "exit codes: 0 done, 1 refused or failed, 2 wrong command line, "
                                 "3 no engine answers, 4 no such thing\n";

static void write_common_options(struct buf *out)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct option_row *row = &common_options[i].row;
		char left[32];
		(void)snprintf(left, sizeof left, "--%s %s", row->name,
		               row->value ? row->value : "");
		buf_format(out, "  %-16s %s\n", left, row->help);
	}
	BUF_LITERAL(out, last_options);
}

static void print_common_options(FILE *to)
{
	struct buf text = {0};
	write_common_options(&text);
	(void)fwrite(text.ptr, 1, text.len, to);
	buf_free(&text);
}

static void print_help(const struct command_set *set, FILE *to)
{
	(void)fputs(usage, to);
	for (size_t i = 0; i < set->count; i++) {
		char left[64];
		(void)snprintf(left, sizeof left, "%s %s", set->commands[i].name,
		               set->commands[i].args ? set->commands[i].args : "");
		(void)fprintf(to, "  %-26s %s\n", left, set->commands[i].help);
	}
	(void)fputs("\n", to);
	print_common_options(to);
	(void)fprintf(to, "\n%s", exit_codes);
}

static void print_command_help(const struct command *command)
{
	printf("usage: pawl %s %s[OPTIONS]\n\n%s\n\n", command->name,
	       command->args ? command->args : "", command->help);
	for (const struct option_row *row = command->options; row && row->name; row++) {
		char left[48];
		(void)snprintf(left, sizeof left, "--%s %s", row->name,
		               row->value ? row->value : "");
		printf("  %-22s %s\n", left, row->help);
	}
	if (command->columns != NULL) {
		printf("  %-22s %s\n", "--wide", wide_help);
	}
	print_common_options(stdout);
}

void command_print_man(const struct command_set *set, struct buf *out)
{
	BUF_LITERAL(out, ".TH PAWL 1\n.SH NAME\npawl \\- a trigger and workflow engine over state "
	                 "changes\n.SH SYNOPSIS\n.B pawl\n.I COMMAND\n[ARGUMENTS] [OPTIONS]\n"
	                 ".SH COMMANDS\n");
	for (size_t i = 0; i < set->count; i++) {
		const struct command *command = &set->commands[i];
		buf_format(out, ".TP\n.B %s\n.I %s\n%s\n", command->name,
		           command->args ? command->args : "", command->help);
		for (const struct option_row *row = command->options; row && row->name; row++) {
			buf_format(out, ".RS\n.TP\n.B \\-\\-%s\n.I %s\n%s\n.RE\n", row->name,
			           row->value ? row->value : "", row->help);
		}
		if (command->columns != NULL) {
			buf_format(out, ".RS\n.TP\n.B \\-\\-wide\n%s\n.RE\n", wide_help);
		}
	}
	BUF_LITERAL(out, ".SH OPTIONS\n.nf\n");
	write_common_options(out);
	buf_format(out, ".fi\n.SH EXIT STATUS\n%s", exit_codes);
}

/* ---- reading a command line ---- */

/* How many words of the line are the command's name; 0 = it is another one. */
static int name_words(const struct command *command, int argc, char **argv)
{
	const char *name = command->name;
	for (int i = 0; i < argc; i++) {
		size_t len = strcspn(name, " ");
		if (strlen(argv[i]) != len || strncmp(argv[i], name, len) != 0) {
			return 0;
		}
		name += len;
		if (*name == '\0') {
			return i + 1;
		}
		name++;
	}
	return 0;
}

static const struct command *find_command(const struct command_set *set, int argc, char **argv,
                                          int *out_words)
{
	const struct command *found = NULL;
	int most = 0;
	for (size_t i = 0; i < set->count; i++) {
		int words = name_words(&set->commands[i], argc, argv);
		if (words > most) { /* "jobs" and "jobs cancel" are two */
			most = words;
			found = &set->commands[i];
		}
	}
	*out_words = most;
	return found;
}

static void count_args(const struct command *command, size_t *out_least, size_t *out_most)
{
	*out_least = 0;
	*out_most = 0;
	for (const char *at = command->args; at != NULL && *at != '\0';) {
		*out_most += 1;
		*out_least += *at != '[';
		at += strcspn(at, " ");
		at += *at == ' ';
	}
}

int command_wrong(const struct invocation *invocation, const char *what, const char *word)
{
	(void)fprintf(stderr, "pawl %s: %s%s%s; see `pawl %s --help`\n", invocation->command->name,
	              what, word ? " " : "", word ? word : "", invocation->command->name);
	return EXIT_USAGE;
}

/* The only option that begins with this letter, as -f stands for --file. */
static const struct option_row *find_letter(const struct command *command, const char *word)
{
	const struct option_row *found = NULL;
	if (word[0] != '-' || word[1] == '-' || word[1] == '\0' || word[2] != '\0') {
		return NULL;
	}
	for (const struct option_row *row = command->options; row && row->name; row++) {
		if (row->name[0] == word[1]) {
			if (found != NULL) {
				return NULL;
			}
			found = row;
		}
	}
	return found;
}

/* Where the value of an option goes: a const char *, or a bool (*out_is_flag). */
static void *find_option(struct invocation *invocation, struct span name, bool *out_takes_value,
                         bool *out_is_flag)
{
	const struct option_row *own = invocation->command->options;
	*out_takes_value = false;
	*out_is_flag = true;
	if (span_is(name, "wide") && invocation->command->columns != NULL) {
		return &invocation->wide;
	}
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct common_option *common = &common_options[i];
		if (span_is(name, common->row.name)) {
			*out_takes_value = common->row.value != NULL;
			*out_is_flag = !*out_takes_value;
			return (char *)invocation + common->offset;
		}
	}
	*out_is_flag = false;
	for (size_t i = 0; own != NULL && own[i].name != NULL; i++) {
		if (span_is(name, own[i].name)) {
			*out_takes_value = own[i].value != NULL;
			return &invocation->options[i];
		}
	}
	return NULL;
}

/* Takes one option at argv[*at]; moves *at to its last word. */
static int take_option(struct invocation *invocation, int argc, char **argv, int *at)
{
	const struct option_row *letter = find_letter(invocation->command, argv[*at]);
	const char *name = letter ? letter->name : argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	bool takes_value;
	bool is_flag;
	void *target = find_option(invocation, span_make(name, len), &takes_value, &is_flag);
	if (target == NULL) {
		return command_wrong(invocation, "no such option:", argv[*at]);
	}
	if (is_flag) {
		*(bool *)target = true;
	} else if (!takes_value) {
		*(const char **)target = "";
	} else if (equals != NULL) {
		*(const char **)target = equals + 1;
	} else if (*at + 1 < argc) {
		*(const char **)target = argv[++*at];
	} else {
		return command_wrong(invocation, "an option lacks its value:", argv[*at]);
	}
	return 0;
}

/* What the command line left open. */
static void fill_common(struct invocation *invocation)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct common_option *common = &common_options[i];
		if (common->variable == NULL) {
			continue;
		}
		const char **value = (const char **)(void *)((char *)invocation + common->offset);
		const char *said = getenv(common->variable);
		if (*value == NULL) {
			*value = said ? said : common->otherwise;
		}
	}
}

static bool asks_for(int argc, char **argv, const char *option)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], option) == 0) {
			return true;
		}
	}
	return false;
}

int command_parse(const struct command_set *set, int argc, char **argv, struct invocation *out)
{
	*out = (struct invocation){.set = set};
	int words = 0;
	const struct command *command = find_command(set, argc - 1, argv + 1, &words);
	bool help = asks_for(argc, argv, "--help") || asks_for(argc, argv, "-h");
	if (command == NULL) {
		if (asks_for(argc, argv, "--version")) {
			printf("pawl %s\n", PAWL_VERSION);
			return EXIT_DONE;
		}
		print_help(set, help ? stdout : stderr);
		if (!help && argc > 1) {
			(void)fprintf(stderr, "\npawl: there is no command \"%s\"\n", argv[1]);
		}
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	if (help) {
		print_command_help(command);
		return EXIT_DONE;
	}
	out->command = command;
	size_t least;
	size_t most;
	size_t count = 0;
	count_args(command, &least, &most);
	for (int i = 1 + words; i < argc; i++) {
		bool is_option = strncmp(argv[i], "--", 2) == 0 || find_letter(command, argv[i]);
		if (is_option) {
			if (take_option(out, argc, argv, &i) != 0) {
				return EXIT_USAGE;
			}
		} else if (count < most) {
			out->args[count++] = argv[i];
		} else {
			return command_wrong(out, "too many arguments:", argv[i]);
		}
	}
	if (count < least) {
		return command_wrong(out, "arguments are missing:", command->args);
	}
	fill_common(out);
	return EXIT_DONE;
}

const char *command_option(const struct invocation *invocation, const char *name)
{
	const struct option_row *row = invocation->command->options;
	for (size_t i = 0; row != NULL && row[i].name != NULL; i++) {
		if (strcmp(row[i].name, name) == 0) {
			return invocation->options[i];
		}
	}
	return NULL;
}
