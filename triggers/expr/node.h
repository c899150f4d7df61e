/* This file defines the nodes of an expression that is ready to be evaluated. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_NODE_H
#define TRIGGERS_EXPR_NODE_H

#include "triggers/expr/activation.h"
#include "triggers/expr/ast.h"
#include "triggers/expr/overload.h"
#include "triggers/expr/regex.h"
#include "triggers/expr/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A node begins with the function that computes it; what follows depends on the kind. Nodes
 * are changed only by what they learn (where a field was found, which overload fitted): one thread.
 *
 * A test is one node for what a condition mostly asks: a path against a constant. When it asks
 * something else than a path it has an operand (struct node_test_of).
 */
struct node;
typedef struct value node_fn(struct activation *activation, struct node *node);

enum node_kind {
	NODE_OTHER,
	NODE_CONST,
	NODE_SLOT,
	NODE_LOCAL,
	NODE_SELECT,
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_TEST,   /* of a slot: node.slot; op is the test */
	NODE_TEST_OF /* of an operand */
};

enum node_test_op {
	TEST_EQUAL,
	TEST_NOT_EQUAL,
	TEST_LESS,
	TEST_LESS_EQUAL,
	TEST_GREATER,
	TEST_GREATER_EQUAL,
	TEST_IN, /* constant: a list */
	TEST_PREFIX,
	TEST_SUFFIX,
	TEST_CONTAINS,
	TEST_MATCHES, /* constant: the pattern */
	TEST_HAS      /* slots only; no constant */
};

struct node {
	node_fn *eval;
	uint16_t at;   /* byte offset in the source, for errors */
	uint8_t kind;  /* enum node_kind */
	uint8_t op;    /* enum node_test_op, enum ast_loop, or a flag of its kind's own */
	uint32_t slot; /* or the depth of a local, the count of a list, a hint */
};

struct node_const {
	struct node node;
	struct value value;
};

/* node.slot is their count: &&, ||, list, map (twice as many), all fixed arguments. */
struct node_list {
	struct node node;
	const bool *optionals; /* NULL: none is */
	struct node *args[];
};

struct node_test {
	struct node node;
	struct value constant;
};

struct node_test_of {
	struct node_test test;
	struct node *operand;
};

/* `in` more constants than are looked through one by one: a table of their indexes + 1. */
struct node_test_in {
	struct node_test_of test;
	uint32_t *table;
	uint32_t mask;
};

/* A pattern; all of an expression's hang together, for who frees it. */
struct node_regex {
	struct node_test_of test;
	struct regex *regex; /* a pattern that is computed: the last one, or NULL */
	struct node_regex *next;
	struct node *pattern; /* NULL: constant */
};

/* node.slot is where the field was the last time; op: is it .?name. */
struct node_select {
	struct node node;
	struct node *operand;
	struct span name; /* with a NUL behind */
};

/* node.slot is the types of the last call, one byte each, and `row` what fitted them. */
struct node_call {
	struct node node;
	const struct overload *const *rows;
	uint32_t row_count;
	uint32_t row;
	uint32_t count;
	const char *name;
	struct node *args[];
};

/* node.slot is the depth of its first variable, op the enum ast_loop. */
struct node_loop {
	struct node node;
	struct node *range;
	struct node *filter; /* NULL: none */
	struct node *body;
	uint32_t cost; /* steps of one item */
	bool two;      /* variables */
};

/* ---- errors ---- */

static inline struct value node_error(const struct node *node, enum value_error code,
                                      const char *detail)
{
	struct value error = value_error(code, detail);
	error.at = node->at;
	return error;
}

/* `name` does not take such values; `second` may be NULL. */
static inline struct value node_unfit(const struct node *node, const char *name,
                                      const struct value *first, const struct value *second)
{
	struct value error = node_error(node, ERROR_NO_SUCH_OVERLOAD, name);
	error.types = value_types(first->tag, second != NULL ? second->tag : 0);
	return error;
}

/* An error that has no place yet gets the node's. */
static inline struct value node_placed(const struct node *node, struct value value)
{
	if (value.tag == VALUE_ERROR && value.at == 0) {
		value.at = node->at;
	}
	return value;
}

/* What stopped whoever was over the allowance. */
static inline struct value node_over(const struct activation *activation, const struct node *node)
{
	return node_placed(node, allowance_error(&activation->allowance));
}

/* optional.of(value) */
static inline struct value node_optional(struct activation *activation, const struct node *node,
                                         struct value value)
{
	struct value *inner = ARENA_NEW(&activation->allowance.arena, struct value);
	if (inner == NULL) {
		return node_over(activation, node);
	}
	*inner = value;
	return (struct value){.tag = VALUE_OPTIONAL, .as.inner = inner};
}

/* Over the budget is over: no operator absorbs it. */
static inline bool node_is_over(struct value value)
{
	return value.tag == VALUE_ERROR && value.code == ERROR_BUDGET;
}

#endif
