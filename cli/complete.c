/* This file finds the words that may come next on a command line, for the shells to offer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include "base/json.h"
#include "cli/command.h"
#include "wire/url.h"
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static const char asked[] = "__complete";

enum { ANSWER_MS = 700 };

/* What a word stands for, and whom of the engine's to ask. A row without `of` fits every command;
 * {1} is the first argument, {} the word at the cursor. */
static const struct source {
	const char *kind;
	const char *of; /* the command's first word, or the name of the option */
	const char *path;
	const char *list;
	const char *member; /* NULL: the items are the words */
	const char *what;   /* the member that describes one; may be NULL */
} sources[] = {
        {"ID", "trigger", "/v1/triggers", "registered_triggers", "id", "function_id"},
        {"ID", "worker", "/v1/workers", "workers", "id", "name"},
        {"ID", "jobs", "/v1/jobs?limit=200", "jobs", "id", "state"},
        {"ID", "dead", "/v1/dead?limit=200", "dead", "id", "message"},
        {"ID", "function", "/v1/functions", "functions", "function_id", "description"},
        {"ID", "scheduled", "/v1/scheduled?limit=200", "scheduled", "id", "function_id"},
        {"NAME", "token", "/v1/tokens", "tokens", "name", "origin"},
        {"FUNCTION", NULL, "/v1/functions", "functions", "function_id", "description"},
        {"SCOPE", NULL, "/v1/state", "groups", NULL, NULL},
        {"KEY", NULL, "/v1/state/{1}?limit=200&with_keys=true&prefix={}", "items", "key", NULL},
        {"QUEUE", NULL, "/v1/queues", "queues", "queue", "type"},
        {"NAME", "queue", "/v1/queues", "queues", "queue", "type"},
};

enum { SOURCE_COUNT = sizeof sources / sizeof *sources };

/* The line as far as it was typed. */
struct typed {
	const struct command_set *set;
	struct invocation invocation; /* whom to ask, the arguments so far */
	char *const *words;
	int count;           /* without the word at the cursor */
	int name_count;      /* words of the command's name */
	int arg_count;       /* arguments so far */
	struct span current; /* the word at the cursor */
	struct span before;  /* what stands before it in the same word: "--trigger=" */
};

static void offer(const struct typed *typed, struct span word, struct span what)
{
	if (word.len == 0 || !span_starts_with(word, typed->current)) {
		return;
	}
	for (size_t i = 0; i < word.len; i++) {
		if ((unsigned char)word.ptr[i] < ' ' || word.ptr[i] == 0x7f) {
			return; /* no line of ours could carry it */
		}
	}
	printf("%.*s%.*s", SPAN_ARG(typed->before), SPAN_ARG(word));
	if (what.len != 0) {
		(void)putchar('\t');
	}
	for (size_t i = 0; i < what.len; i++) {
		unsigned char byte = (unsigned char)what.ptr[i];
		(void)putchar(byte < ' ' || byte == 0x7f ? ' ' : byte);
	}
	(void)putchar('\n');
}

/* ---- what the engine knows ---- */

static void give_up(int signal)
{
	(void)signal;
	_exit(EXIT_DONE);
}

/* Whoever presses Tab does not wait for long. */
static void limit_time(void)
{
	struct sigaction action = {.sa_handler = give_up};
	const struct itimerval span = {.it_value = {.tv_usec = ANSWER_MS * 1000}};
	(void)fflush(stdout);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &span, NULL);
}

static void write_path(const struct typed *typed, const char *template, struct buf *path)
{
	for (const char *at = template; *at != '\0'; at++) {
		if (strncmp(at, "{}", 2) == 0) {
			url_encode(typed->current, path);
			at += 1;
		} else if (strncmp(at, "{1}", 3) == 0) {
			url_encode(span_of(typed->invocation.args[0]), path);
			at += 2;
		} else {
			buf_byte(path, *at);
		}
	}
}

static void add_text(struct span object, const char *member, struct buf *out)
{
	struct span value = object;
	bool found = member == NULL || (json_kind(object) == JSON_OBJECT &&
	                                json_get(object, span_of(member), &value));
	buf_clear(out);
	if (found && json_kind(value) == JSON_STRING) {
		json_string(value, out);
	}
}

static void offer_list(const struct typed *typed, const struct source *source, struct span answer)
{
	struct span root;
	struct span list;
	struct span item;
	struct buf word = {0};
	struct buf what = {0};
	if (json_check(answer, &root, NULL) != 0 || json_kind(root) != JSON_OBJECT ||
	    !json_get(root, span_of(source->list), &list) || json_kind(list) != JSON_ARRAY) {
		return;
	}
	for (struct json_iter iter = json_iter(list); json_next_item(&iter, &item);) {
		add_text(item, source->member, &word);
		if (source->what != NULL) {
			add_text(item, source->what, &what);
		}
		offer(typed, buf_view(&word), buf_view(&what));
	}
	buf_free(&word);
	buf_free(&what);
}

static void offer_source(const struct typed *typed, const struct source *source)
{
	struct buf path = {0};
	struct client *client = NULL;
	struct client_answer answer = {0};
	struct err err;
	if (strstr(source->path, "{1}") != NULL && typed->invocation.args[0] == NULL) {
		return;
	}
	write_path(typed, source->path, &path);
	limit_time();
	if (client_new(&typed->invocation.engine, &client, &err) == 0 &&
	    client_ask(client, "GET", buf_view(&path), SPAN_NONE, &answer, &err) == 0 &&
	    answer.status == 200) {
		offer_list(typed, source, buf_view(&answer.body));
	}
	buf_free(&answer.body);
	client_free(client);
	buf_free(&path);
}

/* ---- what the table knows ---- */

static void offer_words(const struct typed *typed, const char *words)
{
	struct span word;
	while (command_next_word(&words, '|', &word)) {
		offer(typed, word, SPAN_NONE);
	}
}

/* A word of this kind: "FILE", "ID", "hold|drop"; `of` is what it belongs to. */
static void offer_kind(const struct typed *typed, struct span kind, struct span of)
{
	if (memchr(kind.ptr, '|', kind.len) != NULL) {
		char words[128];
		(void)snprintf(words, sizeof words, "%.*s", SPAN_ARG(kind));
		offer_words(typed, words);
		return;
	}
	if (span_is(kind, "FILE") || span_is(kind, "DIR")) {
		(void)puts(span_is(kind, "FILE") ? ":file" : ":dir");
		return;
	}
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		const struct source *source = &sources[i];
		if (span_is(kind, source->kind) &&
		    (source->of == NULL || span_is(of, source->of))) {
			offer_source(typed, source);
			return;
		}
	}
}

/* The next words of names that begin as the line does. */
static void offer_names(const struct typed *typed)
{
	char begin[128] = "";
	struct span last = SPAN_NONE;
	for (int i = 0; i < typed->count; i++) {
		size_t used = strlen(begin);
		(void)snprintf(begin + used, sizeof begin - used, "%s ", typed->words[i]);
	}
	size_t len = strlen(begin);
	for (size_t i = 0; i < typed->set->count; i++) {
		const struct command *command = &typed->set->commands[i];
		if (strncmp(command->name, begin, len) != 0) {
			continue;
		}
		const char *rest = command->name + len;
		struct span word = span_make(rest, strcspn(rest, " "));
		bool is_whole = word.len == strlen(rest);
		if (!span_equal(word, last)) { /* neighbours of the table */
			offer(typed, word, is_whole ? span_of(command->help) : SPAN_NONE);
		}
		last = word;
	}
	if (typed->count == 0) {
		offer(typed, SPAN("help"), SPAN("Explain a command."));
	}
}

static void offer_option(const struct typed *typed, const struct option_row *row)
{
	char word[64];
	(void)snprintf(word, sizeof word, "--%s", row->name);
	for (int i = typed->name_count; i < typed->count; i++) {
		if (strcmp(typed->words[i], word) == 0) {
			return; /* it is there already */
		}
	}
	offer(typed, span_of(word), span_of(row->help));
}

static void offer_options(const struct typed *typed)
{
	const struct command *command = typed->invocation.command;
	const struct option_row *row = command ? command->options : NULL;
	for (; row != NULL && row->name != NULL; row++) {
		offer_option(typed, row);
	}
	for (size_t i = 0; command && command_shown_option(command, i) != NULL; i++) {
		offer_option(typed, command_shown_option(command, i));
	}
	for (size_t i = 0; command_common_option(i) != NULL; i++) {
		offer_option(typed, command_common_option(i));
	}
	offer(typed, SPAN("--help"), SPAN("explain it"));
}

static void offer_argument(const struct typed *typed)
{
	const struct command *command = typed->invocation.command;
	const char *args = command->args ? command->args : "";
	struct span kind;
	for (int i = 0; command_next_word(&args, ' ', &kind); i++) {
		if (i == typed->arg_count) {
			bool may_be_absent = kind.ptr[0] == '[';
			struct span name = span_make(kind.ptr + may_be_absent,
			                             kind.len - 2 * (size_t)may_be_absent);
			struct span first = span_make(command->name, strcspn(command->name, " "));
			offer_kind(typed, name, first);
		}
	}
}

/* ---- reading the line ---- */

static const struct option_row *row_of(const struct command *command, struct span name)
{
	const struct option_row *row = command ? command->options : NULL;
	for (; row != NULL && row->name != NULL; row++) {
		if (span_is(name, row->name)) {
			return row;
		}
	}
	for (size_t i = 0; (row = command_common_option(i)) != NULL; i++) {
		if (span_is(name, row->name)) {
			return row;
		}
	}
	return NULL;
}

/* The option whose value this word is, by what stands before it; NULL: it is no value. */
static const struct option_row *option_before(const struct typed *typed, int at)
{
	const char *word = at > 0 ? typed->words[at - 1] : "";
	if (strncmp(word, "--", 2) != 0 || strchr(word, '=') != NULL) {
		return NULL;
	}
	const struct option_row *row = row_of(typed->invocation.command, span_of(word + 2));
	return row != NULL && row->value != NULL ? row : NULL;
}

static void read_words(struct typed *typed)
{
	for (int i = typed->name_count; i < typed->count; i++) {
		const char *word = typed->words[i];
		const struct option_row *option = option_before(typed, i);
		if (option != NULL && strcmp(option->name, "url") == 0) {
			typed->invocation.engine.link.url = word;
		} else if (strncmp(word, "--url=", 6) == 0) {
			typed->invocation.engine.link.url = word + 6;
		} else if (option == NULL && word[0] != '-') {
			if (typed->arg_count < ARGS_MAX) {
				typed->invocation.args[typed->arg_count] = word;
			}
			typed->arg_count++;
		}
	}
}

/* "--trigger=a": the name, and the rest is the word. */
static const struct option_row *split_option(struct typed *typed)
{
	struct span word = typed->current;
	const char *equals = memchr(word.ptr, '=', word.len);
	if (!span_starts_with(word, SPAN("--")) || equals == NULL) {
		return NULL;
	}
	size_t used = (size_t)(equals - word.ptr) + 1;
	typed->before = span_make(word.ptr, used);
	typed->current = span_make(word.ptr + used, word.len - used);
	return row_of(typed->invocation.command, span_make(word.ptr + 2, used - 3));
}

bool complete_is_asked(int argc, char *const *argv)
{
	return argc > 2 && strcmp(argv[1], asked) == 0;
}

int complete_run(const struct command_set *set, int argc, char *const *argv)
{
	struct typed typed = {
	        .set = set,
	        .words = argv + 2,
	        .count = argc - 3,
	        .current = span_of(argv[argc - 1]),
	};
	if (typed.count > 0 && strcmp(typed.words[0], "help") == 0) {
		typed.words++;
		typed.count--;
		offer_names(&typed);
		return EXIT_DONE;
	}
	typed.invocation.command = command_find(set, typed.count, typed.words, &typed.name_count);
	read_words(&typed);
	command_fill_common(&typed.invocation);
	const struct option_row *option = split_option(&typed);
	option = option != NULL ? option : option_before(&typed, typed.count);
	if (option != NULL) {
		if (option->value != NULL) {
			offer_kind(&typed, span_of(option->value), span_of(option->name));
		}
	} else if (typed.current.len != 0 && typed.current.ptr[0] == '-') {
		offer_options(&typed);
	} else {
		offer_names(&typed);
		if (typed.invocation.command != NULL) {
			offer_argument(&typed);
		}
	}
	return EXIT_DONE;
}

/* ---- the scripts ---- */

/* A line is split at white space: the shell's own words end at every colon, which names of ours
 * contain. What stands before the last colon or equals sign is there already. */
static const char bash_script[] =
        "# bash completion of pawl; load it with: source <(pawl completion bash)\n"
        "_pawl() {\n"
        "\tlocal line=${COMP_LINE:0:COMP_POINT} there candidate\n"
        "\tlocal -a words\n"
        "\tread -ra words <<<\"$line\"\n"
        "\t[[ $line == *[[:space:]] ]] && words+=(\"\")\n"
        "\tlocal current=${words[${#words[@]} - 1]}\n"
        "\tthere=${current%\"${current##*[:=]}\"}\n"
        "\tCOMPREPLY=()\n"
        "\twhile IFS= read -r candidate; do\n"
        "\t\tcandidate=${candidate%%$'\\t'*}\n"
        "\t\tcase $candidate in\n"
        "\t\t:file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "
        "\"${current#\"$there\"}\") ;;\n"
        "\t\t:dir) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "
        "\"${current#\"$there\"}\") ;;\n"
        "\t\t*) COMPREPLY+=(\"$(printf %q \"${candidate#\"$there\"}\")\") ;;\n"
        "\t\tesac\n"
        "\tdone < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
        "}\n"
        "complete -F _pawl pawl\n";

static const char zsh_script[] =
        "#compdef pawl\n"
        "# zsh completion of pawl; load it with: source <(pawl completion zsh)\n"
        "_pawl() {\n"
        "\tlocal line tab=$'\\t'\n"
        "\tlocal -a candidates\n"
        "\tfor line in ${(f)\"$(${words[1]} __complete \"${(@Q)words[2,CURRENT]}\" "
        "2>/dev/null)\"}; do\n"
        "\t\tcase $line in\n"
        "\t\t:file) _files; return ;;\n"
        "\t\t:dir) _files -/; return ;;\n"
        "\t\t*$tab*) candidates+=(\"${${line%%$tab*}//:/\\\\:}:${line#*$tab}\") ;;\n"
        "\t\t*) candidates+=(\"${line//:/\\\\:}\") ;;\n"
        "\t\tesac\n"
        "\tdone\n"
        "\t_describe pawl candidates\n"
        "}\n"
        "if [ \"$funcstack[1]\" = _pawl ]; then\n"
        "\t_pawl \"$@\"\n"
        "else\n"
        "\tcompdef _pawl pawl\n"
        "fi\n";

static const char fish_script[] =
        "# fish completion of pawl; load it with: pawl completion fish | source\n"
        "function __pawl_complete\n"
        "\tset -l typed (commandline -opc) (commandline -ct)\n"
        "\tfor line in ($typed[1] __complete $typed[2..-1] 2>/dev/null)\n"
        "\t\tswitch $line\n"
        "\t\t\tcase :file\n"
        "\t\t\t\t__fish_complete_path (commandline -ct)\n"
        "\t\t\tcase :dir\n"
        "\t\t\t\t__fish_complete_directories (commandline -ct)\n"
        "\t\t\tcase '*'\n"
        "\t\t\t\tprintf '%s\\n' $line\n"
        "\t\tend\n"
        "\tend\n"
        "end\n"
        "complete -c pawl -f -a '(__pawl_complete)'\n";

int complete_print_script(const struct invocation *invocation)
{
	const char *shell = invocation->args[0];
	if (strcmp(shell, "bash") == 0) {
		(void)fputs(bash_script, stdout);
	} else if (strcmp(shell, "zsh") == 0) {
		(void)fputs(zsh_script, stdout);
	} else if (strcmp(shell, "fish") == 0) {
		(void)fputs(fish_script, stdout);
	} else {
		return command_wrong(invocation, "the shells are bash, zsh and fish, not", shell);
	}
	return EXIT_DONE;
}
