/* This file keeps ranges of numbers and finds those that hold a given one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_RANGES_H
#define TRIGGERS_RANGES_H

#include "triggers/posting.h"

/*
 * DESIGN. A treap ordered by the lower bound; every node knows the highest upper bound below it, so
 * that a search visits what it finds and about as many nodes as the tree is deep. Bounds are
 * doubles and count as inside: of integers beyond 2^53 a neighbour may be found too, the condition
 * itself decides.
 */
struct range {
	struct posting posting; /* kind is ACCESS_RANGE */
	double low;
	double high;
	double highest; /* of the whole subtree */
	struct range *left;
	struct range *right;
	uint32_t priority;
};

typedef void posting_fn(void *ctx, struct posting *posting);

void ranges_add(struct range **root, struct range *range); /* low and high are set */
void ranges_remove(struct range **root, struct range *range);
void ranges_find(const struct range *root, double number, posting_fn *found, void *ctx);

#endif
