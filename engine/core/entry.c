/* This file looks a journal entry up in memory, and asks the disk for it if it must. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/entry.h"

#include "base/mem.h"

static void keep_bytes(void *ctx, uint64_t seq, struct span bytes)
{
	struct entry *entry = ctx;
	if (seq == entry->read.from) {
		buf_span(&entry->copy, bytes);
	}
}

static void was_read(struct store_read *read, int status, const struct err *err)
{
	struct entry *entry = MEM_CONTAINER(read, struct entry, read);
	struct buf copy = entry->copy;
	entry->copy = (struct buf){0};
	struct err missing;
	if (status == 0 && copy.len == 0) {
		status = err_set(&missing, E_NOT_FOUND, "compacted",
		                 "event %llu is not in the journal any more",
		                 (unsigned long long)read->from);
		err = &missing;
	}
	entry->done(entry, status, buf_view(&copy), err);
	buf_free(&copy);
}

void entry_get(struct store *store, struct entry *entry, uint64_t seq)
{
	struct span bytes;
	if (store_recent(store, seq, &bytes)) {
		entry->done(entry, 0, bytes, NULL);
		return;
	}
	entry->copy = (struct buf){0};
	entry->read = (struct store_read){
	        .from = seq,
	        .count = 1,
	        .max_bytes = 1,
	        .entry = keep_bytes,
	        .ctx = entry,
	        .done = was_read,
	};
	store_read_start(store, &entry->read);
}
