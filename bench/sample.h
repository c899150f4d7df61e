/* This file defines a set of measured times and reads percentiles from it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty sample. Times are in whole nanoseconds. */
struct sample {
	int64_t *times;
	size_t count;
	size_t cap;
};

void sample_add(struct sample *sample, int64_t time_ns);
/* Sorts what is there; 0 for an empty sample. percent is from 0 to 100. */
double sample_us(struct sample *sample, double percent);
void sample_close(struct sample *sample);

int64_t sample_now_ns(void); /* the monotonic clock, the one that Python's time.monotonic reads */

#endif
