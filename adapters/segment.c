/* This file writes, recovers and trims a journal of segment files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/segment.h"

#include "adapters/file.h"
#include "adapters/segment_frame.h"
#include "adapters/segment_list.h"
#include "adapters/segment_marker.h"
#include "adapters/segment_read.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZERO_STEP = 256 << 10, PAGE_LEN_MAX = 64 << 10 };

/* Only ever read; not const, so that it takes no room in the program's file. */
static char zero_step[ZERO_STEP];

struct segment {
	char *dir;
	uint64_t file_len;
	uint64_t applied; /* by the view, when it was opened */
	bool sync_later;
	bool marker_is_there;
	struct adapter_head head; /* first_seq and next_seq are the list's */
	struct segment_list list;
	struct segment_reader reader;

	/* The writer's; `fd` is changed under the list's lock, for sync_through. */
	int fd;
	char *path;
	uint64_t salt;
	uint64_t end;
	uint64_t zeroed_to;

	/* Under the list's lock. */
	uint64_t durable_serial;
	struct err failure; /* number is 0 while all is well */
};

static int fail(struct segment *segment, const struct err *failure)
{
	(void)pthread_mutex_lock(&segment->list.lock);
	if (segment->failure.number == 0) {
		segment->failure = *failure;
	}
	(void)pthread_mutex_unlock(&segment->list.lock);
	return failure->number;
}

static int refuse_after_failure(struct segment *segment, struct err *err)
{
	(void)pthread_mutex_lock(&segment->list.lock);
	struct err failure = segment->failure;
	(void)pthread_mutex_unlock(&segment->list.lock);
	if (failure.number == 0) {
		return 0;
	}
	return err_set(err, failure.number, failure.code,
	               "the journal must be opened again after this error: %.400s", failure.text);
}

static void set_durable(struct segment *segment, uint64_t serial)
{
	(void)pthread_mutex_lock(&segment->list.lock);
	if (segment->durable_serial < serial) {
		segment->durable_serial = serial;
	}
	(void)pthread_mutex_unlock(&segment->list.lock);
}

/* ---- new files ---- */

static int write_header(int fd, const char *path, const struct segment_header *header,
                        struct err *err)
{
	struct iovec parts[2] = {
	        {(void *)(uintptr_t)header, sizeof *header},
	        {zero_step, ZERO_STEP - sizeof *header},
	};
	int status = file_write(fd, parts, 2, 0, ZERO_STEP, path, err);
	return status != 0 ? status : file_sync(fd, path, err);
}

/* Begins a file for the next batch under a temporary name, and gives it its own when its header is
 * durable: a segment that can be seen has a good header. */
static int begin_file(struct segment *segment, struct err *err)
{
	struct adapter_head head = segment->head;
	head.next_seq = segment_list_next_seq(&segment->list);
	uint64_t serial = segment_list_next_serial(&segment->list);
	char name[SEGMENT_NAME_LEN + 1];
	segment_list_name(head.next_seq, serial, name);
	char *path = file_path(segment->dir, name);
	char *temporary = file_path(segment->dir, "new.tmp");
	struct segment_header header;
	int fd = -1;
	int status = file_open(temporary, O_RDWR | O_CREAT | O_TRUNC, &fd, err);
	if (status == 0) {
		segment_header_make(&header, &head, serial);
		status = write_header(fd, temporary, &header, err);
	}
	if (status == 0) {
		status = file_rename(temporary, path, err);
	}
	if (status == 0) {
		status = file_sync_dir(segment->dir, err);
	}
	if (status == 0) {
		segment_list_add(&segment->list, &header, mem_text(path), sizeof header);
		int old_fd = segment->fd;
		(void)pthread_mutex_lock(&segment->list.lock);
		segment->fd = fd;
		(void)pthread_mutex_unlock(&segment->list.lock);
		fd = old_fd;
		mem_free(segment->path);
		segment->path = path;
		path = NULL;
		segment->salt = header.salt;
		segment->end = sizeof header;
		segment->zeroed_to = ZERO_STEP;
	}
	file_close(fd);
	mem_free(temporary);
	mem_free(path);
	return status;
}

/* ---- open ---- */

static void draw_log_name(char out[ADAPTER_LOG_LEN + 1])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char random[ADAPTER_LOG_LEN];
	id_random(random, sizeof random);
	for (int i = 0; i < ADAPTER_LOG_LEN; i++) {
		out[i] = digits[random[i] & 31];
	}
	out[ADAPTER_LOG_LEN] = '\0';
}

/* Where the walk ends; frames from the first that nobody knows to be durable are read again from
 * the disk itself: after a failed sync the kernel may show bytes that never got there. */
static int walk_to_end(struct segment *segment, struct segment_walk *walk,
                       const struct segment_file *last, enum segment_step *out_step,
                       struct err *err)
{
	uint64_t durable = 0;
	for (int pass = 0; pass < 2; pass++) {
		segment_walk_close(walk);
		segment_walk_open(walk, segment->fd, last->path, last->header.salt,
		                  sizeof last->header, last->end);
		walk->seq = last->header.first_seq;
		walk->serial = last->header.first_serial;
		*out_step = SEGMENT_FRAME;
		bool dropped = false;
		while (*out_step == SEGMENT_FRAME) {
			if (pass == 1 && !dropped && walk->serial > durable) {
				uint64_t page = walk->at / PAGE_LEN_MAX * PAGE_LEN_MAX;
				(void)posix_fadvise(segment->fd, (off_t)page, 0,
				                    POSIX_FADV_DONTNEED);
				buf_clear(&walk->chunk);
				dropped = true;
			}
			uint64_t seq = walk->seq;
			uint64_t at = walk->at;
			bool known = pass == 1 && !dropped;
			int status = known ? segment_walk_skip(walk, out_step, err)
			                   : segment_walk_next(walk, out_step, err);
			if (status != 0) {
				return status;
			}
			if (*out_step == SEGMENT_FRAME) {
				durable = pass == 0 ? walk->frame.durable_serial : durable;
				segment_list_note(&segment->list, last->header.first_serial, seq,
				                  at);
			}
		}
	}
	return 0;
}

/* A view that has seen batches which the journal lacks, or lacks batches which the journal has
 * trimmed, is not of the same time as the journal. */
static int check_view(const struct segment *segment, uint64_t first_serial, uint64_t next_serial,
                      struct err *err)
{
	if (segment->applied < next_serial && segment->applied + 1 >= first_serial) {
		return 0;
	}
	return err_set(err, E_DAMAGED, "store_mixed",
	               "the records have seen batch %llu, but %s holds the batches from %llu to "
	               "%llu: they are of different times; nothing was changed. Restore the whole "
	               "data directory from one backup",
	               (unsigned long long)segment->applied, segment->dir,
	               (unsigned long long)first_serial, (unsigned long long)next_serial - 1);
}

/* Cuts what was being written when the power went, and refuses what was durable and is broken. */
static int cut_tail(struct segment *segment, struct segment_walk *walk, struct err *err)
{
	uint64_t used = 0;
	bool synced = false;
	int status = segment_walk_judge(walk, &used, &synced, err);
	if (status == 0 && synced) {
		status = segment_damaged(walk->path, walk->at, err);
	}
	if (status == 0) {
		status = check_view(segment, segment->list.files[0].header.first_serial,
		                    walk->serial, err);
	}
	if (status == 0) {
		segment->head.cut_bytes = used - walk->at;
		status = file_truncate(segment->fd, (off_t)walk->at, walk->path, err);
	}
	return status != 0 ? status : file_sync(segment->fd, walk->path, err);
}

static int recover_tail(struct segment *segment, struct segment_file *last, struct err *err)
{
	struct segment_walk walk = {0};
	enum segment_step step = SEGMENT_END;
	int status = file_sync(segment->fd, last->path, err);
	if (status == 0) {
		status = walk_to_end(segment, &walk, last, &step, err);
	}
	if (status == 0 && step == SEGMENT_BROKEN) {
		status = cut_tail(segment, &walk, err);
	} else if (status == 0) {
		status = check_view(segment, segment->list.files[0].header.first_serial,
		                    walk.serial, err);
	}
	if (status == 0) {
		last->end = walk.at;
		segment->list.next_seq = walk.seq;
		segment->list.next_serial = walk.serial;
		segment->durable_serial = walk.serial - 1;
	}
	segment_walk_close(&walk);
	return status;
}

/* These files may be a copy, of which others live or have lived: no id that one of them gives must
 * be another's, so the step is random. A copy cannot be told from the original: in the place of
 * files that were removed it may even have their inodes. */
static uint64_t epoch_after(const struct segment_file *last)
{
	uint32_t random;
	id_random(&random, sizeof random);
	return last->header.epoch + 1 + random % (1 << 20);
}

static int begin_epoch(struct segment *segment, uint64_t epoch, struct err *err)
{
	segment->head.epoch = epoch;
	segment->head.epoch_seq = segment->list.next_seq;
	int status = segment_marker_remove(segment->dir, err);
	return status != 0 ? status : begin_file(segment, err);
}

static int continue_clean(struct segment *segment, struct segment_file *last,
                          const struct segment_marker *marker, struct err *err)
{
	if (memcmp(marker->log, last->header.log, sizeof marker->log) != 0 ||
	    marker->epoch != last->header.epoch || marker->end > last->end ||
	    marker->next_seq < last->header.first_seq ||
	    marker->next_serial < last->header.first_serial) {
		return segment_damaged(last->path, marker->end, err);
	}
	int status = check_view(segment, segment->list.files[0].header.first_serial,
	                        marker->next_serial, err);
	if (status != 0) {
		return status;
	}
	segment->head.epoch = last->header.epoch;
	segment->head.epoch_seq = last->header.epoch_seq;
	segment->list.next_seq = marker->next_seq;
	segment->list.next_serial = marker->next_serial;
	segment->durable_serial = marker->next_serial - 1;
	segment->salt = last->header.salt;
	segment->zeroed_to = last->end;
	segment->end = marker->end;
	last->end = marker->end;
	segment->path = mem_text(last->path);
	segment->marker_is_there = true;
	return 0;
}

static int begin_log(struct segment *segment, const char *data_dir, struct err *err)
{
	int status = check_view(segment, 1, 1, err);
	if (status == 0) {
		status = file_make_dir(segment->dir, err);
	}
	if (status == 0) {
		status = file_sync_dir(data_dir, err);
	}
	if (status != 0) {
		return status;
	}
	draw_log_name(segment->head.log);
	segment->list.next_seq = 1;
	segment->list.next_serial = 1;
	return begin_epoch(segment, 1, err);
}

static int open_files(struct segment *segment, const char *data_dir, struct err *err)
{
	if (segment->list.count == 0) {
		return begin_log(segment, data_dir, err);
	}
	struct segment_file *last = &segment->list.files[segment->list.count - 1];
	memcpy(segment->head.log, last->header.log, ADAPTER_LOG_LEN);
	int status = file_open(last->path, O_RDWR, &segment->fd, err);
	if (status != 0) {
		return status;
	}
	struct segment_marker marker;
	if (segment_marker_read(segment->dir, segment->fd, &marker)) {
		return continue_clean(segment, last, &marker, err);
	}
	uint64_t epoch = epoch_after(last);
	status = recover_tail(segment, last, err);
	return status != 0 ? status : begin_epoch(segment, epoch, err);
}

static void release(struct segment *segment)
{
	file_close(segment->fd);
	segment_list_close(&segment->list);
	segment_reader_close(&segment->reader);
	mem_free(segment->path);
	mem_free(segment->dir);
	mem_free(segment);
}

int segment_open(const struct segment_options *options, struct segment **out, struct err *err)
{
	struct segment *segment = MEM_NEW(struct segment);
	segment->fd = -1;
	segment->file_len = options->file_len;
	segment->applied = options->applied;
	segment->sync_later = options->sync_later;
	segment->dir = file_path(options->dir, "journal");
	int status = segment_list_open(&segment->list, segment->dir, err);
	if (status != 0) {
		mem_free(segment->dir);
		mem_free(segment);
		return status;
	}
	status = open_files(segment, options->dir, err);
	if (status != 0) {
		release(segment);
		return status;
	}
	*out = segment;
	return 0;
}

void segment_close(struct segment *segment)
{
	if (segment == NULL) {
		return;
	}
	/* Without a marker the next open recovers, so a failure here loses nothing. */
	if (!segment->marker_is_there && segment_sync(segment, NULL) == 0) {
		struct segment_marker marker = {
		        .epoch = segment->head.epoch,
		        .next_seq = segment->list.next_seq,
		        .next_serial = segment->list.next_serial,
		        .end = segment->end,
		};
		memcpy(marker.log, segment->head.log, sizeof marker.log);
		(void)segment_marker_write(segment->dir, segment->fd, &marker, NULL);
	}
	release(segment);
}

void segment_head(struct segment *segment, struct adapter_head *out)
{
	*out = segment->head;
	out->first_seq = segment_list_first_seq(&segment->list);
	out->next_seq = segment_list_next_seq(&segment->list);
}

uint64_t segment_serial(struct segment *segment)
{
	return segment_list_next_serial(&segment->list) - 1;
}

uint64_t segment_file_serial(struct segment *segment)
{
	(void)pthread_mutex_lock(&segment->list.lock);
	uint64_t serial = segment->list.files[segment->list.count - 1].header.first_serial;
	(void)pthread_mutex_unlock(&segment->list.lock);
	return serial;
}

/* ---- write ---- */

static int append_frame(struct segment *segment, const struct batch *batch, struct err *err)
{
	struct segment_frame frame = {
	        .serial = segment->list.next_serial,
	        .first_seq = segment->list.next_seq,
	};
	(void)pthread_mutex_lock(&segment->list.lock);
	frame.durable_serial = segment->durable_serial;
	(void)pthread_mutex_unlock(&segment->list.lock);
	struct iovec parts[SEGMENT_PARTS];
	int count = segment_frame_make(&frame, batch, segment->salt, parts);
	uint64_t end = segment->end + frame.total_len;
	if (end > segment->zeroed_to) {
		segment->zeroed_to = (end + ZERO_STEP - 1) / ZERO_STEP * ZERO_STEP;
		parts[count++] = (struct iovec){zero_step, segment->zeroed_to - end};
	}
	crash_at(CRASH_WRITE);
	int status = file_write(segment->fd, parts, count, (off_t)segment->end, frame.total_len,
	                        segment->path, err);
	crash_at(CRASH_SYNC);
	if (status == 0 && !batch->lazy && !segment->sync_later) {
		status = file_sync(segment->fd, segment->path, err);
		crash_at(CRASH_ANSWER);
		if (status == 0) {
			set_durable(segment, frame.serial);
		}
	}
	if (status == 0) {
		segment->end = end;
		segment_list_grow(&segment->list, frame.first_seq, batch->entry_count,
		                  frame.total_len);
	}
	return status;
}

/* A file is left only when all of it is durable: only the last one can have a torn end. */
static int begin_next_file(struct segment *segment, struct err *err)
{
	crash_at(CRASH_ROLL);
	int status = segment_sync(segment, err);
	return status != 0 ? status : begin_file(segment, err);
}

int segment_write(struct segment *segment, const struct batch *batch, struct err *err)
{
	PRE(batch->entry_count == 0 || batch->entries[0].seq == segment->list.next_seq);
	int status = refuse_after_failure(segment, err);
	if (status != 0) {
		return status;
	}
	struct err failure = {0};
	if (segment->marker_is_there) {
		status = segment_marker_remove(segment->dir, &failure);
		segment->marker_is_there = status != 0;
	}
	uint64_t len = sizeof(struct segment_frame) + batch_size(batch) + 8;
	if (status == 0 && segment->end + len > segment->file_len &&
	    segment->end > sizeof(struct segment_header)) {
		status = begin_next_file(segment, &failure);
	}
	if (status == 0) {
		status = append_frame(segment, batch, &failure);
	}
	if (status == 0) {
		return 0;
	}
	if (err != NULL) {
		*err = failure;
	}
	return fail(segment, &failure);
}

int segment_sync_through(struct segment *segment, uint64_t serial, struct err *err)
{
	int status = refuse_after_failure(segment, err);
	if (status != 0) {
		return status;
	}
	(void)pthread_mutex_lock(&segment->list.lock);
	uint64_t written = segment->list.next_serial - 1;
	bool needed = segment->durable_serial < serial && segment->durable_serial < written;
	int fd = needed ? dup(segment->fd) : -1; /* the writer may close its own meanwhile */
	int failed_with = errno;
	(void)pthread_mutex_unlock(&segment->list.lock);
	if (!needed) {
		return 0;
	}
	struct err failure = {0};
	status = fd < 0 ? err_errno(&failure, failed_with, "cannot sync the journal")
	                : file_sync(fd, segment->dir, &failure);
	file_close(fd);
	if (status == 0) {
		set_durable(segment, written);
		return 0;
	}
	if (err != NULL) {
		*err = failure;
	}
	return fail(segment, &failure);
}

int segment_sync(struct segment *segment, struct err *err)
{
	return segment_sync_through(segment, UINT64_MAX, err);
}

/* ---- read, trim ---- */

int segment_read_entries(struct segment *segment, uint64_t from, adapter_entry_fn *entry, void *ctx,
                         struct err *err)
{
	return segment_read(&segment->reader, &segment->list, from, entry, ctx, err);
}

int segment_replay_batches(struct segment *segment, uint64_t behind_serial, adapter_batch_fn *each,
                           void *ctx, struct err *err)
{
	return segment_replay(&segment->list, behind_serial, each, ctx, err);
}

/* The first file may go if the one behind it begins no later than what must be kept. */
static bool first_may_go(const struct segment *segment, uint64_t seq, uint64_t applied)
{
	const struct segment_list *list = &segment->list;
	return list->count > 1 && list->files[1].header.first_seq <= seq &&
	       list->files[1].header.first_serial <= applied + 1;
}

int segment_trim(struct segment *segment, uint64_t seq, uint64_t applied, uint64_t *out_first,
                 uint64_t *out_bytes, struct err *err)
{
	int status = refuse_after_failure(segment, err);
	while (status == 0 && first_may_go(segment, seq, applied)) {
		char *path = segment_list_drop_first(&segment->list);
		status = file_unlink(path, err);
		mem_free(path);
		if (status == 0) {
			/* One by one: a power cut must not leave a gap. */
			status = file_sync_dir(segment->dir, err);
		}
	}
	if (status == 0) {
		*out_first = segment_list_first_seq(&segment->list);
		*out_bytes = segment_list_bytes(&segment->list);
	}
	return status;
}
