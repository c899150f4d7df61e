/* This file walks pages and merges them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_scan.h"

#include "base/mem.h"
#include "engine/durable/store_page.h"

enum { DIRTY_MANY = 1024 /* from here on a scan is cheaper once the view has them */ };

/* Exactly one of `scan` and `parts` is set. */
struct store_scan_walk {
	struct store_job job;
	struct list link; /* in store_scans.waiting */
	struct store_scans *scans;
	struct store_scan *scan;
	struct store_parts *parts;
	struct adapter *adapter;
	struct store_page_range left;
	struct store_page copied;
	struct store_page read;
	struct store_page_gaps gaps;
	uint64_t needs; /* group that the view must have first */
	uint64_t group; /* the newest that was seen */
	int status;
	struct err err;
};

void store_scans_init(struct store_scans *scans, struct store_table *table)
{
	*scans = (struct store_scans){.table = table};
	list_init(&scans->waiting);
}

static struct store_scan_walk *add_walk(struct store_scans *scans)
{
	struct store_scan_walk *walk = MEM_NEW(struct store_scan_walk);
	walk->scans = scans;
	list_push(&scans->waiting, &walk->link);
	return walk;
}

void store_scans_add(struct store_scans *scans, struct store_scan *scan)
{
	struct store_scan_walk *walk = add_walk(scans);
	const struct adapter_range *range = &scan->range;
	walk->scan = scan;
	walk->left.space = range->space;
	buf_span(&walk->left.part, range->part);
	buf_span(&walk->left.start, range->start);
	buf_span(&walk->left.end, range->end);
	walk->left.has_start = range->start.ptr != NULL;
	walk->left.has_end = range->end.ptr != NULL;
	walk->left.reverse = scan->reverse;
	scan->state = walk;
}

/* The adapter tells what is behind a part, not what begins with it: the walk begins right before
 * `start`, behind which no byte 0xff is, and ends in a byte 0 as behind a part that was passed. */
static void begin_at(struct store_page_range *left, struct span start)
{
	if (start.len == 0) {
		return;
	}
	left->has_start = true;
	buf_span(&left->start, start);
	if (start.ptr[start.len - 1] != '\0') {
		left->start.ptr[start.len - 1]--;
		buf_byte(&left->start, '\xff');
		buf_byte(&left->start, '\0');
	}
}

void store_scans_add_parts(struct store_scans *scans, struct store_parts *parts, uint64_t needs)
{
	struct store_scan_walk *walk = add_walk(scans);
	walk->parts = parts;
	walk->left.space = parts->space;
	walk->needs = needs;
	begin_at(&walk->left, parts->start);
	parts->state = walk;
}

/* The request may be gone once it was called. */
static void finish(struct store_scan_walk *walk, int status, bool more, const struct err *err)
{
	struct store_scan *scan = walk->scan;
	struct store_parts *parts = walk->parts;
	uint64_t group = walk->group;
	list_remove(&walk->link);
	if (scan != NULL) {
		scan->state = NULL;
		scan->done(scan, status, more, group, err);
	} else {
		parts->state = NULL;
		parts->done(parts, status, group, err);
	}
	store_page_range_close(&walk->left);
	store_page_close(&walk->copied);
	store_page_close(&walk->read);
	store_page_gaps_close(&walk->gaps);
	mem_free(walk);
}

/* ---- merging ---- */

static bool emit(struct store_scan_walk *walk, const struct store_page *page,
                 const struct store_page_row *row)
{
	struct span key = store_page_key(page, row);
	if (walk->parts != NULL) {
		return walk->parts->part(walk->parts->ctx, key);
	}
	const struct record record = store_page_record(page, row);
	return walk->scan->row(walk->scan->ctx, key, &record);
}

struct merge {
	size_t read;
	size_t copied;
};

enum merge_end { MERGE_PAGE, MERGE_ALL, MERGE_STOPPED };

/* -1: the next row is the adapter's, 1: the table's, 0: both have that key. */
static int side_of_next(const struct store_scan_walk *walk, const struct merge *at)
{
	if (at->read == walk->read.count) {
		return 1;
	}
	if (at->copied == walk->copied.count) {
		return -1;
	}
	int order = span_compare(store_page_key(&walk->read, &walk->read.rows[at->read]),
	                         store_page_key(&walk->copied, &walk->copied.rows[at->copied]));
	return walk->left.reverse ? -order : order;
}

/* Passes one key. False when the caller of the walk wants no more. */
static bool merge_one(struct store_scan_walk *walk, struct merge *at)
{
	int side = side_of_next(walk, at);
	const struct store_page_row *read = side <= 0 ? &walk->read.rows[at->read++] : NULL;
	const struct store_page_row *copied = side >= 0 ? &walk->copied.rows[at->copied++] : NULL;
	if (copied != NULL && copied->group > walk->group) {
		walk->group = copied->group;
	}
	if (copied != NULL && (read == NULL || read->record.rev <= copied->record.rev)) {
		return !copied->exists || emit(walk, &walk->copied, copied);
	}
	if (copied == NULL &&
	    store_page_gaps_hold(&walk->gaps, store_page_key(&walk->read, read))) {
		return true;
	}
	return emit(walk, &walk->read, read);
}

static enum merge_end merge(struct store_scan_walk *walk)
{
	struct merge at = {0, 0};
	if (walk->gaps.group > walk->group) {
		walk->group = walk->gaps.group;
	}
	for (;;) {
		bool read_ends = at.read == walk->read.count;
		bool copied_ends = at.copied == walk->copied.count;
		if ((read_ends && walk->read.more) || (copied_ends && walk->copied.more)) {
			break;
		}
		if (read_ends && copied_ends) {
			return MERGE_ALL;
		}
		if (!merge_one(walk, &at)) {
			return MERGE_STOPPED;
		}
	}
	/* The last key that was passed, on whichever side it stood. */
	bool read_is_last = walk->read.more && at.read == walk->read.count;
	const struct store_page *page = read_is_last ? &walk->read : &walk->copied;
	size_t passed = read_is_last ? at.read : at.copied;
	store_page_range_pass(&walk->left, store_page_key(page, &page->rows[passed - 1]));
	return MERGE_PAGE;
}

/* ---- pages ---- */

static void read_page(struct store_job *job)
{
	struct store_scan_walk *walk = MEM_CONTAINER(job, struct store_scan_walk, job);
	walk->err = (struct err){0};
	walk->status =
	        walk->parts != NULL
	                ? store_page_read_parts(&walk->read, walk->adapter, &walk->left, &walk->err)
	                : store_page_read(&walk->read, walk->adapter, &walk->left, &walk->err);
}

static void page_done(struct store_job *job)
{
	struct store_scan_walk *walk = MEM_CONTAINER(job, struct store_scan_walk, job);
	struct store_scans *scans = walk->scans;
	scans->out = NULL;
	if (scans->is_void) {
		scans->is_void = false;
		list_push_front(&scans->waiting, &walk->link);
		return;
	}
	if (walk->status != 0) {
		finish(walk, walk->status, false, &walk->err);
		return;
	}
	enum merge_end end = merge(walk);
	if (end == MERGE_PAGE) {
		list_push(&scans->waiting, &walk->link);
	} else {
		finish(walk, 0, end == MERGE_STOPPED, NULL);
	}
}

static void copy_page(struct store_scans *scans, struct store_scan_walk *walk)
{
	if (walk->parts != NULL) {
		store_page_copy_parts(&walk->copied, scans->table, &walk->left);
		return;
	}
	store_page_copy(&walk->copied, scans->table, &walk->left);
	store_page_gaps_copy(&walk->gaps, scans->table, &walk->left);
	const struct hot_part *part =
	        store_table_part(scans->table, walk->left.space, buf_view(&walk->left.part));
	scans->wants_view |= part != NULL && part->dirty_count > DIRTY_MANY;
}

struct store_job *store_scans_next(struct store_scans *scans, struct adapter *adapter,
                                   uint64_t applied)
{
	if (scans->out != NULL) {
		return NULL;
	}
	LIST_EACH(&scans->waiting, link)
	{
		struct store_scan_walk *walk = MEM_CONTAINER(link, struct store_scan_walk, link);
		if (walk->needs <= applied) {
			list_remove(&walk->link);
			copy_page(scans, walk);
			walk->adapter = adapter;
			walk->job.work = read_page;
			walk->job.done = page_done;
			scans->out = walk;
			return &walk->job;
		}
	}
	return NULL;
}

bool store_scans_wait_for_view(const struct store_scans *scans, uint64_t applied)
{
	for (const struct list *link = scans->waiting.next; link != &scans->waiting;
	     link = link->next) {
		if (MEM_CONTAINER(link, struct store_scan_walk, link)->needs > applied) {
			return true;
		}
	}
	return false;
}

void store_scans_void(struct store_scans *scans)
{
	scans->is_void = scans->out != NULL;
}

void store_scans_cancel(struct store_scans *scans, int status, const struct err *err)
{
	PRE(scans->out == NULL);
	struct list now;
	list_init(&now);
	list_move(&scans->waiting, &now);
	while (!list_is_empty(&now)) {
		finish(LIST_FIRST(&now, struct store_scan_walk, link), status, false, err);
	}
}
