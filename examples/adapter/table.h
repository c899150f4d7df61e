/* This file is a sorted table of records in memory, for the example adapter. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXAMPLES_ADAPTER_TABLE_H
#define EXAMPLES_ADAPTER_TABLE_H

#include "adapters/batch.h"

struct item {
	struct record_key key; /* the bytes of key and value belong to the item */
	struct record record;
};

/* All zero is empty. Items stand in the order of (space, part, key). */
struct table {
	struct item *items;
	size_t count, cap;
};

void table_close(struct table *table);
/* The first item that is not before `key`. */
size_t table_find(const struct table *table, const struct record_key *key);
bool table_is_at(const struct table *table, size_t place, const struct record_key *key);
bool table_is_in(const struct table *table, size_t place, enum space space, struct span part);
/* Carries out an operation; `kind` is one of enum batch_op_kind. For a range, key->key is where it
 * begins and record->value where it ends. */
void table_change(struct table *table, int kind, const struct record_key *key,
                  const struct record *record);

#endif
