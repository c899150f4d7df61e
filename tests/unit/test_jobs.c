/* This file tests single deliveries: cancelled for good, hurried, and what they say they wait for.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/delivery_name.h"
#include "tests/unit/core_world.h"

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static struct delivery *job(uint64_t seq)
{
	return dispatch_find(trigger("t"), seq, 0);
}

static void cancel(uint64_t seq)
{
	assert_non_null(job(seq));
	dispatch_cancel(world->dispatch, job(seq));
	flush();
}

static void who_is_cancelled_never_runs_again(bool crash)
{
	begin("{}");
	uint64_t sleeping = event("a");
	uint64_t behind = event("a");
	uint64_t running = event("b");
	fails(sleeping);
	cancel(sleeping);
	assert_true(is_running(behind)); /* the next of the key goes on */
	cancel(running);
	assert_false(is_running(running));
	assert_int_equal(trigger("t")->cancelled, 2);
	answer(behind);
	pass(1500);
	restart(crash);
	offer("f");
	pass(5000);
	assert_int_equal(starts_of(sleeping), 1);
	assert_int_equal(starts_of(running), 1);
	assert_int_equal(dead_letter_count(), 0);
	assert_int_equal(trigger("t")->held, 0);
}

static void a_cancelled_one_is_gone_after_a_restart(void **state)
{
	(void)state;
	who_is_cancelled_never_runs_again(false);
}

static void a_cancelled_one_is_gone_after_a_crash(void **state)
{
	(void)state;
	who_is_cancelled_never_runs_again(true);
}

static void a_cancelled_one_that_never_ran_is_gone_too(void **state)
{
	(void)state;
	begin("{\"concurrency\":1}");
	uint64_t running = event("a");
	uint64_t waiting = event("b");
	uint64_t queued = event("a");
	cancel(waiting);
	cancel(queued);
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(starts_of(waiting) + starts_of(queued), 0);
	assert_int_equal(starts_of(running), 2);
	answer(running);
	pass(1000);
	assert_false(has_job("t", waiting) ||
	             has_job("t", queued)); /* tombstones go with the cursor */
	uint64_t later = event("a");
	answer(later);
}

static void a_lost_tombstone_is_written_again(void **state)
{
	(void)state;
	begin("{}");
	uint64_t running = event("a");
	pass(1500);
	lose_writes(1);
	cancel(running);
	pass(3000);
	restart(true);
	offer("f");
	pass(1000);
	assert_int_equal(starts_of(running), 1);
}

static void a_hurried_one_does_not_wait(void **state)
{
	(void)state;
	begin("{\"retry\":{\"initial_ms\":3600000,\"max_ms\":3600000}}");
	uint64_t failed = event("a");
	fails(failed);
	assert_string_equal(dispatch_waits_for(job(failed)), "retry");
	dispatch_retry_now(world->dispatch, job(failed));
	flush();
	assert_true(is_running(failed));
	assert_int_equal(open_call(failed)->attempt, 2);
	restart(true);
	offer("f");
	assert_true(is_running(failed)); /* its record said so */
	answer(failed);
}

static void each_says_what_it_waits_for(void **state)
{
	(void)state;
	begin("{\"concurrency\":1}");
	uint64_t running = event("a");
	uint64_t queued = event("a");
	uint64_t ready = event("b");
	assert_string_equal(dispatch_waits_for(job(running)), "");
	assert_string_equal(dispatch_waits_for(job(queued)), "turn");
	assert_string_equal(dispatch_waits_for(job(ready)), "room");
	struct err err;
	assert_int_equal(catalog_pause(world->catalog, SPAN("t"), NULL, SPAN(""), NULL, &err), 0);
	assert_string_equal(dispatch_waits_for(job(ready)), "resume");
	assert_int_equal(catalog_resume(world->catalog, SPAN("t"), NULL, &err), 0);
	withdraw("f");
	assert_string_equal(dispatch_waits_for(job(ready)), "worker");
	cancel(running);
}

/* Dead letters that are replayed at a rate: each has its time, kept over a crash. */
static void what_is_replayed_at_a_rate_waits_for_its_time(void **state)
{
	(void)state;
	begin("{}");
	static const char *const keys[] = {"a", "a", "b"};
	for (uint64_t i = 0; i < 3; i++) {
		char json[64];
		(void)snprintf(json, sizeof json, "{\"key\":\"%s\",\"seq\":%d}", keys[i],
		               (int)i + 1);
		uint64_t seq = event("other");
		answer(seq);
		const struct job job = {.version = 1,
		                        .seq = seq,
		                        .scope = SPAN("s"),
		                        .key = span_of(keys[i]),
		                        .due_ms = clock_wall_ms() + (int64_t)i * 2000,
		                        .attempts = SPAN("[]"),
		                        .event = span_of(json)};
		job_store_put(world->store, trigger("t"), &job);
		dispatch_adopt(world->dispatch, trigger("t"), &job);
	}
	flush();
	assert_true(is_running(1));
	answer(1);
	assert_false(is_running(2)); /* it has become the head of its key, but is not due */
	restart(true);
	offer("f");
	pass(100);
	if (is_running(1)) {
		answer(1); /* the crash forgot its answer */
	}
	assert_false(is_running(2) || is_running(3));
	pass(2000);
	assert_true(is_running(2));
	assert_false(is_running(3));
	pass(2000);
	answer(2);
	answer(3);
}

/* Job records of all versions share their keys: who holds the tombstone answers for the event. */
static void a_tombstone_of_an_older_version_is_found(void **state)
{
	(void)state;
	begin("{}");
	uint64_t running = event("a"); /* holds the cursor back */
	uint64_t failed = event("b");
	fails(failed);
	pass(1100);
	answer(failed);
	flush();
	declare("t", "f", "{\"concurrency\":3}");
	world_sync();
	struct binding *owner = catalog_find_owner(world->catalog, SPAN("t"), failed);
	assert_non_null(owner);
	assert_int_equal(owner->version, 1);
	assert_int_equal(catalog_find_owner(world->catalog, SPAN("t"), running)->version, 1);
	assert_null(catalog_find_owner(world->catalog, SPAN("t"), failed + 1));
	answer(running);
	pass(3000);
	assert_null(catalog_find_owner(world->catalog, SPAN("t"), failed));
}

static void ids_are_taken_apart(void **state)
{
	(void)state;
	struct delivery_name name;
	assert_true(delivery_parse_id(SPAN("log-3-12/a/b"), &name));
	assert_int_equal(name.seq, 12);
	assert_int_equal(name.replay, 0);
	assert_true(span_is(name.trigger, "a/b"));
	assert_true(delivery_parse_id(SPAN("log-3-12/a/r2"), &name));
	assert_int_equal(name.replay, 2);
	assert_true(span_is(name.trigger, "a"));
	assert_true(delivery_parse_id(SPAN("log-3-12/r2"), &name));
	assert_true(span_is(name.trigger, "r2"));
	static const char *const parts[] = {"/r", "/r0", "/r01", "/r2x", "/r99999999999", "/room"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char id[64];
		(void)snprintf(id, sizeof id, "log-3-12/a%s", parts[i]);
		assert_true(delivery_parse_id(span_of(id), &name));
		assert_int_equal(name.replay, 0);
		assert_int_equal(name.trigger.len, 1 + strlen(parts[i]));
	}
	assert_false(delivery_parse_id(SPAN("log-3-12"), &name));
	assert_false(delivery_parse_id(SPAN("12/a"), &name));
	assert_false(delivery_parse_id(SPAN(""), &name));
	assert_false(delivery_parse_id(SPAN_NONE, &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(a_cancelled_one_is_gone_after_a_restart),
	        WORLD_TEST(a_cancelled_one_is_gone_after_a_crash),
	        WORLD_TEST(a_cancelled_one_that_never_ran_is_gone_too),
	        WORLD_TEST(a_lost_tombstone_is_written_again),
	        WORLD_TEST(a_hurried_one_does_not_wait),
	        WORLD_TEST(each_says_what_it_waits_for),
	        WORLD_TEST(what_is_replayed_at_a_rate_waits_for_its_time),
	        WORLD_TEST(a_tombstone_of_an_older_version_is_found),
	        cmocka_unit_test(ids_are_taken_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
