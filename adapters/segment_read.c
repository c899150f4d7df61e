/* This file walks segment files one after the other for readers and for replay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/segment_read.h"

#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int segment_damaged(const char *path, uint64_t at, struct err *err)
{
	return err_set(
	        err, E_DAMAGED, "journal_damaged",
	        "%s is damaged at offset %llu; nothing was changed. Restore the data "
	        "directory from a backup, or move this file and those behind it away to give "
	        "up the events in them",
	        path, (unsigned long long)at);
}

enum { KEPT_BYTES = 8 * 1024 * 1024 /* all together */ };

/* One file of the list, open. */
struct visit {
	struct segment_place place;
	struct segment_walk walk;
};

static int compacted(uint64_t seq, struct err *err)
{
	return err_set(err, E_NOT_FOUND, "compacted", "event %llu is no longer in the journal",
	               (unsigned long long)seq);
}

static int visit_open(struct visit *visit, struct err *err)
{
	const struct segment_place *place = &visit->place;
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		/* Trimmed between the look-up and now. */
		return errno == ENOENT ? compacted(place->first_seq, err)
		                       : err_errno(err, errno, "cannot open %s", place->path);
	}
	segment_walk_open(&visit->walk, fd, place->path, place->salt, place->at, place->end);
	if (place->at == sizeof(struct segment_header)) {
		visit->walk.seq = place->first_seq;
		visit->walk.serial = place->first_serial;
	}
	return 0;
}

static void visit_close(struct visit *visit)
{
	if (visit->walk.path != NULL) {
		(void)close(visit->walk.fd);
		segment_walk_close(&visit->walk);
	}
	mem_free(visit->place.path);
	*visit = (struct visit){0};
}

/* The next frame of this file. *out_more is false at its end, which must be where the next file
 * goes on. */
static int visit_next(struct visit *visit, bool with_body, bool *out_more, struct err *err)
{
	enum segment_step step = SEGMENT_BROKEN;
	int status = with_body ? segment_walk_next(&visit->walk, &step, err)
	                       : segment_walk_skip(&visit->walk, &step, err);
	if (status != 0) {
		return status;
	}
	if (step == SEGMENT_BROKEN ||
	    (step == SEGMENT_END && (visit->walk.seq != visit->place.behind_seq ||
	                             visit->walk.serial != visit->place.behind_serial))) {
		return segment_damaged(visit->place.path, visit->walk.at, err);
	}
	*out_more = step == SEGMENT_FRAME;
	return 0;
}

/* Walks headers only, until the next frame is the one that ends behind `number`. */
static int seek(struct visit *visit, struct segment_list *list, uint64_t number, bool by_serial,
                struct err *err)
{
	struct segment_walk *walk = &visit->walk;
	for (;;) {
		uint64_t at = walk->at;
		uint64_t seq = walk->seq;
		uint64_t serial = walk->serial;
		bool more = false;
		int status = visit_next(visit, false, &more, err);
		if (status != 0 || !more) {
			return status;
		}
		if ((by_serial ? walk->serial : walk->seq) > number) {
			walk->at = at;
			walk->seq = seq;
			walk->serial = serial;
			return 0;
		}
		segment_list_note(list, visit->place.first_serial, walk->seq, walk->at);
	}
}

/* Shows the batch's entries from *seq on, which moves on; returns whether more are wanted. */
static bool show(const struct batch *batch, uint64_t *seq, adapter_entry_fn *entry, void *ctx)
{
	if (batch->entry_count == 0 || *seq < batch->entries[0].seq) {
		return true;
	}
	bool wanted = true;
	for (size_t i = *seq - batch->entries[0].seq; wanted && i < batch->entry_count; i++) {
		*seq = batch->entries[i].seq + 1;
		wanted = entry(ctx, *seq - 1, batch_entry_bytes(batch, &batch->entries[i]));
	}
	return wanted;
}

static size_t kept_bytes(const struct segment_reader *reader)
{
	size_t sum = 0;
	for (int i = 0; i < SEGMENT_KEPT; i++) {
		sum += reader->kept[i].chunk.len;
	}
	return sum;
}

/* Keeps the last frame of the walk, whose file is not kept open, in the place of the oldest ones.
 */
static void keep(struct segment_reader *reader, struct segment_walk *walk)
{
	if (walk->batch.entry_count == 0 || walk->chunk.len > KEPT_BYTES) {
		return;
	}
	struct segment_kept *kept;
	do {
		kept = &reader->kept[reader->oldest++ % SEGMENT_KEPT];
		buf_free(&kept->chunk);
		kept->batch = (struct batch){0};
	} while (kept_bytes(reader) + walk->chunk.len > KEPT_BYTES);
	*kept = (struct segment_kept){walk->chunk, walk->batch};
	walk->chunk = (struct buf){0};
}

static bool show_kept(const struct segment_reader *reader, uint64_t *seq, adapter_entry_fn *entry,
                      void *ctx)
{
	bool wanted = true;
	for (int i = 0; wanted && i < SEGMENT_KEPT; i++) {
		wanted = show(&reader->kept[i].batch, seq, entry, ctx);
	}
	return wanted;
}

void segment_reader_close(struct segment_reader *reader)
{
	for (int i = 0; i < SEGMENT_KEPT; i++) {
		buf_free(&reader->kept[i].chunk);
	}
	*reader = (struct segment_reader){0};
}

static int read_file(struct visit *visit, struct segment_list *list, uint64_t *seq, uint64_t end,
                     bool *wanted, adapter_entry_fn *entry, void *ctx, struct err *err)
{
	int status = visit_open(visit, err);
	if (status == 0) {
		status = seek(visit, list, *seq, false, err);
	}
	bool more = status == 0;
	while (more && *wanted && *seq < end) {
		status = visit_next(visit, true, &more, err);
		more = more && status == 0;
		*wanted = !more || show(&visit->walk.batch, seq, entry, ctx);
	}
	if (!more) {
		visit->walk.batch = (struct batch){0}; /* its bytes may have gone */
	}
	return status;
}

int segment_read(struct segment_reader *reader, struct segment_list *list, uint64_t from,
                 adapter_entry_fn *entry, void *ctx, struct err *err)
{
	if (from < segment_list_first_seq(list)) {
		return compacted(from, err);
	}
	struct visit visit = {0};
	uint64_t seq = from;
	uint64_t end = segment_list_next_seq(list);
	int status = 0;
	bool wanted = show_kept(reader, &seq, entry, ctx);
	while (status == 0 && wanted && seq < end) {
		if (!segment_list_find_seq(list, seq, &visit.place)) {
			return compacted(seq, err);
		}
		status = read_file(&visit, list, &seq, end, &wanted, entry, ctx, err);
		if (status == 0) {
			keep(reader, &visit.walk);
		}
		visit_close(&visit);
	}
	return status;
}

int segment_replay(struct segment_list *list, uint64_t serial, adapter_batch_fn *each, void *ctx,
                   struct err *err)
{
	struct visit visit = {0};
	uint64_t next = serial + 1;
	int status = 0;
	while (status == 0 && segment_list_find_serial(list, next, &visit.place)) {
		status = visit_open(&visit, err);
		if (status == 0) {
			status = seek(&visit, list, next, true, err);
		}
		bool more = status == 0;
		while (more) {
			status = visit_next(&visit, true, &more, err);
			more = more && status == 0;
			if (more) {
				status = each(ctx, &visit.walk.batch, err);
				next++;
				more = status == 0;
			}
		}
		visit_close(&visit);
	}
	return status;
}
