/* This file scans the records of triggers, cursors, jobs and windows, one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/catalog_load.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog_inside.h"
#include "engine/core/react.h"
#include "engine/core/throttle_store.h"
#include "engine/core/trigger_record.h"
#include "engine/durable/space.h"

/*
 *  CURSORS --> TRIGGERS --> TIMES --> JOBS --> WINDOWS --> done
 *
 * Cursors come first: a trigger begins to lag where its own says. The times that
 * cron triggers have fired at, jobs and windows come behind their triggers, the last two trigger by
 * trigger.
 */
struct own_cursor {
	struct list link;
	struct span id;
	uint32_t version;
	uint64_t seq;
};

struct load {
	struct catalog *catalog;
	struct store *store;
	struct dispatch *dispatch;
	uint64_t *out_cursor;
	struct list cursors;
	struct store_scan scan;
	struct store_parts parts;
	enum space space;     /* whose parts these are: */
	struct list id_parts; /* id_part.link: the trigger ids that have records in it */
	struct err err;
	int status;
	uint64_t orphans;
	void (*done)(void *ctx, int status, const struct err *err);
	void *ctx;
};

struct id_part {
	struct list link;
	struct span id;
};

static void finish(struct load *load)
{
	LIST_EACH(&load->cursors, link)
	{
		struct own_cursor *cursor = MEM_CONTAINER(link, struct own_cursor, link);
		mem_free((char *)cursor->id.ptr);
		mem_free(cursor);
	}
	LIST_EACH(&load->id_parts, part_link)
	{
		struct id_part *part = MEM_CONTAINER(part_link, struct id_part, link);
		mem_free((char *)part->id.ptr);
		mem_free(part);
	}
	if (load->orphans != 0) {
		log_warn("catalog",
		         "%llu jobs and windows belong to no trigger and were left alone",
		         (unsigned long long)load->orphans);
	}
	load->done(load->ctx, load->status, &load->err);
	mem_free(load);
}

static bool failed(struct load *load, int status, const struct err *err)
{
	if (status != 0 && load->status == 0) {
		load->status = status;
		load->err = *err;
	}
	if (load->status != 0) {
		finish(load);
	}
	return load->status != 0;
}

static void scan(struct load *load, enum space space, struct span part, store_row_fn *row,
                 void (*done)(struct store_scan *, int, bool, uint64_t, const struct err *))
{
	load->scan = (struct store_scan){
	        .range = {.space = space, .part = part}, .row = row, .ctx = load, .done = done};
	store_scan_start(load->store, &load->scan);
}

/* ---- jobs ---- */

static bool job_row(void *ctx, struct span key, const struct record *record)
{
	struct load *load = ctx;
	struct id_part *part = LIST_FIRST(&load->id_parts, struct id_part, link);
	struct buf scratch = {0};
	struct job job;
	struct err err;
	uint64_t seq;
	int status = space_parse_job(key, &seq, &err);
	if (status == 0) {
		status = job_decode(seq, record->value, &job, &scratch, &err);
	}
	if (status != 0) {
		load->status = status;
		load->err = err;
	} else {
		struct binding *binding =
		        catalog_find_version(load->catalog, part->id, job.version);
		if (binding != NULL) {
			dispatch_adopt(load->dispatch, binding, &job);
		} else {
			load->orphans++;
		}
	}
	buf_free(&scratch);
	return load->status == 0;
}

/* ---- windows ---- */

/* A window, a mark or a pace. False: its trigger has no such thing. */
static bool adopt_window(struct load *load, struct binding *binding, enum space_window_kind kind,
                         uint64_t number, struct span value)
{
	struct err err;
	int status;
	if (kind == SPACE_PACE && binding->throttle != NULL) {
		status = throttle_store_read(binding, number, value, &err);
	} else if (kind != SPACE_PACE && binding->windows != NULL) {
		status = react_adopt_window(load->catalog->react, binding, number, value, &err);
	} else {
		return false;
	}
	if (status != 0) {
		load->status = status;
		load->err = err;
	}
	return true;
}

static bool window_row(void *ctx, struct span key, const struct record *record)
{
	struct load *load = ctx;
	struct id_part *part = LIST_FIRST(&load->id_parts, struct id_part, link);
	enum space_window_kind kind;
	uint64_t version;
	uint64_t number;
	load->status = space_parse_window(key, &kind, &version, &number, &load->err);
	if (load->status == 0) {
		struct binding *binding =
		        catalog_find_version(load->catalog, part->id, (uint32_t)version);
		load->orphans += binding == NULL ||
		                 !adopt_window(load, binding, kind, number, record->value);
	}
	return load->status == 0;
}

/* ---- the records of each trigger ---- */

static void next_part(struct load *load);
static void scan_parts(struct load *load, enum space space);

static void part_done(struct store_scan *scanned, int status, bool more, uint64_t group,
                      const struct err *err)
{
	(void)more;
	(void)group;
	struct load *load = MEM_CONTAINER(scanned, struct load, scan);
	if (failed(load, status, err)) {
		return;
	}
	struct id_part *part = LIST_FIRST(&load->id_parts, struct id_part, link);
	list_remove(&part->link);
	mem_free((char *)part->id.ptr);
	mem_free(part);
	next_part(load);
}

static void next_part(struct load *load)
{
	struct id_part *part = LIST_FIRST(&load->id_parts, struct id_part, link);
	if (part != NULL) {
		scan(load, load->space, part->id, load->space == SPACE_JOB ? job_row : window_row,
		     part_done);
	} else if (load->space == SPACE_JOB) {
		scan_parts(load, SPACE_WINDOW);
	} else {
		finish(load);
	}
}

static bool part_row(void *ctx, struct span id)
{
	struct load *load = ctx;
	struct id_part *part = MEM_NEW(struct id_part);
	part->id = mem_span(id);
	list_push(&load->id_parts, &part->link);
	return true;
}

static void parts_done(struct store_parts *parts, int status, uint64_t group, const struct err *err)
{
	(void)group;
	struct load *load = MEM_CONTAINER(parts, struct load, parts);
	if (!failed(load, status, err)) {
		next_part(load);
	}
}

static void scan_parts(struct load *load, enum space space)
{
	load->space = space;
	load->parts = (struct store_parts){
	        .space = space, .part = part_row, .ctx = load, .done = parts_done};
	store_parts_start(load->store, &load->parts);
}

/* ---- times ---- */

static bool time_row(void *ctx, struct span key, const struct record *record)
{
	struct load *load = ctx;
	struct span id;
	struct binding *binding =
	        space_parse_cron(key, &id) ? catalog_find(load->catalog, id) : NULL;
	if (binding != NULL && binding->times != NULL) {
		load->status = timetable_read(binding, record->value, &load->err);
	}
	return load->status == 0;
}

static void times_done(struct store_scan *scanned, int status, bool more, uint64_t group,
                       const struct err *err)
{
	(void)more;
	(void)group;
	struct load *load = MEM_CONTAINER(scanned, struct load, scan);
	if (!failed(load, status, err)) {
		scan_parts(load, SPACE_JOB);
	}
}

/* ---- triggers ---- */

static uint64_t own_cursor_of(const struct load *load, const struct trigger_record *record)
{
	LIST_EACH(&load->cursors, link)
	{
		struct own_cursor *cursor = MEM_CONTAINER(link, struct own_cursor, link);
		if (cursor->version == record->version && span_equal(cursor->id, record->id)) {
			return cursor->seq;
		}
	}
	return REACT_NO_CURSOR;
}

static bool trigger_row(void *ctx, struct span key, const struct record *value)
{
	(void)key;
	struct load *load = ctx;
	struct buf scratch = {0};
	struct trigger_record record;
	struct err err;
	int status = trigger_record_decode(value->value, &record, &scratch, &err);
	if (status == 0) {
		status = catalog_adopt(load->catalog, &record, own_cursor_of(load, &record), &err);
	}
	if (status != 0) {
		load->status = status;
		load->err = err;
	}
	buf_free(&scratch);
	return status == 0;
}

static void triggers_done(struct store_scan *scanned, int status, bool more, uint64_t group,
                          const struct err *err)
{
	(void)more;
	(void)group;
	struct load *load = MEM_CONTAINER(scanned, struct load, scan);
	if (failed(load, status, err)) {
		return;
	}
	load->scan = (struct store_scan){
	        .range = space_crons(), .row = time_row, .ctx = load, .done = times_done};
	store_scan_start(load->store, &load->scan);
}

/* ---- cursors ---- */

static bool cursor_row(void *ctx, struct span key, const struct record *record)
{
	struct load *load = ctx;
	struct span id;
	uint64_t version;
	struct space_reader reader;
	if (!space_is_cursor(key)) {
		return true;
	}
	(void)space_reader_init(&reader, record->value, 1, "cursor", &load->err);
	uint64_t seq = space_get_u64(&reader);
	load->status = space_parse_cursor(key, &id, &version, &load->err);
	if (load->status == 0) {
		load->status = space_reader_end(&reader, "cursor", &load->err);
	}
	if (load->status != 0) {
		return false;
	}
	if (id.len == 0) {
		*load->out_cursor = seq;
		return true;
	}
	struct own_cursor *cursor = MEM_NEW(struct own_cursor);
	cursor->id = mem_span(id);
	cursor->version = (uint32_t)version;
	cursor->seq = seq;
	list_push(&load->cursors, &cursor->link);
	return true;
}

static void cursors_done(struct store_scan *scanned, int status, bool more, uint64_t group,
                         const struct err *err)
{
	(void)more;
	(void)group;
	struct load *load = MEM_CONTAINER(scanned, struct load, scan);
	if (!failed(load, status, err)) {
		scan(load, SPACE_TRIGGER, SPAN(""), trigger_row, triggers_done);
	}
}

void catalog_load(struct catalog *catalog, struct store *store, struct dispatch *dispatch,
                  uint64_t *out_cursor, void (*done)(void *ctx, int status, const struct err *err),
                  void *ctx)
{
	struct load *load = MEM_NEW(struct load);
	load->catalog = catalog;
	load->store = store;
	load->dispatch = dispatch;
	load->out_cursor = out_cursor;
	load->done = done;
	load->ctx = ctx;
	*out_cursor = 0;
	list_init(&load->cursors);
	list_init(&load->id_parts);
	scan(load, SPACE_META, SPAN(""), cursor_row, cursors_done);
}
