/* This file chooses for each test the function that is quickest for its constant. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/build_test.h"

#include "base/err.h"
#include "triggers/expr/eval.h"

enum { FEW_ITEMS = 8 }; /* are looked through one by one */

static node_fn *function_of(enum node_test_op op, struct value constant)
{
	switch (op) {
	case TEST_EQUAL:
	case TEST_NOT_EQUAL:
		return constant.tag == VALUE_STRING ? eval_test_string
		       : constant.tag == VALUE_INT  ? eval_test_int
		                                    : eval_test_equal;
	case TEST_IN:
		return eval_test_in;
	case TEST_PREFIX:
	case TEST_SUFFIX:
	case TEST_CONTAINS:
		return eval_test_text;
	default:
		return eval_test_order;
	}
}

/* The table is left out when the items are few, or not all of a kind that has a hash. */
static void build_table(struct assembly *assembly, struct node_test_in *in)
{
	const struct value_list *list = in->test.test.constant.as.list;
	for (size_t i = 0; i < list->count; i++) {
		uint8_t tag = list->items[i].tag;
		if (tag < VALUE_NULL || tag > VALUE_BYTES) {
			return;
		}
	}
	uint32_t room = FEW_ITEMS * 2;
	while (room < list->count * 2) {
		room *= 2;
	}
	in->table = block_take(&assembly->block, room * sizeof *in->table);
	in->mask = room - 1;
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t at = (uint32_t)value_hash(list->items[i], 0) & in->mask;
		while (in->table[at] != 0) {
			at = (at + 1) & in->mask;
		}
		in->table[at] = i + 1;
	}
}

/* A node of `size` bytes that asks the subject: its slot, or an operand. */
static struct node *test_node(struct assembly *assembly, const struct ast *ast,
                              enum node_test_op op, const struct part *subject, size_t size,
                              node_fn *eval)
{
	struct node *node = assembly_node(assembly, ast, size, eval);
	node->op = (uint8_t)op;
	node->kind = subject->kind == PART_SLOT ? NODE_TEST : NODE_TEST_OF;
	if (subject->kind == PART_SLOT) {
		node->slot = subject->slot;
	} else {
		((struct node_test_of *)(void *)node)->operand = part_node(assembly, subject);
	}
	return node;
}

struct node *build_test(struct assembly *assembly, const struct ast *ast, enum node_test_op op,
                        const struct part *subject, struct value constant)
{
	size_t size =
	        subject->kind == PART_SLOT ? sizeof(struct node_test) : sizeof(struct node_test_of);
	if (op == TEST_IN) {
		size = sizeof(struct node_test_in);
	}
	struct node *node = test_node(assembly, ast, op, subject, size, function_of(op, constant));
	((struct node_test *)(void *)node)->constant = block_value(&assembly->block, constant);
	if (op == TEST_IN && constant.as.list->count > FEW_ITEMS) {
		build_table(assembly, (struct node_test_in *)(void *)node);
	}
	return node;
}

struct node *build_test_has(struct assembly *assembly, const struct ast *ast, uint32_t slot)
{
	struct node *node = assembly_node(assembly, ast, sizeof(struct node), eval_test_has);
	node->kind = NODE_TEST;
	node->op = TEST_HAS;
	node->slot = slot;
	return node;
}

static struct regex *compile(struct assembly *assembly, const struct part *pattern)
{
	struct regex *regex = NULL;
	struct err err = {0};
	if (regex_new(value_text(pattern->constant), &regex, &err) != 0) {
		(void)fault_set(assembly->fault, assembly->source, pattern->at, NULL,
		                "the pattern is wrong %s", err.text);
	}
	return regex;
}

struct node *build_test_matches(struct assembly *assembly, const struct ast *ast,
                                const struct part *subject, const struct part *pattern)
{
	bool constant = pattern->kind == PART_CONST;
	struct regex *regex = constant ? compile(assembly, pattern) : NULL;
	if (constant && regex == NULL) {
		return NULL;
	}
	struct node *node = test_node(assembly, ast, TEST_MATCHES, subject,
	                              sizeof(struct node_regex), eval_test_matches);
	struct node_regex *test = (struct node_regex *)(void *)node;
	test->regex = regex;
	if (constant) {
		test->test.test.constant = block_value(&assembly->block, pattern->constant);
	} else {
		test->pattern = part_node(assembly, pattern);
	}
	test->next = assembly->regexes;
	assembly->regexes = test;
	return node;
}
