/* This file goes through the parts of a space one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/agenda_walk.h"

#include "base/buf.h"
#include "base/mem.h"

struct agenda_walk {
	struct store_parts parts;
	struct store_scan scan;
	struct store *store;
	enum space space;
	struct agenda_walk_hooks hooks;
	bool is_dropped;
	struct buf names; /* of the parts; each with its length, one uint32_t, before it */
	size_t at;
};

static void finish(struct agenda_walk *walk, int status, const struct err *err)
{
	if (!walk->is_dropped) {
		walk->hooks.done(walk->hooks.ctx, status, err);
	}
	buf_free(&walk->names);
	mem_free(walk);
}

static bool met_record(void *ctx, struct span key, const struct record *record)
{
	struct agenda_walk *walk = ctx;
	if (record->expires_at_ms != 0 && !walk->is_dropped) {
		const struct adapter_due due = {record->expires_at_ms, walk->scan.range.part, key};
		walk->hooks.each(walk->hooks.ctx, &due);
	}
	return !walk->is_dropped;
}

static void scan_next(struct agenda_walk *walk);

static void part_done(struct store_scan *scan, int status, bool more, uint64_t group,
                      const struct err *err)
{
	(void)more;
	(void)group;
	struct agenda_walk *walk = MEM_CONTAINER(scan, struct agenda_walk, scan);
	if (status != 0) {
		finish(walk, status, err);
	} else {
		scan_next(walk);
	}
}

static void scan_next(struct agenda_walk *walk)
{
	if (walk->at == walk->names.len || walk->is_dropped) {
		finish(walk, 0, NULL);
		return;
	}
	uint32_t len;
	memcpy(&len, walk->names.ptr + walk->at, sizeof len);
	struct span part = span_make(walk->names.ptr + walk->at + sizeof len, len);
	walk->at += sizeof len + len;
	walk->scan = (struct store_scan){.range = {.space = walk->space, .part = part},
	                                 .row = met_record,
	                                 .ctx = walk,
	                                 .done = part_done};
	store_scan_start(walk->store, &walk->scan);
}

static bool met_part(void *ctx, struct span part)
{
	struct agenda_walk *walk = ctx;
	uint32_t len = (uint32_t)part.len;
	buf_add(&walk->names, &len, sizeof len);
	buf_span(&walk->names, part);
	return true;
}

static void parts_done(struct store_parts *parts, int status, uint64_t group, const struct err *err)
{
	(void)group;
	struct agenda_walk *walk = MEM_CONTAINER(parts, struct agenda_walk, parts);
	if (status != 0) {
		finish(walk, status, err);
	} else {
		scan_next(walk);
	}
}

struct agenda_walk *agenda_walk_start(struct store *store, enum space space,
                                      const struct agenda_walk_hooks *hooks)
{
	struct agenda_walk *walk = MEM_NEW(struct agenda_walk);
	walk->store = store;
	walk->space = space;
	walk->hooks = *hooks;
	walk->parts = (struct store_parts){
	        .space = space, .part = met_part, .ctx = walk, .done = parts_done};
	store_parts_start(store, &walk->parts);
	return walk;
}

void agenda_walk_drop(struct agenda_walk *walk)
{
	walk->is_dropped = true;
}
