/* This file evaluates what is asked of texts: startsWith, endsWith, contains, matches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/eval.h"

enum {
	SCAN_STEP = 16,         /* bytes that are looked at for one step */
	COMPILE_STEPS = 200,    /* for a pattern that is not constant */
	LIMIT_HIT_STEPS = 20000 /* for a match that was given up */
};

/* The text that the test asks about, or an error in *error. */
static inline bool subject_text(struct activation *activation, struct node *node, const char *name,
                                struct span *out, struct value *error)
{
	*error = node->kind == NODE_TEST
	                 ? activation_get(activation, node->slot)
	                 : ((struct node_test_of *)(void *)node)
	                           ->operand->eval(activation,
	                                           ((struct node_test_of *)(void *)node)->operand);
	if (error->tag == VALUE_STRING) {
		*out = value_text(*error);
		return true;
	}
	*error = error->tag == VALUE_ERROR ? node_placed(node, *error)
	                                   : node_unfit(node, name, error, NULL);
	return false;
}

static bool ends_with(struct span text, struct span suffix)
{
	return text.len >= suffix.len &&
	       memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

struct value eval_test_text(struct activation *activation, struct node *node)
{
	static const char *const names[] = {
	        [TEST_PREFIX] = "startsWith",
	        [TEST_SUFFIX] = "endsWith",
	        [TEST_CONTAINS] = "contains",
	};
	struct span constant = value_text(((struct node_test *)(void *)node)->constant);
	struct span text = SPAN_NONE;
	struct value error;
	if (!subject_text(activation, node, names[node->op], &text, &error)) {
		return error;
	}
	if (node->op == TEST_PREFIX) {
		return value_bool(span_starts_with(text, constant));
	}
	if (node->op == TEST_SUFFIX) {
		return value_bool(ends_with(text, constant));
	}
	if (!allowance_spend(&activation->allowance, (int64_t)(text.len / SCAN_STEP))) {
		return node_over(activation, node);
	}
	return value_bool(constant.len == 0 ||
	                  memmem(text.ptr, text.len, constant.ptr, constant.len) != NULL);
}

/* ---- matches ---- */

/* The program of a pattern that is computed: mostly the same as the last time. */
static struct value compile(struct activation *activation, struct node_regex *test)
{
	const struct node *node = &test->test.test.node;
	struct value pattern = test->pattern->eval(activation, test->pattern);
	if (pattern.tag != VALUE_STRING) {
		return pattern.tag == VALUE_ERROR ? pattern
		                                  : node_unfit(node, "matches", &pattern, NULL);
	}
	if (!allowance_spend(&activation->allowance, COMPILE_STEPS)) {
		return node_over(activation, node);
	}
	struct err err = {0};
	struct regex *regex = NULL;
	if (regex_new(value_text(pattern), &regex, &err) != 0) {
		struct span text = arena_copy(&activation->allowance.arena, span_of(err.text));
		return node_error(node, ERROR_INVALID_ARGUMENT, text.ptr);
	}
	regex_drop(test->regex);
	test->regex = regex;
	return value_bool(true);
}

struct value eval_test_matches(struct activation *activation, struct node *node)
{
	struct node_regex *test = (struct node_regex *)(void *)node;
	struct span text = SPAN_NONE;
	struct value error;
	if (!subject_text(activation, node, "matches", &text, &error)) {
		return error;
	}
	if (test->pattern != NULL) {
		error = compile(activation, test);
		if (error.tag == VALUE_ERROR) {
			return error;
		}
	}
	bool found = false;
	if (!allowance_spend(&activation->allowance, (int64_t)(text.len / SCAN_STEP))) {
		return node_over(activation, node);
	}
	if (regex_matches(test->regex, text, &found, NULL) != 0) {
		(void)allowance_spend(&activation->allowance, LIMIT_HIT_STEPS);
		return node_error(node, ERROR_REGEX_LIMIT, NULL);
	}
	return value_bool(found);
}
