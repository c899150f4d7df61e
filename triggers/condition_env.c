/* This file gives variables their slots and lists them for each way of looking at an event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/condition_env.h"

#include "base/mem.h"
#include "triggers/condition_macro.h"
#include "triggers/event.h"

struct root {
	const char *name;
	uint32_t takes;
};

static const struct root ROOTS[ROOT_COUNT] = {
#define X(name, text, takes) [name] = {text, takes},
        CONDITION_ROOTS(X)
#undef X
};

/* The parts of `event` that are variables too: the same slots under a longer name. */
static const struct {
	const char *name;
	enum condition_root root;
} ALIASES[] = {
        {"event.event_type", ROOT_EVENT_TYPE},
        {"event.scope", ROOT_SCOPE},
        {"event.key", ROOT_KEY},
        {"event.old_value", ROOT_OLD_VALUE},
        {"event.new_value", ROOT_NEW_VALUE},
        {"event.seq", ROOT_SEQ},
        {"event.time", ROOT_TIME},
};

static const struct expr_synonym SYNONYMS[] = {
        {"value", "new_value"},    {"new", "new_value"},
        {"after", "new_value"},    {"data", "new_value"},
        {"old", "old_value"},      {"before", "old_value"},
        {"previous", "old_value"}, {"now", "time"},
        {"kind", "event_type"},    {NULL, NULL},
};

static const char *const EVENT_TYPES[] = {
#define X(name, number, text) text,
        EVENT_KINDS(X)
#undef X
                NULL,
};

static const char *const TRIGGER_TYPES[] = {"state", NULL};
static const char TYPE_HINT[] = "write created(), updated(), deleted(), or \"state:created\"";

static const struct expr_choice CHOICES[] = {
        {"event_type", EVENT_TYPES, TYPE_HINT},
        {"event.event_type", EVENT_TYPES, TYPE_HINT},
        {"event.type", TRIGGER_TYPES,
         "it is \"state\"; write created(), or event_type == \"state:created\""},
        {NULL, NULL, NULL},
};

enum { ALIAS_COUNT = sizeof ALIASES / sizeof *ALIASES };

static void add(struct condition_env *env, enum condition_view view, const char *name,
                enum condition_root root)
{
	struct expr_env *seen = &env->views[view];
	PRE(seen->variable_count < CONDITION_VARIABLES_MAX);
	env->variables[view][seen->variable_count++] = (struct expr_variable){
	        .name = span_of(name), .slot = env->roots[root], .takes = ROOTS[root].takes};
}

struct condition_env *condition_env_new(void)
{
	struct condition_env *env = MEM_NEW(struct condition_env);
	env->paths = paths_new();
	for (size_t i = 0; i < ROOT_COUNT; i++) {
		env->roots[i] = paths_root(env->paths, span_of(ROOTS[i].name));
	}
	for (size_t i = 0; i < VIEW_COUNT; i++) {
		env->views[i] = (struct expr_env){.paths = env->paths,
		                                  .variables = env->variables[i],
		                                  .synonyms = SYNONYMS,
		                                  .choices = CHOICES};
	}
	env->views[VIEW_EVENT].macros = condition_macros;
	for (size_t i = 0; i < ROOT_COUNT; i++) {
		add(env, VIEW_EVENT, ROOTS[i].name, (enum condition_root)i);
	}
	for (size_t i = 0; i < ALIAS_COUNT; i++) {
		add(env, VIEW_EVENT, ALIASES[i].name, ALIASES[i].root);
	}
	static const enum condition_root SAME[] = {ROOT_SCOPE, ROOT_KEY, ROOT_METADATA};
	for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
		add(env, VIEW_NOW, ROOTS[SAME[i]].name, SAME[i]);
		add(env, VIEW_BEFORE, ROOTS[SAME[i]].name, SAME[i]);
	}
	add(env, VIEW_NOW, "new_value", ROOT_NEW_VALUE);
	add(env, VIEW_BEFORE, "new_value", ROOT_OLD_VALUE);
	return env;
}

void condition_env_free(struct condition_env *env)
{
	if (env != NULL) {
		paths_free(env->paths);
		mem_free(env);
	}
}

enum condition_root condition_env_root(const struct condition_env *env, uint32_t slot)
{
	for (uint32_t above; (above = paths_parent(env->paths, slot)) != PATHS_NONE;) {
		slot = above;
	}
	size_t root = 0;
	while (root < ROOT_COUNT && env->roots[root] != slot) {
		root++;
	}
	POST(root < ROOT_COUNT);
	return (enum condition_root)root;
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_';
}

bool condition_env_mentions(struct span source, const char *word)
{
	size_t len = strlen(word);
	for (size_t at = 0; at + len <= source.len; at++) {
		bool begins = at == 0 || !is_name_byte(source.ptr[at - 1]);
		bool ends = at + len == source.len || !is_name_byte(source.ptr[at + len]);
		if (begins && ends && memcmp(source.ptr + at, word, len) == 0) {
			return true;
		}
	}
	return false;
}
