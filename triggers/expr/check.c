/* This file words what is wrong with names, calls and types. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/check.h"

#include "base/spelling.h"
#include "triggers/expr/overloads.h"
#include "triggers/expr/slip.h"
#include <stdio.h>

enum { HINT_MAX = 128, ARGS_MOST = 6 /* fixed ones of any function, about */ };

/* What looks like a function and is none: macros, and what is not in the tables. */
static const char *const built_in[] = {
        "has",      "all",           "exists", "exists_one", "existsOne",    "map",
        "filter",   "transformList", "optMap", "optFlatMap", "transformMap", "transformMapEntry",
        "cel.bind", "matches",       NULL,
};

static bool looks_like(struct span name, const char *candidate, size_t *least)
{
	size_t distance = spelling_distance(name, span_of(candidate));
	if (distance >= *least) {
		return false;
	}
	*least = distance;
	return true;
}

void check_unknown_variable(struct assembly *assembly, const struct ast *ident)
{
	const struct expr_env *env = assembly->env;
	struct span nearest = SPAN_NONE;
	size_t least = ident->name.len / 3 + 2; /* further away is another word */
	for (size_t i = 0; i < env->variable_count; i++) {
		size_t distance = spelling_distance(ident->name, env->variables[i].name);
		if (distance < least) {
			least = distance;
			nearest = env->variables[i].name;
		}
	}
	for (uint32_t i = 0; i < assembly->local_count; i++) {
		size_t distance = spelling_distance(ident->name, assembly->locals[i].name);
		if (distance < least) {
			least = distance;
			nearest = assembly->locals[i].name;
		}
	}
	for (const struct expr_synonym *row = env->synonyms; row != NULL && row->word != NULL;
	     row++) {
		nearest = span_is(ident->name, row->word) ? span_of(row->name) : nearest;
	}
	char hint[HINT_MAX] = "";
	if (nearest.ptr != NULL) {
		(void)snprintf(hint, sizeof hint, "did you mean '%.*s'?", SPAN_ARG(nearest));
	}
	(void)fault_set(assembly->fault, assembly->source, ident->at, hint,
	                "there is no variable '%.*s'", SPAN_ARG(ident->name));
}

static const char *nearest_function(const struct assembly *assembly, struct span name)
{
	const char *nearest = overloads_nearest(name);
	size_t least =
	        nearest != NULL ? spelling_distance(name, span_of(nearest)) : name.len / 3 + 2;
	for (size_t i = 0; built_in[i] != NULL; i++) {
		nearest = looks_like(name, built_in[i], &least) ? built_in[i] : nearest;
	}
	const struct ast_macro *macro = assembly->env->macros;
	for (; macro != NULL && macro->name != NULL; macro++) {
		nearest = looks_like(name, macro->name, &least) ? macro->name : nearest;
	}
	return nearest;
}

/* "it takes 1 or 2", without the target of a method. */
static void write_counts(struct span name, bool method, char *out, size_t size)
{
	const struct overload *rows[OVERLOADS_MAX];
	size_t len = 0;
	for (size_t count = method; count <= ARGS_MOST && len < size; count++) {
		if (overloads_find(name, method, count, rows) != 0) {
			len += (size_t)snprintf(out + len, size - len, "%s%zu",
			                        len == 0 ? "it takes " : " or ", count - method);
		}
	}
}

void check_unknown_function(struct assembly *assembly, const struct ast *call, struct span name,
                            bool method, size_t count)
{
	const struct overload *rows[OVERLOADS_MAX];
	char hint[HINT_MAX] = "";
	size_t given = method ? count - 1 : count;
	if (!overloads_know(name) && !span_is(name, "matches")) {
		const char *foreign = slip_foreign_function(name);
		const char *nearest = foreign == NULL ? nearest_function(assembly, name) : NULL;
		if (nearest != NULL) {
			(void)snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
		} else if (foreign != NULL) {
			(void)snprintf(hint, sizeof hint, "%s", foreign);
		}
		(void)fault_set(assembly->fault, assembly->source, call->at, hint,
		                "there is no function '%.*s'", SPAN_ARG(name));
	} else if (method && overloads_find(name, false, count, rows) != 0) {
		(void)snprintf(hint, sizeof hint, "write %.*s(x)", SPAN_ARG(name));
		(void)fault_set(assembly->fault, assembly->source, call->at, hint,
		                "'%.*s' is not called as a method", SPAN_ARG(name));
	} else if (!method && overloads_find(name, true, count, rows) != 0) {
		(void)snprintf(hint, sizeof hint, "write x.%.*s(...)", SPAN_ARG(name));
		(void)fault_set(assembly->fault, assembly->source, call->at, hint,
		                "'%.*s' is called as a method", SPAN_ARG(name));
	} else {
		write_counts(name, method, hint, sizeof hint);
		(void)fault_set(assembly->fault, assembly->source, call->at, hint,
		                "'%.*s' does not take %zu argument%s", SPAN_ARG(name), given,
		                given == 1 ? "" : "s");
	}
}

/* ---- types ---- */

/* "int", "int or string"; "any" where everything may come. */
static void write_types(uint32_t types, struct buf *out)
{
	if (types == TAKES_ANY) {
		BUF_LITERAL(out, "any");
		return;
	}
	const char *separator = "";
	for (int tag = VALUE_NULL; tag < VALUE_TAGS; tag++) {
		if (types & (1u << tag)) {
			buf_format(out, "%s%s", separator,
			           value_tag_name((struct value){.tag = (uint8_t)tag}));
			separator = " or ";
		}
	}
}

/* "_+_" is "+" to people, "@in" is "in". */
static struct span spoken(struct span name)
{
	while (name.len > 1 && (name.ptr[0] == '_' || name.ptr[0] == '@')) {
		name = span_make(name.ptr + 1, name.len - 1);
	}
	while (name.len > 1 && name.ptr[name.len - 1] == '_') {
		name.len--;
	}
	return name;
}

void check_types(struct assembly *assembly, const struct ast *ast, struct span name,
                 const struct part parts[], size_t count)
{
	struct buf types = {0};
	bool numbers = count == 2 && (name.ptr[0] == '_');
	for (size_t i = 0; i < count; i++) {
		buf_format(&types, "%s", i == 0 ? "" : i + 1 == count ? " and " : ", ");
		write_types(parts[i].types, &types);
		numbers = numbers && (parts[i].types & ~(uint32_t)TAKES_NUMBER) == 0;
	}
	struct span shown = spoken(name);
	(void)fault_set(assembly->fault, assembly->source, ast->at,
	                numbers ? "convert one of them: int(x), uint(x), double(x)" : NULL,
	                "'%.*s' does not take %.*s", SPAN_ARG(shown), SPAN_ARG(buf_view(&types)));
	buf_free(&types);
}

bool check_takes(struct assembly *assembly, const struct ast *ast, struct span name,
                 const struct part *part, uint32_t types)
{
	if (assembly->env->unchecked || (part->types & types) != 0) {
		return true;
	}
	check_types(assembly, ast, name, part, 1);
	return false;
}

bool check_fields(struct assembly *assembly, const struct ast *select, const struct part *from,
                  uint32_t types)
{
	if (assembly->env->unchecked || (from->types & types) != 0) {
		return true;
	}
	struct buf shown = {0};
	write_types(from->types, &shown);
	(void)fault_set(assembly->fault, assembly->source, select->at, NULL,
	                "there is no '%.*s': a %.*s has no fields", SPAN_ARG(select->name),
	                SPAN_ARG(buf_view(&shown)));
	buf_free(&shown);
	return false;
}

size_t check_rows(const struct overload *rows[], size_t row_count, const struct part parts[],
                  size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < row_count; i++) {
		size_t named =
		        rows[i]->count < OVERLOAD_ARGS_MAX ? rows[i]->count : OVERLOAD_ARGS_MAX;
		bool fits = true;
		for (size_t j = 0; fits && j < count; j++) {
			fits = (rows[i]->takes[j < named ? j : named - 1] & parts[j].types) != 0;
		}
		if (fits) {
			rows[kept++] = rows[i];
		}
	}
	return kept;
}
