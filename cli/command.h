/* This file defines a command of the program: one row of one table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/buf.h"
#include "base/span.h"
#include "cli/client.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. A command names its arguments and options; reading the command line, --help, the manual
 * page and the errors follow from the table in command.c. Most commands are one request to a
 * running engine: a method, a path template and how to show the answer. The others have a function.
 */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,      /* the engine refused, or something went wrong */
	EXIT_USAGE = 2,       /* the command line is wrong */
	EXIT_UNREACHABLE = 3, /* no engine answers */
	EXIT_ABSENT = 4       /* there is no such thing */
};

enum { ARGS_MAX = 4, OPTIONS_MAX = 16 };

struct option_row {
	const char *name; /* "limit" for --limit N */
	const char
	        *value; /* "N", "hold|drop" for one of these words; NULL for one that takes none */
	const char *help;
};

/* What a command line asks for. */
enum command_wish { COMMAND_RUN, COMMAND_HELP, COMMAND_VERSION };

/* A command line that was read: values by the order of the table, NULL where not given. */
struct invocation {
	const struct command_set *set;
	enum command_wish wish;
	const struct command *command; /* COMMAND_HELP: the one to explain, or NULL */
	const char *topic;             /* COMMAND_HELP without one: those that begin with this
	                                * word; NULL: all */
	const char *args[ARGS_MAX];
	const char *options[OPTIONS_MAX]; /* "" for one without a value */
	struct client_options engine;     /* whom to ask */
	const char *color;                /* auto, always or never */
	bool json;
	bool wide; /* cells are not cut */
};

struct command {
	const char
	        *group;   /* a heading: it and the rows behind it are of one kind; NULL: as above */
	const char *name; /* "dead list" */
	const char *args; /* "SCOPE KEY [JSON]" */
	const char *help;
	const struct option_row *options;                /* ends with a row of NULLs; may be NULL */
	int (*run)(const struct invocation *invocation); /* NULL: one request */

	/* One request: {1}, {2} stand for arguments, options become query parameters. */
	const char *method;
	const char *path;
	const char *body;                /* "2" = argument 2 as it is; NULL none */
	const char *list;                /* the member of the answer that is the list to show */
	const char *columns;             /* see print_table; NULL: shown as JSON */
	const char *answer;              /* what --json prints where no request says it */
	void (*below)(struct span list); /* shows what no column holds, under it; may be NULL */
	void (*show)(
	        struct span answer); /* shows the valid JSON of an answer instead; may be NULL */
};

/* All commands there are. */
struct command_set {
	const struct command *commands;
	size_t count;
};

/* Reads a command line; on failure it has printed why and returns EXIT_USAGE. */
int command_parse(const struct command_set *set, int argc, char **argv, struct invocation *out);
/* Says why the command line is wrong (`word` may be NULL) and gives EXIT_USAGE. */
int command_wrong(const struct invocation *invocation, const char *what, const char *word);
/* Fills in what every command takes and nobody said: from the environment, else the default. */
void command_fill_common(struct invocation *invocation);
/* The value of an option of the command, NULL if it was not given. */
const char *command_option(const struct invocation *invocation, const char *name);

/* The command whose name these words begin with, the longest there is, and how many words it has;
 * NULL: none. */
const struct command *command_find(const struct command_set *set, int count, char *const *words,
                                   int *out_words);
/* An option that every command takes, by its number from 0; NULL behind the last. */
const struct option_row *command_common_option(size_t index);
const char *command_common_variable(size_t index); /* that says it, too; NULL: none */
/* What the option of this name is where nobody says it; NULL: nothing. */
const char *command_common_default(const char *name);
/* The same of those that a command takes because of what it shows. */
const struct option_row *command_shown_option(const struct command *command, size_t index);
/* Takes the next word from `*text`: of "hold|drop" with '|', of "SCOPE KEY" with ' '; false at the
 * end. */
bool command_next_word(const char **text, char separator, struct span *out);

#endif
