/* This file sorts the operations of batches and leaves out those that a later one replaces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/sort.h"

#include "base/mem.h"
#include <stdlib.h>

enum { KEEP_ITEMS = 4096 };

static int compare_names(const struct sort_item *a, const struct sort_item *b)
{
	if (a->space != b->space) {
		return a->space < b->space ? -1 : 1;
	}
	if (a->part != b->part || a->part_len != b->part_len) {
		int order = span_compare(span_make(a->part, a->part_len),
		                         span_make(b->part, b->part_len));
		if (order != 0) {
			return order;
		}
	}
	return span_compare(span_make(a->key, a->key_len), span_make(b->key, b->key_len));
}

/* By name; of one name the newest first. */
static int compare_items(const void *left, const void *right)
{
	const struct sort_item *a = left;
	const struct sort_item *b = right;
	int order = compare_names(a, b);
	if (order != 0) {
		return order;
	}
	return (a->order < b->order) - (a->order > b->order);
}

static void add(struct sort *sort, const struct batch *batch, const struct batch_op *op)
{
	if (sort->count == sort->cap) {
		sort->cap = sort->cap ? sort->cap * 2 : 256;
		sort->items = mem_grow(sort->items, sort->cap * sizeof *sort->items);
	}
	sort->items[sort->count] = (struct sort_item){
	        .part = batch->bytes.ptr + op->part_at,
	        .key = batch->bytes.ptr + op->key_at,
	        .batch = batch,
	        .op = op,
	        .order = (uint32_t)sort->count,
	        .part_len = op->part_len,
	        .key_len = op->key_len,
	        .space = op->space,
	};
	sort->count++;
}

static int flush(struct sort *sort, sort_each_fn *each, void *ctx, struct err *err)
{
	int status = 0;
	if (sort->count != 0) {
		qsort(sort->items, sort->count, sizeof *sort->items, compare_items);
	}
	for (size_t i = 0; status == 0 && i < sort->count; i++) {
		const struct sort_item *item = &sort->items[i];
		if (i == 0 || compare_names(item - 1, item) != 0) {
			status = each(ctx, item->batch, item->op, err);
		}
	}
	sort->count = 0;
	return status;
}

int sort_batches(struct sort *sort, const struct batch *const batches[], size_t count,
                 sort_each_fn *each, void *ctx, struct err *err)
{
	int status = 0;
	sort->count = 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		for (size_t j = 0; status == 0 && j < batches[i]->op_count; j++) {
			const struct batch_op *op = &batches[i]->ops[j];
			if (op->kind != BATCH_DELETE_RANGE) {
				add(sort, batches[i], op);
				continue;
			}
			status = flush(sort, each, ctx, err);
			if (status == 0) {
				status = each(ctx, batches[i], op, err);
			}
		}
	}
	if (status == 0) {
		status = flush(sort, each, ctx, err);
	}
	sort->count = 0;
	if (sort->cap > KEEP_ITEMS) {
		sort_close(sort);
	}
	return status;
}

void sort_close(struct sort *sort)
{
	mem_free(sort->items);
	*sort = (struct sort){0};
}
