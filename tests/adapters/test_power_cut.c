/* This file takes the power away at every sync in turn and looks at what is left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fixture.h"

#include "adapters/journal.h"
#include "adapters/segment.h"
#include "adapters/sqlite.h"
#include "tests/adapters/power_cut.h"

enum { FILE_LEN = 20000 };

/* What the work was told before the power went. */
struct told {
	uint64_t safe_seq;  /* everything up to here was promised */
	uint64_t tried_seq; /* nothing behind this was ever written */
	uint64_t epoch;
	uint64_t trimmed_to;
};

static char work_dir[512];
static char disk_dir[512];

static void fill(struct batch *batch, uint64_t seq, bool lazy)
{
	char text[900];
	batch_clear(batch);
	batch->lazy = lazy;
	(void)snprintf(text, sizeof text, "entry %llu %0*d", (unsigned long long)seq,
	               (int)(seq * 37 % 800), 0);
	fixture_entry(batch, seq, text);
	fixture_put(batch, SPACE_STATE, "p", text, "v", seq);
}

static bool check_entry(void *ctx, uint64_t seq, struct span bytes)
{
	uint64_t *next = ctx;
	struct batch batch = {0};
	fill(&batch, seq, false);
	assert_int_equal(seq, *next);
	assert_true(span_equal(bytes, batch_entry_bytes(&batch, &batch.entries[0])));
	batch_close(&batch);
	(*next)++;
	return true;
}

/* ---- the journal alone ---- */

static int open_segments(const char *dir, bool sync_later, const struct told *told,
                         struct segment **out)
{
	struct segment_options options = {
	        .dir = dir,
	        .file_len = FILE_LEN,
	        .sync_later = sync_later,
	        .applied = told->trimmed_to ? told->trimmed_to - 1 : 0,
	};
	struct err err;
	int status = segment_open(&options, out, &err);
	if (status != 0 && !power_cut_happened()) {
		fail_msg("%s", err.text);
	}
	return status;
}

/* Two lives of a journal: files begin, are trimmed, some batches are lazy. False when it was
 * stopped by the power. */
static bool live(bool sync_later, struct told *told)
{
	struct batch batch = {0};
	struct segment *segment = NULL;
	bool goes_on = true;
	for (int life = 0; goes_on && life < 2; life++) {
		if (open_segments(work_dir, sync_later, told, &segment) != 0) {
			goes_on = false;
			break;
		}
		struct adapter_head head;
		segment_head(segment, &head);
		told->epoch = head.epoch;
		for (int i = 0; goes_on && i < 40; i++) {
			bool lazy = i % 5 == 3;
			uint64_t seq = told->tried_seq + 1;
			fill(&batch, seq, lazy);
			told->tried_seq = seq;
			goes_on = segment_write(segment, &batch, NULL) == 0;
			if (goes_on && sync_later && i % 7 == 6) {
				goes_on = segment_sync(segment, NULL) == 0;
				told->safe_seq = goes_on ? seq : told->safe_seq;
			} else if (goes_on && !sync_later && !lazy) {
				told->safe_seq = seq;
			}
			uint64_t first;
			uint64_t bytes;
			if (goes_on && i == 30) {
				told->trimmed_to = told->safe_seq - 10;
				goes_on = segment_trim(segment, told->trimmed_to, told->safe_seq,
				                       &first, &bytes, NULL) == 0;
			}
		}
		segment_close(segment);
		goes_on = goes_on && !power_cut_happened();
		told->safe_seq = goes_on ? told->tried_seq : told->safe_seq;
	}
	batch_close(&batch);
	return goes_on;
}

static void look_at_what_is_left(const struct told *told)
{
	struct segment *segment = NULL;
	assert_int_equal(open_segments(disk_dir, false, told, &segment), 0);
	struct adapter_head head;
	segment_head(segment, &head);
	assert_true(head.next_seq > told->safe_seq);
	assert_true(head.next_seq <= told->tried_seq + 1);
	assert_true(head.epoch > told->epoch || told->safe_seq == 0);
	assert_true(head.first_seq <= (told->trimmed_to ? told->trimmed_to : 1));
	uint64_t next = head.first_seq;
	assert_int_equal(segment_read_entries(segment, next, check_entry, &next, NULL), 0);
	assert_int_equal(next, head.next_seq);
	/* It goes on as if nothing had been. */
	struct batch batch = {0};
	for (int i = 0; i < 3; i++) {
		fill(&batch, head.next_seq + (uint64_t)i, false);
		assert_int_equal(segment_write(segment, &batch, NULL), 0);
	}
	segment_close(segment);
	assert_int_equal(open_segments(disk_dir, false, told, &segment), 0);
	next = head.first_seq;
	assert_int_equal(segment_read_entries(segment, next, check_entry, &next, NULL), 0);
	assert_int_equal(next, head.next_seq + 3);
	segment_close(segment);
	batch_close(&batch);
}

static void cut_everywhere(bool sync_later)
{
	unsigned cuts = 0;
	bool finished = false;
	for (unsigned cut_at = 1; !finished; cut_at++) {
		for (int keeps = 0; keeps < POWER_CUT_MODES; keeps++) {
			struct told told = {0};
			(void)snprintf(work_dir, sizeof work_dir, "%s", fixture_dir("cut_work"));
			(void)snprintf(disk_dir, sizeof disk_dir, "%s", fixture_dir("cut_disk"));
			power_cut_begin(work_dir, cut_at);
			finished = live(sync_later, &told);
			power_cut_write(disk_dir, (enum power_cut_keeps)keeps,
			                cut_at * 977u + (unsigned)keeps);
			power_cut_end();
			look_at_what_is_left(&told);
			cuts++;
		}
	}
	assert_true(cuts > 30);
	fixture_remove(work_dir);
	fixture_remove(disk_dir);
}

static void nothing_promised_is_lost(void **state)
{
	(void)state;
	cut_everywhere(false);
}

static void nothing_synced_by_interval_is_lost(void **state)
{
	(void)state;
	cut_everywhere(true);
}

/* ---- the journal and its view ---- */

static int open_store(const char *dir, struct adapter **out, struct err *err)
{
	struct journal_options options = {
	        .view = &sqlite_adapter,
	        .view_open = {.dir = dir},
	        .sync_every_ms = 1000,
	        .segment_len = FILE_LEN,
	};
	return journal_open(&options, out, err);
}

static bool count_row(void *ctx, struct span key, const struct record *record)
{
	(void)key;
	(void)record;
	(*(uint64_t *)ctx)++;
	return true;
}

struct replaying {
	struct adapter *adapter;
	uint64_t serial;
};

static int apply_again(void *ctx, const struct batch *batch, struct err *err)
{
	struct replaying *replaying = ctx;
	const struct batch *one[] = {batch};
	return replaying->adapter->type->apply(replaying->adapter, one, 1, ++replaying->serial,
	                                       err);
}

/* Writes without syncs of its own; the view is applied behind it. One entry and one record a batch,
 * so seq, serial and rows are one number. */
static void live_with_view(uint64_t *out_applied)
{
	struct adapter *store = NULL;
	struct batch batch = {0};
	struct err err;
	uint64_t applied = 0;
	if (open_store(work_dir, &store, &err) != 0) {
		return;
	}
	for (uint64_t seq = 1; seq <= 60; seq++) {
		fill(&batch, seq, false);
		const struct batch *one[] = {&batch};
		if (store->type->write(store, &batch, NULL) != 0) {
			break;
		}
		struct replaying replaying = {store, applied};
		if (seq % 4 == 0 && applied + 1 == seq) {
			if (store->type->apply(store, one, 1, seq, NULL) != 0) {
				break;
			}
			applied = seq;
		} else if (seq % 4 != 0) {
			if (apply_again(&replaying, &batch, NULL) != 0) {
				break;
			}
			applied = seq;
		}
	}
	store->type->close(store);
	batch_close(&batch);
	*out_applied = applied;
}

/* The view is a file of its own kind: it comes back as it was left, or not at all. */
static void the_view_is_never_ahead(void **state)
{
	(void)state;
	for (unsigned cut_at = 1; cut_at < 80; cut_at++) {
		bool with_view = cut_at % 2 == 0;
		uint64_t applied = 0;
		struct err err = {0};
		(void)snprintf(work_dir, sizeof work_dir, "%s", fixture_dir("cut_work"));
		(void)snprintf(disk_dir, sizeof disk_dir, "%s", fixture_dir("cut_disk"));
		power_cut_begin(work_dir, cut_at);
		live_with_view(&applied);
		power_cut_write(disk_dir, (enum power_cut_keeps)(cut_at % POWER_CUT_MODES), cut_at);
		power_cut_end();
		if (with_view) {
			char command[1200];
			(void)snprintf(command, sizeof command, "cp '%s'/records.db* '%s'",
			               work_dir, disk_dir);
			assert_int_equal(system(command), 0);
		}
		struct replaying replaying = {NULL, 0};
		if (open_store(disk_dir, &replaying.adapter, &err) != 0) {
			fail_msg("cut at %u: %s", cut_at, err.text);
		}
		struct adapter *store = replaying.adapter;
		struct adapter_head head;
		assert_int_equal(store->type->head(store, &head, &err), 0);
		assert_true(head.next_seq > applied);
		assert_int_equal(store->type->applied(store, &replaying.serial, &err), 0);
		assert_int_equal(replaying.serial, with_view ? applied : 0);
		assert_int_equal(store->type->replay(store, apply_again, &replaying, &err), 0);
		struct adapter_range range = {SPACE_STATE, SPAN("p"), SPAN_NONE, SPAN_NONE};
		uint64_t rows = 0;
		assert_int_equal(
		        store->type->scan(store, &range, 1000, false, count_row, &rows, &err), 0);
		assert_int_equal(rows, head.next_seq - 1);
		store->type->close(store);
	}
	fixture_remove(work_dir);
	fixture_remove(disk_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_promised_is_lost),
	        cmocka_unit_test(nothing_synced_by_interval_is_lost),
	        cmocka_unit_test(the_view_is_never_ahead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
