/* This file asks the adapter for the records that become due next, a page of them at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_DUE_H
#define ENGINE_DURABLE_STORE_DUE_H

#include "adapters/adapter.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_job.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_due_row {
	int64_t at_ms;
	size_t name_at; /* in bytes: part, then key */
	size_t part_len, key_len;
};

/* Embedded in who asks; all zero but for what he sets. Not freed while it is out. */
struct store_due {
	/* set by the caller */
	enum space space;
	int64_t after_ms; /* with the two names: what stands behind this is wanted */
	struct buf after_part, after_key;
	size_t limit;
	bool is_fresh; /* waits until the view has what was put before it was asked */
	/* Once. Status 0: the rows are there. `more`: there may be more behind the last of them. */
	void (*done)(struct store_due *due, int status, const struct err *err);
	struct buf bytes;
	struct store_due_row *rows;
	size_t count, cap;
	bool more;
	/* the store's */
	struct list link;
	struct store_job job;
	struct store_dues *dues;
	struct adapter *adapter;
	uint64_t needs; /* the group that the view must have first */
	int status;
	struct err err;
};

/* The adapter sees what the view has. What is put after that is the asker's to know. */
struct store_dues {
	struct list waiting;
	struct store_due *out;
	bool is_void; /* what is out is to be read again */
};

void store_dues_init(struct store_dues *dues);
void store_dues_add(struct store_dues *dues, struct store_due *due, uint64_t needs);
/* The next question as a job for the reader, or NULL. */
struct store_job *store_dues_next(struct store_dues *dues, struct adapter *adapter,
                                  uint64_t applied);
bool store_dues_wait_for_view(const struct store_dues *dues, uint64_t applied);
void store_dues_void(struct store_dues *dues);
/* Calls everybody with this error. Nothing is out. */
void store_dues_cancel(struct store_dues *dues, int status, const struct err *err);

/* Frees what it holds; it is not out. */
void store_due_close(struct store_due *due);
/* Borrowed from the question until the next one. */
struct adapter_due store_due_at(const struct store_due *due, size_t index);

#endif
