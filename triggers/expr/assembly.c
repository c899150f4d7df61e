/* This file makes the simplest nodes, and keeps account of what an expression takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/assembly.h"

#include "base/mem.h"
#include "triggers/expr/eval.h"

enum { FOLDING_LIMIT = 1 << 20, FOLDING_BUDGET = 100000, FIRST_SLOTS = 8 };

void assembly_init(struct assembly *assembly, const struct expr_env *env, struct span source,
                   struct fault *fault)
{
	memset(assembly, 0, sizeof *assembly);
	assembly->env = env;
	assembly->source = source;
	assembly->fault = fault;
	assembly->folding.allowance.arena.limit = FOLDING_LIMIT;
	assembly->folding.allowance.budget = FOLDING_BUDGET;
}

void assembly_close(struct assembly *assembly)
{
	arena_close(&assembly->folding.allowance.arena);
	arena_close(&assembly->scratch);
	mem_free(assembly->slots);
	assembly->slots = NULL;
}

void assembly_drop(struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->slot_count; i++) {
		paths_drop(assembly->env->paths, assembly->slots[i]);
	}
	assembly->slot_count = 0;
	for (struct node_regex *regex = assembly->regexes; regex != NULL; regex = regex->next) {
		regex_drop(regex->regex);
	}
	assembly->regexes = NULL;
}

static void remember_slot(struct assembly *assembly, uint32_t slot)
{
	size_t count = assembly->slot_count;
	if (count == 0 || (count >= FIRST_SLOTS && (count & (count - 1)) == 0)) {
		size_t room = count < FIRST_SLOTS ? FIRST_SLOTS : count * 2;
		assembly->slots = mem_grow(assembly->slots, room * sizeof *assembly->slots);
	}
	assembly->slots[assembly->slot_count++] = slot;
}

/* ---- parts ---- */

struct part part_faulty(void)
{
	return (struct part){.kind = PART_FAULTY};
}

struct part part_const(const struct ast *ast, struct value constant)
{
	return (struct part){
	        .kind = PART_CONST,
	        .types = 1u << constant.tag,
	        .at = ast->at,
	        .constant = constant,
	};
}

struct part part_of_node(struct node *node, uint32_t types)
{
	return (struct part){.kind = PART_NODE, .types = types, .at = node->at, .node = node};
}

struct part part_child(struct assembly *assembly, const struct part *parent, const struct ast *ast,
                       struct span name)
{
	uint32_t slot = paths_take(assembly->env->paths, parent->slot, name);
	size_t count = assembly->slot_count;
	if (count != 0 && assembly->slots[count - 1] == parent->slot) {
		paths_drop(assembly->env->paths, parent->slot);
		assembly->slots[count - 1] = slot;
	} else {
		remember_slot(assembly, slot);
	}
	return (struct part){.kind = PART_SLOT, .types = TAKES_ANY, .at = ast->at, .slot = slot};
}

struct node *part_node(struct assembly *assembly, const struct part *part)
{
	if (part->kind == PART_NODE) {
		return part->node;
	}
	struct ast place = {.at = part->at};
	if (part->kind == PART_SLOT) {
		struct node *node = assembly_node(assembly, &place, sizeof(struct node), eval_slot);
		node->kind = NODE_SLOT;
		node->slot = part->slot;
		return node;
	}
	struct node_const *node =
	        (void *)assembly_node(assembly, &place, sizeof(struct node_const), eval_const);
	node->node.kind = NODE_CONST;
	node->value = block_value(&assembly->block, part->constant);
	return &node->node;
}

/* ---- nodes ---- */

struct node *assembly_node(struct assembly *assembly, const struct ast *ast, size_t size,
                           node_fn *eval)
{
	struct node *node = block_take(&assembly->block, size);
	node->eval = eval;
	node->at = (uint16_t)ast->at;
	return node;
}

struct node *assembly_list(struct assembly *assembly, const struct ast *ast, node_fn *eval,
                           const struct part parts[], size_t count)
{
	size_t size = sizeof(struct node_list) + count * sizeof(struct node *);
	struct node_list *list = (void *)assembly_node(assembly, ast, size, eval);
	list->node.slot = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		list->args[i] = part_node(assembly, &parts[i]);
	}
	return &list->node;
}

struct part assembly_error(struct assembly *assembly, const struct ast *ast, enum value_error code,
                           struct span detail)
{
	struct node_const *node =
	        (void *)assembly_node(assembly, ast, sizeof(struct node_const), eval_const);
	const char *text = detail.ptr != NULL ? block_text(&assembly->block, detail).ptr : NULL;
	node->value = node_error(&node->node, code, text);
	return part_of_node(&node->node, TAKES_ANY);
}
