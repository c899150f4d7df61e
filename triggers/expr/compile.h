/* This file makes an expression of a tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_COMPILE_H
#define TRIGGERS_EXPR_COMPILE_H

#include "triggers/expr/atom.h"
#include "triggers/expr/env.h"
#include "triggers/expr/node.h"

/* At the front of its one piece of memory. */
struct expr {
	struct node *root;
	struct paths *paths;
	struct span source;
	struct expr_alternative *alternatives;
	struct node_regex *regexes;
	uint32_t *slots; /* one use of each is ours */
	uint32_t slot_count;
	uint32_t slot_end; /* what is read is below it */
	uint32_t nodes;
	uint32_t bytes;
	uint8_t alternative_count;
	bool wants_bool;
};

/* `ast` may be a part of the tree of `source`. E_INVALID: the fault says why. */
int compile_ast(const struct expr_env *env, struct span source, const struct ast *ast,
                enum expr_want want, struct expr **out, struct fault *fault);

#endif
