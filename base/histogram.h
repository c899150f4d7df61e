/* This file counts how large things were: fixed buckets, cheap to add to, good for quantiles. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

/*
 * DESIGN. Nine buckets for each power of ten: up to 1, 2, ... 9, 10, 20, ... 90, 100, 200 and so
 * on, so that a figure is at most half too large, and the bounds that people write on their graphs
 * are bounds of buckets. What is larger than the last bound counts in the last bucket.
 */
enum { HISTOGRAM_DECADES = 10, HISTOGRAM_BUCKETS = 1 + 9 * HISTOGRAM_DECADES };

/* Plain data: all zero is empty. The unit is the owner's. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t sum;
	int64_t max;
};

void histogram_add(struct histogram *histogram, int64_t value); /* below zero is zero */
/* The least bound that so many of a thousand do not pass, at most the largest value; 0 when there
 * is none. */
int64_t histogram_quantile(const struct histogram *histogram, unsigned permille);
/* How many are at most `bound`, which is 1 to 9 times a power of ten. */
uint64_t histogram_up_to(const struct histogram *histogram, int64_t bound);

#endif
