/* This file reads entries and batches back from the journal's segments. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SEGMENT_READ_H
#define ADAPTERS_SEGMENT_READ_H

#include "adapters/adapter.h"
#include "adapters/segment_list.h"

/* The frames that were read last, up to some bytes: deliveries ask for single entries, and a
 * frame may hold hundreds of them. Belongs to the thread that reads. */
enum { SEGMENT_KEPT = 4 };
struct segment_kept {
	struct buf chunk;
	struct batch batch; /* points into the chunk */
};
struct segment_reader {
	struct segment_kept kept[SEGMENT_KEPT];
	size_t oldest;
};
void segment_reader_close(struct segment_reader *reader); /* and it is as new */

/* Entries from `from` on, up to what had been written when it began, until `entry` returns false.
 * E_NOT_FOUND "compacted" below the first; E_DAMAGED naming file and offset. */
int segment_read(struct segment_reader *reader, struct segment_list *list, uint64_t from,
                 adapter_entry_fn *entry, void *ctx, struct err *err);
/* Every batch behind `serial`. What `each` returns, if not 0, ends it and is returned. */
int segment_replay(struct segment_list *list, uint64_t serial, adapter_batch_fn *each, void *ctx,
                   struct err *err);

/* E_DAMAGED with where, and what a person can do about it. */
int segment_damaged(const char *path, uint64_t at, struct err *err);

#endif
