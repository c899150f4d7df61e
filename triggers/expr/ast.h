/* This file defines the tree that the parser makes of an expression. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_AST_H
#define TRIGGERS_EXPR_AST_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Operators are calls under CEL's canonical names (AST_CALL "_+_", "_&&_", "_?_:_", "!_",
 * "-_", "@in",
 * "_[_]", "_[?_]"; arguments in order, no target). Macros are expanded while parsing: has() into a
 * select that tests, loops into AST_LOOP, cel.bind into AST_BIND, optMap and optFlatMap into
 * AST_OPT_MAP. Everything lies in one arena; texts of names and string literals too (unescaped).
 *
 * Two calls are made by macros only; an operand in error (but not over the budget) counts as absent
 * for them: "@differ"(a, b): one of them is there and the other is not, or both and they are not
 * equal; "@is_true"(x): x is true.
 */
enum ast_kind {
	AST_CONST,  /* constant */
	AST_IDENT,  /* name: one identifier; ".x" (absolute) has `absolute` set */
	AST_SELECT, /* args[0].name; `test`: has(); `optional`: .?name */
	AST_CALL, /* name(args...), or target.name(args...): `method`, the target is then args[0] */
	AST_LIST, /* args; optionals[i]: [?x] */
	AST_MAP,  /* args are key, value, key, value ...; optionals[i] of pair i: {?k: v} */
	AST_LOOP, /* loop over args[0]; args[1] the filter or NULL; args[2] the body */
	AST_BIND, /* args[0] is `var`'s value in args[1] */
	AST_OPT_MAP /* args[0] an optional, args[1] the body with `var`; `flat`: optFlatMap */
};

enum ast_loop {
	LOOP_ALL,
	LOOP_EXISTS,
	LOOP_EXISTS_ONE,
	LOOP_MAP,                /* list of bodies, of the items for which the filter is true */
	LOOP_FILTER,             /* list of items for which the body is true */
	LOOP_TRANSFORM_LIST,     /* two-variable: list of bodies */
	LOOP_TRANSFORM_MAP,      /* two-variable: map key -> body */
	LOOP_TRANSFORM_MAP_ENTRY /* two-variable: map of the one-entry maps that the body gives */
};

struct ast {
	enum ast_kind kind;
	uint32_t height; /* levels of the tree, this one included: at most PARSER_DEPTH_MAX */
	uint32_t at;   /* byte offset of what an error points to: the operator, the name, the first
	                  byte */
	uint32_t from; /* the bytes of the source that this node was made of */
	uint32_t to;
	struct value constant;
	struct span name;
	struct ast **args;
	size_t arg_count;
	bool *optionals; /* NULL: none is */
	bool absolute;
	bool test;
	bool optional;
	bool method;
	bool flat;
	enum ast_loop loop;
	struct span
	        var; /* the item (over a map: the key); of two variables: the index or the key */
	struct span var2; /* absent: a loop of one variable; else the item or the value */
};

/* Is it a chain of nothing but names, `text` ("event.type")? */
bool ast_chain_is(const struct ast *ast, struct span text);
/* The first name of a chain of names, or NULL. */
const struct ast *ast_chain_start(const struct ast *ast);

/* What the parser may be taught besides the language. Everything is borrowed. */
struct ast_macro {
	const char *name;
	bool method;
	size_t arg_count; /* without the target */
	/* Makes the tree that stands for call `call` (AST_CALL, arguments parsed). NULL: the fault
	 * says why not. */
	struct ast *(*expand)(struct arena *arena, struct span source, const struct ast *call,
	                      struct fault *fault);
	const char *usage; /* "write has(map.field)": the hint for another count of arguments */
};

/* ---- building: what parser and macros use; the new node has the place and range of `like`. Texts
 * are copied. The arena has no limit. ---- */

struct ast *ast_new(struct arena *arena, enum ast_kind kind, const struct ast *like);
struct ast *ast_const(struct arena *arena, const struct ast *like, struct value constant);
struct ast *ast_ident(struct arena *arena, const struct ast *like, const char *name);
struct ast *ast_select(struct arena *arena, const struct ast *like, struct ast *from,
                       struct span name);
/* `b` NULL: one argument; `a` too: none. */
struct ast *ast_call(struct arena *arena, const struct ast *like, const char *name, struct ast *a,
                     struct ast *b);
/* Sets `height`: whoever fills in `args` himself calls it when they are there. */
void ast_measure(struct ast *node);

#endif
