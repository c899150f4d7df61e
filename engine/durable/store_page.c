/* This file fills pages of rows, in order, within their bounds of rows, bytes and time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_page.h"

#include "base/clock.h"
#include "base/mem.h"

/* ---- the range ---- */

void store_page_range_close(struct store_page_range *range)
{
	buf_free(&range->part);
	buf_free(&range->start);
	buf_free(&range->end);
}

struct adapter_range store_page_range_view(const struct store_page_range *range)
{
	return (struct adapter_range){
	        .space = range->space,
	        .part = buf_view(&range->part),
	        .start = range->has_start ? buf_view(&range->start) : SPAN_NONE,
	        .end = range->has_end ? buf_view(&range->end) : SPAN_NONE,
	};
}

void store_page_range_pass(struct store_page_range *range, struct span key)
{
	struct buf *bound = range->reverse ? &range->end : &range->start;
	buf_clear(bound);
	buf_span(bound, key);
	if (range->reverse) {
		range->has_end = true;
	} else {
		buf_byte(bound, '\0'); /* the first key that could come behind it */
		range->has_start = true;
	}
}

static bool range_holds(const struct store_page_range *range, struct span key)
{
	return (!range->has_start || span_compare(key, buf_view(&range->start)) >= 0) &&
	       (!range->has_end || span_compare(key, buf_view(&range->end)) < 0);
}

/* ---- a page ---- */

void store_page_clear(struct store_page *page)
{
	buf_clear(&page->bytes);
	page->count = 0;
	page->more = false;
}

void store_page_close(struct store_page *page)
{
	buf_free(&page->bytes);
	mem_free(page->rows);
}

struct span store_page_key(const struct store_page *page, const struct store_page_row *row)
{
	return span_make(page->bytes.ptr + row->key_at, row->key_len);
}

struct record store_page_record(const struct store_page *page, const struct store_page_row *row)
{
	struct record record = row->record;
	record.value = span_make(page->bytes.ptr + row->key_at + row->key_len, row->value_len);
	return record;
}

static struct store_page_row *add_row(struct store_page *page, struct span key,
                                      const struct record *record)
{
	if (page->count == page->cap) {
		page->cap = page->cap ? page->cap * 2 : 16;
		page->rows = mem_grow(page->rows, page->cap * sizeof *page->rows);
	}
	struct store_page_row *row = &page->rows[page->count++];
	*row = (struct store_page_row){.key_at = page->bytes.len,
	                               .key_len = key.len,
	                               .value_len = record->value.len,
	                               .record = *record,
	                               .exists = true};
	(void)buf_reserve(&page->bytes, key.len + record->value.len + 1); /* never no address */
	buf_span(&page->bytes, key);
	buf_span(&page->bytes, record->value);
	return row;
}

static bool is_full(const struct store_page *page)
{
	return page->count >= STORE_PAGE_ROWS || page->bytes.len >= STORE_PAGE_BYTES;
}

static bool took_row(void *ctx, struct span key, const struct record *record)
{
	struct store_page *page = ctx;
	(void)add_row(page, key, record);
	page->more = is_full(page) || clock_mono_us() - page->began_us >= STORE_PAGE_US;
	return !page->more;
}

static bool took_part(void *ctx, struct span part)
{
	static const struct record none = {.value = {"", 0}};
	return took_row(ctx, part, &none);
}

int store_page_read(struct store_page *page, struct adapter *adapter,
                    const struct store_page_range *range, struct err *err)
{
	store_page_clear(page);
	page->began_us = clock_mono_us();
	const struct adapter_range view = store_page_range_view(range);
	return adapter->type->scan(adapter, &view, STORE_PAGE_ROWS, range->reverse, took_row, page,
	                           err);
}

int store_page_read_parts(struct store_page *page, struct adapter *adapter,
                          const struct store_page_range *range, struct err *err)
{
	store_page_clear(page);
	page->began_us = clock_mono_us();
	/* The start of what is left is the last part and a NUL byte: its first successor. */
	struct span after =
	        range->has_start ? span_make(range->start.ptr, range->start.len - 1) : SPAN_NONE;
	return adapter->type->parts(adapter, range->space, after, STORE_PAGE_ROWS, took_part, page,
	                            err);
}

/* ---- the first of many ---- */

/* The first rows in walking order out of a list in no order. */
struct chosen {
	const void *items[STORE_PAGE_ROWS];
	struct span keys[STORE_PAGE_ROWS];
	size_t count;
	bool reverse;
	bool more; /* some were left out behind the last one */
};

static int compare(const struct chosen *chosen, struct span a, struct span b)
{
	return chosen->reverse ? span_compare(b, a) : span_compare(a, b);
}

static void choose(struct chosen *chosen, struct span key, const void *item)
{
	size_t low = 0;
	size_t high = chosen->count;
	if (high == STORE_PAGE_ROWS) {
		chosen->more = true;
		if (compare(chosen, key, chosen->keys[high - 1]) > 0) {
			return;
		}
		chosen->count--;
		high--;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(chosen, chosen->keys[middle], key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	size_t behind = chosen->count - low;
	memmove(chosen->items + low + 1, chosen->items + low, behind * sizeof *chosen->items);
	memmove(chosen->keys + low + 1, chosen->keys + low, behind * sizeof *chosen->keys);
	chosen->items[low] = item;
	chosen->keys[low] = key;
	chosen->count++;
}

void store_page_copy(struct store_page *page, struct store_table *table,
                     const struct store_page_range *range)
{
	store_page_clear(page);
	const struct hot_part *part = store_table_part(table, range->space, buf_view(&range->part));
	if (part == NULL) {
		return;
	}
	struct chosen chosen;
	chosen.count = 0;
	chosen.reverse = range->reverse;
	chosen.more = false;
	for (const struct list *link = part->hots.next; link != &part->hots; link = link->next) {
		const struct hot *hot = MEM_CONTAINER(link, struct hot, in_part);
		if (!hot->is_dirty) {
			break;
		}
		if (range_holds(range, hot_key(hot))) {
			choose(&chosen, hot_key(hot), hot);
		}
	}
	page->more = chosen.more;
	for (size_t i = 0; i < chosen.count; i++) {
		const struct hot *hot = chosen.items[i];
		const struct record record = hot_record(hot);
		struct store_page_row *row = add_row(page, hot_key(hot), &record);
		row->exists = hot->state == STORE_FOUND;
		row->group = hot->group;
		if (is_full(page) && i + 1 < chosen.count) {
			page->more = true;
			break;
		}
	}
}

/* The newest group of the part's dirty records that exist; 0 = there is none. */
static uint64_t group_of_part(const struct hot_part *part)
{
	for (const struct list *link = part->hots.next; link != &part->hots; link = link->next) {
		const struct hot *hot = MEM_CONTAINER(link, struct hot, in_part);
		if (!hot->is_dirty) {
			break;
		}
		if (hot->state == STORE_FOUND) {
			return hot->group;
		}
	}
	return 0;
}

void store_page_copy_parts(struct store_page *page, struct store_table *table,
                           const struct store_page_range *range)
{
	static const struct record none = {.value = {"", 0}};
	store_page_clear(page);
	struct chosen chosen;
	chosen.count = 0;
	chosen.reverse = false;
	chosen.more = false;
	for (const struct list *link = table->changed.next; link != &table->changed;
	     link = link->next) {
		const struct hot_part *part = MEM_CONTAINER(link, struct hot_part, changed);
		struct span name = span_make(part->bytes, part->len);
		if (part->space == range->space && range_holds(range, name) &&
		    group_of_part(part) != 0) {
			choose(&chosen, name, part);
		}
	}
	page->more = chosen.more;
	for (size_t i = 0; i < chosen.count; i++) {
		add_row(page, chosen.keys[i], &none)->group = group_of_part(chosen.items[i]);
	}
}

/* ---- deleted ranges ---- */

void store_page_gaps_copy(struct store_page_gaps *gaps, struct store_table *table,
                          const struct store_page_range *range)
{
	buf_clear(&gaps->bytes);
	gaps->count = 0;
	gaps->group = 0;
	const struct hot_part *part = store_table_part(table, range->space, buf_view(&range->part));
	if (part == NULL) {
		return;
	}
	for (const struct list *link = part->ranges.next; link != &part->ranges;
	     link = link->next) {
		const struct hot_range *from = MEM_CONTAINER(link, struct hot_range, in_part);
		if (gaps->count == gaps->cap) {
			gaps->cap = gaps->cap ? gaps->cap * 2 : 4;
			gaps->gaps = mem_grow(gaps->gaps, gaps->cap * sizeof *gaps->gaps);
		}
		gaps->gaps[gaps->count++] =
		        (struct store_page_gap){gaps->bytes.len, from->start_len, from->end_len};
		(void)buf_reserve(&gaps->bytes, (size_t)from->start_len + from->end_len + 1);
		buf_span(&gaps->bytes, hot_range_start(from));
		buf_span(&gaps->bytes, hot_range_end(from));
		gaps->group = from->group;
	}
}

void store_page_gaps_close(struct store_page_gaps *gaps)
{
	buf_free(&gaps->bytes);
	mem_free(gaps->gaps);
}

bool store_page_gaps_hold(const struct store_page_gaps *gaps, struct span key)
{
	for (size_t i = 0; i < gaps->count; i++) {
		const struct store_page_gap *gap = &gaps->gaps[i];
		const char *start = gaps->bytes.ptr + gap->start_at;
		struct span end = span_make(start + gap->start_len, gap->end_len);
		if (span_compare(key, span_make(start, gap->start_len)) >= 0 &&
		    (end.len == 0 || span_compare(key, end) < 0)) {
			return true;
		}
	}
	return false;
}
