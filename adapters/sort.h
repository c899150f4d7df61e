/* This file puts the operations of many batches into the order that a sorted store likes best. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SORT_H
#define ADAPTERS_SORT_H

#include "adapters/batch.h"
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Between two range deletes only the last operation on a record matters, and records may
 * come in any order: so they come sorted by (space, part, key), each once. A range delete comes
 * alone, when everything before it has been done.
 */
struct sort_item {
	uint64_t word;    /* eight bytes of the key, behind what all keys of the space begin with */
	const char *part; /* into the batch, so that comparing need not look at the row */
	const char *key;
	const struct batch *batch;
	const struct batch_op *op;
	uint32_t order;
	uint16_t part_len;
	uint16_t key_len;
	uint8_t space;
};

/* All zero is ready; keeps some of its memory between calls. */
struct sort {
	struct sort_item *items;
	size_t count, cap;
};

typedef int sort_each_fn(void *ctx, const struct batch *batch, const struct batch_op *op,
                         struct err *err);

/* Calls `each` until it returns something other than 0, and returns that. */
int sort_batches(struct sort *sort, const struct batch *const batches[], size_t count,
                 sort_each_fn *each, void *ctx, struct err *err);
void sort_close(struct sort *sort);

#endif
