/* This file proves what the store reads: fetches, scans, parts and the journal, while it writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store_life.h"

#include "base/log.h"
#include <stdlib.h>

/* ---- fetches ---- */

static void fill(struct life *life, const char *part, const char *key, const char *value)
{
	const struct record record = {.value = span_of(value), .rev = 1};
	fault_put(life->disk, key_of(part, key), &record);
}

static void test_fetches_share_a_read(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "1");
	fill(life, "s", "b", "2");
	fault_shut(life->disk, FAULT_GET);
	struct getting first, same, other, third;
	get(life, &first, "s", "a");
	turn(life);
	fault_await(life->disk, FAULT_GET);
	/* One that is being read, two that will be read together. */
	get(life, &same, "s", "a");
	get(life, &other, "s", "b");
	get(life, &third, "s", "c");
	fault_let_go(life->disk, FAULT_GET);
	UNTIL(third.calls == 1);
	assert_int_equal(first.calls + same.calls + other.calls, 3);
	assert_int_equal(fault_count(life->disk, FAULT_GET), 2);
	assert_int_equal(fault_last_get(life->disk), 2);
	assert_string_equal(known(life, "s", "a"), "1");
	assert_string_equal(known(life, "s", "b"), "2");
	assert_string_equal(known(life, "s", "c"), "-");
	/* What is known is not read again. */
	get(life, &same, "s", "c");
	UNTIL(same.calls == 1);
	assert_int_equal(fault_count(life->disk, FAULT_GET), 2);
	life_end(life);
}

static void test_put_wins_over_fetch(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "old");
	fill(life, "s", "b", "old");
	fill(life, "t", "a", "old");
	fault_shut(life->disk, FAULT_GET);
	struct getting a, b, c;
	get(life, &a, "s", "a");
	get(life, &b, "s", "b");
	get(life, &c, "t", "a");
	turn(life);
	fault_await(life->disk, FAULT_GET);
	assert_string_equal(known(life, "s", "a"), "?");
	put(life, "s", "a", "new");
	delete_key(life, "s", "b");
	store_delete_range(life->store, SPACE_STATE, SPAN("t"), SPAN_NONE, SPAN_NONE);
	commit_now(life);
	static struct listing listing;
	parts_start(life, &listing); /* the view gets it before the read comes back */
	assert_string_equal(known(life, "s", "a"), "new");
	fault_let_go(life->disk, FAULT_GET);
	UNTIL(a.calls == 1 && b.calls == 1 && c.calls == 1);
	assert_string_equal(known(life, "s", "a"), "new");
	assert_string_equal(known(life, "s", "b"), "-");
	assert_string_equal(known(life, "t", "a"), "-");
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "s ");
	assert_string_equal(value_of(life, "s", "a"), "new");
	life_end(life);
}

static void test_failed_fetch_tells_and_can_be_repeated(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "1");
	fault_plan(life->disk, FAULT_GET, FAULT_FAILS, 1, E_IO);
	assert_string_equal(value_of(life, "s", "a"), "error");
	assert_string_equal(known(life, "s", "a"), "?");
	assert_string_equal(value_of(life, "s", "a"), "1");
	life_end(life);
}

static void test_cache_is_bounded(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_with_view);
	life->options.cache_max_bytes = 64 * 1024;
	life_open(life);
	char key[32];
	char value[101] = "";
	memset(value, 'v', 100);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(key, sizeof key, "key%d", i);
		put(life, i % 2 == 0 ? "even" : "odd", key, value);
	}
	commit_now(life);
	apply_all(life);
	turn(life);
	struct store_stats stats = stats_of(life);
	assert_true(stats.cache_bytes <= 64 * 1024);
	assert_true(stats.cache_records > 100);
	assert_string_equal(known(life, "even", "key0"), "?");
	assert_string_equal(value_of(life, "even", "key0"), value);
	/* One that is in use stays, but for a few times, while others pass. */
	int misses = 0;
	for (int i = 1; i < 1000; i += 2) {
		(void)snprintf(key, sizeof key, "key%d", i);
		assert_string_equal(value_of(life, "odd", key), value);
		if (span_is(SPAN("?"), known(life, "even", "key0"))) {
			misses++;
			assert_string_equal(value_of(life, "even", "key0"), value);
		}
	}
	assert_true(misses < 5);
	assert_true(stats_of(life).cache_bytes <= 64 * 1024 + 512);
	life_end(life);
}

/* ---- scans ---- */

static void test_scan_merges_memory_and_view(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "0");
	fill(life, "s", "c", "0");
	fill(life, "s", "e", "0");
	fill(life, "t", "z", "0");
	fault_shut(life->disk, FAULT_APPLY);
	put(life, "s", "b", "1");
	put(life, "s", "c", "1");
	delete_key(life, "s", "e");
	commit_now(life);
	fault_shut(life->disk, FAULT_WRITE);
	struct answer answer;
	put(life, "s", "d", "2");
	delete_key(life, "s", "b");
	put(life, "s", "e", "2");
	commit(life, &answer);
	turn(life);
	assert_string_equal(list_of(life, "s"), "a=0 c=1 d=2 e=2 ");
	static struct listing listing;
	scan_start(life, &listing, "s", "b", "e", true);
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "d=2 c=1 ");
	assert_false(listing.more);
	assert_true(listing.group != 0);
	listing.most = 1;
	scan_start(life, &listing, "s", "b", NULL, false);
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "c=1 ");
	assert_true(listing.more);
	listing.most = 0;
	fault_let_go(life->disk, FAULT_WRITE);
	fault_let_go(life->disk, FAULT_APPLY);
	UNTIL(answer.calls == 1);
	life_end(life);
}

static void test_scan_sees_what_is_applied_under_it(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "0");
	fault_shut(life->disk, FAULT_SCAN);
	put_now(life, "s", "b", "1");
	static struct listing listing;
	scan_start(life, &listing, "s", NULL, NULL, false);
	turn(life);
	fault_await(life->disk, FAULT_SCAN);
	/* Both become durable and applied between the copy and the read. */
	put(life, "s", "b", "2");
	delete_key(life, "s", "a");
	commit_now(life);
	apply_all(life);
	fault_let_go(life->disk, FAULT_SCAN);
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "b=2 ");
	life_end(life);
}

static void test_deleted_ranges(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "0");
	fill(life, "s", "b", "0");
	fill(life, "s", "c", "0");
	fill(life, "s", "d", "0");
	assert_string_equal(value_of(life, "s", "b"), "0");
	put_now(life, "s", "bb", "1");
	fault_shut(life->disk, FAULT_APPLY);
	store_delete_range(life->store, SPACE_STATE, SPAN("s"), SPAN("b"), SPAN("d"));
	assert_string_equal(known(life, "s", "b"), "-");
	assert_string_equal(known(life, "s", "bb"), "-");
	assert_string_equal(known(life, "s", "c"), "-");
	assert_string_equal(known(life, "s", "d"), "?");
	assert_string_equal(known(life, "s", "a"), "?");
	put(life, "s", "c", "2");
	assert_string_equal(list_of(life, "s"), "a=0 c=2 d=0 ");
	commit_now(life);
	/* A fetch of what is deleted in memory finds nothing. */
	assert_string_equal(value_of(life, "s", "b"), "-");
	assert_string_equal(list_of(life, "s"), "a=0 c=2 d=0 ");
	fault_let_go(life->disk, FAULT_APPLY);
	apply_all(life);
	assert_string_equal(list_of(life, "s"), "a=0 c=2 d=0 ");
	assert_string_equal(value_of(life, "s", "bb"), "-");
	store_delete_range(life->store, SPACE_STATE, SPAN("s"), SPAN("c"), SPAN_NONE);
	commit_now(life);
	assert_string_equal(list_of(life, "s"), "a=0 ");
	life_end(life);
}

/* Pages end on either side, in both directions; each key comes once and in order. */
static void test_scan_pages(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	char key[32];
	for (int i = 0; i < 2000; i += 2) {
		(void)snprintf(key, sizeof key, "%05d", i);
		fill(life, "s", key, "v");
	}
	fault_shut(life->disk, FAULT_APPLY);
	for (int i = 1000; i < 2000; i++) {
		(void)snprintf(key, sizeof key, "%05d", i);
		if (i % 3 == 0) {
			delete_key(life, "s", key);
		} else {
			put(life, "s", key, "m");
		}
	}
	static char wanted[2][65536];
	size_t rows = 0;
	char *at = wanted[0];
	for (int i = 0; i < 2000; i++) {
		if ((i < 1000 && i % 2 == 0) || (i >= 1000 && i % 3 != 0)) {
			at += sprintf(at, "%05d=%c ", i, i < 1000 ? 'v' : 'm');
			rows++;
		}
	}
	at = wanted[1];
	for (int i = 1999; i >= 0; i--) {
		if ((i < 1000 && i % 2 == 0) || (i >= 1000 && i % 3 != 0)) {
			at += sprintf(at, "%05d=%c ", i, i < 1000 ? 'v' : 'm');
		}
	}
	for (int reverse = 0; reverse < 2; reverse++) {
		static struct listing listing;
		scan_start(life, &listing, "s", NULL, NULL, reverse != 0);
		UNTIL(listing.calls == 1);
		assert_int_equal(listing.rows, rows);
		assert_string_equal(listing.text, wanted[reverse]);
	}
	assert_true(fault_count(life->disk, FAULT_SCAN) > 10);
	fault_let_go(life->disk, FAULT_APPLY);
	life_end(life);
}

static void test_scan_goes_on_after_a_failure(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "s", "a", "0");
	fault_shut(life->disk, FAULT_SCAN);
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_IO);
	struct answer answer;
	put(life, "s", "b", "1");
	static struct listing listing;
	scan_start(life, &listing, "s", NULL, NULL, false);
	commit(life, &answer);
	UNTIL(answer.calls == 1);
	assert_int_equal(answer.status, E_UNKNOWN);
	fault_let_go(life->disk, FAULT_SCAN);
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "a=0 ");
	fault_plan(life->disk, FAULT_SCAN, FAULT_FAILS, 1, E_IO);
	scan_start(life, &listing, "s", NULL, NULL, false);
	UNTIL(listing.calls == 1);
	assert_int_equal(listing.status, E_IO);
	life_end(life);
}

static void test_parts(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fill(life, "b", "1", "v");
	fill(life, "d", "1", "v");
	put(life, "a", "1", "v");
	delete_key(life, "d", "1");
	put(life, "c", "1", "v");
	delete_key(life, "c", "1");
	/* Not committed by anybody yet: the listing waits until the view has it. */
	assert_string_equal(parts_of(life), "a b ");
	char part[32];
	for (int i = 0; i < 600; i++) {
		(void)snprintf(part, sizeof part, "p%03d", i);
		if (i % 2 == 0) {
			fill(life, part, "1", "v");
		} else {
			put(life, part, "1", "v");
		}
	}
	static struct listing listing;
	parts_start(life, &listing);
	put(life, "zz", "1", "v"); /* behind its start: may be seen */
	commit_now(life);
	UNTIL(listing.calls == 1);
	assert_true(listing.rows == 602 || listing.rows == 603);
	assert_memory_equal(listing.text, "a b p000 p001 p002 ", 19);
	static const struct {
		const char *start, *want;
	} cases[] = {
	        {"p598", "p598 p599 zz "}, /* one of them in the table only, first or not */
	        {"p599", "p599 zz "},      {"p5985", "p599 zz "}, {"p6", "zz "},
	        {"p", "p000 p001 "},       {"zz\x01", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parts_start_at(life, &listing, cases[i].start);
		UNTIL(listing.calls == 1);
		assert_int_equal(strncmp(listing.text, cases[i].want, 10), 0);
		assert_true(i == 4 ? listing.rows == 601
		                   : strcmp(listing.text, cases[i].want) == 0);
	}
	life_end(life);
}

/* ---- the journal ---- */

struct reading {
	struct store_read read;
	int calls;
	int status;
	uint64_t first, next;
	size_t bytes;
	char code[32];
};

static void read_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct reading *reading = ctx;
	if (reading->next == 0) {
		reading->first = seq;
	} else {
		assert_int_equal(seq, reading->next);
	}
	reading->next = seq + 1;
	reading->bytes += bytes.len;
}

static void read_done(struct store_read *read, int status, const struct err *err)
{
	struct reading *reading = MEM_CONTAINER(read, struct reading, read);
	reading->calls++;
	reading->status = status;
	(void)snprintf(reading->code, sizeof reading->code, "%s", err != NULL ? err->code : "");
}

static void read_from(struct life *life, struct reading *reading, uint64_t from, uint64_t count,
                      size_t max_bytes)
{
	*reading = (struct reading){.read = {.from = from,
	                                     .count = count,
	                                     .max_bytes = max_bytes,
	                                     .entry = read_entry,
	                                     .ctx = reading,
	                                     .done = read_done}};
	store_read_start(life->store, &reading->read);
	assert_int_equal(reading->calls, 0);
	UNTIL(reading->calls == 1);
}

static void test_journal_is_read_from_memory_and_disk(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_with_view);
	life->options.recent_max_bytes = 16 * 1024;
	life_open(life);
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < 50; j++) {
			put(life, "s", "k", "eight by");
		}
		commit_now(life);
	}
	struct span bytes;
	assert_true(store_recent(life->store, 1000, &bytes));
	assert_true(span_is(bytes, "e:eight by"));
	assert_false(store_recent(life->store, 1001, &bytes));
	assert_false(store_recent(life->store, 1, &bytes));
	unsigned reads = fault_count(life->disk, FAULT_READ);
	struct reading reading;
	read_from(life, &reading, 991, 5, 0);
	assert_int_equal(reading.first, 991);
	assert_int_equal(reading.next, 996);
	assert_int_equal(fault_count(life->disk, FAULT_READ), reads);
	read_from(life, &reading, 1, UINT64_MAX, 0);
	assert_int_equal(reading.first, 1);
	assert_int_equal(reading.next, 1001);
	assert_true(fault_count(life->disk, FAULT_READ) > reads);
	read_from(life, &reading, 10, 100, 95);
	assert_int_equal(reading.next, 20);
	read_from(life, &reading, 1001, 10, 0);
	assert_int_equal(reading.status, 0);
	assert_int_equal(reading.next, 0);

	/* Only what is durable comes. */
	fault_shut(life->disk, FAULT_WRITE);
	struct answer answer;
	put(life, "s", "k", "9");
	commit(life, &answer);
	turn(life);
	read_from(life, &reading, 1000, 10, 0);
	assert_int_equal(reading.next, 1001);
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(answer.calls == 1);

	store_trim(life->store, 500);
	struct adapter_head head;
	do {
		(void)uv_run(&life->loop, UV_RUN_ONCE);
		store_head(life->store, &head);
	} while (head.first_seq != 500);
	assert_int_equal(head.next_seq, 1002);
	read_from(life, &reading, 499, 10, 0);
	assert_int_equal(reading.status, E_NOT_FOUND);
	assert_string_equal(reading.code, "compacted");
	life_end(life);
}

static void test_trim_waits_for_the_view(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_APPLY);
	unsigned trims = fault_count(life->disk, FAULT_TRIM);
	put_now(life, "s", "a", "1");
	put_now(life, "s", "b", "1");
	store_trim(life->store, 2);
	turn(life);
	fault_await(life->disk, FAULT_APPLY);
	put_now(life, "s", "c", "1");
	assert_int_equal(fault_count(life->disk, FAULT_TRIM), trims);
	fault_let_go(life->disk, FAULT_APPLY);
	UNTIL(fault_count(life->disk, FAULT_TRIM) == trims + 1);
	life_end(life);
}

int main(void)
{
	log_open(getenv("PAWL_TEST_LOG") != NULL ? LOG_DEBUG : LOG_ERROR + 1, false);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_fetches_share_a_read),
	        cmocka_unit_test(test_put_wins_over_fetch),
	        cmocka_unit_test(test_failed_fetch_tells_and_can_be_repeated),
	        cmocka_unit_test(test_cache_is_bounded),
	        cmocka_unit_test(test_scan_merges_memory_and_view),
	        cmocka_unit_test(test_scan_sees_what_is_applied_under_it),
	        cmocka_unit_test(test_deleted_ranges),
	        cmocka_unit_test(test_scan_pages),
	        cmocka_unit_test(test_scan_goes_on_after_a_failure),
	        cmocka_unit_test(test_parts),
	        cmocka_unit_test(test_journal_is_read_from_memory_and_disk),
	        cmocka_unit_test(test_trim_waits_for_the_view),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
