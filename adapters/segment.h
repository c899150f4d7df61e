/* This file keeps a journal in checksummed segment files. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SEGMENT_H
#define ADAPTERS_SEGMENT_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. One write is one frame: a single pwritev and, unless the batch is lazy or the journal is
 * synced by interval, one fdatasync. The file is written ahead with zeros in steps, inside the same
 * pwritev, because a sync that need not change the file's size costs half.
 *
 * Open: a clean marker that names these very files means: go on where it says. Otherwise the last
 * segment is synced and walked; what was never durable and is broken at its end is cut off; a new
 * epoch begins with a new segment. A broken frame that had been durable is damage: nothing is
 * changed and nothing is opened.
 *
 * After an error from write or sync the journal refuses everything but reads until it is closed and
 * opened again: the kernel has dropped the pages that it could not write, and a second sync would
 * succeed without them.
 *
 * Threads: write, sync, trim from one; read and replay from another; sync_through from a third.
 */
struct segment;

enum { SEGMENT_LEN = 32 << 20 };

struct segment_options {
	const char *dir;   /* the data directory; the segments stand in "journal" below it */
	uint64_t applied;  /* the last batch that the view has seen: the next must be here */
	uint64_t file_len; /* a new file begins at this length; SEGMENT_LEN */
	bool sync_later;   /* write does not sync; somebody calls segment_sync */
};

/* E_IO, E_FULL; E_DAMAGED and E_VERSION before anything was changed. */
int segment_open(const struct segment_options *options, struct segment **out, struct err *err);
void segment_close(
        struct segment *segment); /* clean, unless there was an error; NULL is harmless */

/* first_seq, next_seq as of now; sync_every_ms and volatile_data are 0. */
void segment_head(struct segment *segment, struct adapter_head *out);
uint64_t segment_serial(struct segment *segment); /* of the last batch written; 0 = none ever */

/* The batch's entries must go on where the last ended. E_FULL, E_IO; E_UNKNOWN when the sync
 * failed. */
int segment_write(struct segment *segment, const struct batch *batch, struct err *err);
int segment_sync(struct segment *segment, struct err *err);
/* Returns when all batches up to `serial` are durable. */
int segment_sync_through(struct segment *segment, uint64_t serial, struct err *err);

int segment_read_entries(struct segment *segment, uint64_t from, adapter_entry_fn *entry, void *ctx,
                         struct err *err);
int segment_replay_batches(struct segment *segment, uint64_t behind_serial, adapter_batch_fn *each,
                           void *ctx, struct err *err);
/* Removes whole files that hold neither entries from `seq` on nor batches behind `applied`. */
int segment_trim(struct segment *segment, uint64_t seq, uint64_t applied, uint64_t *out_first,
                 uint64_t *out_bytes, struct err *err);
/* The first batch of the file that is being written: it changes when a new file begins. */
uint64_t segment_file_serial(struct segment *segment);

#endif
