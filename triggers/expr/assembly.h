/* This file holds what is known while the nodes of an expression are built. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_ASSEMBLY_H
#define TRIGGERS_EXPR_ASSEMBLY_H

#include "triggers/expr/block.h"
#include "triggers/expr/env.h"
#include "triggers/expr/node.h"

/*
 * DESIGN. A part is a subexpression that was resolved: a constant or a slot stays one until its
 * node is needed, because what is made of it (a test, a deeper slot, a folded constant) mostly
 * needs none.
 */
enum part_kind { PART_FAULTY /* the fault says why */, PART_CONST, PART_SLOT, PART_NODE };

struct part {
	enum part_kind kind;
	uint32_t types; /* mask of what may come out, errors aside */
	uint32_t at;
	uint32_t slot;
	struct value constant; /* in the tree or in the scratch */
	struct node *node;
};

struct assembly_local {
	struct span name;
	uint32_t types;
};

/* What an expression is put together with. */
struct assembly {
	const struct expr_env *env;
	struct span source;
	struct fault *fault;
	struct arena scratch;
	struct block block;
	struct activation folding; /* constants are computed here, under one budget; no slots */
	struct assembly_local locals[ACTIVATION_LOCALS_MAX];
	uint32_t local_count;
	uint32_t nodes;
	struct node_regex *regexes;
	uint32_t *slots; /* taken, one use each; owned */
	size_t slot_count;
};

/* `env`, `source` and `fault` are borrowed. */
void assembly_init(struct assembly *assembly, const struct expr_env *env, struct span source,
                   struct fault *fault);
/* Slots and patterns that were taken stay so. */
void assembly_close(struct assembly *assembly);
/* Gives back what was taken: nothing will be made of it. */
void assembly_drop(struct assembly *assembly);

/* ---- parts ---- */

struct part part_faulty(void);
struct part part_const(const struct ast *ast, struct value constant);
struct part part_of_node(struct node *node, uint32_t types);
/* The slot of a field of a slot, which nobody needs by itself any more. */
struct part part_child(struct assembly *assembly, const struct part *parent, const struct ast *ast,
                       struct span name);
struct node *part_node(struct assembly *assembly, const struct part *part);

/* ---- nodes ---- */

/* Zeroed, of `size` bytes. */
struct node *assembly_node(struct assembly *assembly, const struct ast *ast, size_t size,
                           node_fn *eval);
struct node *assembly_list(struct assembly *assembly, const struct ast *ast, node_fn *eval,
                           const struct part parts[], size_t count);
/* An error when it is evaluated: what a check would have refused. */
struct part assembly_error(struct assembly *assembly, const struct ast *ast, enum value_error code,
                           struct span detail);

#endif
