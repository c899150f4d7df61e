/* This file keeps the newest journal entries in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_MEMORY_JOURNAL_H
#define ADAPTERS_MEMORY_JOURNAL_H

#include "adapters/adapter.h"

/* The entries of one batch, in one piece of memory. */
struct memory_block {
	uint64_t first_seq;
	size_t count;
	size_t size;                  /* of the memory it takes */
	struct batch_entry entries[]; /* `at` counts from behind the last row */
};

/* A ring of blocks. next_seq begins at 1: set it before the first write. */
struct memory_journal {
	struct memory_block **ring;
	size_t cap; /* a power of two, or 0 */
	size_t first, count;
	size_t bytes;
	uint64_t first_seq;
	uint64_t next_seq;
};

void memory_journal_open(struct memory_journal *journal);
void memory_journal_close(struct memory_journal *journal);
/* Oldest blocks are dropped until at most `most` bytes are held, but never the new one. */
void memory_journal_add(struct memory_journal *journal, const struct batch *batch, size_t most);
int memory_journal_read(const struct memory_journal *journal, uint64_t from,
                        adapter_entry_fn *entry, void *ctx, struct err *err);
void memory_journal_trim(struct memory_journal *journal, uint64_t seq);

#endif
