/* This file carries questions about what is due to the reader, and their answers back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_due.h"

#include "base/mem.h"

void store_dues_init(struct store_dues *dues)
{
	*dues = (struct store_dues){0};
	list_init(&dues->waiting);
}

void store_dues_add(struct store_dues *dues, struct store_due *due, uint64_t needs)
{
	due->dues = dues;
	due->needs = needs;
	list_push(&dues->waiting, &due->link);
}

static void finish(struct store_due *due, int status, const struct err *err)
{
	list_remove(&due->link);
	due->done(due, status, err);
}

static bool keep_row(void *ctx, const struct adapter_due *row)
{
	struct store_due *due = ctx;
	if (due->count == due->cap) {
		due->cap = due->cap ? due->cap * 2 : 64;
		due->rows = mem_grow(due->rows, due->cap * sizeof *due->rows);
	}
	due->rows[due->count++] =
	        (struct store_due_row){row->at_ms, due->bytes.len, row->part.len, row->key.len};
	buf_span(&due->bytes, row->part);
	buf_span(&due->bytes, row->key);
	return due->count < due->limit;
}

static void read_rows(struct store_job *job)
{
	struct store_due *due = MEM_CONTAINER(job, struct store_due, job);
	const struct adapter_due after = {due->after_ms, buf_view(&due->after_part),
	                                  buf_view(&due->after_key)};
	due->err = (struct err){0};
	due->count = 0;
	buf_clear(&due->bytes);
	due->status = due->adapter->type->due(due->adapter, due->space, &after, due->limit,
	                                      keep_row, due, &due->err);
	due->more = due->count == due->limit;
}

static void rows_came(struct store_job *job)
{
	struct store_due *due = MEM_CONTAINER(job, struct store_due, job);
	struct store_dues *dues = due->dues;
	dues->out = NULL;
	if (dues->is_void) {
		dues->is_void = false;
		list_push_front(&dues->waiting, &due->link);
		return;
	}
	finish(due, due->status, &due->err);
}

struct store_job *store_dues_next(struct store_dues *dues, struct adapter *adapter,
                                  uint64_t applied)
{
	struct store_due *due = LIST_FIRST(&dues->waiting, struct store_due, link);
	if (dues->out != NULL || due == NULL || due->needs > applied) {
		return NULL;
	}
	list_remove(&due->link);
	due->adapter = adapter;
	due->job.work = read_rows;
	due->job.done = rows_came;
	dues->out = due;
	return &due->job;
}

bool store_dues_wait_for_view(const struct store_dues *dues, uint64_t applied)
{
	const struct store_due *due = LIST_FIRST(&dues->waiting, struct store_due, link);
	return due != NULL && due->needs > applied;
}

void store_dues_void(struct store_dues *dues)
{
	dues->is_void = dues->out != NULL;
}

void store_dues_cancel(struct store_dues *dues, int status, const struct err *err)
{
	PRE(dues->out == NULL);
	struct list now;
	list_init(&now);
	list_move(&dues->waiting, &now);
	while (!list_is_empty(&now)) {
		finish(LIST_FIRST(&now, struct store_due, link), status, err);
	}
}

void store_due_close(struct store_due *due)
{
	buf_free(&due->after_part);
	buf_free(&due->after_key);
	buf_free(&due->bytes);
	mem_free(due->rows);
	due->rows = NULL;
	due->count = due->cap = 0;
}

struct adapter_due store_due_at(const struct store_due *due, size_t index)
{
	const struct store_due_row *row = &due->rows[index];
	const char *name = due->bytes.ptr + row->name_at;
	return (struct adapter_due){row->at_ms, span_make(name, row->part_len),
	                            span_make(name + row->part_len, row->key_len)};
}
