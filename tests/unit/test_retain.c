/* This file proves what the journal forgets, and who gives way when it is full. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"
#include "engine/core/retain.h"
#include <unistd.h>

enum { LOOK_MS = 10000, SEGMENT = 50, HOUR_MS = 3600000 };

static struct retain *retain;

static void retain_begin(uint64_t max_bytes, bool refuses)
{
	const struct retain_options options = {
	        .max_age_ms = (int64_t)168 * HOUR_MS,
	        .max_bytes = max_bytes,
	        .refuse_when_full = refuses,
	};
	retain = retain_new(world->store, world->react, world->alarms, &options);
}

static void retain_end(void)
{
	react_on_events(world->react, nothing_came, NULL);
	retain_free(retain);
}

/* `t` wakes f, which nobody serves to begin with; `u` wakes g. Returns the first of `count` events
 * over ten keys. */
static uint64_t write_events(int count)
{
	uint64_t first = store_next_seq(world->store);
	for (int i = 0; i < count; i++) {
		char key[8];
		(void)snprintf(key, sizeof key, "k%d", i % 10);
		(void)put_event(key);
	}
	turn();
	return first;
}

static void answer_all(void)
{
	for (size_t i = 0; i < world->started_count; i++) {
		if (world->started[i].call != NULL) {
			end_call(&world->started[i], CALL_OK, "null");
		}
	}
}

static void begin(void)
{
	fault_trim_by(world->disk, SEGMENT);
	world->job_max = 100;
	declare("t", "f", "{}");
	declare("u", "g", "{}");
	world_up();
	offer("g");
	/* It has done something: what it needs does not begin where the journal does. */
	offer("f");
	(void)write_events(5);
	answer_all();
	withdraw("f");
	pass(1000);
}

static size_t starts_by(const char *function, uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		count += world->started[i].seq == seq &&
		         strcmp(world->started[i].function, function) == 0;
	}
	return count;
}

static uint64_t first_seq(void)
{
	struct adapter_head head;
	store_head(world->store, &head);
	return head.first_seq;
}

static bool is_refused_as_full(void)
{
	struct err err = {0};
	return store_refuses(world->store, &err) == E_LIMIT &&
	       strcmp(err.code, "journal_full") == 0;
}

/* ---- what is said ---- */

static FILE *said;
static int standard_error;

static void hear(void)
{
	said = tmpfile();
	standard_error = dup(STDERR_FILENO);
	assert_true(dup2(fileno(said), STDERR_FILENO) >= 0);
	log_open(LOG_INFO, false);
}

/* How many lines with this text came since. */
static int lines_with(const char *text)
{
	char line[1024];
	int count = 0;
	rewind(said);
	while (fgets(line, sizeof line, said) != NULL) {
		count += strstr(line, text) != NULL;
	}
	return count;
}

static void hear_no_more(void)
{
	assert_true(dup2(standard_error, STDERR_FILENO) >= 0);
	(void)close(standard_error);
	(void)fclose(said);
	log_open((enum log_level)(LOG_ERROR + 1), false);
}

/* ---- full ---- */

static void who_lags_is_detached(void **state)
{
	(void)state;
	begin();
	uint64_t first = write_events(400);
	answer_all();
	uint64_t bytes = store_journal_bytes(world->store);
	retain_begin(bytes / 2, false);
	(void)write_events(1);
	answer_all();
	pass(3 * LOOK_MS);
	assert_int_equal(store_refuses(world->store, NULL), 0);
	size_t count;
	const char *text = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "\"reason\":\"journal_full\""));
	char range[64];
	(void)snprintf(range, sizeof range, "\"from_seq\":%llu,", (unsigned long long)first);
	assert_non_null(strstr(text, range));
	assert_true(first_seq() > first + 150);
	assert_true(store_journal_bytes(world->store) <= bytes / 2 + bytes / 8);
	/* What is younger is handled, and what went to the letter is not; u saw everything. */
	uint64_t kept = react_cursor(world->react, trigger("t")) + 1;
	assert_true(kept > first && kept <= first + 250);
	offer("f");
	for (int i = 0; i < 500 && !dispatch_owes_nothing(trigger("t")); i++) {
		answer_all();
	}
	pass(3000);
	for (uint64_t seq = first; seq < first + 401; seq++) {
		assert_int_equal(starts_by("f", seq), seq >= kept);
		assert_int_equal(starts_by("g", seq), 1);
	}
	assert_false(trigger("t")->lagging);
	retain_end();
}

static void writes_are_refused(void **state)
{
	(void)state;
	begin();
	uint64_t first = write_events(400);
	answer_all();
	retain_begin(store_journal_bytes(world->store) / 2, true);
	(void)write_events(1);
	answer_all();
	pass(2 * LOOK_MS);
	assert_true(is_refused_as_full());
	/* Triggers may be removed and declared: that may be what frees it. */
	world_sync();
	assert_int_equal(dead_letter_count(), 0);
	/* Reads go on, and so does what frees it. */
	offer("f");
	for (int i = 0; i < 500 && !dispatch_owes_nothing(trigger("t")); i++) {
		answer_all();
	}
	for (uint64_t seq = first; seq < first + 401; seq++) {
		assert_int_equal(starts_by("f", seq), 1);
	}
	pass(2 * LOOK_MS);
	assert_int_equal(store_refuses(world->store, NULL), 0);
	assert_true(first_seq() > first + 100);
	assert_int_equal(dead_letter_count(), 0);
	retain_end();
}

/* Until the letter is on disk nobody but the engine's memory knows what was given up. */
static void a_letter_that_was_lost_is_written_again(void **state)
{
	(void)state;
	begin();
	uint64_t first = write_events(400);
	answer_all();
	assert_int_equal(trigger("t")->held, 100);
	pass(2000);
	retain_begin(store_journal_bytes(world->store) / 2, false);
	(void)write_events(1);
	answer_all();
	pass(LOOK_MS - 100);
	assert_int_equal(dead_letter_count(), 0);
	lose_writes(1);
	pass(2 * LOOK_MS);
	size_t count;
	const char *text = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(text, "\"reason\":\"journal_full\""));
	assert_int_equal(dead_count(world->dead), 1);
	assert_false(has_job("t", first));
	retain_end();
}

/* Nobody can be detached without a loss: then whoever writes has to wait. */
static void full_dead_letters_refuse_writes(void **state)
{
	(void)state;
	world->dead_max = 1;
	begin();
	offer("f");
	uint64_t buried = event("x");
	end_call(open_call(buried), CALL_OK, "{\"$pawl\":{\"fail\":true}}");
	while (open_call(buried) != NULL) {
		end_call(open_call(buried), CALL_OK, "{\"$pawl\":{\"fail\":true}}");
	}
	assert_true(dead_is_full(world->dead));
	withdraw("f");
	uint64_t first = write_events(400);
	answer_all();
	retain_begin(store_journal_bytes(world->store) / 2, false);
	(void)write_events(1);
	answer_all();
	pass(3 * LOOK_MS);
	assert_true(is_refused_as_full());
	assert_int_equal(dead_letter_count(), dead_count(world->dead));
	assert_null(strstr(dead_letters(&(size_t){0}), "journal_full"));
	assert_true(first_seq() <= first);
	/* They are discarded: the trigger gives way, writes are taken. */
	while (dead_is_full(world->dead)) {
		dead_uncount(world->dead, 1024);
	}
	pass(2 * LOOK_MS);
	assert_int_equal(store_refuses(world->store, NULL), 0);
	assert_non_null(strstr(dead_letters(&(size_t){0}), "journal_full"));
	retain_end();
}

static void it_is_said_once(void **state)
{
	(void)state;
	begin();
	(void)write_events(400);
	answer_all();
	uint64_t bytes = store_journal_bytes(world->store);
	retain_begin(bytes + bytes / 10, true);
	hear();
	(void)write_events(1);
	pass(LOOK_MS);
	(void)write_events(1);
	pass(LOOK_MS);
	int warned = lines_with("still owed; when it is full, writes are refused");
	int refused = lines_with("writes are refused until");
	(void)write_events(60);
	pass(LOOK_MS);
	pass(LOOK_MS);
	int refused_later = lines_with("writes are refused until");
	answer_all();
	offer("f");
	for (int i = 0; i < 500 && !dispatch_owes_nothing(trigger("t")); i++) {
		answer_all();
	}
	pass(2 * LOOK_MS);
	int taken = lines_with("writes are taken");
	hear_no_more();
	assert_int_equal(warned, 1);
	assert_int_equal(refused, 0);
	assert_int_equal(refused_later, 1);
	assert_int_equal(taken, 1);
	retain_end();
}

/* Though all of it stands in the journal: nobody needs it. */
static void what_nobody_needs_gives_way_by_itself(void **state)
{
	(void)state;
	begin();
	offer("f");
	(void)write_events(400);
	answer_all();
	answer_all();
	pass(1000);
	uint64_t bytes = store_journal_bytes(world->store);
	hear();
	retain_begin(bytes / 2, true);
	(void)write_events(1);
	answer_all();
	pass(4 * LOOK_MS);
	int lines = lines_with("retain");
	hear_no_more();
	assert_int_equal(lines, 0);
	assert_int_equal(store_refuses(world->store, NULL), 0);
	assert_true(store_journal_bytes(world->store) <= bytes / 2 + bytes / 8);
	retain_end();
}

/* ---- old ---- */

static void what_is_old_goes(void **state)
{
	(void)state;
	declare("t", "f", "{}");
	world_up();
	offer("f");
	retain_begin(1024 * 1024, false);
	uint64_t first = store_next_seq(world->store);
	for (int hour = 0; hour < 340; hour++) {
		answer(event("b"));
		jump(HOUR_MS + 1); /* as late as alarms are */
		flush();
		uint64_t aged = hour < 170 ? 0 : (uint64_t)hour - 170;
		assert_true(first_seq() >= first + aged);
		assert_true(first_seq() <= first + aged + 3);
	}
	retain_end();
}

static void a_job_below_the_age_limit_keeps_its_event(void **state)
{
	(void)state;
	declare("t", "f", "{}");
	world_up();
	offer("f");
	retain_begin(1024 * 1024, false);
	answer(event("b"));
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_OK, "{\"$pawl\":{\"retry_after_ms\":1700000000}}");
	/* Twice the age, in hours. */
	for (int hour = 0; hour < 336; hour++) {
		answer(event("b"));
		jump(HOUR_MS + 1); /* as late as alarms are */
		flush();
	}
	assert_int_equal(first_seq(), seq);
	retain_end();
	restart(true);
	offer("f");
	retain_begin(1024 * 1024, false);
	jump(1700000000);
	pass(100);
	assert_true(is_running(seq));
	assert_string_equal(open_call(seq)->key, "a");
	assert_int_equal(open_call(seq)->attempt, 2);
	answer(seq);
	pass(1000);
	for (int hour = 0; hour < 170; hour++) {
		answer(event("b"));
		jump(HOUR_MS + 1); /* as late as alarms are */
		flush();
	}
	assert_true(first_seq() > seq);
	assert_int_equal(dead_letter_count(), 0);
	retain_end();
}

/* Nobody looks by the way: only what is set for that hour fires. */
static void what_is_old_goes_when_a_virtual_clock_says_so(void **state)
{
	(void)state;
	begin();
	offer("f");
	retain_begin(1024 * 1024 * 1024, false);
	(void)write_events(2 * SEGMENT);
	for (int i = 0; i < 500 && !dispatch_owes_nothing(trigger("t")); i++) {
		answer_all();
	}
	pass(LOOK_MS + 1000);
	uint64_t first = first_seq();
	clock_set_virtual(clock_wall_ms());
	retain_look(retain);
	clock_advance((int64_t)168 * HOUR_MS - 2000);
	(void)alarms_run_due(world->alarms);
	flush();
	assert_int_equal(first_seq(), first);
	clock_advance(2000);
	(void)alarms_run_due(world->alarms);
	flush();
	assert_true(first_seq() >= first + SEGMENT);
	retain_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(who_lags_is_detached),
	        WORLD_TEST(a_letter_that_was_lost_is_written_again),
	        WORLD_TEST(writes_are_refused),
	        WORLD_TEST(full_dead_letters_refuse_writes),
	        WORLD_TEST(it_is_said_once),
	        WORLD_TEST(what_nobody_needs_gives_way_by_itself),
	        WORLD_TEST(what_is_old_goes),
	        WORLD_TEST(what_is_old_goes_when_a_virtual_clock_says_so),
	        WORLD_TEST(a_job_below_the_age_limit_keeps_its_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
