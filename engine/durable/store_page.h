/* This file copies rows out of the table or the adapter, a bounded page of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_PAGE_H
#define ENGINE_DURABLE_STORE_PAGE_H

#include "adapters/adapter.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/durable/store_table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_PAGE_ROWS = 256, STORE_PAGE_US = 2000, STORE_PAGE_BYTES = 1024 * 1024 };

/* Where a walk stands: what is still to be read of the range. */
struct store_page_range {
	enum space space;
	struct buf part;
	struct buf start;
	struct buf end;
	bool has_start, has_end, reverse;
};

struct store_page_row {
	size_t key_at;
	size_t key_len;
	size_t value_len; /* the value stands behind the key */
	struct record record;
	uint64_t group;
	bool exists;
};

struct store_page {
	struct buf bytes;
	struct store_page_row *rows;
	size_t count, cap;
	bool more; /* there may be rows behind the last one */
	int64_t began_us;
};

/* A deleted range, as it was when the page was copied. */
struct store_page_gap {
	size_t start_at, start_len, end_len;
};
struct store_page_gaps {
	struct buf bytes;
	struct store_page_gap *gaps;
	size_t count, cap;
	uint64_t group; /* the newest of them; 0 = none */
};

void store_page_range_close(struct store_page_range *range);
struct adapter_range store_page_range_view(const struct store_page_range *range);
/* Behind this key (in walking order) is what is left. */
void store_page_range_pass(struct store_page_range *range, struct span key);

void store_page_clear(struct store_page *page);
void store_page_close(struct store_page *page);
struct span store_page_key(const struct store_page *page, const struct store_page_row *row);
struct record store_page_record(const struct store_page *page, const struct store_page_row *row);

/* The adapter's rows. Blocking. */
int store_page_read(struct store_page *page, struct adapter *adapter,
                    const struct store_page_range *range, struct err *err);
/* The adapter's parts behind range->start, as keys without records. Blocking. */
int store_page_read_parts(struct store_page *page, struct adapter *adapter,
                          const struct store_page_range *range, struct err *err);
/* The table's dirty records in the range. */
void store_page_copy(struct store_page *page, struct store_table *table,
                     const struct store_page_range *range);
/* The table's parts that hold a dirty record that exists, as keys without records. */
void store_page_copy_parts(struct store_page *page, struct store_table *table,
                           const struct store_page_range *range);

void store_page_gaps_copy(struct store_page_gaps *gaps, struct store_table *table,
                          const struct store_page_range *range);
void store_page_gaps_close(struct store_page_gaps *gaps);
bool store_page_gaps_hold(const struct store_page_gaps *gaps, struct span key);

#endif
