/* This file holds the transitions of one zone, as its TZif file has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZONE_TABLE_H
#define BASE_ZONE_TABLE_H

#include "base/err.h"
#include "base/span.h"
#include "base/zone_rule.h"
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. RFC 8536, version 2 and later: the first block, of 32 bits, is passed over, the second
 * is used, and behind its last transition the rule at the end of the file. Before the first
 * transition the zone has its first type. Files that count leap seconds ("right/...") are refused:
 * our seconds do not.
 */
enum { ZONE_TABLE_BYTES_MAX = 64 << 10, ZONE_TYPES_MAX = 256 };

struct zone_type {
	int32_t offset; /* seconds east of Greenwich */
	bool is_dst;
};

struct zone_table {
	size_t count;
	int64_t *instants; /* rising */
	uint8_t *type_of;  /* from that instant on */
	struct zone_type types[ZONE_TYPES_MAX];
	bool has_rule;
	struct zone_rule rule;
};

/* `bytes` is the whole file. E_DAMAGED "damaged_zone", E_VERSION or E_UNSUPPORTED
 * "unsupported_zone". Copies what it needs. */
int zone_table_read(struct span bytes, struct zone_table *out, struct err *err);
void zone_table_close(struct zone_table *table); /* all zero is harmless */

/* The stretch that holds the second. Neighbours may have the same offset. */
struct zone_stretch zone_table_stretch(const struct zone_table *table, int64_t unix_seconds);

#endif
