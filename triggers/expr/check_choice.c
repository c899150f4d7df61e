/* This file refuses what a variable of few values is compared with and can never be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/check.h"

enum { SHOWN_MOST = 60 };

static const struct expr_choice *find_choice(const struct assembly *assembly, const struct ast *ast)
{
	const struct ast *start = ast_chain_start(ast);
	const struct expr_choice *choice = start != NULL ? assembly->env->choices : NULL;
	for (uint32_t i = 0; choice != NULL && i < assembly->local_count; i++) {
		if (!start->absolute && span_equal(assembly->locals[i].name, start->name)) {
			return NULL; /* a loop's own */
		}
	}
	while (choice != NULL && choice->name != NULL &&
	       !ast_chain_is(ast, span_of(choice->name))) {
		choice++;
	}
	return choice != NULL && choice->name != NULL ? choice : NULL;
}

static bool may_be(const struct expr_choice *choice, struct value constant)
{
	for (size_t i = 0; constant.tag == VALUE_STRING && choice->values[i] != NULL; i++) {
		if (span_is(value_text(constant), choice->values[i])) {
			return true;
		}
	}
	return false;
}

static bool check_literal(struct assembly *assembly, const struct expr_choice *choice,
                          const struct ast *literal)
{
	if (literal->kind != AST_CONST || may_be(choice, literal->constant)) {
		return true;
	}
	struct span text =
	        span_make(assembly->source.ptr + literal->from, literal->to - literal->from);
	(void)fault_set(assembly->fault, assembly->source, literal->at, choice->hint,
	                "%s is never %.*s", choice->name,
	                (int)(text.len < SHOWN_MOST ? text.len : SHOWN_MOST), text.ptr);
	return false;
}

bool check_choices(struct assembly *assembly, const struct ast *call)
{
	if (assembly->env->choices == NULL || call->method || call->arg_count != 2) {
		return true;
	}
	bool is_in = span_is(call->name, "@in");
	if (!is_in && !span_is(call->name, "_==_") && !span_is(call->name, "_!=_")) {
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		const struct expr_choice *choice = find_choice(assembly, call->args[i]);
		const struct ast *other = call->args[1 - i];
		if (choice == NULL || (is_in && (i == 1 || other->kind != AST_LIST))) {
			continue;
		}
		for (size_t j = 0; is_in && j < other->arg_count; j++) {
			if (!check_literal(assembly, choice, other->args[j])) {
				return false;
			}
		}
		if (!is_in && !check_literal(assembly, choice, other)) {
			return false;
		}
	}
	return true;
}
