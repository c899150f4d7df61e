/* This file proves that dead letters are counted, found by id, and removed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

struct found {
	struct dead_get get;
	bool removes;
	bool is_done;
	int status;
};

static void was_found(struct dead_get *get, int status, struct span json, const struct err *err)
{
	(void)err;
	struct found *found = MEM_CONTAINER(get, struct found, get);
	found->status = status;
	found->is_done = true;
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

int main(void)
{
	const struct CMUnitTest tests[] = {WORLD_TEST(letters_are_found_and_removed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
