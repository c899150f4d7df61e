/* This file pages through the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_read.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
	PAGE_ENTRIES = 256,
	PAGE_US = 2000,
	PAGE_BYTES = 1024 * 1024,
	ROUND_PAGES = 64 /* a trip to the reader's thread costs more than a small page */
};

struct entry_row {
	size_t at;
	size_t len;
};

struct store_read_walk {
	struct list link; /* in store_reads.waiting, .behind or .out */
	struct store_read *read;
	uint64_t next;     /* seq */
	uint64_t left;     /* entries that may still come */
	size_t bytes_left; /* 0 behind the last one */
	/* the page */
	uint64_t page_end; /* not this seq, nor those behind it */
	struct buf bytes;
	struct entry_row rows[PAGE_ENTRIES];
	size_t row_count;
	int64_t began_us;
	bool was_read; /* in this round */
	int status;
	struct err err;
};

void store_reads_init(struct store_reads *reads)
{
	*reads = (struct store_reads){.is_out = false};
	list_init(&reads->waiting);
	list_init(&reads->behind);
	list_init(&reads->out);
}

void store_reads_add(struct store_reads *reads, struct store_read *read)
{
	struct store_read_walk *walk = MEM_NEW(struct store_read_walk);
	walk->read = read;
	walk->next = read->from;
	walk->left = read->count;
	walk->bytes_left = read->max_bytes != 0 ? read->max_bytes : SIZE_MAX;
	read->state = walk;
	list_push(&reads->waiting, &walk->link);
}

/* The request may be gone once it was called. */
static void finish(struct store_read_walk *walk, int status, const struct err *err)
{
	struct store_read *read = walk->read;
	list_remove(&walk->link);
	read->state = NULL;
	read->done(read, status, err);
	buf_free(&walk->bytes);
	mem_free(walk);
}

static bool is_finished(const struct store_read_walk *walk, uint64_t durable_seq)
{
	return walk->left == 0 || walk->bytes_left == 0 || walk->next > durable_seq;
}

static void pass(struct store_read_walk *walk, struct span bytes)
{
	uint64_t seq = walk->next++;
	walk->left--;
	walk->bytes_left -= bytes.len < walk->bytes_left ? bytes.len : walk->bytes_left;
	walk->read->entry(walk->read->ctx, seq, bytes);
}

/* ---- from memory ---- */

/* Returns whether the next entry, if there is one, is not in memory. */
static bool pass_recent(struct store_read_walk *walk, const struct store_groups *groups,
                        uint64_t durable_seq)
{
	for (int i = 0; i < PAGE_ENTRIES && !is_finished(walk, durable_seq); i++) {
		struct span bytes;
		if (!store_groups_find(groups, walk->next, &bytes)) {
			return true;
		}
		pass(walk, bytes);
	}
	return false;
}

bool store_reads_from_memory(struct store_reads *reads, const struct store_groups *groups,
                             uint64_t durable_seq)
{
	bool any = false;
	struct list now;
	list_init(&now);
	list_move(&reads->waiting, &now);
	while (!list_is_empty(&now)) {
		struct store_read_walk *walk = LIST_FIRST(&now, struct store_read_walk, link);
		uint64_t first = walk->next;
		list_remove(&walk->link);
		bool is_behind = pass_recent(walk, groups, durable_seq);
		any = any || walk->next != first || !is_behind;
		if (is_finished(walk, durable_seq)) {
			finish(walk, 0, NULL);
		} else {
			list_push(is_behind ? &reads->behind : &reads->waiting, &walk->link);
		}
	}
	return any;
}

/* ---- from the adapter ---- */

static bool took_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct store_read_walk *walk = ctx;
	if (seq >= walk->page_end) {
		return false;
	}
	walk->rows[walk->row_count++] = (struct entry_row){walk->bytes.len, bytes.len};
	buf_span(&walk->bytes, bytes);
	return walk->row_count < PAGE_ENTRIES && walk->bytes.len < PAGE_BYTES &&
	       walk->bytes.len < walk->bytes_left && clock_mono_us() - walk->began_us < PAGE_US &&
	       seq + 1 < walk->page_end;
}

static void read_page(struct store_read_walk *walk, struct adapter *adapter)
{
	walk->began_us = clock_mono_us();
	walk->row_count = 0;
	walk->was_read = true;
	buf_clear(&walk->bytes);
	walk->err = (struct err){0};
	walk->status = adapter->type->read(adapter, walk->next, took_entry, walk, &walk->err);
}

static void read_pages(struct store_job *job)
{
	struct store_reads *reads = MEM_CONTAINER(job, struct store_reads, job);
	int64_t began_us = clock_mono_us();
	LIST_EACH(&reads->out, link)
	{
		read_page(MEM_CONTAINER(link, struct store_read_walk, link), reads->adapter);
		if (clock_mono_us() - began_us > PAGE_US) {
			break; /* fetches and scans are to have their turn; the rest reads again */
		}
	}
}

static void pass_page(struct store_reads *reads, struct store_read_walk *walk)
{
	if (walk->status != 0) {
		finish(walk, walk->status, &walk->err);
		return;
	}
	for (size_t i = 0; i < walk->row_count; i++) {
		pass(walk,
		     span_make(buf_view(&walk->bytes).ptr + walk->rows[i].at, walk->rows[i].len));
	}
	if (walk->row_count == 0) {
		struct err err;
		int status = err_set(&err, E_DAMAGED, "journal_gap",
		                     "the journal does not give entry %llu, which was durable",
		                     (unsigned long long)walk->next);
		finish(walk, status, &err);
		return;
	}
	list_push(&reads->waiting, &walk->link);
}

static void pages_done(struct store_job *job)
{
	struct store_reads *reads = MEM_CONTAINER(job, struct store_reads, job);
	bool is_void = reads->is_void;
	struct list now;
	list_init(&now);
	list_move(&reads->out, &now);
	reads->is_out = false;
	reads->is_void = false;
	/* Those that were not reached come first the next time. */
	LIST_EACH(&now, link)
	{
		if (is_void || !MEM_CONTAINER(link, struct store_read_walk, link)->was_read) {
			list_remove(link);
			list_push(&reads->out, link);
		}
	}
	list_move(&reads->behind, &reads->out);
	list_move(&reads->out, &reads->behind);
	while (!list_is_empty(&now)) {
		struct store_read_walk *walk = LIST_FIRST(&now, struct store_read_walk, link);
		list_remove(&walk->link);
		pass_page(reads, walk);
	}
}

static void prepare(struct store_read_walk *walk, uint64_t durable_seq)
{
	uint64_t durable = durable_seq + 1 - walk->next;
	uint64_t wanted = walk->left < durable ? walk->left : durable;
	walk->page_end = walk->next + wanted;
	walk->was_read = false;
}

struct store_job *store_reads_next(struct store_reads *reads, struct adapter *adapter,
                                   uint64_t durable_seq)
{
	if (reads->is_out) {
		return NULL;
	}
	size_t count = 0;
	while (count < ROUND_PAGES && !list_is_empty(&reads->behind)) {
		struct store_read_walk *walk =
		        LIST_FIRST(&reads->behind, struct store_read_walk, link);
		list_remove(&walk->link);
		prepare(walk, durable_seq);
		list_push(&reads->out, &walk->link);
		count++;
	}
	if (count == 0) {
		return NULL;
	}
	reads->adapter = adapter;
	reads->is_out = true;
	reads->job.work = read_pages;
	reads->job.done = pages_done;
	return &reads->job;
}

bool store_reads_is_idle(const struct store_reads *reads)
{
	return list_is_empty(&reads->waiting) && list_is_empty(&reads->behind) &&
	       list_is_empty(&reads->out);
}

void store_reads_void(struct store_reads *reads)
{
	reads->is_void = reads->is_out;
}

void store_reads_cancel(struct store_reads *reads, int status, const struct err *err)
{
	PRE(!reads->is_out);
	struct list now;
	list_init(&now);
	list_move(&reads->waiting, &now);
	list_move(&reads->behind, &now);
	while (!list_is_empty(&now)) {
		finish(LIST_FIRST(&now, struct store_read_walk, link), status, err);
	}
}
