/* This file makes the nodes that the parser finds, within the parser's limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/builder.h"

#include "base/mem.h"

void builder_init(struct builder *builder, struct span source, struct arena *arena,
                  struct fault *fault)
{
	/* Not `first`: most expressions use little of it. */
	builder->source = source;
	builder->arena = arena;
	builder->fault = fault;
	builder->height_max = 0;
	builder->nodes_max = 0;
	builder->nodes = 0;
	builder->waiting = builder->first;
	builder->count = 0;
	builder->cap = BUILDER_FIRST;
}

void builder_close(struct builder *builder)
{
	if (builder->waiting != builder->first) {
		mem_free(builder->waiting);
	}
	builder->waiting = NULL;
}

/* ---- what waits ---- */

static void grow(struct builder *builder)
{
	size_t cap = builder->cap * 2;
	bool is_first = builder->waiting == builder->first;
	struct waiting *more = mem_grow(is_first ? NULL : builder->waiting, cap * sizeof *more);
	if (is_first) {
		memcpy(more, builder->first, sizeof builder->first);
	}
	builder->waiting = more;
	builder->cap = cap;
}

void builder_push(struct builder *builder, struct ast *ast, uint32_t at, bool optional)
{
	if (builder->count == builder->cap) {
		grow(builder);
	}
	builder->waiting[builder->count++] = (struct waiting){ast, at, optional};
}

void builder_take(struct builder *builder, size_t base, size_t step, struct ast *node)
{
	const struct waiting *from = builder->waiting + base;
	size_t count = builder->count - base;
	bool any = false;
	node->args = ARENA_ARRAY(builder->arena, struct ast *, count);
	node->arg_count = count;
	for (size_t i = 0; i < count; i++) {
		node->args[i] = from[i].ast;
		any |= from[i].optional;
	}
	if (any) {
		node->optionals = ARENA_ARRAY(builder->arena, bool, count / step);
		for (size_t i = 0; i < count / step; i++) {
			node->optionals[i] = from[i * step].optional;
		}
	}
	builder->count = base;
}

/* ---- nodes ---- */

struct ast *builder_refuse_depth(struct builder *builder, size_t at)
{
	(void)fault_set(builder->fault, builder->source, at, "split it into several conditions",
	                "the expression is nested too deep: at most %u levels",
	                builder->height_max);
	return NULL;
}

struct ast *builder_add(struct builder *builder, struct ast node)
{
	ast_measure(&node);
	if (node.height > builder->height_max) {
		return builder_refuse_depth(builder, node.at);
	}
	if (++builder->nodes > builder->nodes_max) {
		(void)fault_set(builder->fault, builder->source, node.at, NULL,
		                "the expression has too many parts: at most %u",
		                builder->nodes_max);
		return NULL;
	}
	struct ast *added = ARENA_NEW(builder->arena, struct ast);
	*added = node;
	return added;
}

struct ast *builder_leaf(struct builder *builder, enum ast_kind kind, const struct token *token)
{
	return builder_add(builder, (struct ast){.kind = kind,
	                                         .at = token->from,
	                                         .from = token->from,
	                                         .to = token->to,
	                                         .constant = token->constant});
}

struct ast **builder_one(struct builder *builder, struct ast *arg)
{
	struct ast **args = ARENA_NEW(builder->arena, struct ast *);
	*args = arg;
	return args;
}

struct ast *builder_binary(struct builder *builder, struct span name, uint32_t at, struct ast *left,
                           struct ast *right)
{
	struct ast node = {.kind = AST_CALL,
	                   .at = at,
	                   .from = left->from,
	                   .to = right->to,
	                   .name = name,
	                   .args = ARENA_ARRAY(builder->arena, struct ast *, 2),
	                   .arg_count = 2};
	node.args[0] = left;
	node.args[1] = right;
	return builder_add(builder, node);
}

static struct ast *halve(struct builder *builder, struct span name, size_t from, size_t to)
{
	if (to - from == 1) {
		return builder->waiting[from].ast;
	}
	size_t middle = from + (to - from + 1) / 2;
	struct ast *left = halve(builder, name, from, middle);
	struct ast *right = left ? halve(builder, name, middle, to) : NULL;
	return right ? builder_binary(builder, name, builder->waiting[middle].at, left, right)
	             : NULL;
}

struct ast *builder_balance(struct builder *builder, struct span name, size_t base)
{
	struct ast *node = halve(builder, name, base, builder->count);
	builder->count = base;
	return node;
}
