/* This file makes the nodes that the parser finds, within the parser's limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_BUILDER_H
#define TRIGGERS_EXPR_BUILDER_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/ast.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/lexer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Operands of a chain, arguments and items wait on one stack until their number is known:
 * whoever pushes remembers the count before. Every function that returns a node returns NULL when
 * a limit is reached and the fault tells.
 */
enum { BUILDER_FIRST = 32 };

struct waiting {
	struct ast *ast;
	uint32_t at; /* of the operator before it */
	bool optional;
};

struct builder {
	struct span source;
	struct arena *arena;
	struct fault *fault;
	uint32_t height_max;
	uint32_t nodes_max;
	uint32_t nodes;
	struct waiting *waiting;
	size_t count;
	size_t cap;
	struct waiting first[BUILDER_FIRST]; /* what `waiting` is until it must grow */
};

/* The limits are 0: the caller sets them. */
void builder_init(struct builder *builder, struct span source, struct arena *arena,
                  struct fault *fault);
void builder_close(struct builder *builder);

void builder_push(struct builder *builder, struct ast *ast, uint32_t at, bool optional);
/* Makes what waits above `base` the arguments of the node. Of `step` in a row the first says
 * whether they are optional. */
void builder_take(struct builder *builder, size_t base, size_t step, struct ast *node);

/* A node in the arena, as it is given: its arguments are there already. */
struct ast *builder_add(struct builder *builder, struct ast node);
struct ast *builder_leaf(struct builder *builder, enum ast_kind kind, const struct token *token);
struct ast *builder_binary(struct builder *builder, struct span name, uint32_t at, struct ast *left,
                           struct ast *right);
/* Of what waits above `base`, at least one, a tree of little height; nothing waits there then. */
struct ast *builder_balance(struct builder *builder, struct span name, size_t base);
/* One argument, in the arena. */
struct ast **builder_one(struct builder *builder, struct ast *arg);
struct ast *builder_refuse_depth(struct builder *builder, size_t at);

#endif
