/* This file proves who a trigger is, who holds it, and what becomes of it when nobody does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

struct claim {
	struct trigger_hold hold;
	int told;
	int status;
};

static void claim_is_told(struct trigger_hold *hold, int status, const struct err *err)
{
	(void)err;
	struct claim *claim = MEM_CONTAINER(hold, struct claim, hold);
	claim->told++;
	claim->status = status;
}

static void hold_trigger(struct claim *claim, void *owner, const char *config)
{
	const struct trigger_spec spec = {.origin = BINDING_WORKER,
	                                  .type = SPAN("state"),
	                                  .function_id = SPAN("f"),
	                                  .config = span_of(config)};
	struct err err = {0};
	*claim = (struct claim){.hold = {.owner = owner, .registered = claim_is_told}};
	list_init(&claim->hold.in_session);
	list_init(&claim->hold.in_binding);
	assert_int_equal(catalog_register(world->catalog, &spec, &claim->hold, &err), 0);
	assert_int_equal(claim->told, 0);
	turn();
	assert_int_equal(claim->told, 1);
	assert_int_equal(claim->status, 0);
}

static void release(struct claim *claim, bool explicit_)
{
	catalog_release(world->catalog, &claim->hold, explicit_);
	turn();
}

static int one, two; /* owners */

static void equals_of_one_owner_are_two(void **state)
{
	(void)state;
	world_up();
	struct claim claims[3];
	hold_trigger(&claims[0], &one, "{\"key\":\"a\"}");
	hold_trigger(&claims[1], &one, "{\"key\":\"a\"}");
	hold_trigger(&claims[2], &two, "{ \"key\" : \"a\" }");
	assert_ptr_not_equal(claims[0].hold.binding, claims[1].hold.binding);
	assert_ptr_equal(claims[0].hold.binding, claims[2].hold.binding);
	assert_int_equal(catalog_count(world->catalog), 2);
	release(&claims[0], true);
	assert_int_equal(catalog_count(world->catalog), 2); /* `two` holds it still */
	release(&claims[2], true);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&claims[1], false);
	assert_int_equal(catalog_count(world->catalog), 1);
}

static void a_restarted_worker_finds_its_own(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim claim;
	hold_trigger(&claim, &one, "{}");
	withdraw("f");
	release(&claim, false);
	uint64_t seq = event("a");
	pass(30000);
	restart(true);
	pass(30000);
	hold_trigger(&claim, &two, "{}");
	offer("f");
	assert_true(is_running(seq));
	pass(60000);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&claim, false);
}

/* More than it may have in hand, and the engine is started again meanwhile. */
static void a_worker_that_is_away_for_a_while_gets_all(void **state)
{
	(void)state;
	static const char *const keys[] = {"a", "b", "c"};
	world->job_max = 10;
	world_up();
	offer("f");
	struct claim claim;
	hold_trigger(&claim, &one, "{}");
	withdraw("f");
	release(&claim, false);
	uint64_t first = store_next_seq(world->store);
	for (int second = 0; second < 20; second++) {
		for (int i = 0; i < 10; i++) {
			(void)put_event(keys[i % 3]);
		}
		pass(1000);
		if (second == 10) {
			restart(true);
		}
	}
	catalog_function_comes(world->catalog, SPAN("default"), SPAN("f"));
	offer("f");
	hold_trigger(&claim, &two, "{}");
	for (int i = 0; i < 200; i++) {
		for (size_t at = 0; at < world->started_count; at++) {
			if (world->started[at].call != NULL) {
				end_call(&world->started[at], CALL_OK, "null");
			}
		}
	}
	for (uint64_t seq = first; seq < first + 200; seq++) {
		assert_int_equal(starts_of(seq), 1);
	}
	uint64_t last[3] = {0};
	for (size_t i = 0; i < world->started_count; i++) {
		uint64_t *of_key = &last[world->started[i].key[0] - 'a'];
		assert_true(world->started[i].seq > *of_key);
		*of_key = world->started[i].seq;
	}
	assert_int_equal(dead_letter_count(), 0);
	release(&claim, false);
}

static void nobody_comes_back(void **state)
{
	(void)state;
	world_up();
	struct claim claim;
	hold_trigger(&claim, &one, "{}");
	release(&claim, false);
	(void)event("a");
	pass(59000);
	assert_int_equal(catalog_count(world->catalog), 1);
	pass(1500);
	assert_int_equal(catalog_count(world->catalog), 0);
	size_t count;
	assert_non_null(strstr(dead_letters(&count), "trigger_detached"));
	assert_int_equal(count, 1);
	restart(true);
	assert_int_equal(catalog_count(world->catalog), 0);
}

static void an_unregistered_one_drops_what_waits(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim claim;
	hold_trigger(&claim, &one, "{}");
	uint64_t seq = event("a");
	fails(seq);
	(void)event("a");
	release(&claim, true);
	assert_int_equal(catalog_count(world->catalog), 0);
	assert_int_equal(dead_letter_count(), 0);
	restart(true);
	offer("f");
	pass(5000);
	assert_int_equal(world->started_count, 1);
}

/* The old one handles what came before the new worker, the new one what came since. */
static void a_redeploy_handles_each_event_once(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one, "{\"timeout_ms\":1000}");
	withdraw("f");
	release(&old, false);
	uint64_t before = event("a");
	catalog_function_comes(world->catalog, SPAN("default"), SPAN("f"));
	offer("f");
	assert_int_equal(starts_of(before), 0);
	hold_trigger(&fresh, &two, "{\"timeout_ms\":2000}");
	uint64_t after = event("b");
	assert_int_equal(starts_of(after), 1);
	pass(1000);
	assert_true(catalog_worker_settled(world->catalog, &world->worker));
	turn();
	assert_int_equal(starts_of(before), 1);
	assert_int_equal(starts_of(after), 1);
	answer(before);
	pass(2000);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&fresh, false);
}

/* What the old one collected it delivers; from the new worker on the new one collects. */
static void a_redeploy_parts_the_windows(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one,
	             "{\"debounce\":{\"key\":\"key\",\"wait\":\"5s\",\"max_delay\":\"5s\"}}");
	withdraw("f");
	release(&old, false);
	uint64_t before = event("a");
	pass(300);
	catalog_function_comes(world->catalog, SPAN("default"), SPAN("f"));
	uint64_t between = event("a"); /* the old one must not take it */
	offer("f");
	hold_trigger(&fresh, &two,
	             "{\"debounce\":{\"key\":\"key\",\"wait\":\"1s\",\"max_delay\":\"1s\"}}");
	uint64_t after = event("a");
	pass(500);
	assert_true(catalog_worker_settled(world->catalog, &world->worker));
	pass(400);
	assert_true(is_running(before)); /* its window closed when it ended */
	answer(before);
	pass(5000);
	assert_int_equal(starts_of(before), 1);
	assert_int_equal(starts_of(between), 0);
	assert_true(is_running(after));
	assert_int_equal(number_member(buf_view(&world->write), "debounced"), 2);
	answer(after);
	pass(1000);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&fresh, false);
}

/* What waits in windows when nobody comes back becomes part of the range. */
static void windows_of_a_detached_one_are_not_lost(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim claim;
	hold_trigger(&claim, &one,
	             "{\"batch\":{\"max_size\":10,\"max_wait\":\"1h\"},\"key\":\"k\"}");
	withdraw("f");
	release(&claim, false);
	uint64_t first = event("k");
	(void)event("k");
	pass(61000);
	assert_int_equal(catalog_count(world->catalog), 0);
	size_t count;
	char range[64];
	(void)snprintf(range, sizeof range, "{\"from_seq\":%llu,\"to_seq\":%llu}",
	               (unsigned long long)first, (unsigned long long)first + 1);
	assert_non_null(strstr(dead_letters(&count), range));
	assert_int_equal(count, 1);
}

static void the_same_deploy_goes_on(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim claim;
	hold_trigger(&claim, &one, "{}");
	withdraw("f");
	release(&claim, false);
	uint64_t before = event("a");
	catalog_function_comes(world->catalog, SPAN("default"), SPAN("f"));
	offer("f");
	hold_trigger(&claim, &two, "{}");
	assert_int_equal(starts_of(before), 1);
	assert_true(catalog_worker_settled(world->catalog, &world->worker));
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&claim, false);
}

/* A new worker connects: its function comes, whatever it registers follows. */
static void deploy(void)
{
	catalog_function_comes(world->catalog, SPAN("default"), SPAN("f"));
	offer("f");
}

static void settled(void)
{
	assert_true(catalog_worker_settled(world->catalog, &world->worker));
	turn();
}

/* Its worker has gone: the trigger waits for another one. */
static void leave_detached(struct claim *claim)
{
	withdraw("f");
	release(claim, false);
}

static void answer_all(void)
{
	for (size_t i = 0; i < world->started_count; i++) {
		if (world->started[i].call != NULL) {
			end_call(&world->started[i], CALL_OK, "null");
		}
	}
}

static void a_held_back_one_starts_nothing_until_its_worker_settled(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	hold_trigger(&old, &one, "{}");
	leave_detached(&old);
	uint64_t before = event("a");
	deploy();
	uint64_t since = event("b");
	pass(5000);
	assert_int_equal(world->started_count, 0);
	settled();
	assert_int_equal(starts_of(before), 1);
	answer(before);
	/* Nobody took it over: it ends where the worker came. */
	pass(2000);
	pass(300);
	assert_int_equal(starts_of(since), 0);
	assert_int_equal(catalog_count(world->catalog), 0);
}

/* Between the two frames that register a function and its trigger others write. */
static void no_event_falls_between_two_deploys(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one, "{\"timeout_ms\":1000}");
	leave_detached(&old);
	deploy();
	uint64_t between = event("a");
	hold_trigger(&fresh, &two, "{\"timeout_ms\":2000}");
	uint64_t after = event("a");
	pass(900);
	settled();
	for (int i = 0; i < 3; i++) {
		answer_all();
		pass(500);
	}
	assert_int_equal(starts_of(between), 1);
	assert_int_equal(starts_of(after), 1);
	assert_int_equal(catalog_count(world->catalog), 1);
	assert_false(fresh.hold.binding->lagging);
	release(&fresh, false);
}

/* And the engine dies as soon as the old one has ended. */
static void no_event_falls_between_two_deploys_and_a_crash(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one, "{\"timeout_ms\":1000}");
	leave_detached(&old);
	deploy();
	uint64_t between = event("a");
	hold_trigger(&fresh, &two, "{\"concurrency\":1}");
	settled();
	restart(true);
	deploy();
	hold_trigger(&fresh, &two, "{\"concurrency\":1}");
	pass(1000);
	assert_true(is_running(between));
	answer(between);
	settled();
	pass(1000);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&fresh, false);
}

/* A worker may register its triggers before their functions. */
static void a_trigger_may_come_before_its_function(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one, "{\"timeout_ms\":1000}");
	leave_detached(&old);
	uint64_t before = event("a");
	hold_trigger(&fresh, &two, "{\"timeout_ms\":2000}");
	uint64_t between = event("b");
	deploy();
	uint64_t after = event("c");
	pass(900);
	settled();
	for (int i = 0; i < 3; i++) {
		answer_all();
		pass(500);
	}
	assert_int_equal(starts_of(before), 1);
	assert_int_equal(starts_of(between), 1);
	assert_int_equal(starts_of(after), 1);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&fresh, false);
}

/* The worker that follows goes on where the one that died began. */
static void a_deploy_that_dies_before_it_settled_counts(void **state)
{
	(void)state;
	world_up();
	offer("f");
	struct claim old;
	struct claim fresh;
	hold_trigger(&old, &one, "{\"timeout_ms\":1000}");
	leave_detached(&old);
	deploy();
	hold_trigger(&fresh, &two, "{\"timeout_ms\":2000}");
	leave_detached(&fresh);
	uint64_t between = event("a");
	deploy();
	hold_trigger(&fresh, &one, "{\"timeout_ms\":2000}");
	uint64_t after = event("b");
	pass(900);
	settled();
	for (int i = 0; i < 3; i++) {
		answer_all();
		pass(500);
	}
	assert_int_equal(starts_of(between), 1);
	assert_int_equal(starts_of(after), 1);
	assert_int_equal(catalog_count(world->catalog), 1);
	release(&fresh, false);
}

static void the_config_is_followed(void **state)
{
	(void)state;
	declare("t", "f", "{}");
	declare("u", "f", "{}");
	world_up();
	assert_int_equal(catalog_count(world->catalog), 2);
	world->spec_count = 1;
	world_sync();
	pass(500);
	assert_int_equal(catalog_count(world->catalog), 1);
	restart(false);
	assert_int_equal(catalog_count(world->catalog), 1);
	assert_int_equal(trigger("t")->version, 1);
	struct err err;
	assert_int_equal(catalog_remove(world->catalog, SPAN("t"), NULL, &err), E_DENIED);
	assert_int_equal(catalog_remove(world->catalog, SPAN("x"), NULL, &err), E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(equals_of_one_owner_are_two),
	        WORLD_TEST(a_restarted_worker_finds_its_own),
	        WORLD_TEST(a_worker_that_is_away_for_a_while_gets_all),
	        WORLD_TEST(nobody_comes_back),
	        WORLD_TEST(an_unregistered_one_drops_what_waits),
	        WORLD_TEST(a_redeploy_handles_each_event_once),
	        WORLD_TEST(a_redeploy_parts_the_windows),
	        WORLD_TEST(windows_of_a_detached_one_are_not_lost),
	        WORLD_TEST(the_same_deploy_goes_on),
	        WORLD_TEST(a_held_back_one_starts_nothing_until_its_worker_settled),
	        WORLD_TEST(no_event_falls_between_two_deploys),
	        WORLD_TEST(no_event_falls_between_two_deploys_and_a_crash),
	        WORLD_TEST(a_trigger_may_come_before_its_function),
	        WORLD_TEST(a_deploy_that_dies_before_it_settled_counts),
	        WORLD_TEST(the_config_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
