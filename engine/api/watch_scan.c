/* This file sends a snapshot to a watcher: the records of its scope, page by page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch_inside.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/core/change.h"
#include "engine/core/key_range.h"

enum { PAGE_BYTES = 256 * 1024 };

/* Where the walk stands. */
struct watch_scan {
	struct key_range range; /* what is left of it */
	struct buf last;        /* the last key of the page */
	uint64_t records;       /* that were sent */
};

struct page_row {
	size_t key_at, key_len;
	size_t value_at, value_len;
	struct record record;
};

/* One page: its rows leave when all that they were read from is durable. */
struct watch_page {
	struct watch_work work;
	struct store_scan scan;
	struct store_waiter waiter;
	struct store *store;
	struct buf bytes;
	struct buf rows; /* struct page_row */
	bool more;
};

void watch_scan_free(struct watch_scan *scan)
{
	if (scan != NULL) {
		key_range_close(&scan->range);
		buf_free(&scan->last);
		mem_free(scan);
	}
}

static void page_free(struct watch_page *page)
{
	buf_free(&page->bytes);
	buf_free(&page->rows);
	mem_free(page);
}

static bool row_met(void *ctx, struct span key, const struct record *record)
{
	struct watch_page *page = ctx;
	if (page->work.watcher == NULL || page->bytes.len >= PAGE_BYTES) {
		return false;
	}
	if (change_is_expired(page->store, record)) {
		return true;
	}
	struct page_row row = {.key_at = page->bytes.len,
	                       .key_len = key.len,
	                       .value_at = page->bytes.len + key.len,
	                       .value_len = record->value.len,
	                       .record = *record};
	buf_span(&page->bytes, key);
	buf_span(&page->bytes, record->value);
	buf_add(&page->rows, &row, sizeof row);
	return true;
}

/* A condition is asked about a record as if it had been created just now. *spent grows by the steps
 * that it takes. */
static bool is_wanted(struct watcher *watcher, struct span key, const struct record *record,
                      int64_t *spent)
{
	struct watch *watch = watcher->watch;
	struct value error = {0};
	struct event event = {
	        .seq = record->rev,
	        .epoch = watcher->epoch,
	        .kind = EVENT_CREATED,
	        .scope = watcher->interest->scope,
	        .key = key,
	        .new_value = record->value,
	        .rev = record->rev,
	        .time_ms = store_time_ms(watch->store),
	        .expires_at_ms = record->expires_at_ms,
	};
	if (watcher->interest->condition == NULL) {
		return true;
	}
	matching_begin(&watch->matching, &event);
	enum condition_result result = interest_asks(watcher->interest, &watch->matching, &error);
	*spent += matching_spent(&watch->matching);
	if (result == CONDITION_ERROR) {
		watcher_say_error(watcher, &event, error);
	}
	return result == CONDITION_TRUE;
}

/* False: it has taken so long that the rest of the page is read again in a later turn. */
static bool send_rows(struct watcher *watcher, const struct watch_page *page)
{
	int64_t spent = 0;
	struct watch_scan *scan = watcher->scan;
	const char *bytes = buf_view(&page->bytes).ptr;
	const struct page_row *rows = (const void *)page->rows.ptr;
	size_t count = page->rows.len / sizeof *rows;
	for (size_t i = 0; i < count; i++) {
		if (spent > MATCHING_TURN) {
			return false;
		}
		struct span key = span_make(bytes + rows[i].key_at, rows[i].key_len);
		struct record record = rows[i].record;
		record.value = span_make(bytes + rows[i].value_at, rows[i].value_len);
		if (is_wanted(watcher, key, &record, &spent)) {
			watcher_say_record(watcher, key, &record);
			scan->records++;
		}
		buf_clear(&scan->last);
		buf_span(&scan->last, key);
	}
	return true;
}

static void finish(struct watcher *watcher)
{
	watcher_say_position(watcher, "snapshot_end", watcher->scan->records);
	watch_scan_free(watcher->scan);
	watcher->scan = NULL;
	watcher->phase = WATCHER_READS;
	watcher_read_on(watcher);
}

/* All that the page was read from is durable, or lost. */
static void page_is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct watch_page *page = MEM_CONTAINER(waiter, struct watch_page, waiter);
	struct watcher *watcher = page->work.watcher;
	bool more = page->more;
	if (watcher == NULL) {
		page_free(page);
		return;
	}
	watcher->work = NULL;
	if (status != 0) {
		page_free(page);
		log_info("watch", "a snapshot ends too early: %s", err->text);
		watcher_end(watcher);
		return;
	}
	more = !send_rows(watcher, page) || more;
	page_free(page);
	if (!more) {
		finish(watcher);
		return;
	}
	key_range_behind(&watcher->scan->range, buf_view(&watcher->scan->last));
	watcher_scan_on(watcher);
}

static void page_read(struct store_scan *scan, int status, bool more, uint64_t group,
                      const struct err *err)
{
	struct watch_page *page = MEM_CONTAINER(scan, struct watch_page, scan);
	page->more = more;
	if (status != 0 || store_wait(page->store, group, &page->waiter)) {
		page_is_durable(&page->waiter, status, err);
	}
}

void watcher_scan_on(struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	if (watcher->phase != WATCHER_SCANS || watcher->work != NULL) {
		return;
	}
	if (stream_is_slow(watcher->exchange)) {
		stream_await_relief(watcher->exchange);
		return;
	}
	struct watch_page *page = MEM_NEW(struct watch_page);
	page->work.watcher = watcher;
	page->store = watch->store;
	page->waiter.done = page_is_durable;
	page->scan = (struct store_scan){
	        .range = key_range_view(&watcher->scan->range, watcher->interest->scope),
	        .row = row_met,
	        .ctx = page,
	        .done = page_read,
	};
	watcher->work = &page->work;
	store_scan_start(watch->store, &page->scan);
}

void watcher_scan_begin(struct watcher *watcher)
{
	watcher->phase = WATCHER_SCANS;
	watcher->next_seq = watcher->watch->next_seq;
	watcher->epoch = watcher->watch->epoch;
	watcher->scan = MEM_NEW(struct watch_scan);
	key_range_within(&watcher->scan->range, watcher->interest->prefix);
	watcher_say_begin(watcher);
	if (key_range_is_empty(&watcher->scan->range)) {
		finish(watcher);
	} else {
		watcher_scan_on(watcher);
	}
}
