/* This file is a treap of ranges, each subtree with its highest end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/ranges.h"

/* Any bits that have no order will do: nobody gains by making the tree deep but for himself. */
static uint32_t priority_of(const struct range *range)
{
	uint64_t bits = (uint64_t)(uintptr_t)range * 0x9e3779b97f4a7c15u;
	bits ^= bits >> 29;
	return (uint32_t)((bits * 0xbf58476d1ce4e5b9u) >> 32);
}

static bool is_before(const struct range *a, const struct range *b)
{
	return a->low < b->low || (a->low == b->low && (uintptr_t)a < (uintptr_t)b);
}

static void measure(struct range *range)
{
	range->highest = range->high;
	if (range->left != NULL && range->left->highest > range->highest) {
		range->highest = range->left->highest;
	}
	if (range->right != NULL && range->right->highest > range->highest) {
		range->highest = range->right->highest;
	}
}

/* Those before `at`, and the others. */
static void split(struct range *root, const struct range *at, struct range **out_left,
                  struct range **out_right)
{
	if (root == NULL) {
		*out_left = NULL;
		*out_right = NULL;
	} else if (is_before(root, at)) {
		split(root->right, at, &root->right, out_right);
		measure(root);
		*out_left = root;
	} else {
		split(root->left, at, out_left, &root->left);
		measure(root);
		*out_right = root;
	}
}

static struct range *merge(struct range *left, struct range *right)
{
	if (left == NULL || right == NULL) {
		return left != NULL ? left : right;
	}
	if (left->priority > right->priority) {
		left->right = merge(left->right, right);
		measure(left);
		return left;
	}
	right->left = merge(left, right->left);
	measure(right);
	return right;
}

void ranges_add(struct range **root, struct range *range)
{
	struct range *left;
	struct range *right;
	range->left = NULL;
	range->right = NULL;
	range->priority = priority_of(range);
	measure(range);
	split(*root, range, &left, &right);
	*root = merge(merge(left, range), right);
}

void ranges_remove(struct range **root, struct range *range)
{
	struct range *at = *root;
	if (at == range) {
		*root = merge(range->left, range->right);
		return;
	}
	ranges_remove(is_before(range, at) ? &at->left : &at->right, range);
	measure(at);
}

void ranges_find(const struct range *root, double number, posting_fn *found, void *ctx)
{
	while (root != NULL && root->highest >= number) {
		ranges_find(root->left, number, found, ctx);
		if (root->low > number) {
			return;
		}
		if (root->high >= number) {
			found(ctx, (struct posting *)&root->posting);
		}
		root = root->right;
	}
}
