/* This file is the table of metrics: name, kind, meaning, and where each figure comes from. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_METRICS_H
#define ENGINE_WORK_METRICS_H

#include "base/buf.h"
#include "engine/core/core.h"
#include "wire/exposition.h"
#include <stddef.h>

/*
 * DESIGN. A scene is all figures as they are now, read once; a row of the table says what one of
 * them is called and where it stands in the scene. Whatever a row says is written by one of a few
 * writers, so that no two metrics of a kind look different. Nothing is counted for this that would
 * not be counted without it: a scrape costs what it reads, a change nothing.
 */
struct metric {
	const char *name;
	enum exposition_kind kind;
	const char *help; /* one sentence */
	enum metric_source {
		METRIC_UINT,     /* uint64_t at `offset` of the scene */
		METRIC_MS,       /* the same, ms: told in seconds */
		METRIC_US,       /* the same, us */
		METRIC_TIMES_MS, /* const struct histogram * at `offset`, of ms: told in seconds */
		METRIC_TIMES_US, /* the same, of us */
		METRIC_SERIES,   /* uint64_t at `offset` of each series_item */
		METRIC_OWN       /* `write` does it */
	} source;
	size_t offset;
	void (*write)(const struct metric *metric, const void *scene, struct buf *out);
};

const struct metric *metrics_table(size_t *out_count);
/* Writes all of them, in the order of the table. */
void metrics_write(const struct core *core, struct buf *out);

#endif
