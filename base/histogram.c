/* This file counts how large things were: fixed buckets, cheap to add to, good for quantiles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <stddef.h>

/* Bucket 0 holds 0 and 1; bucket 1 + 9d + n - 2 what is over (n-1) and up to n times 10^d, n from 2
 * to 10. */
static size_t bucket_of(int64_t value)
{
	size_t first = 1;
	int64_t unit = 1;
	if (value <= 1) {
		return 0;
	}
	/* Most are short waits: few turns. */
	while (value > 10 * unit && first + 9 < HISTOGRAM_BUCKETS) {
		unit *= 10;
		first += 9;
	}
	size_t bucket = first + (size_t)((value - 1) / unit) - 1;
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t bound_of(size_t bucket)
{
	int64_t unit = 1;
	if (bucket == 0) {
		return 1;
	}
	for (size_t decades = (bucket - 1) / 9; decades > 0; decades--) {
		unit *= 10;
	}
	return (int64_t)((bucket - 1) % 9 + 2) * unit;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
	value = value < 0 ? 0 : value;
	histogram->buckets[bucket_of(value)]++;
	histogram->count++;
	histogram->sum += (uint64_t)value;
	histogram->max = value > histogram->max ? value : histogram->max;
}

int64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	uint64_t wanted = (histogram->count * permille + 999) / 1000;
	uint64_t seen = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1 && wanted != 0; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted) {
			int64_t bound = bound_of(i);
			return bound < histogram->max ? bound : histogram->max;
		}
	}
	return histogram->max;
}

uint64_t histogram_up_to(const struct histogram *histogram, int64_t bound)
{
	size_t last = bucket_of(bound);
	uint64_t sum = 0;
	for (size_t i = 0; i <= last; i++) {
		sum += histogram->buckets[i];
	}
	return sum;
}
