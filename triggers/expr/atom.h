/* This file takes out of an expression what an index can look up. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_ATOM_H
#define TRIGGERS_EXPR_ATOM_H

#include "triggers/expr/block.h"
#include "triggers/expr/node.h"

/*
 * DESIGN. Operands of the outermost && must all be true, of || one of them; ! is pushed in over
 * both, over == and over !=, but not over < (errors, and NaN). Nothing under ?: or in a loop is
 * looked at. What is true of the expression is true of an alternative; so atoms may be left out,
 * and are where there would be too many, but never be too strict.
 */

enum expr_atom_op {
	ATOM_EQUAL, /* the value at the path equals one of `values` (`==`, `in`) */
	ATOM_TRUE,  /* is true */
	ATOM_HAS,   /* is there */
	ATOM_LESS,  /* < values[0], a number */
	ATOM_LESS_EQUAL,
	ATOM_GREATER,
	ATOM_GREATER_EQUAL,
	ATOM_PREFIX, /* a string that starts with values[0] */
	ATOM_SUFFIX
};

struct expr_atom {
	enum expr_atom_op op;
	uint32_t slot;
	const struct value *values; /* null, bool, number, string, bytes */
	size_t count;
};

/* One way to be true: every atom of it must hold. */
struct expr_alternative {
	const struct expr_atom *atoms;
	size_t count;
};

enum { EXPR_ALTERNATIVES_MAX = 16 };

/* Into the block. 0: nothing is known. */
size_t atom_alternatives(struct block *block, struct arena *scratch, struct node *root,
                         struct expr_alternative **out);
/* The literal text with which every match of the pattern begins; empty: there is none. */
struct span atom_prefix(struct arena *scratch, struct span pattern);

#endif
