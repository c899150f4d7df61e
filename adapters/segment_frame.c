/* This file writes, checks and walks the frames of a journal segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/segment_frame.h"

#include "adapters/file.h"
#include "base/hash.h"
#include "base/id.h"
#include <stddef.h>

enum {
	BYTE_ORDER_MARK = 0x01020304,
	FRAME_MAGIC = 0x6d617266, /* "fram" */
	CHUNK_LEN_FIRST = 32 << 10,
	CHUNK_LEN_MAX = 256 << 10,
};
static const char file_magic[8] = {'p', 'a', 'w', 'l', 'j', 'r', 'n', 'l'};
static const char zeros[8];

_Static_assert(sizeof(struct segment_header) == 80, "no padding in what goes to disk");
_Static_assert(sizeof(struct segment_frame) == 64, "no padding in what goes to disk");

void segment_header_make(struct segment_header *header, const struct adapter_head *head,
                         uint64_t first_serial)
{
	*header = (struct segment_header){
	        .byte_order = BYTE_ORDER_MARK,
	        .format = SEGMENT_FORMAT,
	        .epoch = head->epoch,
	        .epoch_seq = head->epoch_seq,
	        .first_seq = head->next_seq,
	        .first_serial = first_serial,
	        .header_len = sizeof *header,
	};
	memcpy(header->magic, file_magic, sizeof header->magic);
	memcpy(header->log, head->log, sizeof header->log);
	id_random(&header->salt, sizeof header->salt);
	header->crc = hash_crc32c(0, header, offsetof(struct segment_header, crc));
}

static int damaged_header(const char *path, const char *what, struct err *err)
{
	return err_set(err, E_DAMAGED, "journal_damaged",
	               "%s at offset 0: %s; nothing was changed. Restore the data directory from a "
	               "backup, or move the file away to give up the events in it",
	               path, what);
}

int segment_header_read(int fd, const char *path, struct segment_header *out, struct err *err)
{
	struct buf bytes = {0};
	struct segment_header header = {0};
	int status = file_read(fd, 0, sizeof header, &bytes, path, err);
	size_t len = bytes.len;
	if (status == 0) {
		memcpy(&header, bytes.ptr, len);
	}
	buf_free(&bytes);
	if (status != 0) {
		return status;
	}
	if (len < 16 || memcmp(header.magic, file_magic, sizeof file_magic) != 0) {
		return damaged_header(path, "this is no journal segment", err);
	}
	if (header.byte_order == __builtin_bswap32(BYTE_ORDER_MARK)) {
		return err_set(err, E_VERSION, "journal_byte_order",
		               "%s was written on a machine of the other byte order, and this "
		               "program cannot read it; nothing was changed",
		               path);
	}
	if (header.byte_order == BYTE_ORDER_MARK && header.format > SEGMENT_FORMAT) {
		return err_set(err, E_VERSION, "journal_version",
		               "%s has journal format %u, and this program knows formats up to %d; "
		               "nothing was changed. Start a newer pawl",
		               path, header.format, SEGMENT_FORMAT);
	}
	if (len < sizeof header || header.header_len != sizeof header ||
	    header.crc != hash_crc32c(0, &header, offsetof(struct segment_header, crc))) {
		return damaged_header(path, "the header's checksum is wrong", err);
	}
	*out = header;
	return 0;
}

static uint32_t salted(uint64_t salt)
{
	return hash_crc32c(0, &salt, sizeof salt);
}

static uint32_t header_crc_of(const struct segment_frame *frame, uint64_t salt)
{
	size_t from = offsetof(struct segment_frame, total_len);
	uint32_t crc = hash_crc32c(salted(salt), frame, offsetof(struct segment_frame, crc));
	return hash_crc32c(crc, (const char *)frame + from, sizeof *frame - from);
}

static uint64_t padding_of(uint64_t len)
{
	return (8 - len % 8) % 8;
}

int segment_frame_make(struct segment_frame *frame, const struct batch *batch, uint64_t salt,
                       struct iovec parts[SEGMENT_PARTS])
{
	frame->magic = FRAME_MAGIC;
	frame->format = SEGMENT_FORMAT;
	frame->header_len = sizeof *frame;
	frame->entry_count = (uint32_t)batch->entry_count;
	frame->op_count = (uint32_t)batch->op_count;
	frame->bytes_len = batch->bytes.len;
	uint64_t len = sizeof *frame + batch_size(batch);
	frame->total_len = len + padding_of(len);
	frame->header_crc = header_crc_of(frame, salt);
	int count = 0;
	parts[count++] = (struct iovec){frame, sizeof *frame};
	parts[count++] =
	        (struct iovec){batch->entries, batch->entry_count * sizeof(*batch->entries)};
	parts[count++] = (struct iovec){batch->ops, batch->op_count * sizeof(*batch->ops)};
	parts[count++] = (struct iovec){batch->bytes.ptr, batch->bytes.len};
	parts[count++] = (struct iovec){(void *)(uintptr_t)zeros, padding_of(len)};
	size_t behind = offsetof(struct segment_frame, header_crc);
	uint32_t crc =
	        hash_crc32c(salted(salt), (const char *)frame + behind, sizeof *frame - behind);
	for (int i = 1; i < count; i++) {
		crc = hash_crc32c(crc, parts[i].iov_base, parts[i].iov_len);
	}
	frame->crc = crc;
	return count;
}

void segment_walk_open(struct segment_walk *walk, int fd, const char *path, uint64_t salt,
                       uint64_t at, uint64_t end)
{
	*walk = (struct segment_walk){.fd = fd,
	                              .path = path,
	                              .salt = salt,
	                              .at = at,
	                              .end = end,
	                              .ahead = CHUNK_LEN_FIRST};
}

void segment_walk_close(struct segment_walk *walk)
{
	buf_free(&walk->chunk);
}

/* Makes [at, at + len) present in the chunk, or as much of it as the file has before walk->end. */
static int load(struct segment_walk *walk, uint64_t at, uint64_t len, struct err *err)
{
	uint64_t have_end = walk->chunk_at + walk->chunk.len;
	if (at >= walk->chunk_at && at + len <= have_end) {
		return 0;
	}
	uint64_t want = len > walk->ahead ? len : walk->ahead;
	walk->ahead = walk->ahead < CHUNK_LEN_MAX ? walk->ahead * 2 : CHUNK_LEN_MAX;
	if (at + want > walk->end) {
		want = walk->end > at ? walk->end - at : 0;
	}
	buf_shrink(&walk->chunk, 2 * CHUNK_LEN_MAX);
	walk->chunk_at = at;
	return file_read(walk->fd, at, want, &walk->chunk, walk->path, err);
}

static const char *loaded(const struct segment_walk *walk, uint64_t at, uint64_t len)
{
	bool there = at >= walk->chunk_at && at + len <= walk->chunk_at + walk->chunk.len;
	return there ? walk->chunk.ptr + (at - walk->chunk_at) : NULL;
}

/* Looks only at the header at `at`: does it belong to this file, and does its frame fit in it? */
static bool header_is_good(const struct segment_walk *walk, uint64_t at, struct segment_frame *out)
{
	const char *bytes = loaded(walk, at, sizeof *out);
	if (bytes == NULL) {
		return false;
	}
	memcpy(out, bytes, sizeof *out);
	return out->magic == FRAME_MAGIC && out->header_crc == header_crc_of(out, walk->salt) &&
	       out->total_len >= sizeof *out && out->total_len <= walk->end - at &&
	       out->total_len % 8 == 0;
}

static bool rows_are_good(const struct batch *batch)
{
	uint64_t len = batch->bytes.len;
	for (size_t i = 0; i < batch->entry_count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if ((uint64_t)entry->at + entry->len > len ||
		    entry->seq != batch->entries[0].seq + i) {
			return false;
		}
	}
	for (size_t i = 0; i < batch->op_count; i++) {
		const struct batch_op *op = &batch->ops[i];
		if ((uint64_t)op->part_at + op->part_len > len ||
		    (uint64_t)op->key_at + op->key_len > len ||
		    (uint64_t)op->value_at + op->value_len > len || op->kind < BATCH_PUT ||
		    op->kind > BATCH_DELETE_RANGE || space_name((enum space)op->space) == NULL) {
			return false;
		}
	}
	return true;
}

/* Checks the body of walk->frame, which is loaded, and points walk->batch into it. */
static bool body_is_good(struct segment_walk *walk, uint64_t at)
{
	struct segment_frame *frame = &walk->frame;
	char *bytes = (char *)(uintptr_t)loaded(walk, at, frame->total_len);
	size_t behind = offsetof(struct segment_frame, header_crc);
	uint64_t entries_len = (uint64_t)frame->entry_count * sizeof(struct batch_entry);
	uint64_t ops_len = (uint64_t)frame->op_count * sizeof(struct batch_op);
	if (bytes == NULL || frame->bytes_len > frame->total_len ||
	    sizeof *frame + entries_len + ops_len + frame->bytes_len > frame->total_len ||
	    frame->crc != hash_crc32c(salted(walk->salt), bytes + behind,
	                              (size_t)frame->total_len - behind)) {
		return false;
	}
	bytes += sizeof *frame;
	walk->batch = (struct batch){
	        .entries = (struct batch_entry *)(void *)bytes,
	        .entry_count = frame->entry_count,
	        .ops = (struct batch_op *)(void *)(bytes + entries_len),
	        .op_count = frame->op_count,
	        .bytes = {bytes + entries_len + ops_len, frame->bytes_len, 0},
	};
	return rows_are_good(&walk->batch) &&
	       (frame->entry_count == 0 || walk->batch.entries[0].seq == frame->first_seq);
}

static int all_zero_behind(struct segment_walk *walk, uint64_t *out_used, struct err *err)
{
	uint64_t used = walk->at;
	for (uint64_t at = walk->at; at < walk->end; at = walk->chunk_at + walk->chunk.len) {
		int status = load(walk, at, 1, err);
		if (status != 0) {
			return status;
		}
		const char *bytes = walk->chunk.ptr + (at - walk->chunk_at);
		size_t len = (size_t)(walk->chunk_at + walk->chunk.len - at);
		if (len == 0) {
			break;
		}
		for (size_t i = len; i > 0 && used < at + i; i--) {
			if (bytes[i - 1] != 0) {
				used = at + i;
			}
		}
	}
	*out_used = used;
	return 0;
}

static int newer_frame(const struct segment_walk *walk, struct err *err)
{
	return err_set(err, E_VERSION, "journal_version",
	               "%s at offset %llu has frame format %u, and this program knows formats up "
	               "to %d; start a newer pawl",
	               walk->path, (unsigned long long)walk->at, walk->frame.format,
	               SEGMENT_FORMAT);
}

static int step(struct segment_walk *walk, bool with_body, enum segment_step *out, struct err *err)
{
	int status = load(walk, walk->at, sizeof walk->frame, err);
	if (status != 0) {
		return status;
	}
	if (!header_is_good(walk, walk->at, &walk->frame)) {
		uint64_t used = walk->at;
		status = all_zero_behind(walk, &used, err);
		*out = used == walk->at ? SEGMENT_END : SEGMENT_BROKEN;
		return status;
	}
	if (walk->frame.format > SEGMENT_FORMAT) {
		return newer_frame(walk, err);
	}
	*out = SEGMENT_BROKEN;
	if ((walk->serial != 0 && walk->frame.serial != walk->serial) ||
	    (walk->seq != 0 && walk->frame.first_seq != walk->seq)) {
		return 0;
	}
	if (with_body) {
		status = load(walk, walk->at, walk->frame.total_len, err);
		if (status != 0 || !body_is_good(walk, walk->at)) {
			return status;
		}
	}
	walk->at += walk->frame.total_len;
	walk->serial = walk->frame.serial + 1;
	walk->seq = walk->frame.first_seq + walk->frame.entry_count;
	*out = SEGMENT_FRAME;
	return 0;
}

int segment_walk_next(struct segment_walk *walk, enum segment_step *out, struct err *err)
{
	return step(walk, true, out, err);
}

int segment_walk_skip(struct segment_walk *walk, enum segment_step *out, struct err *err)
{
	return step(walk, false, out, err);
}

int segment_walk_judge(struct segment_walk *walk, uint64_t *out_used, bool *out_synced,
                       struct err *err)
{
	uint64_t used = 0;
	bool synced = false;
	int status = all_zero_behind(walk, &used, err);
	for (uint64_t at = walk->at + 8; status == 0 && !synced && at < used; at += 8) {
		status = load(walk, at, sizeof walk->frame, err);
		struct segment_frame *frame = &walk->frame;
		if (status != 0 || !header_is_good(walk, at, frame) ||
		    frame->serial <= walk->serial || frame->durable_serial < walk->serial) {
			continue;
		}
		status = load(walk, at, frame->total_len, err);
		synced = status == 0 && body_is_good(walk, at);
	}
	if (status == 0) {
		*out_used = used;
		*out_synced = synced;
	}
	return status;
}
