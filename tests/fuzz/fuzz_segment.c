/* This file throws bytes at journal segments: each gives an error or a clean recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/file.h"
#include "adapters/segment.h"
#include "adapters/segment_frame.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_sync(int fd)
{
	(void)fd;
	return 0;
}

static int no_sync_dir(const char *path)
{
	(void)path;
	return 0;
}

static void need(bool claim)
{
	if (!claim) {
		abort();
	}
}

static int open_it(const char *dir, struct segment **out)
{
	struct segment_options options = {.dir = dir, .file_len = SEGMENT_LEN};
	return segment_open(&options, out, NULL);
}

static void write_one(struct segment *segment, struct batch *batch)
{
	struct adapter_head head;
	segment_head(segment, &head);
	struct record record = {SPAN("value"), head.next_seq, 0, 0};
	batch_clear(batch);
	uint32_t at = batch_entry_begin(batch);
	buf_span(&batch->bytes, SPAN("an entry"));
	batch_entry_end(batch, at, head.next_seq);
	batch_put(batch, (struct record_key){SPACE_STATE, SPAN("p"), SPAN("k")}, &record);
	need(segment_write(segment, batch, NULL) == 0);
}

static bool count_entry(void *ctx, uint64_t seq, struct span bytes)
{
	(void)bytes;
	*(uint64_t *)ctx = seq + 1;
	return true;
}

static int touch_batch(void *ctx, const struct batch *batch, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < batch->op_count; i++) {
		struct record_key key = batch_op_key(batch, &batch->ops[i]);
		struct span value = batch_op_value(batch, &batch->ops[i]);
		*(size_t *)ctx += key.key.len + value.len + (value.len ? (size_t)value.ptr[0] : 0);
	}
	return 0;
}

/* What was recovered is whole, can be written on, and is the same when it is opened again. */
static void use(const char *dir, struct segment *segment, struct batch *batch)
{
	struct adapter_head head;
	segment_head(segment, &head);
	uint64_t next = head.first_seq;
	int status = segment_read_entries(segment, head.first_seq, count_entry, &next, NULL);
	need(status == E_DAMAGED || (status == 0 && next == head.next_seq));
	size_t sum = 0;
	(void)segment_replay_batches(segment, 0, touch_batch, &sum, NULL);
	write_one(segment, batch);
	segment_close(segment);
	need(open_it(dir, &segment) == 0);
	segment_head(segment, &head);
	need(head.next_seq == next + 1 || status == E_DAMAGED);
	segment_close(segment);
}

/* An even first byte: the rest is laid over a good file, at the place that two bytes name. An odd
 * one: the rest is the file. */
static void spoil(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_RDWR);
	need(fd >= 0);
	if (size > 3 && (data[0] & 1) == 0) {
		off_t at = (off_t)(data[1] | (data[2] << 8)) % 1024;
		need(pwrite(fd, data + 3, size - 3, at) == (ssize_t)(size - 3));
	} else if (size > 1) {
		need(ftruncate(fd, 0) == 0);
		need(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	}
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file_ops quick;
	quick = file_real_ops;
	quick.sync = no_sync;
	quick.sync_dir = no_sync_dir;
	file_use(&quick);
	char dir[64];
	char command[128];
	char path[160];
	(void)snprintf(dir, sizeof dir, "/tmp/pawl_fuzz_segment_XXXXXX");
	need(mkdtemp(dir) != NULL);
	struct segment *segment = NULL;
	struct batch batch = {0};
	need(open_it(dir, &segment) == 0);
	for (int i = 0; i < 4; i++) {
		write_one(segment, &batch);
	}
	segment_close(segment);
	(void)snprintf(path, sizeof path, "%s/journal/clean", dir);
	need(unlink(path) == 0);
	(void)snprintf(path, sizeof path, "%s/journal/%016x-%016x.seg", dir, 1, 1);
	spoil(path, data, size);
	int status = open_it(dir, &segment);
	need(status == 0 || status == E_DAMAGED || status == E_VERSION);
	if (status == 0) {
		use(dir, segment, &batch);
	}
	batch_close(&batch);
	file_use(NULL);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
	need(system(command) == 0);
	return 0;
}
