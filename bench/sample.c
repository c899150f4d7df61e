/* This file defines a set of measured times and reads percentiles from it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sample.h"

#include "base/mem.h"
#include <stdlib.h>
#include <time.h>

enum { FIRST_CAP = 4096, NS_PER_US = 1000 };

void sample_add(struct sample *sample, int64_t time_ns)
{
	if (sample->count == sample->cap) {
		sample->cap = sample->cap ? sample->cap * 2 : FIRST_CAP;
		sample->times = mem_grow(sample->times, sample->cap * sizeof *sample->times);
	}
	sample->times[sample->count++] = time_ns;
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

double sample_us(struct sample *sample, double percent)
{
	if (sample->count == 0) {
		return 0;
	}
	qsort(sample->times, sample->count, sizeof *sample->times, compare);
	size_t at = (size_t)((double)(sample->count - 1) * percent / 100);
	return (double)sample->times[at] / NS_PER_US;
}

void sample_close(struct sample *sample)
{
	mem_free(sample->times);
	*sample = (struct sample){0};
}

int64_t sample_now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
