/* This file lists the functions that compute nodes, one for each kind. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_EVAL_H
#define TRIGGERS_EXPR_EVAL_H

#include "triggers/expr/node.h"

/* ---- values and fields (eval_field.c) ---- */

node_fn eval_const;
node_fn eval_slot;
node_fn eval_local;
node_fn eval_select;      /* .name and .?name of anything */
node_fn eval_has;         /* has(x.name) of anything */
node_fn eval_slot_maybe;  /* .?name where it is a slot */
node_fn eval_index;       /* x[y] */
node_fn eval_index_maybe; /* x[?y] */

/* Where the node's value is, so that what is parsed there stays parsed: a slot, a local, a field of
 * them; else it is computed into *room. May be an error. */
struct value *node_place(struct activation *activation, struct node *node, struct value *room);

/* The same of node.slot, whatever else the node is. */
struct value *node_slot_place(struct activation *activation, const struct node *node,
                              struct value *room);

/* ---- logic (eval_logic.c) ---- */

node_fn eval_and;
node_fn eval_or;
node_fn eval_not;
node_fn eval_choice;
node_fn eval_is_true; /* "@is_true", "@differ": ast.h */
node_fn eval_differ;
node_fn eval_bind;    /* node_loop without a filter: range is the value */
node_fn eval_opt_map; /* likewise; op: flat */

/* ---- tests against constants, comparisons (eval_test.c, eval_text.c) ---- */

node_fn eval_test_string; /* TEST_EQUAL, TEST_NOT_EQUAL of a string */
node_fn eval_test_int;    /* ... of an int */
node_fn eval_test_equal;  /* ... of anything */
node_fn eval_test_order;
node_fn eval_test_in;
node_fn eval_test_has;
node_fn eval_test_text;    /* TEST_PREFIX, TEST_SUFFIX, TEST_CONTAINS */
node_fn eval_test_matches; /* also of a pattern that is computed */
node_fn eval_equal;        /* of two nodes; op: TEST_EQUAL, TEST_NOT_EQUAL */
node_fn eval_order;

/* ---- calls and literals (eval_call.c) ---- */

node_fn eval_call;
node_fn eval_list;
node_fn eval_map;

/* ---- loops (eval_loop.c, eval_transform.c) ---- */

node_fn eval_loop_bool; /* all, exists, exists_one */
node_fn eval_loop_list; /* map, filter, transformList */
node_fn eval_loop_map;  /* transformMap, transformMapEntry */

#endif
