/* This file feeds any bytes to the reader of TZif files and walks through what it accepts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/zone_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stretches follow each other without a hole, and every second of one knows it. */
static void check_stretches(const struct zone_table *table, int64_t at, int most)
{
	for (int i = 0; i < most && at != INT64_MAX && at < INT64_C(1) << 45; i++) {
		struct zone_stretch stretch = zone_table_stretch(table, at);
		PRE(stretch.from <= at && at < stretch.until);
		PRE(stretch.offset <= ZONE_OFFSET_MAX && stretch.offset >= -ZONE_OFFSET_MAX);
		if (stretch.until != INT64_MAX) {
			struct zone_stretch last = zone_table_stretch(table, stretch.until - 1);
			PRE(last.from == stretch.from && last.offset == stretch.offset);
			PRE(zone_table_stretch(table, stretch.until).from == stretch.until);
		}
		at = stretch.until;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone_table table;
	struct err err = {0};
	int status = zone_table_read(span_make((const char *)data, size), &table, &err);
	if (status != 0) {
		PRE(err.number == status && err.text[0] != '\0');
		return 0;
	}
	check_stretches(&table, -(INT64_C(1) << 44), 20);
	check_stretches(&table, table.count ? table.instants[table.count - 1] : 0, 20);
	check_stretches(&table, INT64_C(253402300799), 20);
	zone_table_close(&table);
	return 0;
}
