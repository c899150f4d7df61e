/* This file proves the store's rules of writing, interleaving by interleaving. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store_life.h"

#include "base/log.h"
#include <sched.h>
#include <stdlib.h>

/* ---- rule 1: an answer leaves when all that it was computed from is durable ---- */

static void test_answers_wait_for_durable(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_WRITE);
	struct answer write, read, late;
	put(life, "s", "a", "1");
	commit(life, &write);
	struct store_look out;
	assert_int_equal(look(life, "s", "a", &out), STORE_FOUND);
	assert_true(out.group != 0);
	assert_false(store_wait(life->store, out.group, asking(life, &read)));
	turn(life);
	fault_await(life->disk, FAULT_WRITE);
	assert_int_equal(write.calls + read.calls, 0);
	assert_int_equal(store_durable_seq(life->store), 0);
	assert_int_equal(store_next_seq(life->store), 2);

	/* While it is being written it is waited for as well. */
	assert_int_equal(look(life, "s", "a", &out), STORE_FOUND);
	assert_false(store_wait(life->store, out.group, asking(life, &late)));
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(life->told_count == 1);
	assert_int_equal(write.order, 1);
	assert_int_equal(read.order, 2);
	assert_int_equal(late.order, 3);
	assert_int_equal(store_durable_seq(life->store), 1);

	assert_int_equal(look(life, "s", "a", &out), STORE_FOUND);
	assert_int_equal(out.group, 0);
	assert_true(store_wait(life->store, out.group, asking(life, &late)));
	life_end(life);
}

static void test_queued_absence_is_waited_for(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "1");
	fault_shut(life->disk, FAULT_WRITE);
	struct answer removal, absence;
	delete_key(life, "s", "a");
	commit(life, &removal);
	turn(life);
	struct store_look out;
	assert_int_equal(look(life, "s", "a", &out), STORE_ABSENT);
	assert_true(out.group != 0);
	assert_false(store_wait(life->store, out.group, asking(life, &absence)));
	static struct listing listing;
	scan_start(life, &listing, "s", NULL, NULL, false);
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "");
	assert_int_equal(listing.group, out.group);
	assert_int_equal(absence.calls, 0);
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(absence.calls == 1);
	assert_int_equal(absence.status, 0);
	life_end(life);
}

static void test_what_queues_up_is_one_group(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_WRITE);
	struct answer first;
	struct answer more[8];
	put(life, "s", "k", "0");
	commit(life, &first);
	turn(life);
	for (int i = 0; i < 8; i++) {
		put(life, "s", "k", "n");
		commit(life, &more[i]);
		turn(life);
	}
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(more[7].calls == 1);
	assert_int_equal(fault_count(life->disk, FAULT_WRITE), 2);
	assert_int_equal(life->told_count, 9);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(life->told[i], i + 1);
	}
	/* A commit of nothing is answered all the same, later. */
	struct answer nothing;
	commit(life, &nothing);
	UNTIL(nothing.calls == 1);
	assert_int_equal(nothing.status, 0);
	assert_int_equal(fault_count(life->disk, FAULT_WRITE), 2);
	life_end(life);
}

/* What the first group's caller costs is time in which the disk has the second. */
static void answered_while_the_next_is_written(struct store_waiter *waiter, int status,
                                               const struct err *err)
{
	answered(waiter, status, err);
	struct fault_disk *disk = MEM_CONTAINER(waiter, struct answer, waiter)->life->disk;
	while (fault_count(disk, FAULT_WRITE) < 2) {
		(void)sched_yield();
	}
}

static void test_the_next_group_waits_for_nobody(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_WRITE);
	struct answer first, second;
	put(life, "s", "k", "0");
	commit(life, &first);
	first.waiter.done = answered_while_the_next_is_written;
	turn(life);
	put(life, "s", "k", "1");
	commit(life, &second);
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(second.calls == 1);
	assert_int_equal(first.order, 1);
	assert_int_equal(second.order, 2);
	life_end(life);
}

/* ---- rule 2: a failed group fails itself and the open one ---- */

static void test_failure_takes_the_queue_with_it(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "old");
	put_now(life, "s", "b", "old");
	apply_all(life);
	fault_shut(life->disk, FAULT_WRITE);
	fault_shut(life->disk, FAULT_OPEN);
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_IO);
	struct answer failed, queued, looked, late;
	put(life, "s", "a", "lost");
	commit(life, &failed);
	turn(life);
	fault_await(life->disk, FAULT_WRITE);
	put(life, "s", "c", "lost too");
	commit(life, &queued);
	struct store_look out;
	assert_int_equal(look(life, "s", "a", &out), STORE_FOUND);
	uint64_t seen = out.group;
	assert_false(store_wait(life->store, seen, asking(life, &looked)));
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(queued.calls == 1);
	assert_string_equal(failed.code, "outcome_unknown");
	assert_int_equal(failed.status, E_UNKNOWN);
	assert_string_equal(queued.code, "outcome_unknown");
	assert_string_equal(looked.code, "outcome_unknown");
	assert_true(failed.order < looked.order && looked.order < queued.order);

	/* Writes are refused, reads of what was not touched go on. */
	struct err err;
	assert_int_equal(store_refuses(life->store, &err), E_BUSY);
	assert_string_equal(err.code, "store_recovering");
	assert_string_equal(known(life, "s", "b"), "old");
	assert_string_equal(known(life, "s", "a"), "?");
	assert_string_equal(known(life, "s", "c"), "?");
	assert_false(store_wait(life->store, seen, asking(life, &late)));
	struct getting getting;
	get(life, &getting, "s", "a");
	UNTIL(late.calls == 1);
	assert_int_equal(late.status, E_UNKNOWN);
	assert_int_equal(getting.calls, 0);

	fault_let_go(life->disk, FAULT_OPEN);
	UNTIL(getting.calls == 1);
	assert_int_equal(store_refuses(life->store, &err), 0);
	assert_string_equal(known(life, "s", "a"), "old");
	assert_string_equal(value_of(life, "s", "c"), "-");
	assert_int_equal(store_next_seq(life->store), 3);
	/* The lost group's number is not mistaken for a later one. */
	assert_int_equal(put_now(life, "s", "a", "new"), 3);
	assert_false(store_wait(life->store, seen, asking(life, &late)));
	UNTIL(late.calls == 1);
	assert_int_equal(late.status, E_UNKNOWN);
	assert_string_equal(value_of(life, "s", "a"), "new");
	assert_int_equal(life->told_count, 3);
	assert_int_equal(stats_of(life).recoveries, 1);
	life_end(life);
}

static void test_unknown_outcome_that_happened(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "1");
	fault_plan(life->disk, FAULT_WRITE, FAULT_HAPPENS_AND_FAILS, 1, E_IO);
	struct answer unknown;
	put(life, "s", "a", "2");
	put(life, "s", "b", "2");
	commit(life, &unknown);
	UNTIL(stats_of(life).recoveries == 1);
	assert_int_equal(unknown.status, E_UNKNOWN);
	assert_int_equal(life->told_count, 3);
	assert_int_equal(life->told[1], 2);
	assert_int_equal(life->told[2], 3);
	assert_int_equal(store_durable_seq(life->store), 3);
	assert_int_equal(store_next_seq(life->store), 4);
	assert_string_equal(known(life, "s", "a"), "2");
	struct span bytes;
	assert_true(store_recent(life->store, 3, &bytes));
	assert_true(span_is(bytes, "e:2"));
	put_now(life, "s", "c", "3");
	assert_int_equal(life->told_count, 4);
	assert_int_equal(life->told[3], 4);
	apply_all(life);
	assert_true(fault_has(life->disk, key_of("s", "b")));
	life_end(life);
}

static void test_full_disk_says_so(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_OPEN);
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_FULL);
	struct answer answer;
	put(life, "s", "a", "1");
	commit(life, &answer);
	UNTIL(answer.calls == 1);
	assert_string_equal(answer.code, "outcome_unknown");
	struct err err;
	assert_int_equal(store_refuses(life->store, &err), E_FULL);
	assert_string_equal(err.code, "disk_full");
	/* It does not open either: that is the reason now. */
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 2, E_IO);
	fault_let_go(life->disk, FAULT_OPEN);
	UNTIL(store_refuses(life->store, &err) == E_IO);
	assert_string_equal(err.code, "store_failed");
	UNTIL(store_refuses(life->store, &err) == 0);
	put_now(life, "s", "a", "1");
	life_end(life);
}

/* A read waits for a moment, not for somebody to make room. */
static void test_readers_do_not_wait_for_what_stays_shut(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "1");
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 1000, E_FULL);
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_FULL);
	struct answer answer;
	put(life, "s", "a", "2");
	commit(life, &answer);
	UNTIL(answer.calls == 1);
	struct getting getting;
	get(life, &getting, "s", "b");
	static struct listing listing;
	parts_start(life, &listing);
	UNTIL(getting.calls == 1 && listing.calls == 1);
	assert_int_equal(getting.status, E_FULL);
	assert_int_equal(listing.status, E_FULL);
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 0, 0);
	UNTIL(store_refuses(life->store, NULL) == 0);
	assert_string_equal(value_of(life, "s", "a"), "1");
	life_end(life);
}

static void test_failed_apply_recovers(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_shut(life->disk, FAULT_APPLY);
	fault_plan(life->disk, FAULT_APPLY, FAULT_FAILS, 1, E_IO);
	put_now(life, "s", "a", "1");
	static struct listing listing;
	parts_start(life, &listing); /* makes the view hurry */
	turn(life);
	fault_await(life->disk, FAULT_APPLY);
	/* One is being written while the view fails: its own result counts. */
	fault_shut(life->disk, FAULT_WRITE);
	struct answer written, queued;
	put(life, "s", "b", "2");
	commit(life, &written);
	turn(life);
	fault_await(life->disk, FAULT_WRITE);
	put(life, "s", "c", "3");
	commit(life, &queued);
	fault_let_go(life->disk, FAULT_APPLY);
	UNTIL(queued.calls == 1);
	assert_int_equal(queued.status, E_UNKNOWN);
	assert_int_equal(written.calls, 0);
	assert_string_equal(known(life, "s", "b"), "2");
	fault_let_go(life->disk, FAULT_WRITE);
	UNTIL(stats_of(life).recoveries == 1);
	assert_int_equal(written.calls, 1);
	assert_int_equal(written.status, 0);
	assert_int_equal(life->told_count, 2);
	assert_string_equal(known(life, "s", "a"), "1");
	assert_string_equal(known(life, "s", "b"), "2");
	assert_string_equal(value_of(life, "s", "c"), "-");
	UNTIL(listing.calls == 1);
	assert_string_equal(listing.text, "s ");
	apply_all(life);
	assert_true(fault_has(life->disk, key_of("s", "a")));
	assert_true(fault_has(life->disk, key_of("s", "b")));
	life_end(life);
}

static void test_failure_does_not_show_what_is_behind(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "0");
	apply_all(life);
	fault_shut(life->disk, FAULT_APPLY);
	/* Durable: a deleted range, then a put into it. Lost: another put. */
	store_delete_range(life->store, SPACE_STATE, SPAN("s"), SPAN_NONE, SPAN_NONE);
	put(life, "s", "a", "1");
	commit_now(life);
	assert_string_equal(list_of(life, "s"), "a=1 ");
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_IO);
	struct answer lost;
	put(life, "s", "a", "2");
	commit(life, &lost);
	UNTIL(lost.calls == 1);
	assert_string_equal(known(life, "s", "a"), "?");
	fault_let_go(life->disk, FAULT_APPLY);
	assert_string_equal(value_of(life, "s", "a"), "1");
	life_end(life);
}

/* ---- lazy groups, syncs ---- */

static void test_lazy_is_written_alone_but_not_synced(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	const struct record record = {.value = SPAN("cursor")};
	store_put(life->store, key_of("m", "cursor"), &record);
	store_commit_lazy(life->store);
	turn(life);
	assert_int_equal(fault_count(life->disk, FAULT_WRITE), 0);
	UNTIL(stats_of(life).groups == 1);
	assert_true(fault_last_write_was_lazy(life->disk));
	assert_int_equal(fault_count(life->disk, FAULT_SYNC), 0);

	/* An answer that looked at it needs the sync. */
	struct store_look out;
	assert_int_equal(look(life, "m", "cursor", &out), STORE_FOUND);
	assert_true(out.group != 0);
	struct answer answer;
	assert_false(store_wait(life->store, out.group, asking(life, &answer)));
	UNTIL(answer.calls == 1);
	assert_int_equal(fault_count(life->disk, FAULT_SYNC), 1);
	assert_int_equal(look(life, "m", "cursor", &out), STORE_FOUND);
	assert_int_equal(out.group, 0);

	/* It rides with one that is in a hurry. */
	store_put(life->store, key_of("m", "cursor"), &record);
	store_commit_lazy(life->store);
	put_now(life, "s", "a", "1");
	assert_false(fault_last_write_was_lazy(life->disk));
	assert_int_equal(stats_of(life).groups, 2);
	life_end(life);
}

static void test_sync_every_so_often(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_with_view);
	fault_sync_every(life->disk, 5);
	life_open(life);
	put_now(life, "s", "a", "1");
	UNTIL(stats_of(life).syncs == 1);
	fault_plan(life->disk, FAULT_SYNC, FAULT_FAILS, 1, E_IO);
	put_now(life, "s", "a", "2");
	UNTIL(stats_of(life).recoveries == 1);
	assert_string_equal(value_of(life, "s", "a"), "2");
	assert_int_equal(life->told_count, 2);
	life_end(life);
}

/* ---- crowding, closing, opening ---- */

static void on_crowd(void *ctx, bool is)
{
	struct life *life = ctx;
	life->crowded += is;
	life->relieved += !is;
}

static void test_lag_of_the_view_holds_writers(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_with_view);
	life->options.view_lag_max_bytes = 1000;
	life_open(life);
	store_on_crowd(life->store, on_crowd, life);
	fault_shut(life->disk, FAULT_APPLY);
	char value[1001] = "";
	memset(value, 'x', 1000);
	put_now(life, "s", "a", value);
	assert_true(store_is_crowded(life->store));
	assert_int_equal(life->crowded, 1);
	struct answer answer;
	put(life, "s", "b", "1");
	commit(life, &answer);
	fault_await(life->disk, FAULT_APPLY);
	turn(life);
	assert_int_equal(answer.calls, 0);
	assert_int_equal(fault_count(life->disk, FAULT_WRITE), 1);
	fault_let_go(life->disk, FAULT_APPLY);
	UNTIL(answer.calls == 1);
	assert_int_equal(life->relieved, 1);
	assert_false(store_is_crowded(life->store));
	life_end(life);
}

static void test_close_flushes_and_calls_everybody(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "old", "1");
	apply_all(life);
	fault_shut(life->disk, FAULT_GET);
	struct answer answer;
	struct getting getting, waiting;
	static struct listing listing;
	put(life, "s", "a", "@1");
	commit(life, &answer);
	put(life, "s", "never committed", "1");
	get(life, &getting, "s", "x");
	turn(life);
	get(life, &waiting, "s", "y");
	scan_start(life, &listing, "s", NULL, NULL, false);
	store_close(life->store, on_closed, life);
	struct err err;
	assert_int_equal(store_refuses(life->store, &err), E_CANCELED);
	fault_let_go(life->disk, FAULT_GET);
	UNTIL(life->is_closed);
	life->store = NULL;
	assert_int_equal(answer.calls, 1);
	assert_int_equal(answer.status, 0);
	assert_int_equal(getting.calls, 1);
	assert_int_equal(waiting.calls, 1);
	assert_int_equal(waiting.status, E_CANCELED);
	assert_int_equal(listing.calls, 1);
	assert_int_equal(listing.status, E_CANCELED);
	assert_true(fault_has(life->disk, key_of("s", "a")));
	assert_true(fault_has(life->disk, key_of("s", "never committed")));
	life_end(life);
}

static void test_close_while_recovering(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_IO);
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 1000000, E_IO);
	struct answer answer;
	put(life, "s", "a", "1");
	commit(life, &answer);
	UNTIL(answer.calls == 1);
	struct getting getting;
	get(life, &getting, "s", "a");
	life_close(life);
	assert_int_equal(getting.calls, 1);
	assert_int_equal(getting.status, E_CANCELED);
	life_end(life);
}

static void test_open_loads_what_the_view_has_not_seen(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_with_view);
	put_now(life, "s", "a", "1");
	put_now(life, "s", "b", "2");
	apply_all(life);
	/* The view does not get these before the store is closed. */
	fault_plan(life->disk, FAULT_APPLY, FAULT_FAILS, 1, E_IO);
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 1000000, E_IO);
	delete_key(life, "s", "b");
	put(life, "s", "c", "@3");
	commit_now(life);
	UNTIL(store_refuses(life->store, NULL) != 0);
	life_close(life);
	assert_false(fault_has(life->disk, key_of("s", "c")));

	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 0, 0);
	life_open(life);
	assert_int_equal(store_durable_seq(life->store), 4);
	assert_string_equal(known(life, "s", "c"), "@3");
	assert_string_equal(known(life, "s", "b"), "-");
	assert_string_equal(known(life, "s", "a"), "?");
	assert_string_equal(list_of(life, "s"), "a=1 c=@3 ");
	/* Time does not go back behind the last event. */
	assert_int_equal(store_time_ms(life->store), (int64_t)FUTURE_S * 1000 * 1000);
	apply_all(life);
	assert_true(fault_has(life->disk, key_of("s", "c")));
	life_end(life);
}

static void test_open_tells_why_not(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_with_view);
	fault_plan(life->disk, FAULT_OPEN, FAULT_FAILS, 1, E_DAMAGED);
	struct err err;
	assert_int_equal(store_open(&life->loop, &life->options, &life->store, &err), E_DAMAGED);
	assert_string_equal(err.text, "a planned fault");
	assert_null(life->store);
	life_end(life);
}

static void test_full_journal_is_refused_by_name(void **state)
{
	(void)state;
	struct life *life = life_start(&fault_plain);
	struct err err;
	store_set_journal_full(life->store, true);
	assert_int_equal(store_refuses(life->store, &err), E_LIMIT);
	assert_string_equal(err.code, "journal_full");
	store_set_journal_full(life->store, false);
	assert_int_equal(store_refuses(life->store, &err), 0);
	life_end(life);
}

/* ---- an adapter that never blocks ---- */

static void test_inline_needs_no_fetch(void **state)
{
	(void)state;
	struct life *life = life_new(&fault_inline);
	const struct record record = {.value = SPAN("0"), .rev = 0};
	fault_put(life->disk, key_of("s", "old"), &record);
	life_open(life);
	assert_string_equal(known(life, "s", "old"), "0");
	assert_string_equal(known(life, "s", "none"), "-");
	struct answer answer;
	put(life, "s", "a", "1");
	commit(life, &answer);
	assert_int_equal(answer.calls, 0);
	turn(life);
	assert_int_equal(answer.calls, 1);
	assert_int_equal(life->told_count, 1);
	assert_string_equal(list_of(life, "s"), "a=1 old=0 ");

	fault_plan(life->disk, FAULT_WRITE, FAULT_FAILS, 1, E_IO);
	put(life, "s", "a", "2");
	commit(life, &answer);
	UNTIL(stats_of(life).recoveries == 1);
	assert_int_equal(answer.status, E_UNKNOWN);
	assert_string_equal(known(life, "s", "a"), "1");
	life_end(life);
}

int main(void)
{
	log_open(getenv("PAWL_TEST_LOG") != NULL ? LOG_DEBUG : LOG_ERROR + 1, false);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_answers_wait_for_durable),
	        cmocka_unit_test(test_queued_absence_is_waited_for),
	        cmocka_unit_test(test_what_queues_up_is_one_group),
	        cmocka_unit_test(test_the_next_group_waits_for_nobody),
	        cmocka_unit_test(test_failure_takes_the_queue_with_it),
	        cmocka_unit_test(test_unknown_outcome_that_happened),
	        cmocka_unit_test(test_full_disk_says_so),
	        cmocka_unit_test(test_readers_do_not_wait_for_what_stays_shut),
	        cmocka_unit_test(test_failed_apply_recovers),
	        cmocka_unit_test(test_failure_does_not_show_what_is_behind),
	        cmocka_unit_test(test_lazy_is_written_alone_but_not_synced),
	        cmocka_unit_test(test_sync_every_so_often),
	        cmocka_unit_test(test_lag_of_the_view_holds_writers),
	        cmocka_unit_test(test_close_flushes_and_calls_everybody),
	        cmocka_unit_test(test_close_while_recovering),
	        cmocka_unit_test(test_open_loads_what_the_view_has_not_seen),
	        cmocka_unit_test(test_open_tells_why_not),
	        cmocka_unit_test(test_full_journal_is_refused_by_name),
	        cmocka_unit_test(test_inline_needs_no_fetch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
