/* This file opens the door to the expression language. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/expr.h"

#include "base/mem.h"
#include "triggers/expr/compile.h"
#include "triggers/expr/parser.h"

int expr_new(const struct expr_env *env, struct span source, enum expr_want want, struct expr **out,
             struct fault *fault)
{
	struct parser_options options = {.macros = env->macros, .no_macros = env->no_macros};
	struct arena arena = {0};
	struct ast *ast = NULL;
	int status = parser_parse(source, &options, &arena, &ast, fault);
	if (status == 0) {
		status = compile_ast(env, source, ast, want, out, fault);
	}
	arena_close(&arena);
	return status;
}

void expr_free(struct expr *expr)
{
	if (expr == NULL) {
		return;
	}
	for (struct node_regex *regex = expr->regexes; regex != NULL; regex = regex->next) {
		regex_drop(regex->regex);
	}
	for (uint32_t i = 0; i < expr->slot_count; i++) {
		paths_drop(expr->paths, expr->slots[i]);
	}
	mem_free(expr);
}

struct span expr_source(const struct expr *expr)
{
	return expr->source;
}

size_t expr_bytes(const struct expr *expr)
{
	return expr->bytes;
}

struct value expr_eval(const struct expr *expr, struct activation *activation, int64_t budget,
                       int64_t *out_spent)
{
	struct node *root = expr->root;
	/* All room for slots first: nodes hold on to where slots are. */
	if (expr->slot_end > activation->slot_cap) {
		(void)activation_resolve(activation, expr->slot_end - 1);
	}
	activation->allowance.budget = budget;
	struct value value = allowance_spend(&activation->allowance, expr->nodes)
	                             ? root->eval(activation, root)
	                             : node_over(activation, root);
	if (expr->wants_bool && value.tag != VALUE_BOOL && value.tag != VALUE_ERROR) {
		value = node_error(root, ERROR_NOT_BOOL, NULL);
	}
	if (out_spent != NULL) {
		*out_spent = budget - activation->allowance.budget;
	}
	return value;
}

size_t expr_alternatives(const struct expr *expr, const struct expr_alternative **out)
{
	*out = expr->alternatives;
	return expr->alternative_count;
}
