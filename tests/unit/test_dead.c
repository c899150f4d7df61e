/* This file proves that dead letters are counted, found by id, and removed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

struct found {
	struct dead_get get;
	bool removes;
	bool is_done;
	bool in_hand; /* its delivery, when the letter came */
	int status;
};

static void was_found(struct dead_get *get, int status, struct span json, const struct err *err)
{
	(void)err;
	struct found *found = MEM_CONTAINER(get, struct found, get);
	found->status = status;
	found->is_done = true;
	found->in_hand = dispatch_has_seq(trigger("t"), get->seq);
	if (status == 0 && found->removes) {
		dead_remove(world->dead, get, json);
		store_commit(world->store, NULL);
	}
}

static int find(const char *id, bool removes)
{
	struct found found = {.get = {.done = was_found}, .removes = removes};
	dead_get_start(world->dead, &found.get, span_of(id));
	while (!found.is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	turn();
	return found.status;
}

static void letters_are_found_and_removed(void **state)
{
	(void)state;
	declare("t", "f", "{\"retry\":{\"max_attempts\":1}}");
	world_up();
	offer("f");
	uint64_t seq = event("a");
	char id[160];
	(void)snprintf(id, sizeof id, "%s", open_call(seq)->delivery_id);
	fails(seq);
	fails(event("b"));
	assert_int_equal(dead_count(world->dead), 2);
	uint64_t bytes = dead_bytes(world->dead);
	restart(true);
	assert_int_equal(dead_count(world->dead), 2);
	assert_int_equal(dead_bytes(world->dead), bytes);
	assert_int_equal(find(id, true), 0);
	assert_int_equal(find(id, false), E_NOT_FOUND);
	assert_int_equal(find("nonsense", false), E_NOT_FOUND);
	assert_int_equal(dead_count(world->dead), 1);
	assert_int_equal(dead_letter_count(), 1);
}

/* Who was shown a letter may replay or edit it at once. */
static void a_letter_is_shown_when_its_delivery_is_out_of_hand(void **state)
{
	(void)state;
	declare("t", "f", "{\"retry\":{\"max_attempts\":1}}");
	world_up();
	offer("f");
	uint64_t seq = event("a");
	struct found found = {.get = {.done = was_found}};
	struct started *started = open_call(seq);
	struct call *call = started->call;
	char id[sizeof started->delivery_id];
	memcpy(id, started->delivery_id, sizeof id);
	started->call = NULL;
	const struct call_result failed = {.end = CALL_FAILED,
	                                   .code = SPAN("invocation_failed"),
	                                   .message = SPAN("it broke"),
	                                   .worker = SPAN("worker-1")};
	call_finish(call, &failed); /* the letter is put, and not durable */
	dead_get_start(world->dead, &found.get, span_of(id));
	assert_true(dispatch_has_seq(trigger("t"), seq));
	while (!found.is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	assert_int_equal(found.status, 0);
	assert_false(found.in_hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(letters_are_found_and_removed),
	        WORLD_TEST(a_letter_is_shown_when_its_delivery_is_out_of_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
