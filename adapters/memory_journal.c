/* This file adds, reads and drops journal entries in a ring of blocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/memory_journal.h"

#include "base/mem.h"

void memory_journal_open(struct memory_journal *journal)
{
	*journal = (struct memory_journal){.first_seq = 1, .next_seq = 1};
}

static struct memory_block **slot(const struct memory_journal *journal, size_t index)
{
	return &journal->ring[(journal->first + index) & (journal->cap - 1)];
}

static void drop_first(struct memory_journal *journal)
{
	struct memory_block *block = *slot(journal, 0);
	journal->bytes -= block->size;
	journal->first_seq = block->first_seq + block->count;
	journal->first++;
	journal->count--;
	mem_free(block);
}

void memory_journal_close(struct memory_journal *journal)
{
	while (journal->count != 0) {
		drop_first(journal);
	}
	mem_free(journal->ring);
	journal->ring = NULL;
}

static void grow(struct memory_journal *journal)
{
	size_t cap = journal->cap ? journal->cap * 2 : 16;
	struct memory_block **ring = MEM_ARRAY(struct memory_block *, cap);
	for (size_t i = 0; i < journal->count; i++) {
		ring[i] = *slot(journal, i);
	}
	mem_free(journal->ring);
	journal->ring = ring;
	journal->cap = cap;
	journal->first = 0;
}

/* Only the entries' own bytes are kept; those of records have their place elsewhere. */
static struct memory_block *make_block(const struct batch *batch)
{
	size_t size = sizeof(struct memory_block) + batch->entry_count * sizeof *batch->entries;
	size_t rows_end = size;
	for (size_t i = 0; i < batch->entry_count; i++) {
		size += batch->entries[i].len;
	}
	struct memory_block *block = mem_raw(size);
	block->first_seq = batch->entries[0].seq;
	block->count = batch->entry_count;
	block->size = size;
	uint32_t at = 0;
	for (size_t i = 0; i < batch->entry_count; i++) {
		struct span bytes = batch_entry_bytes(batch, &batch->entries[i]);
		block->entries[i] = batch->entries[i];
		block->entries[i].at = at;
		memcpy((char *)block + rows_end + at, bytes.ptr, bytes.len);
		at += (uint32_t)bytes.len;
	}
	return block;
}

void memory_journal_add(struct memory_journal *journal, const struct batch *batch, size_t most)
{
	if (batch->entry_count == 0) {
		return;
	}
	PRE(batch->entries[0].seq == journal->next_seq);
	if (journal->count == journal->cap) {
		grow(journal);
	}
	struct memory_block *block = make_block(batch);
	journal->count++;
	*slot(journal, journal->count - 1) = block;
	journal->bytes += block->size;
	journal->next_seq += block->count;
	while (journal->bytes > most && journal->count > 1) {
		drop_first(journal);
	}
}

/* The block that holds the entry, which is there. */
static size_t find(const struct memory_journal *journal, uint64_t seq)
{
	size_t low = 0;
	size_t high = journal->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if ((*slot(journal, middle))->first_seq <= seq) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

int memory_journal_read(const struct memory_journal *journal, uint64_t from,
                        adapter_entry_fn *entry, void *ctx, struct err *err)
{
	if (from < journal->first_seq) {
		return err_set(err, E_NOT_FOUND, "compacted",
		               "event %llu is no longer in the journal", (unsigned long long)from);
	}
	if (from >= journal->next_seq) {
		return 0;
	}
	for (size_t i = find(journal, from); i < journal->count; i++) {
		const struct memory_block *block = *slot(journal, i);
		const char *bytes = (const char *)&block->entries[block->count];
		for (size_t j = 0; j < block->count; j++) {
			const struct batch_entry *row = &block->entries[j];
			if (row->seq >= from &&
			    !entry(ctx, row->seq, span_make(bytes + row->at, row->len))) {
				return 0;
			}
		}
	}
	return 0;
}

void memory_journal_trim(struct memory_journal *journal, uint64_t seq)
{
	while (journal->count != 0) {
		const struct memory_block *block = *slot(journal, 0);
		if (block->first_seq + block->count > seq) {
			break;
		}
		drop_first(journal);
	}
}
