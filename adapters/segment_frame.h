/* This file defines what a journal segment looks like on disk, and walks over one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SEGMENT_FRAME_H
#define ADAPTERS_SEGMENT_FRAME_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * DESIGN. A segment file is a header, then frames without a gap, then zeros or the end of the file.
 * A frame is one batch: header, entry rows, op rows, bytes, zeros up to a multiple of eight.
 *
 *   +--------+---------------------------------+-------- ... --+-----------+
 *   | header | frame: header entries ops bytes | frame         | 0 0 0 ... |
 *   +--------+---------------------------------+-------- ... --+-----------+
 *
 * Every checksum begins with the segment's secret salt, so that a user's value that spells a frame
 * is never taken for one. A frame tells how far the journal was known to be durable when it was
 * written; that is how recovery tells a torn end (never synced) from damage (was synced once).
 */
enum { SEGMENT_FORMAT = 1 };

struct segment_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t format;
	char log[ADAPTER_LOG_LEN];
	uint64_t epoch;
	uint64_t epoch_seq; /* the first seq of the epoch */
	uint64_t first_seq;
	uint64_t first_serial;
	uint64_t salt;
	uint64_t reserved;
	uint32_t header_len;
	uint32_t crc; /* over everything before it */
};

struct segment_frame {
	uint32_t magic;
	uint16_t format;
	uint16_t header_len;
	uint32_t crc;        /* salted, over everything behind it to the end of the frame */
	uint32_t header_crc; /* salted, over the rest of the header: a cheap first look */
	uint64_t total_len;
	uint64_t serial;
	uint64_t first_seq;      /* of the batch's first entry, or what that would have been */
	uint64_t durable_serial; /* the last batch known to be on disk */
	uint32_t entry_count;
	uint32_t op_count;
	uint64_t bytes_len;
};

/* Fills a header. */
void segment_header_make(struct segment_header *header, const struct adapter_head *head,
                         uint64_t first_serial);
/* Reads and checks the first bytes of a file. E_VERSION, E_DAMAGED or E_IO. */
int segment_header_read(int fd, const char *path, struct segment_header *out, struct err *err);

/* Fills the frame's header and the parts of the file's next write: the header, the batch's rows and
 * bytes, and the padding. `parts` must have room for SEGMENT_PARTS. */
enum { SEGMENT_PARTS = 6 };
int segment_frame_make(struct segment_frame *frame, const struct batch *batch, uint64_t salt,
                       struct iovec parts[SEGMENT_PARTS]);

/* A walk over the frames of one file. The frame and the batch that next gives are borrowed until
 * the call after it. */
struct segment_walk {
	int fd;
	const char *path; /* borrowed */
	uint64_t salt;
	uint64_t at;     /* where the next frame begins */
	uint64_t end;    /* nothing behind this is looked at */
	uint64_t serial; /* what the next frame must be; 0 = not known yet */
	uint64_t seq;
	struct buf chunk;  /* bytes of the file from chunk_at on */
	uint64_t chunk_at; /* a multiple of eight, like every frame */
	size_t ahead;      /* how much is read at once; grows while the walk goes on */
	struct segment_frame frame;
	struct batch batch; /* points into the chunk; never closed */
};

enum segment_step {
	SEGMENT_FRAME,  /* walk.frame and walk.batch are a good frame */
	SEGMENT_END,    /* nothing but zeros up to the end */
	SEGMENT_BROKEN, /* bytes that are no good frame, at walk.at */
};

void segment_walk_open(struct segment_walk *walk, int fd, const char *path, uint64_t salt,
                       uint64_t at, uint64_t end);
void segment_walk_close(struct segment_walk *walk); /* the file stays open */
/* 0 and what was found. E_IO; E_VERSION for a good frame of a newer format. */
int segment_walk_next(struct segment_walk *walk, enum segment_step *out, struct err *err);
/* Like next, but the bytes behind the header are neither read nor checked: for seeking. */
int segment_walk_skip(struct segment_walk *walk, enum segment_step *out, struct err *err);
/* Behind a broken frame: *out_used is where the last byte that is not zero ends, *out_synced tells
 * whether a good frame further on says that the broken one had been durable. */
int segment_walk_judge(struct segment_walk *walk, uint64_t *out_used, bool *out_synced,
                       struct err *err);

#endif
