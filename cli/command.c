/* This file reads command lines by the table of commands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/spelling.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

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
        {{"token-file", "FILE",
          "where its token stands (default PAWL_TOKEN_FILE; or in PAWL_TOKEN)"},
         offsetof(struct invocation, engine.token_file),
         "PAWL_TOKEN_FILE",
         NULL},
        {{"insecure-tls", NULL, "do not look at its certificate"},
         offsetof(struct invocation, engine.link.insecure_tls),
         NULL,
         NULL},
        {{"color", "auto|always|never", "colours; auto: on a terminal, unless NO_COLOR is set"},
         offsetof(struct invocation, color),
         NULL,
         "auto"},
};

enum { COMMON_COUNT = sizeof common_options / sizeof *common_options };

/* Of commands that show a table. */
static const struct option_row shown_option = {
        "wide", NULL, "show every cell whole, however long the lines become"};

const struct option_row *command_common_option(size_t index)
{
	return index < COMMON_COUNT ? &common_options[index].row : NULL;
}

const char *command_common_variable(size_t index)
{
	return index < COMMON_COUNT ? common_options[index].variable : NULL;
}

const char *command_common_default(const char *name)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		if (strcmp(common_options[i].row.name, name) == 0) {
			return common_options[i].otherwise;
		}
	}
	return NULL;
}

const struct option_row *command_shown_option(const struct command *command, size_t index)
{
	return index == 0 && command->columns != NULL ? &shown_option : NULL;
}

bool command_next_word(const char **text, char separator, struct span *out)
{
	const char ends[] = {separator, '\0'};
	*text += strspn(*text, ends);
	*out = span_make(*text, strcspn(*text, ends));
	*text += out->len;
	return out->len != 0;
}

/* ---- finding the command ---- */

/* How many words of the line are the command's name; 0 = it is another one. */
static int name_words(const struct command *command, int count, char *const *words)
{
	const char *name = command->name;
	for (int i = 0; i < count; i++) {
		size_t len = strcspn(name, " ");
		if (strlen(words[i]) != len || strncmp(words[i], name, len) != 0) {
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

const struct command *command_find(const struct command_set *set, int count, char *const *words,
                                   int *out_words)
{
	const struct command *found = NULL;
	int most = 0;
	for (size_t i = 0; i < set->count; i++) {
		int used = name_words(&set->commands[i], count, words);
		if (used > most) { /* "jobs" and "jobs cancel" are two */
			most = used;
			found = &set->commands[i];
		}
	}
	*out_words = most;
	return found;
}

/* Does a name consist of more words than this first one? */
static bool has_topic(const struct command_set *set, const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; i < set->count; i++) {
		const char *name = set->commands[i].name;
		if (strncmp(name, word, len) == 0 && name[len] == ' ') {
			return true;
		}
	}
	return false;
}

/* The first words of the line, as many as there are before an option, at most two. */
static void write_typed(int count, char *const *words, char *out, size_t room)
{
	out[0] = '\0';
	for (int i = 0; i < count && i < 2 && words[i][0] != '-'; i++) {
		size_t used = strlen(out);
		(void)snprintf(out + used, room - used, "%s%s", i == 0 ? "" : " ", words[i]);
	}
}

/* The name that is nearest in spelling, to all the words that were typed or to the first alone;
 * NULL when none is near. */
static const char *nearest_name(const struct command_set *set, const char *typed)
{
	struct span whole = span_of(typed);
	struct span first = span_make(typed, strcspn(typed, " "));
	const char *found = NULL;
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < set->count; i++) {
		struct span name = span_of(set->commands[i].name);
		size_t far = spelling_distance(whole, name);
		size_t far_first = spelling_distance(first, name);
		far = far_first < far ? far_first : far;
		if (far < least && far <= 1 + name.len / 3) {
			least = far;
			found = set->commands[i].name;
		}
	}
	return found;
}

static int say_unknown(const struct command_set *set, int count, char *const *words)
{
	char typed[128];
	if (count == 0) {
		(void)fputs("usage: pawl COMMAND [ARGUMENTS] [OPTIONS]; `pawl --help` lists the "
		            "commands\n",
		            stderr);
		return EXIT_USAGE;
	}
	write_typed(count, words, typed, sizeof typed);
	if (has_topic(set, words[0])) {
		(void)fprintf(stderr,
		              "pawl: there is no command \"%s\"; `pawl help %s` lists those that "
		              "begin with %s\n",
		              typed, words[0], words[0]);
		return EXIT_USAGE;
	}
	const char *near = nearest_name(set, typed);
	(void)fprintf(stderr, "pawl: there is no command \"%s\"%s%s%s; `pawl --help` lists all\n",
	              typed, near ? ", did you mean \"pawl " : "", near ? near : "",
	              near ? "\"?" : "");
	return EXIT_USAGE;
}

/* ---- reading a command line ---- */

static void count_args(const struct command *command, size_t *out_least, size_t *out_most)
{
	const char *at = command->args ? command->args : "";
	struct span word;
	*out_least = 0;
	*out_most = 0;
	while (command_next_word(&at, ' ', &word)) {
		*out_most += 1;
		*out_least += word.ptr[0] != '[';
	}
}

int command_wrong(const struct invocation *invocation, const char *what, const char *word)
{
	(void)fprintf(stderr, "pawl %s: %s%s%s; see `pawl %s --help`\n", invocation->command->name,
	              what, word ? " " : "", word ? word : "", invocation->command->name);
	return EXIT_USAGE;
}

/* The first option that begins with this letter, as -f stands for --file. */
static const struct option_row *find_letter(const struct command *command, const char *word)
{
	if (word[0] != '-' || word[1] == '-' || word[1] == '\0' || word[2] != '\0') {
		return NULL;
	}
	for (const struct option_row *row = command->options; row && row->name; row++) {
		if (row->name[0] == word[1]) {
			return row;
		}
	}
	return NULL;
}

/* --if-rev and --if_rev are one. */
static bool is_name(struct span typed, const char *name)
{
	size_t i = 0;
	while (i < typed.len &&
	       (typed.ptr[i] == name[i] || (typed.ptr[i] == '_' && name[i] == '-') ||
	        (typed.ptr[i] == '-' && name[i] == '_'))) {
		i++;
	}
	return i == typed.len && name[i] == '\0';
}

/* The row of an option, and where its value goes: a const char *, or a bool (*out_is_flag). */
static const struct option_row *find_option(struct invocation *invocation, struct span name,
                                            void **out_target, bool *out_is_flag)
{
	const struct option_row *own = invocation->command->options;
	*out_is_flag = true;
	if (is_name(name, shown_option.name) && invocation->command->columns != NULL) {
		*out_target = &invocation->wide;
		return &shown_option;
	}
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct common_option *common = &common_options[i];
		if (is_name(name, common->row.name)) {
			*out_is_flag = common->row.value == NULL;
			*out_target = (char *)invocation + common->offset;
			return &common->row;
		}
	}
	*out_is_flag = false;
	for (size_t i = 0; own != NULL && own[i].name != NULL; i++) {
		if (is_name(name, own[i].name)) {
			*out_target = &invocation->options[i];
			return &own[i];
		}
	}
	return NULL;
}

/* Is the value one of the words, where the row names words? */
static bool fits_words(const struct option_row *row, const char *value)
{
	const char *words = row->value;
	struct span word;
	if (words == NULL || strchr(words, '|') == NULL) {
		return true;
	}
	while (command_next_word(&words, '|', &word)) {
		if (span_is(word, value)) {
			return true;
		}
	}
	return false;
}

static int refuse_option(const struct invocation *invocation, const char *typed, struct span name)
{
	const struct command *command = invocation->command;
	const struct option_row *near = NULL;
	size_t least = 1 + name.len / 3;
	for (const struct option_row *row = command->options; row && row->name; row++) {
		size_t far = spelling_distance(name, span_of(row->name));
		if (far <= least) {
			least = far;
			near = row;
		}
	}
	(void)fprintf(stderr, "pawl %s: there is no option %s%s%s%s; see `pawl %s --help`\n",
	              command->name, typed, near ? ", did you mean --" : "", near ? near->name : "",
	              near ? "?" : "", command->name);
	return EXIT_USAGE;
}

/* Takes one option at argv[*at]; moves *at to its last word. */
static int take_option(struct invocation *invocation, int argc, char **argv, int *at)
{
	const struct option_row *letter = find_letter(invocation->command, argv[*at]);
	const char *name = letter ? letter->name : argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	void *target;
	bool is_flag;
	const struct option_row *row =
	        find_option(invocation, span_make(name, len), &target, &is_flag);
	if (row == NULL) {
		return refuse_option(invocation, argv[*at], span_make(name, len));
	}
	if (is_flag) {
		*(bool *)target = true;
		return 0;
	}
	const char *value = "";
	if (row->value != NULL && equals != NULL) {
		value = equals + 1;
	} else if (row->value != NULL) {
		if (*at + 1 >= argc) {
			return command_wrong(invocation, "an option lacks its value:", argv[*at]);
		}
		value = argv[++*at];
	}
	if (!fits_words(row, value)) {
		(void)fprintf(stderr, "pawl %s: --%s is one of %s, not \"%s\"\n",
		              invocation->command->name, row->name, row->value, value);
		return EXIT_USAGE;
	}
	*(const char **)target = value;
	return 0;
}

void command_fill_common(struct invocation *invocation)
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		const struct common_option *common = &common_options[i];
		if (common->row.value == NULL) {
			continue;
		}
		const char **value = (const char **)(void *)((char *)invocation + common->offset);
		const char *said = common->variable ? getenv(common->variable) : NULL;
		if (*value == NULL) {
			*value = said ? said : common->otherwise;
		}
	}
	invocation->engine.token = getenv("PAWL_TOKEN");
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

/* `pawl help dead`, `pawl dead --help`: the words behind `help`, or all. */
static int take_help(const struct command_set *set, int count, char *const *words,
                     struct invocation *out)
{
	int used = 0;
	out->wish = COMMAND_HELP;
	out->command = command_find(set, count, words, &used);
	if (out->command != NULL || count == 0 || words[0][0] == '-') {
		return EXIT_DONE;
	}
	if (has_topic(set, words[0])) {
		out->topic = words[0];
		return EXIT_DONE;
	}
	return say_unknown(set, count, words);
}

/* The words behind the command's name. */
static int take_words(struct invocation *invocation, int argc, char **argv, int at)
{
	const struct command *command = invocation->command;
	bool options_ended = false;
	size_t count = 0;
	size_t least;
	size_t most;
	count_args(command, &least, &most);
	for (; at < argc; at++) {
		bool is_option = !options_ended && (strncmp(argv[at], "--", 2) == 0 ||
		                                    find_letter(command, argv[at]) != NULL);
		if (is_option && strcmp(argv[at], "--") == 0) {
			options_ended = true;
		} else if (is_option) {
			if (take_option(invocation, argc, argv, &at) != 0) {
				return EXIT_USAGE;
			}
		} else if (count < most) {
			invocation->args[count++] = argv[at];
		} else {
			return command_wrong(invocation, "too many arguments:", argv[at]);
		}
	}
	if (count < least) {
		return command_wrong(invocation, "arguments are missing:", command->args);
	}
	return EXIT_DONE;
}

int command_parse(const struct command_set *set, int argc, char **argv, struct invocation *out)
{
	*out = (struct invocation){.set = set};
	if (argc > 1 && strcmp(argv[1], "help") == 0) {
		return take_help(set, argc - 2, argv + 2, out);
	}
	if (asks_for(argc, argv, "--help") || asks_for(argc, argv, "-h")) {
		return take_help(set, argc - 1, argv + 1, out);
	}
	int words = 0;
	out->command = command_find(set, argc - 1, argv + 1, &words);
	if (out->command == NULL) {
		if (asks_for(argc, argv, "--version")) {
			out->wish = COMMAND_VERSION;
			return EXIT_DONE;
		}
		return say_unknown(set, argc - 1, argv + 1);
	}
	int code = take_words(out, argc, argv, 1 + words);
	if (code == EXIT_DONE) {
		command_fill_common(out);
	}
	return code;
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
