/* This file tells people which part of a condition said no, and what it saw. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "triggers/expr/compile.h"
#include "triggers/expr/expr.h"
#include "triggers/expr/parser.h"

struct explainer {
	const struct expr_env *env;
	struct span source;
	struct activation *activation;
	int64_t budget;
	expr_part_fn *seen;
	void *ctx;
	struct buf text;
	struct buf told; /* the paths, each with a newline behind */
};

/* Names of loops and binds around the part that is looked at. */
struct shadow {
	struct span name;
	const struct shadow *outer;
};

static struct span text_of(const struct explainer *explainer, const struct ast *ast)
{
	return span_make(explainer->source.ptr + ast->from, ast->to - ast->from);
}

/* ---- paths ---- */

static bool is_const_text(const struct ast *ast)
{
	return ast->kind == AST_CONST && ast->constant.tag == VALUE_STRING;
}

static bool is_shadowed(const struct ast *ident, const struct shadow *shadow)
{
	for (; shadow != NULL && !ident->absolute; shadow = shadow->outer) {
		if (span_equal(shadow->name, ident->name)) {
			return true;
		}
	}
	return false;
}

/* Names and constant keys, down to a name that is no local: perhaps a path. */
static bool may_be_path(const struct ast *ast, const struct shadow *shadow)
{
	for (;;) {
		if (ast->kind == AST_IDENT) {
			return !is_shadowed(ast, shadow);
		}
		bool is_index = ast->kind == AST_CALL && span_is(ast->name, "_[_]") &&
		                is_const_text(ast->args[1]);
		if (ast->kind != AST_SELECT && !is_index) {
			return false;
		}
		ast = ast->args[0];
	}
}

/* By its text: a slot is another path's once nobody uses it any more. */
static bool was_told(struct explainer *explainer, struct span path)
{
	struct span rest = buf_view(&explainer->told);
	while (rest.len != 0) {
		size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) - rest.ptr);
		if (span_equal(span_make(rest.ptr, len), path)) {
			return true;
		}
		rest = span_make(rest.ptr + len + 1, rest.len - len - 1);
	}
	buf_span(&explainer->told, path);
	buf_byte(&explainer->told, '\n');
	return false;
}

/* False: it is no path after all. */
static bool tell_path(struct explainer *explainer, const struct ast *ast)
{
	struct ast plain = *ast; /* what has() and .? ask about */
	plain.test = false;
	plain.optional = false;
	struct fault fault = {0};
	struct expr *expr = NULL;
	if (compile_ast(explainer->env, explainer->source, &plain, EXPR_ANY, &expr, &fault) != 0) {
		return false;
	}
	bool is_path = expr->root->kind == NODE_SLOT;
	buf_clear(&explainer->text);
	if (is_path) {
		paths_write(explainer->env->paths, expr->root->slot, &explainer->text);
	}
	if (is_path && !was_told(explainer, buf_view(&explainer->text))) {
		struct value value =
		        expr_eval(expr, explainer->activation, explainer->budget, NULL);
		explainer->seen(explainer->ctx, buf_view(&explainer->text), value);
	}
	expr_free(expr);
	return is_path;
}

/* ---- the other side of a constant ---- */

static bool compares(const struct ast *ast)
{
	static const char *const names[] = {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (ast->kind == AST_CALL && span_is(ast->name, names[i])) {
			return true;
		}
	}
	return false;
}

static bool is_constant(const struct ast *ast)
{
	return ast->kind == AST_CONST || ast->kind == AST_LIST;
}

static void tell_side(struct explainer *explainer, const struct ast *ast)
{
	struct fault fault = {0};
	struct expr *expr = NULL;
	if (compile_ast(explainer->env, explainer->source, ast, EXPR_ANY, &expr, &fault) == 0) {
		struct value value =
		        expr_eval(expr, explainer->activation, explainer->budget, NULL);
		explainer->seen(explainer->ctx, text_of(explainer, ast), value);
		expr_free(expr);
	}
}

static void tell_sides(struct explainer *explainer, const struct ast *ast)
{
	for (size_t i = 0; i < 2; i++) {
		const struct ast *side = ast->args[i];
		if (is_constant(ast->args[1 - i]) && !is_constant(side) &&
		    !may_be_path(side, NULL)) {
			tell_side(explainer, side);
		}
	}
}

/* ---- the walk ---- */

static void walk(struct explainer *explainer, const struct ast *ast, const struct shadow *shadow)
{
	if (may_be_path(ast, shadow) && tell_path(explainer, ast)) {
		return;
	}
	if (compares(ast) && shadow == NULL) {
		tell_sides(explainer, ast);
	}
	struct shadow first = {ast->var, shadow};
	struct shadow second = {ast->var2, &first};
	bool names = ast->kind == AST_LOOP || ast->kind == AST_BIND || ast->kind == AST_OPT_MAP;
	for (size_t i = 0; i < ast->arg_count; i++) {
		if (ast->args[i] != NULL) {
			/* The first operand is the range, or the value: outside of the names. */
			walk(explainer, ast->args[i],
			     !names || i == 0        ? shadow
			     : ast->var2.ptr != NULL ? &second
			                             : &first);
		}
	}
}

/* The operands of the outermost &&, from the left. */
static size_t list_operands(const struct ast *ast, const struct ast **out)
{
	bool is_and = ast->kind == AST_CALL && span_is(ast->name, "_&&_");
	if (!is_and) {
		if (out != NULL) {
			out[0] = ast;
		}
		return 1;
	}
	size_t count = list_operands(ast->args[0], out);
	return count + list_operands(ast->args[1], out != NULL ? out + count : NULL);
}

static int explain(struct explainer *explainer, const struct ast *ast, expr_part_fn *part,
                   struct fault *fault)
{
	size_t count = list_operands(ast, NULL);
	const struct ast **operands = MEM_ARRAY(const struct ast *, count);
	(void)list_operands(ast, operands);
	const struct ast *refused = NULL;
	bool has_failed = false; /* what was refused is an error so far */
	int status = 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct expr *expr = NULL;
		status = compile_ast(explainer->env, explainer->source, operands[i], EXPR_ANY,
		                     &expr, fault);
		if (status == 0) {
			struct value value =
			        expr_eval(expr, explainer->activation, explainer->budget, NULL);
			part(explainer->ctx, text_of(explainer, operands[i]), value);
			bool is_no = value.tag == VALUE_BOOL && !value.as.b;
			if (refused == NULL ? !value_is_true(value) : has_failed && is_no) {
				refused = operands[i];
				has_failed = !is_no;
			}
			expr_free(expr);
		}
	}
	if (status == 0 && refused != NULL) {
		walk(explainer, refused, NULL);
	}
	mem_free(operands);
	return status;
}

int expr_explain(const struct expr_env *env, struct span source, struct activation *activation,
                 int64_t budget, expr_part_fn *part, expr_part_fn *seen, void *ctx,
                 struct fault *fault)
{
	struct parser_options options = {.macros = env->macros, .no_macros = env->no_macros};
	struct explainer explainer = {env, source, activation, budget, seen, ctx, {0}, {0}};
	struct arena arena = {0};
	struct ast *ast = NULL;
	int status = parser_parse(source, &options, &arena, &ast, fault);
	if (status == 0) {
		status = explain(&explainer, ast, part, fault);
	}
	buf_free(&explainer.text);
	buf_free(&explainer.told);
	arena_close(&arena);
	return status;
}
