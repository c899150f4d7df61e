/* This file tests what the journal's files survive, and what is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fixture.h"

#include "adapters/file.h"
#include "adapters/segment.h"
#include "adapters/segment_frame.h"
#include <errno.h>

struct state {
	char dir[512];
	uint64_t file_len;
	bool sync_later;
	uint64_t applied;
	struct segment *segment;
	struct batch batch;
	struct err err;
};

static int open_it(struct state *s)
{
	struct segment_options options = {.dir = s->dir,
	                                  .file_len = s->file_len,
	                                  .sync_later = s->sync_later,
	                                  .applied = s->applied};
	return segment_open(&options, &s->segment, &s->err);
}

static void must_open(struct state *s)
{
	if (open_it(s) != 0) {
		fail_msg("%s", s->err.text);
	}
}

/* As after kill -9: no marker is left. */
static void kill_it(struct state *s)
{
	segment_close(s->segment);
	s->segment = NULL;
	char path[600];
	(void)snprintf(path, sizeof path, "%s/journal/clean", s->dir);
	(void)unlink(path);
}

static void write_entries(struct state *s, uint64_t first, uint64_t last, bool lazy)
{
	for (uint64_t seq = first; seq <= last; seq++) {
		char text[32];
		batch_clear(&s->batch);
		s->batch.lazy = lazy;
		(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
		fixture_entry(&s->batch, seq, text);
		fixture_put(&s->batch, SPACE_STATE, "p", text, "value", seq);
		assert_int_equal(segment_write(s->segment, &s->batch, &s->err), 0);
	}
}

struct reading {
	uint64_t next;
	uint64_t stop; /* 0 = never */
};

static bool check_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct reading *reading = ctx;
	char text[32];
	(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
	assert_int_equal(seq, reading->next);
	assert_true(span_is(bytes, text));
	reading->next++;
	return seq != reading->stop;
}

static void reads_all(struct state *s, uint64_t from, uint64_t last)
{
	struct reading reading = {from, 0};
	assert_int_equal(segment_read_entries(s->segment, from, check_entry, &reading, &s->err), 0);
	assert_int_equal(reading.next, last + 1);
}

static struct adapter_head head_of(struct state *s)
{
	struct adapter_head head;
	segment_head(s->segment, &head);
	return head;
}

/* The path of the index-th segment file by name. */
static char *file_at(const struct state *s, int index)
{
	static char path[1024];
	char dir[600];
	(void)snprintf(dir, sizeof dir, "%s/journal", s->dir);
	struct dirent **names = NULL;
	int count = scandir(dir, &names, NULL, alphasort);
	int seen = 0;
	path[0] = '\0';
	for (int i = 0; i < count; i++) {
		if (strstr(names[i]->d_name, ".seg") != NULL && seen++ == index) {
			(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	assert_true(path[0] != '\0');
	return path;
}

static void overwrite(const char *path, uint64_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
	(void)close(fd);
}

/* Where the index-th frame of a file begins, and where the last ends. */
static uint64_t frame_at(const char *path, int index)
{
	struct segment_header header;
	struct segment_walk walk;
	int fd = open(path, O_RDONLY);
	assert_int_equal(segment_header_read(fd, path, &header, NULL), 0);
	struct stat found;
	assert_int_equal(fstat(fd, &found), 0);
	segment_walk_open(&walk, fd, path, header.salt, sizeof header, (uint64_t)found.st_size);
	enum segment_step step = SEGMENT_FRAME;
	for (int i = 0; i < index && step == SEGMENT_FRAME; i++) {
		assert_int_equal(segment_walk_next(&walk, &step, NULL), 0);
	}
	uint64_t at = walk.at;
	segment_walk_close(&walk);
	(void)close(fd);
	return at;
}

static void refuses_and_touches_nothing(struct state *s, int number, const char *word)
{
	struct buf before = {0};
	struct buf after = {0};
	fixture_snapshot(s->dir, &before);
	assert_int_equal(open_it(s), number);
	if (strstr(s->err.text, word) == NULL) {
		fail_msg("'%s' is not in: %s", word, s->err.text);
	}
	fixture_snapshot(s->dir, &after);
	assert_true(span_equal(buf_view(&before), buf_view(&after)));
	buf_free(&before);
	buf_free(&after);
}

/* ---- epochs ---- */

static void a_clean_close_keeps_the_epoch(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 5, false);
	for (int i = 0; i < 3; i++) {
		segment_close(s->segment);
		must_open(s);
		assert_int_equal(head_of(s).epoch, 1);
		assert_int_equal(head_of(s).epoch_seq, 1);
		assert_int_equal(head_of(s).next_seq, 6);
	}
	write_entries(s, 6, 7, false);
	reads_all(s, 1, 7);
}

static void a_kill_begins_an_epoch(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 5, false);
	uint64_t epoch = head_of(s).epoch;
	for (int i = 0; i < 3; i++) {
		kill_it(s);
		must_open(s);
		assert_true(head_of(s).epoch > epoch);
		epoch = head_of(s).epoch;
		assert_int_equal(head_of(s).epoch_seq, 6);
		assert_int_equal(head_of(s).cut_bytes, 0);
		reads_all(s, 1, 5);
	}
	write_entries(s, 6, 6, false);
	segment_close(s->segment);
	must_open(s);
	assert_int_equal(head_of(s).epoch, epoch);
	assert_int_equal(head_of(s).epoch_seq, 6);
	reads_all(s, 1, 6);
}

static void the_marker_goes_before_the_first_write(void **state)
{
	struct state *s = *state;
	char path[600];
	(void)snprintf(path, sizeof path, "%s/journal/clean", s->dir);
	must_open(s);
	write_entries(s, 1, 1, false);
	segment_close(s->segment);
	assert_int_equal(access(path, F_OK), 0);
	must_open(s);
	assert_int_equal(access(path, F_OK), 0);
	write_entries(s, 2, 2, false);
	assert_int_equal(access(path, F_OK), -1);
}

/* ---- many files ---- */

static void rolls_reads_and_trims(void **state)
{
	struct state *s = *state;
	s->file_len = 4096;
	must_open(s);
	write_entries(s, 1, 500, false);
	for (uint64_t from = 1; from <= 500; from += 37) {
		reads_all(s, from, 500);
	}
	struct reading some = {100, 120};
	assert_int_equal(segment_read_entries(s->segment, 100, check_entry, &some, &s->err), 0);
	assert_int_equal(some.next, 121);
	segment_close(s->segment);
	must_open(s);
	reads_all(s, 250, 500);

	uint64_t first = 0;
	uint64_t bytes = 0;
	uint64_t bytes_before = 0;
	assert_int_equal(segment_trim(s->segment, 0, 500, &first, &bytes_before, &s->err), 0);
	assert_int_equal(first, 1);
	assert_int_equal(segment_trim(s->segment, 300, 100, &first, &bytes, &s->err), 0);
	assert_in_range(first, 60, 101); /* the view has applied no more */
	assert_int_equal(segment_trim(s->segment, 300, 500, &first, &bytes, &s->err), 0);
	assert_in_range(first, 260, 300);
	assert_true(bytes < bytes_before);
	reads_all(s, first, 500);
	struct reading reading = {0};
	assert_int_equal(
	        segment_read_entries(s->segment, first - 1, check_entry, &reading, &s->err),
	        E_NOT_FOUND);
	assert_string_equal(s->err.code, "compacted");
	assert_int_equal(segment_trim(s->segment, 1000, 500, &first, &bytes, &s->err), 0);
	assert_true(first <= 501);
	segment_close(s->segment);
	s->applied = 500;
	must_open(s);
	assert_int_equal(head_of(s).first_seq, first);
	assert_int_equal(head_of(s).next_seq, 501);
}

static void a_large_file_is_read_by_its_index(void **state)
{
	struct state *s = *state;
	s->sync_later = true;
	must_open(s);
	write_entries(s, 1, 5000, false);
	for (int pass = 0; pass < 3; pass++) {
		for (uint64_t from = 5000; from > 600; from -= 557) {
			struct reading some = {from, from};
			assert_int_equal(
			        segment_read_entries(s->segment, from, check_entry, &some, &s->err),
			        0);
			assert_int_equal(some.next, from + 1);
		}
		if (pass == 0) {
			segment_close(s->segment);
		} else {
			kill_it(s);
		}
		must_open(s);
	}
	write_entries(s, 5001, 5100, false);
	reads_all(s, 4990, 5100);
}

/* Deliveries ask for single entries: those of one frame cost one look at the file. */
static void neighbours_of_an_entry_are_kept(void **state)
{
	struct state *s = *state;
	must_open(s);
	batch_clear(&s->batch);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		char text[32];
		(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
		fixture_entry(&s->batch, seq, text);
	}
	assert_int_equal(segment_write(s->segment, &s->batch, &s->err), 0);
	write_entries(s, 4, 9, false);
	struct reading one = {2, 2};
	assert_int_equal(segment_read_entries(s->segment, 2, check_entry, &one, &s->err), 0);
	assert_int_equal(unlink(file_at(s, 0)), 0);
	for (uint64_t seq = 3; seq > 0; seq--) {
		one = (struct reading){seq, seq};
		assert_int_equal(segment_read_entries(s->segment, seq, check_entry, &one, &s->err),
		                 0);
		assert_int_equal(one.next, seq + 1);
	}
	assert_int_not_equal(segment_read_entries(s->segment, 4, check_entry, &one, &s->err), 0);
}

static bool take_length(void *ctx, uint64_t seq, struct span bytes)
{
	(void)seq;
	*(size_t *)ctx = bytes.len;
	return false;
}

/* Large frames are kept, too, but not many of them: each is itself whichever was read before. */
static void large_neighbours_make_room(void **state)
{
	struct state *s = *state;
	s->file_len = 64u << 20;
	must_open(s);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		size_t len = (3u << 20) + seq;
		char *text = calloc(len + 1, 1);
		memset(text, 'x', len);
		batch_clear(&s->batch);
		fixture_entry(&s->batch, seq, text);
		assert_int_equal(segment_write(s->segment, &s->batch, &s->err), 0);
		free(text);
	}
	static const uint64_t order[] = {1, 2, 3, 2, 4, 1, 5, 5, 3};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		size_t len = 0;
		assert_int_equal(
		        segment_read_entries(s->segment, order[i], take_length, &len, &s->err), 0);
		assert_int_equal(len, (3u << 20) + order[i]);
	}
}

static int count_batch(void *ctx, const struct batch *batch, struct err *err)
{
	(void)err;
	uint64_t *next = ctx;
	assert_int_equal(batch->entries[0].seq, *next);
	(*next)++;
	return 0;
}

static void replays_behind_a_serial(void **state)
{
	struct state *s = *state;
	s->file_len = 4096;
	must_open(s);
	write_entries(s, 1, 100, false);
	for (uint64_t serial = 0; serial <= 100; serial += 20) {
		uint64_t next = serial + 1;
		assert_int_equal(
		        segment_replay_batches(s->segment, serial, count_batch, &next, &s->err), 0);
		assert_int_equal(next, 101);
	}
}

/* ---- torn ends ---- */

static void every_torn_end_is_cut(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 3, false);
	kill_it(s);
	char *path = file_at(s, 0);
	uint64_t begin = frame_at(path, 2);
	uint64_t end = frame_at(path, 3);
	char copy[600];
	(void)snprintf(copy, sizeof copy, "%s_whole", s->dir);
	fixture_copy(s->dir, copy);
	for (uint64_t keep = begin; keep + 8 <= end; keep += 5) {
		static const char zeros[4096];
		assert_true(end - keep <= sizeof zeros);
		overwrite(path, keep, zeros, end - keep);
		must_open(s);
		assert_int_equal(head_of(s).next_seq, 3);
		assert_true(head_of(s).cut_bytes <= end - begin);
		assert_true(keep < begin + 8 || head_of(s).cut_bytes > 0);
		reads_all(s, 1, 2);
		write_entries(s, 3, 4, false);
		reads_all(s, 1, 4);
		kill_it(s);
		must_open(s);
		reads_all(s, 1, 4);
		segment_close(s->segment);
		s->segment = NULL;
		fixture_copy(copy, s->dir);
	}
	fixture_remove(copy);
}

static void a_file_cut_short_is_a_torn_end(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 3, false);
	kill_it(s);
	char *path = file_at(s, 0);
	assert_int_equal(truncate(path, (off_t)frame_at(path, 3) - 20), 0);
	must_open(s);
	assert_int_equal(head_of(s).next_seq, 3);
	reads_all(s, 1, 2);
}

static void a_hole_before_unsynced_frames_is_a_torn_end(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 2, false);
	write_entries(s, 3, 6, true);
	kill_it(s);
	char *path = file_at(s, 0);
	overwrite(path, frame_at(path, 3) + 70, "\xaa", 1); /* entry 4, never synced alone */
	must_open(s);
	assert_int_equal(head_of(s).next_seq, 4);
	assert_true(head_of(s).cut_bytes > 0);
	reads_all(s, 1, 3);
}

static void a_value_that_spells_a_frame_is_none(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 3, false);
	char *path = file_at(s, 0);
	uint64_t at = frame_at(path, 1);
	uint64_t len = frame_at(path, 2) - at;
	struct buf bytes = {0};
	fixture_read_file(path, &bytes);
	struct record record = {span_make(bytes.ptr + at, len), 0, 0, 0};
	segment_close(s->segment);
	fixture_remove(s->dir);
	assert_int_equal(mkdir(s->dir, 0700), 0);
	must_open(s);
	write_entries(s, 1, 1, false);
	batch_clear(&s->batch);
	fixture_entry(&s->batch, 2, "entry 2");
	batch_put(&s->batch, fixture_key(SPACE_JOB, SPAN("1234567"), SPAN("k")), &record);
	assert_int_equal(segment_write(s->segment, &s->batch, &s->err), 0);
	kill_it(s);
	path = file_at(s, 0);
	overwrite(path, frame_at(path, 1) + 16, "\xff", 1);
	must_open(s);
	assert_int_equal(head_of(s).next_seq, 2);
	buf_free(&bytes);
}

/* ---- damage ---- */

static void a_broken_frame_that_was_durable_is_damage(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 5, false);
	kill_it(s);
	char *path = file_at(s, 0);
	uint64_t at = frame_at(path, 2);
	for (uint64_t step = 0; step < frame_at(path, 3) - at; step += 9) {
		unsigned char byte;
		int fd = open(path, O_RDONLY);
		assert_int_equal(pread(fd, &byte, 1, (off_t)(at + step)), 1);
		(void)close(fd);
		unsigned char other = (unsigned char)(byte ^ 0x5a);
		overwrite(path, at + step, &other, 1);
		char word[64];
		(void)snprintf(word, sizeof word, "damaged at offset %llu", (unsigned long long)at);
		refuses_and_touches_nothing(s, E_DAMAGED, word);
		overwrite(path, at + step, &byte, 1);
	}
	must_open(s);
	reads_all(s, 1, 5);
}

static void damage_in_an_earlier_file_is_told_when_it_is_read(void **state)
{
	struct state *s = *state;
	s->file_len = 4096;
	must_open(s);
	write_entries(s, 1, 100, false);
	segment_close(s->segment);
	char *path = file_at(s, 0);
	overwrite(path, frame_at(path, 2) + 70, "\xaa", 1);
	must_open(s);
	reads_all(s, 60, 100);
	struct reading reading = {1, 0};
	assert_int_equal(segment_read_entries(s->segment, 1, check_entry, &reading, &s->err),
	                 E_DAMAGED);
	assert_int_equal(reading.next, 3);
	assert_non_null(strstr(s->err.text, path));
}

static void a_missing_file_is_damage(void **state)
{
	struct state *s = *state;
	s->file_len = 4096;
	must_open(s);
	write_entries(s, 1, 100, false);
	segment_close(s->segment);
	(void)unlink(file_at(s, 1));
	must_open(s);
	struct reading reading = {1, 0};
	assert_int_equal(segment_read_entries(s->segment, 1, check_entry, &reading, &s->err),
	                 E_DAMAGED);
}

static void headers_are_judged(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 2, false);
	segment_close(s->segment);
	s->segment = NULL;
	char *path = file_at(s, 0);
	struct buf bytes = {0};
	fixture_read_file(path, &bytes);
	uint32_t newer = SEGMENT_FORMAT + 1;
	overwrite(path, offsetof(struct segment_header, format), &newer, sizeof newer);
	refuses_and_touches_nothing(s, E_VERSION, "format 2");
	overwrite(path, 0, bytes.ptr, sizeof(struct segment_header));
	overwrite(path, offsetof(struct segment_header, byte_order), "\x01\x02\x03\x04", 4);
	refuses_and_touches_nothing(s, E_VERSION, "byte order");
	overwrite(path, 0, "garbage!", 8);
	refuses_and_touches_nothing(s, E_DAMAGED, "no journal segment");
	overwrite(path, 0, bytes.ptr, sizeof(struct segment_header));
	overwrite(path, offsetof(struct segment_header, salt), "\x01\x02\x03", 3);
	refuses_and_touches_nothing(s, E_DAMAGED, "checksum");
	assert_int_equal(truncate(path, 3), 0);
	refuses_and_touches_nothing(s, E_DAMAGED, "no journal segment");
	buf_free(&bytes);
}

static void a_view_of_another_time_is_refused(void **state)
{
	struct state *s = *state;
	s->applied = 3;
	refuses_and_touches_nothing(s, E_DAMAGED, "different times");
	s->applied = 0;
	must_open(s);
	write_entries(s, 1, 2, false);
	segment_close(s->segment);
	s->segment = NULL;
	s->applied = 3;
	refuses_and_touches_nothing(s, E_DAMAGED, "different times");
	s->applied = 2;
	must_open(s);
	kill_it(s);
	s->applied = 3;
	refuses_and_touches_nothing(s, E_DAMAGED, "different times");
}

/* ---- errors of the system ---- */

static struct file_ops faulty;
static int fail_write_with;
static int fail_sync_with;

static ssize_t faulty_write(int fd, const struct iovec *parts, int count, off_t at)
{
	if (fail_write_with != 0) {
		ssize_t part = pwrite(fd, parts[0].iov_base, parts[0].iov_len / 2, at);
		(void)part;
		errno = fail_write_with;
		return -1;
	}
	return file_real_ops.write(fd, parts, count, at);
}

static int faulty_sync(int fd)
{
	if (fail_sync_with != 0) {
		errno = fail_sync_with;
		return -1;
	}
	return file_real_ops.sync(fd);
}

static void an_error_closes_the_journal_until_it_is_opened_again(void **state)
{
	struct state *s = *state;
	must_open(s);
	write_entries(s, 1, 2, false);
	static const struct {
		int write_errno, sync_errno, number;
	} faults[] = {{ENOSPC, 0, E_FULL}, {EIO, 0, E_IO}, {0, EIO, E_UNKNOWN}};
	for (size_t i = 0; i < 3; i++) {
		uint64_t next = head_of(s).next_seq;
		fail_write_with = faults[i].write_errno;
		fail_sync_with = faults[i].sync_errno;
		batch_clear(&s->batch);
		char text[32];
		(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)next);
		fixture_entry(&s->batch, next, text);
		assert_int_equal(segment_write(s->segment, &s->batch, &s->err), faults[i].number);
		fail_write_with = 0;
		fail_sync_with = 0;
		assert_int_equal(segment_write(s->segment, &s->batch, &s->err), faults[i].number);
		assert_int_equal(segment_sync(s->segment, &s->err), faults[i].number);
		assert_int_equal(head_of(s).next_seq, next);
		reads_all(s, 1, next - 1);
		uint64_t epoch = head_of(s).epoch;
		segment_close(s->segment);
		must_open(s);
		assert_true(head_of(s).epoch > epoch);
		uint64_t truly = head_of(s).next_seq;
		assert_in_range(truly, next, next + 1);
		write_entries(s, truly, truly, false);
		reads_all(s, 1, truly);
	}
}

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof *s);
	s->file_len = SEGMENT_LEN;
	(void)snprintf(s->dir, sizeof s->dir, "%s", fixture_dir("segment"));
	faulty = file_real_ops;
	faulty.write = faulty_write;
	faulty.sync = faulty_sync;
	file_use(&faulty);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;
	segment_close(s->segment);
	file_use(NULL);
	batch_close(&s->batch);
	fixture_remove(s->dir);
	free(s);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_clean_close_keeps_the_epoch),
	        TEST(a_kill_begins_an_epoch),
	        TEST(the_marker_goes_before_the_first_write),
	        TEST(rolls_reads_and_trims),
	        TEST(a_large_file_is_read_by_its_index),
	        TEST(neighbours_of_an_entry_are_kept),
	        TEST(large_neighbours_make_room),
	        TEST(replays_behind_a_serial),
	        TEST(every_torn_end_is_cut),
	        TEST(a_file_cut_short_is_a_torn_end),
	        TEST(a_hole_before_unsynced_frames_is_a_torn_end),
	        TEST(a_value_that_spells_a_frame_is_none),
	        TEST(a_broken_frame_that_was_durable_is_damage),
	        TEST(damage_in_an_earlier_file_is_told_when_it_is_read),
	        TEST(a_missing_file_is_damage),
	        TEST(headers_are_judged),
	        TEST(a_view_of_another_time_is_refused),
	        TEST(an_error_closes_the_journal_until_it_is_opened_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
