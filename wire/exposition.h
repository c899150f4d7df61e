/* This file writes figures as Prometheus reads them: text format 0.0.4. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_EXPOSITION_H
#define WIRE_EXPOSITION_H

#include "base/buf.h"
#include "base/histogram.h"
#include "base/span.h"
#include <stddef.h>

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

/* Names are literals and right; values are anything. */
struct exposition_label {
	const char *name;
	struct span value;
};

/* Before the samples of a metric. */
void exposition_begin(struct buf *out, const char *name, enum exposition_kind kind,
                      const char *help);
void exposition_uint(struct buf *out, const char *name, const struct exposition_label labels[],
                     size_t count, uint64_t value);
/* A figure kept in whole parts, `parts` to the unit: 1,500 ms are "1.5" seconds. */
void exposition_parts(struct buf *out, const char *name, const struct exposition_label labels[],
                      size_t count, uint64_t value, uint64_t parts);
/* A histogram of whole parts, with the bounds 1, 2 and 5 of each power of ten from `least` (one
 * itself) on, as many powers as `decades`. */
struct exposition_buckets {
	uint64_t parts;
	int64_t least;
	unsigned decades;
};
void exposition_histogram(struct buf *out, const char *name, const struct histogram *histogram,
                          const struct exposition_buckets *how);

#endif
