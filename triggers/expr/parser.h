/* This file reads the text of a CEL expression into a tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_PARSER_H
#define TRIGGERS_EXPR_PARSER_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/ast.h"
#include "triggers/expr/fault.h"

/*
 * DESIGN. The grammar of github.com/google/cel-spec/blob/master/doc/langdef.md ("Syntax"), by
 * precedence climbing, with a bound on depth (no stack is at risk), on the count of nodes and on
 * the nesting of loops. Optional syntax
 * (`.?f`, `[?k]`, `[?x]`, `{?k: v}`) and backquoted field names are always on.
 */
enum {
	PARSER_TEXT_MAX = 16 * 1024, /* bytes of an expression */
	PARSER_DEPTH_MAX = 250,
	PARSER_NODES_MAX = 10000,
	PARSER_LOOPS_MAX = 4, /* loops inside each other */
};

struct parser_options {
	const struct ast_macro
	        *macros; /* ends with a row without a name; NULL: none of the caller's */
	bool no_macros;  /* has(), all() ... are ordinary calls: for the conformance suite */
};

/* The tree lies in `arena` (which has no limit) and borrows nothing from `source`. E_INVALID: the
 * fault tells; what it told before is forgotten. */
int parser_parse(struct span source, const struct parser_options *options, struct arena *arena,
                 struct ast **out, struct fault *fault);

#endif
