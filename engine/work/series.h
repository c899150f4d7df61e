/* This file writes the figures of triggers, one series for each of the first thousand. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_SERIES_H
#define ENGINE_WORK_SERIES_H

#include "base/buf.h"
#include "base/map.h"
#include "base/span.h"
#include "engine/core/catalog.h"
#include "engine/core/figures.h"
#include <stddef.h>
#include <stdint.h>

enum { SERIES_MOST = 1000 };
#define SERIES_OTHER "other"

/* All versions of one trigger. */
struct series_item {
	struct map_node node;
	struct span id; /* the binding's; in the last one SERIES_OTHER */
	struct figures figures;
	uint64_t waiting, running, paused_keys;
	uint64_t lagging, paused; /* 1: it is; of several: how many */
};

/* What there is while the catalog is not changed. A trigger that is called SERIES_OTHER stands with
 * the rest, so that no series comes twice. */
struct series {
	struct map by_id;
	struct series_item *items[SERIES_MOST];
	size_t count;
	struct series_item other;
	bool has_other;
	struct series_item all; /* of what is there */
};

void series_gather(struct series *series, const struct catalog *catalog);
void series_close(struct series *series);

/* All samples of one metric, whose name is `name`. */
void series_write_deliveries(const struct series *series, const char *name, struct buf *out);
/* The number at that offset of each item. */
void series_write(const struct series *series, const char *name, size_t offset, struct buf *out);

#endif
