/* This file is the table of commands, and reads command lines by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "cli/local.h"
#include "cli/remote.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row run_options[] = {
        {"config", "FILE", "the configuration; without it everything is at its default"},
        {"listen", "ADDR", "address to listen on, instead of the configuration's"},
        {"data", "DIR", "data directory, instead of the configuration's"},
        {NULL, NULL, NULL},
};

static const struct option_row check_options[] = {
        {"config", "FILE", "the configuration to judge"},
        {"print-example", NULL, "print config.yaml.example and do nothing else"},
        {"print-man", NULL, "print the manual page and do nothing else"},
        {NULL, NULL, NULL},
};

static const struct option_row write_options[] = {
        {"if-rev", "REV", "only if the revision is this one; 0 = only if the key does not exist"},
        {NULL, NULL, NULL},
};

static const struct option_row list_options[] = {
        {"prefix", "TEXT", "only keys that begin so"},
        {"start", "KEY", "from this key on"},
        {"end", "KEY", "up to this key, without it"},
        {"limit", "N", "at most so many"},
        {"cursor", "TEXT", "go on where the last page ended"},
        {"reverse", NULL, "from the end"},
        {NULL, NULL, NULL},
};

static const struct option_row event_options[] = {
        {"since", "SEQ", "events behind this one; without it the last ones"},
        {"limit", "N", "at most so many"},
        {"scope", "SCOPE", "of this scope only"},
        {"follow", NULL, "go on showing what comes"},
        {NULL, NULL, NULL},
};

static const struct option_row job_options[] = {
        {"trigger", "ID", "of this trigger only"},
        {"limit", "N", "at most so many"},
        {NULL, NULL, NULL},
};

static const struct option_row invoke_options[] = {
        {"namespace", "NAME", "where the function is; \"default\" without it"},
        {"timeout_ms", "N", "how long to wait"},
        {"void", NULL, "do not wait for the result"},
        {NULL, NULL, NULL},
};

static const struct option_row function_options[] = {
        {"include_internal", NULL, "the engine's own too"},
        {NULL, NULL, NULL},
};

static const struct command commands[] = {
        {.name = "run", .help = "Start the engine.", .options = run_options, .run = local_run},
        {.name = "check",
         .help = "Judge a configuration without running it.",
         .options = check_options,
         .run = local_check},
        {.name = "set",
         .args = "SCOPE KEY JSON",
         .help = "Set the value of a key.",
         .options = write_options,
         .method = "PUT",
         .path = "/v1/state/{1}/{2}",
         .body = "3"},
        {.name = "get",
         .args = "SCOPE KEY",
         .help = "Show the value of a key.",
         .method = "GET",
         .path = "/v1/state/{1}/{2}"},
        {.name = "delete",
         .args = "SCOPE KEY",
         .help = "Delete a key.",
         .options = write_options,
         .method = "DELETE",
         .path = "/v1/state/{1}/{2}"},
        {.name = "update",
         .args = "SCOPE KEY OPS",
         .help = "Change a value by a JSON list of operations.",
         .run = remote_update},
        {.name = "list",
         .args = "SCOPE",
         .help = "List the keys of a scope.",
         .options = list_options,
         .method = "GET",
         .path = "/v1/state/{1}",
         .list = "items",
         .columns = "KEY:key REV:rev VALUE:value"},
        {.name = "scopes", .help = "List the scopes.", .run = remote_scopes},
        {.name = "events", .help = "Show events.", .options = event_options, .run = remote_events},
        {.name = "triggers",
         .help = "List triggers.",
         .method = "GET",
         .path = "/v1/triggers",
         .list = "registered_triggers",
         .columns = "ID:id TYPE:trigger_type FUNCTION:function_id STATUS:status WAITING:waiting "
                    "DELIVERED:delivered RETRIES:retries DEAD:dead CONFIG:config"},
        {.name = "functions",
         .help = "List the functions that somebody serves.",
         .options = function_options,
         .method = "GET",
         .path = "/v1/functions",
         .list = "functions",
         .columns = "FUNCTION:function_id NAMESPACE:namespace KIND:kind PROVIDERS:providers "
                    "RUNNING:running DESCRIPTION:description"},
        {.name = "invoke",
         .args = "FUNCTION [JSON]",
         .help = "Call a function and show its result.",
         .options = invoke_options,
         .method = "POST",
         .path = "/v1/functions/{1}/invoke",
         .body = "2"},
        {.name = "workers",
         .help = "List workers.",
         .method = "GET",
         .path = "/v1/workers",
         .list = "workers",
         .columns = "ID:id NAME:name NAMESPACE:namespace STATUS:status "
                    "FUNCTIONS:function_count RUNNING:active_invocations"},
        {.name = "jobs",
         .help = "List deliveries that are owed.",
         .options = job_options,
         .method = "GET",
         .path = "/v1/jobs",
         .list = "jobs",
         .columns = "ID:id STATE:state FAILED:failed_attempts AGE_MS:age_ms DUE:due PARKED:parked "
                    "SCOPE:scope KEY:key"},
        {.name = "dead list",
         .help = "List dead letters, newest first.",
         .options = job_options,
         .method = "GET",
         .path = "/v1/dead",
         .list = "dead",
         .columns = "ID:id FUNCTION:function_id DIED:died_at REASON:reason MESSAGE:message"},
        {.name = "dead show",
         .args = "ID",
         .help = "Show a dead letter with its event and attempts.",
         .method = "GET",
         .path = "/v1/dead/{1}"},
        {.name = "dead replay",
         .args = "ID",
         .help = "Deliver a dead letter again.",
         .method = "POST",
         .path = "/v1/dead/{1}/replay"},
        {.name = "dead discard",
         .args = "ID",
         .help = "Throw a dead letter away.",
         .method = "DELETE",
         .path = "/v1/dead/{1}"},
        {.name = "status",
         .help = "Tell how the engine is.",
         .method = "GET",
         .path = "/v1/status"},
};

const struct command *command_table(size_t *out_count)
{
	*out_count = sizeof commands / sizeof *commands;
	return commands;
}

/* ---- help ---- */

static const char usage[] = "pawl: a trigger and workflow engine over state changes\n"
                            "\n"
                            "usage: pawl COMMAND [ARGUMENTS] [OPTIONS]\n"
                            "\n";

static const char common_options[] =
        "  --json         print the answer as the engine gave it\n"
        "  --url URL      the engine to ask (default PAWL_URL, else http://127.0.0.1:49134)\n"
        "  --help         this text, or that of a command\n"
        "  --version      the version\n";

static const char exit_codes[] = "exit codes: 0 done, 1 refused or failed, 2 wrong command line, "
                                 "3 no engine answers, 4 no such thing\n";

static void print_help(FILE *to)
{
	fputs(usage, to);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		char left[64];
		(void)snprintf(left, sizeof left, "%s %s", commands[i].name,
		               commands[i].args ? commands[i].args : "");
		fprintf(to, "  %-26s %s\n", left, commands[i].help);
	}
	fprintf(to, "\n%s\n%s", common_options, exit_codes);
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
	fputs(common_options, stdout);
}

void command_print_man(struct buf *out)
{
	BUF_LITERAL(out, ".TH PAWL 1\n.SH NAME\npawl \\- a trigger and workflow engine over state "
	                 "changes\n.SH SYNOPSIS\n.B pawl\n.I COMMAND\n[ARGUMENTS] [OPTIONS]\n"
	                 ".SH COMMANDS\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *command = &commands[i];
		buf_format(out, ".TP\n.B %s\n.I %s\n%s\n", command->name,
		           command->args ? command->args : "", command->help);
		for (const struct option_row *row = command->options; row && row->name; row++) {
			buf_format(out, ".RS\n.TP\n.B \\-\\-%s\n.I %s\n%s\n.RE\n", row->name,
			           row->value ? row->value : "", row->help);
		}
	}
	buf_format(out, ".SH OPTIONS\n.nf\n%s.fi\n.SH EXIT STATUS\n%s", common_options, exit_codes);
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

static const struct command *find_command(int argc, char **argv, int *out_words)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		int words = name_words(&commands[i], argc, argv);
		if (words != 0) {
			*out_words = words;
			return &commands[i];
		}
	}
	return NULL;
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

static int wrong(const struct invocation *invocation, const char *what, const char *word)
{
	fprintf(stderr, "pawl %s: %s%s%s; see `pawl %s --help`\n", invocation->command->name, what,
	        word ? " " : "", word ? word : "", invocation->command->name);
	return EXIT_USAGE;
}

/* Takes one option at argv[*at]; moves *at to its last word. */
static int take_option(struct invocation *invocation, int argc, char **argv, int *at)
{
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	if (len == 4 && strncmp(name, "json", 4) == 0) {
		invocation->json = true;
		return 0;
	}
	const char **target = NULL;
	bool takes_value = true;
	if (len == 3 && strncmp(name, "url", 3) == 0) {
		target = &invocation->url;
	}
	const struct option_row *row = invocation->command->options;
	for (size_t i = 0; target == NULL && row != NULL && row[i].name != NULL; i++) {
		if (strlen(row[i].name) == len && strncmp(row[i].name, name, len) == 0) {
			target = &invocation->options[i];
			takes_value = row[i].value != NULL;
		}
	}
	if (target == NULL) {
		return wrong(invocation, "no such option:", argv[*at]);
	}
	if (!takes_value) {
		*target = "";
	} else if (equals != NULL) {
		*target = equals + 1;
	} else if (*at + 1 < argc) {
		*target = argv[++*at];
	} else {
		return wrong(invocation, "an option lacks its value:", argv[*at]);
	}
	return 0;
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

int command_parse(int argc, char **argv, struct invocation *out)
{
	*out = (struct invocation){0};
	int words = 0;
	const struct command *command = find_command(argc - 1, argv + 1, &words);
	bool help = asks_for(argc, argv, "--help") || asks_for(argc, argv, "-h");
	if (command == NULL) {
		if (asks_for(argc, argv, "--version")) {
			printf("pawl %s\n", PAWL_VERSION);
			return EXIT_DONE;
		}
		print_help(help ? stdout : stderr);
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
		if (strncmp(argv[i], "--", 2) == 0) {
			if (take_option(out, argc, argv, &i) != 0) {
				return EXIT_USAGE;
			}
		} else if (count < most) {
			out->args[count++] = argv[i];
		} else {
			return wrong(out, "too many arguments:", argv[i]);
		}
	}
	if (count < least) {
		return wrong(out, "arguments are missing:", command->args);
	}
	if (out->url == NULL) {
		const char *from_environment = getenv("PAWL_URL");
		out->url = from_environment ? from_environment : "http://127.0.0.1:49134";
	}
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
