/* This file makes the nodes of an expression's tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/ast.h"

void ast_measure(struct ast *node)
{
	uint32_t deepest = 0;
	for (size_t i = 0; i < node->arg_count; i++) {
		/* A loop may have no filter. */
		const struct ast *arg = node->args[i];
		if (arg != NULL && arg->height > deepest) {
			deepest = arg->height;
		}
	}
	node->height = deepest + 1;
}

struct ast *ast_new(struct arena *arena, enum ast_kind kind, const struct ast *like)
{
	struct ast *node = ARENA_NEW(arena, struct ast);
	*node = (struct ast){
	        .kind = kind, .height = 1, .at = like->at, .from = like->from, .to = like->to};
	return node;
}

struct ast *ast_const(struct arena *arena, const struct ast *like, struct value constant)
{
	struct ast *node = ast_new(arena, AST_CONST, like);
	node->constant = constant;
	if (constant.tag == VALUE_STRING || constant.tag == VALUE_BYTES) {
		node->constant.as.text = arena_copy(arena, value_text(constant)).ptr;
	}
	return node;
}

struct ast *ast_ident(struct arena *arena, const struct ast *like, const char *name)
{
	struct ast *node = ast_new(arena, AST_IDENT, like);
	node->name = arena_copy(arena, span_of(name));
	return node;
}

/* `b` is an argument only behind `a`. */
static void set_args(struct arena *arena, struct ast *node, struct ast *a, struct ast *b)
{
	node->arg_count = a == NULL ? 0 : b == NULL ? 1 : 2;
	node->args = ARENA_ARRAY(arena, struct ast *, 2);
	node->args[0] = a;
	node->args[1] = b;
	ast_measure(node);
}

struct ast *ast_select(struct arena *arena, const struct ast *like, struct ast *from,
                       struct span name)
{
	struct ast *node = ast_new(arena, AST_SELECT, like);
	node->name = arena_copy(arena, name);
	set_args(arena, node, from, NULL);
	return node;
}

struct ast *ast_call(struct arena *arena, const struct ast *like, const char *name, struct ast *a,
                     struct ast *b)
{
	struct ast *node = ast_new(arena, AST_CALL, like);
	node->name = arena_copy(arena, span_of(name));
	set_args(arena, node, a, b);
	return node;
}

/* ---- chains of names ---- */

/* Takes ".name" from the end of *text; the whole for the first name of a chain. */
static bool take_last(struct span *text, struct span name, bool is_first)
{
	if (text->len < name.len ||
	    !span_equal(span_make(text->ptr + text->len - name.len, name.len), name)) {
		return false;
	}
	text->len -= name.len;
	if (is_first) {
		return text->len == 0;
	}
	if (text->len == 0 || text->ptr[text->len - 1] != '.') {
		return false;
	}
	text->len--;
	return true;
}

bool ast_chain_is(const struct ast *ast, struct span text)
{
	while (ast->kind == AST_SELECT && !ast->test && !ast->optional) {
		if (!take_last(&text, ast->name, false)) {
			return false;
		}
		ast = ast->args[0];
	}
	return ast->kind == AST_IDENT && take_last(&text, ast->name, true);
}

const struct ast *ast_chain_start(const struct ast *ast)
{
	while (ast->kind == AST_SELECT && !ast->test && !ast->optional) {
		ast = ast->args[0];
	}
	return ast->kind == AST_IDENT ? ast : NULL;
}
