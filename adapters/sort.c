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
	if (a->word != b->word) {
		return a->word < b->word ? -1 : 1;
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

static size_t common_len(const struct sort_item *a, const struct sort_item *b, size_t most)
{
	size_t len = 0;
	while (len < most && len < a->key_len && len < b->key_len && a->key[len] == b->key[len]) {
		len++;
	}
	return len;
}

/* As a number, the first byte counting most; a key that ends earlier goes on with zeros. */
static uint64_t word_at(const struct sort_item *item, size_t at)
{
	uint64_t word = 0;
	for (size_t i = at; i < at + sizeof word; i++) {
		word = word << 8 | (i < item->key_len ? (unsigned char)item->key[i] : 0);
	}
	return word;
}

/* Keys are spread over all of the batches: a word beside the pointer decides most comparisons
 * without a look at either. */
static void set_words(struct sort *sort)
{
	const struct sort_item *first[SPACE_END] = {NULL};
	size_t common[SPACE_END];
	for (size_t i = 0; i < sort->count; i++) {
		const struct sort_item *item = &sort->items[i];
		if (first[item->space] == NULL) {
			first[item->space] = item;
			common[item->space] = item->key_len;
		}
		common[item->space] = common_len(first[item->space], item, common[item->space]);
	}
	for (size_t i = 0; i < sort->count; i++) {
		struct sort_item *item = &sort->items[i];
		item->word = word_at(item, common[item->space]);
	}
}

static int flush(struct sort *sort, sort_each_fn *each, void *ctx, struct err *err)
{
	int status = 0;
	if (sort->count != 0) {
		set_words(sort);
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
