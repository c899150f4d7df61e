/* This file expands the macros of the language: has, the loops, cel.bind, optMap. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/macro.h"

/* ---- loops ---- */

static const char ONE[] = "write (x, x > 1), or with the index or key (i, x, x > i)";
static const char FILTER[] = "write (x, x > 1)";
static const char MAP[] = "write (x, x * 2), or of some only (x, x > 1, x * 2)";
static const char TRANSFORM[] = "write (i, x, x * i), or of some only (i, x, x > 1, x * i)";
static const char ENTRY[] = "write (k, v, {v: k}), or of some only (k, v, v > 1, {v: k})";

/* The variables, the filter, then the body. */
static const struct loop {
	const char *name;
	enum ast_loop loop;
	size_t variables;
	bool filter;
	const char *usage;
} LOOPS[] = {
        {"all", LOOP_ALL, 1, false, ONE},
        {"all", LOOP_ALL, 2, false, ONE},
        {"exists", LOOP_EXISTS, 1, false, ONE},
        {"exists", LOOP_EXISTS, 2, false, ONE},
        {"exists_one", LOOP_EXISTS_ONE, 1, false, ONE},
        {"exists_one", LOOP_EXISTS_ONE, 2, false, ONE},
        {"existsOne", LOOP_EXISTS_ONE, 1, false, ONE},
        {"existsOne", LOOP_EXISTS_ONE, 2, false, ONE},
        {"filter", LOOP_FILTER, 1, false, FILTER},
        {"map", LOOP_MAP, 1, false, MAP},
        {"map", LOOP_MAP, 1, true, MAP},
        {"transformList", LOOP_TRANSFORM_LIST, 2, false, TRANSFORM},
        {"transformList", LOOP_TRANSFORM_LIST, 2, true, TRANSFORM},
        {"transformMap", LOOP_TRANSFORM_MAP, 2, false, TRANSFORM},
        {"transformMap", LOOP_TRANSFORM_MAP, 2, true, TRANSFORM},
        {"transformMapEntry", LOOP_TRANSFORM_MAP_ENTRY, 2, false, ENTRY},
        {"transformMapEntry", LOOP_TRANSFORM_MAP_ENTRY, 2, true, ENTRY},
};

enum { LOOP_COUNT = sizeof LOOPS / sizeof *LOOPS };

static bool is_named(struct span name, const char *text)
{
	return name.len != 0 && name.ptr[0] == text[0] && span_is(name, text);
}

bool macro_is_loop(struct span name)
{
	for (size_t i = 0; i < LOOP_COUNT; i++) {
		if (is_named(name, LOOPS[i].name)) {
			return true;
		}
	}
	return false;
}

static struct ast *refuse_count(struct span source, const struct ast *call, const char *hint,
                                struct fault *fault)
{
	(void)fault_set(fault, source, call->at, hint, "%.*s() does not take %zu argument%s",
	                SPAN_ARG(call->name), call->arg_count - call->method,
	                call->arg_count - call->method == 1 ? "" : "s");
	return NULL;
}

/* A variable is one plain name. */
static bool take_variable(struct span source, const struct ast *call, const struct ast *arg,
                          struct span *out, struct fault *fault)
{
	if (arg->kind == AST_IDENT && !arg->absolute) {
		*out = arg->name;
		return true;
	}
	(void)fault_set(fault, source, arg->at, "like x in list.exists(x, x > 1)",
	                "%.*s() wants the name of a new variable here", SPAN_ARG(call->name));
	return false;
}

static struct ast *expand_loop(struct arena *arena, struct span source, const struct loop *loop,
                               const struct ast *call, struct fault *fault)
{
	struct ast *node = ast_new(arena, AST_LOOP, call);
	struct ast *const *arg = call->args + 1;
	node->loop = loop->loop;
	if (!take_variable(source, call, *arg++, &node->var, fault)) {
		return NULL;
	}
	if (loop->variables == 2) {
		if (!take_variable(source, call, *arg, &node->var2, fault)) {
			return NULL;
		}
		if (span_equal(node->var, node->var2)) {
			(void)fault_set(fault, source, (*arg)->at, "give them different names",
			                "both variables are called '%.*s'", SPAN_ARG(node->var));
			return NULL;
		}
		arg++;
	}
	node->args = ARENA_ARRAY(arena, struct ast *, 3);
	node->arg_count = 3;
	node->args[0] = call->args[0];
	node->args[1] = loop->filter ? *arg++ : NULL;
	node->args[2] = *arg;
	ast_measure(node);
	return node;
}

/* The loop that the call means; *out_usage says how one of its name is written. */
static const struct loop *find_loop(const struct ast *call, const char **out_usage)
{
	for (size_t i = 0; i < LOOP_COUNT && call->method; i++) {
		const struct loop *loop = &LOOPS[i];
		if (is_named(call->name, loop->name)) {
			*out_usage = loop->usage;
			if (call->arg_count == 1 + loop->variables + loop->filter + 1) {
				return loop;
			}
		}
	}
	return NULL;
}

/* ---- the others ---- */

static struct ast *expand_has(struct arena *arena, struct span source, const struct ast *call,
                              struct fault *fault)
{
	const struct ast *field = call->args[0];
	if (field->kind != AST_SELECT || field->optional || field->test) {
		(void)fault_set(fault, source, field->at,
		                "write has(map.field); is a key there: 'key' in map",
		                "has() wants a field of something");
		return NULL;
	}
	struct ast *node = ast_new(arena, AST_SELECT, call);
	*node = *field;
	node->from = call->from;
	node->to = call->to;
	node->test = true;
	return node;
}

/* Its arguments from `first` on are value, variable, body. */
static struct ast *expand_binding(struct arena *arena, struct span source, enum ast_kind kind,
                                  const struct ast *call, size_t value, struct fault *fault)
{
	struct ast *node = ast_new(arena, kind, call);
	if (!take_variable(source, call, call->args[1 - value], &node->var, fault)) {
		return NULL;
	}
	node->args = ARENA_ARRAY(arena, struct ast *, 2);
	node->arg_count = 2;
	node->args[0] = call->args[value];
	node->args[1] = call->args[2];
	ast_measure(node);
	return node;
}

static struct ast *expand_bind(struct arena *arena, struct span source, const struct ast *call,
                               struct fault *fault)
{
	return expand_binding(arena, source, AST_BIND, call, 1, fault);
}

static struct ast *expand_opt_map(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	struct ast *node = expand_binding(arena, source, AST_OPT_MAP, call, 0, fault);
	if (node != NULL) {
		node->flat = span_is(call->name, "optFlatMap");
	}
	return node;
}

static const struct ast_macro OTHERS[] = {
        {"has", false, 1, expand_has, "write has(map.field)"},
        {"cel.bind", false, 3, expand_bind, "write cel.bind(x, value, x + x)"},
        {"optMap", true, 2, expand_opt_map, "write map.?field.optMap(x, x * 2)"},
        {"optFlatMap", true, 2, expand_opt_map, "write map.?field.optFlatMap(x, x.?inner)"},
};

static bool is_call_of(const struct ast *call, const struct ast_macro *macro)
{
	return call->method == macro->method && is_named(call->name, macro->name);
}

static bool has_count_of(const struct ast *call, const struct ast_macro *macro)
{
	return call->arg_count == macro->arg_count + macro->method;
}

/* ---- all of them ---- */

/* Of rows of a name that take another count of arguments, *other is one. */
static const struct ast_macro *find_other(const struct ast *call, const struct ast_macro *rows,
                                          size_t count, const struct ast_macro **other)
{
	for (size_t i = 0; i < count; i++) {
		if (is_call_of(call, &rows[i])) {
			if (has_count_of(call, &rows[i])) {
				return &rows[i];
			}
			*other = &rows[i];
		}
	}
	return NULL;
}

static struct ast *expand_others(struct arena *arena, struct span source,
                                 const struct ast_macro *more, struct ast *call,
                                 struct fault *fault)
{
	const struct ast_macro *other = NULL;
	size_t count = 0;
	while (more != NULL && more[count].name != NULL) {
		count++;
	}
	const struct ast_macro *macro =
	        find_other(call, OTHERS, sizeof OTHERS / sizeof *OTHERS, &other);
	if (macro == NULL && other == NULL) {
		macro = find_other(call, more, count, &other);
	}
	if (macro != NULL) {
		return macro->expand(arena, source, call, fault);
	}
	return other != NULL ? refuse_count(source, call, other->usage, fault) : call;
}

struct ast *macro_expand(struct arena *arena, struct span source, const struct ast_macro *more,
                         struct ast *call, struct fault *fault)
{
	const char *usage = NULL;
	const struct loop *loop = find_loop(call, &usage);
	if (loop != NULL) {
		return expand_loop(arena, source, loop, call, fault);
	}
	if (usage != NULL) {
		return refuse_count(source, call, usage, fault);
	}
	return expand_others(arena, source, more, call, fault);
}
