/* This file compiles: first to know the size, then into memory of that size. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/compile.h"

#include "base/mem.h"
#include "triggers/expr/atom.h"
#include "triggers/expr/resolve.h"

static bool may_be_bool(struct assembly *assembly, const struct ast *ast, const struct part *part)
{
	if (assembly->env->unchecked || (part->types & TAKES_BOOL) != 0) {
		return true;
	}
	(void)fault_set(assembly->fault, assembly->source, ast->at,
	                "compare it with something: x == ...",
	                "the condition is never true or false, it is another type");
	return false;
}

/* Slots of variables are never dropped, so they are not in the assembly's list. */
static uint32_t end_of_slots(const struct assembly *assembly)
{
	const struct expr_env *env = assembly->env;
	uint32_t end = 0;
	for (size_t i = 0; i < env->variable_count; i++) {
		end = env->variables[i].slot >= end ? env->variables[i].slot + 1 : end;
	}
	for (size_t i = 0; i < assembly->slot_count; i++) {
		end = assembly->slots[i] >= end ? assembly->slots[i] + 1 : end;
	}
	return end;
}

/* NULL, with the fault; what was taken is given back then. */
static struct expr *build(struct assembly *assembly, const struct ast *ast, enum expr_want want)
{
	struct expr *expr = block_take(&assembly->block, sizeof *expr);
	struct part part = resolve(assembly, ast);
	if (part.kind == PART_FAULTY || (want == EXPR_BOOL && !may_be_bool(assembly, ast, &part))) {
		assembly_drop(assembly);
		return NULL;
	}
	expr->root = part_node(assembly, &part);
	expr->paths = assembly->env->paths;
	expr->source = block_text(&assembly->block, assembly->source);
	expr->alternative_count = (uint8_t)atom_alternatives(&assembly->block, &assembly->scratch,
	                                                     expr->root, &expr->alternatives);
	expr->regexes = assembly->regexes;
	size_t slots_size = assembly->slot_count * sizeof *expr->slots;
	expr->slots = block_take(&assembly->block, slots_size);
	if (slots_size != 0) {
		memcpy(expr->slots, assembly->slots, slots_size);
	}
	expr->slot_count = (uint32_t)assembly->slot_count;
	expr->slot_end = end_of_slots(assembly);
	expr->nodes = assembly->nodes;
	expr->wants_bool = want == EXPR_BOOL;
	return expr;
}

int compile_ast(const struct expr_env *env, struct span source, const struct ast *ast,
                enum expr_want want, struct expr **out, struct fault *fault)
{
	struct assembly *counter = MEM_NEW(struct assembly);
	assembly_init(counter, env, source, fault);
	block_count(&counter->block, &counter->scratch);
	int status = build(counter, ast, want) != NULL ? 0 : E_INVALID;
	if (status == 0) {
		size_t size = block_size(&counter->block);
		struct assembly *assembly = MEM_NEW(struct assembly);
		assembly_init(assembly, env, source, fault);
		block_build(&assembly->block, mem_raw(size), size);
		*out = build(assembly, ast, want);
		POST(*out != NULL && block_size(&assembly->block) == size);
		(*out)->bytes = (uint32_t)size;
		assembly_close(assembly);
		mem_free(assembly);
		assembly_drop(counter);
	}
	assembly_close(counter);
	mem_free(counter);
	return status;
}
