/* This file keeps the note that a journal was closed clean, and recognises its very files. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SEGMENT_MARKER_H
#define ADAPTERS_SEGMENT_MARKER_H

#include "adapters/adapter.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The marker is written last at a clean close and removed before the first write. It names
 * the last segment by inode, device and time of change, which no copy keeps: files that came back
 * from a backup are never taken for clean.
 */
struct segment_marker {
	char magic[8];
	char log[ADAPTER_LOG_LEN];
	uint64_t epoch;
	uint64_t next_seq;
	uint64_t next_serial;
	uint64_t end; /* of the last segment's frames */
	uint64_t inode;
	uint64_t device;
	int64_t changed_s;
	int64_t changed_ns;
	uint32_t reserved;
	uint32_t crc;
};

/* `fd` is the last segment; the caller has filled log, epoch, next_seq, next_serial and end. */
int segment_marker_write(const char *dir, int fd, struct segment_marker *marker, struct err *err);
/* False when there is no marker, or it is about other files. */
bool segment_marker_read(const char *dir, int fd, struct segment_marker *out);
int segment_marker_remove(const char *dir, struct err *err); /* durable on return */

#endif
