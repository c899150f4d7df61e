/* This file writes the figures of triggers, one series for each of the first thousand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/series.h"

#include "base/hash.h"
#include "base/mem.h"
#include "wire/exposition.h"

/* ---- gathering ---- */

static bool has_id(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct series_item, node)->id,
	                  *(const struct span *)key);
}

static struct series_item *item_of(struct series *series, struct span id)
{
	uint64_t hash = hash_bytes(id, 0);
	struct map_node *node = map_get(&series->by_id, hash, &id, has_id);
	if (node != NULL) {
		return MEM_CONTAINER(node, struct series_item, node);
	}
	if (series->count == SERIES_MOST || span_is(id, SERIES_OTHER)) {
		series->has_other = true;
		return &series->other;
	}
	struct series_item *item = MEM_NEW(struct series_item);
	item->id = id;
	map_add(&series->by_id, &item->node, hash);
	series->items[series->count++] = item;
	return item;
}

static void add_to(struct series_item *item, const struct binding *binding)
{
	bool is_current = binding->until_seq == 0;
	figures_add_binding(&item->figures, binding);
	item->waiting += binding->held - binding->busy;
	item->running += binding->busy;
	item->paused_keys += binding->blocked;
	item->lagging += binding->lagging && is_current;
	item->paused += binding->pause.is_on && is_current;
}

static void add_binding(void *ctx, struct binding *binding)
{
	struct series *series = ctx;
	add_to(item_of(series, binding->id), binding);
	add_to(&series->all, binding);
}

void series_gather(struct series *series, const struct catalog *catalog)
{
	*series = (struct series){.other.id = SPAN(SERIES_OTHER)};
	catalog_each(catalog, add_binding, series);
}

void series_close(struct series *series)
{
	map_close(&series->by_id);
	for (size_t i = 0; i < series->count; i++) {
		mem_free(series->items[i]);
	}
}

/* ---- writing ---- */

static const struct series_item *item_at(const struct series *series, size_t i)
{
	return i < series->count ? series->items[i] : &series->other;
}

static size_t item_count(const struct series *series)
{
	return series->count + series->has_other;
}

void series_write(const struct series *series, const char *name, size_t offset, struct buf *out)
{
	for (size_t i = 0; i < item_count(series); i++) {
		const struct series_item *item = item_at(series, i);
		const struct exposition_label label = {"trigger", item->id};
		uint64_t value;
		memcpy(&value, (const char *)item + offset, sizeof value);
		exposition_uint(out, name, &label, 1, value);
	}
}

void series_write_deliveries(const struct series *series, const char *name, struct buf *out)
{
	for (size_t i = 0; i < item_count(series); i++) {
		const struct series_item *item = item_at(series, i);
		const struct figures *figures = &item->figures;
		const struct {
			struct span outcome;
			uint64_t count;
		} rows[] = {
		        {SPAN("delivered"), figures->delivered},
		        {SPAN("declined"), figures->declined},
		        {SPAN("dead"), figures->buried},
		        {SPAN("cancelled"), figures->cancelled},
		        {SPAN("dropped"), figures->dropped},
		};
		for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
			const struct exposition_label labels[] = {
			        {"trigger", item->id},
			        {"outcome", rows[j].outcome},
			};
			exposition_uint(out, name, labels, 2, rows[j].count);
		}
	}
}
