/* This file proves that triggers of type dead hear of every dead letter, and of none of their own.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"

static const char once[] = "{\"retry\":{\"max_attempts\":1}}";

static void declare_dead(const char *id, const char *function, const char *config)
{
	declare(id, function, config);
	world->specs[world->spec_count - 1].type = SPAN("dead");
}

/* `mail` wakes f and fails for good at once; `call` wakes g for what dies. */
static void begin(const char *config)
{
	declare("mail", "f", once);
	declare_dead("call", "g", config);
	world_up();
	offer("f");
	offer("g");
}

/* The open calls of g. */
static size_t told(void)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		count += world->started[i].call != NULL &&
		         strcmp(world->started[i].function, "g") == 0;
	}
	return count;
}

static struct started *last_told(void)
{
	for (size_t i = world->started_count; i-- > 0;) {
		if (strcmp(world->started[i].function, "g") == 0) {
			return &world->started[i];
		}
	}
	fail_msg("nobody was told");
	return NULL;
}

static bool last_data_has(const char *text)
{
	return memmem(world->write.ptr, world->write.len, text, strlen(text)) != NULL;
}

static void a_dead_letter_is_told(void **state)
{
	(void)state;
	begin("{\"of_trigger\":\"mail\",\"reason\":\"invocation_failed\",\"scope\":\"s\"}");
	uint64_t seq = event("a");
	char id[200];
	(void)snprintf(id, sizeof id, "\"dead\":{\"id\":\"%s\"", open_call(seq)->delivery_id);
	fails(seq);
	assert_int_equal(told(), 1);
	assert_string_equal(last_told()->key, "a");
	assert_true(last_data_has(id));
	assert_true(last_data_has("\"function_id\":\"f\""));
	assert_true(last_data_has("\"message\":\"it broke\""));
	assert_true(last_data_has("\"attempts\":1"));
	assert_true(last_data_has("\"event_type\":\"state:updated\",\"seq\":"));
	assert_true(last_data_has("\"depth\":1,\"path\":[\"mail\"]"));
	end_call(last_told(), CALL_OK, "null");
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(trigger("call")->held, 0);
}

static void who_does_not_ask_for_it_is_not_told(void **state)
{
	(void)state;
	begin("{\"of_function\":\"other*\"}");
	fails(event("a"));
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(told(), 0);
}

static void a_long_message_is_cut_between_characters(void **state)
{
	(void)state;
	begin("{}");
	char message[800];
	memset(message, 'x', 511);
	(void)snprintf(message + 511, sizeof message - 511, "\xe2\x82\xac and more");
	uint64_t seq = event("a");
	end_call(open_call(seq), CALL_FAILED, message);
	assert_int_equal(told(), 1);
	assert_true(last_data_has("xxx\",\"attempts\""));
}

/* Lost with the letter, or durable with it. */
static void it_is_written_with_the_letter(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	lose_writes(1);
	fails(seq);
	assert_int_equal(told(), 0);
	pass(5000);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(told(), 1);
	restart(true);
	offer("g");
	pass(100);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(told(), 1);
	end_call(last_told(), CALL_OK, "null");
}

static void ranges_are_told_too(void **state)
{
	(void)state;
	declare("mail", "f", "{\"scope\":\"s\"}");
	declare_dead("call", "g", "{\"reason\":\"function_absent\",\"scope\":\"s\"}");
	world->park_max_ms = 5000;
	world_up();
	offer("g");
	uint64_t first = event("a");
	uint64_t last = event("b");
	pass(20000);
	assert_int_equal(dead_letter_count(), 1);
	assert_int_equal(told(), 1);
	char range[80];
	(void)snprintf(range, sizeof range, "\"range\":{\"from_seq\":%llu,\"to_seq\":%llu}",
	               (unsigned long long)first, (unsigned long long)last);
	assert_true(last_data_has(range));
	assert_false(last_data_has("\"key\""));
	end_call(last_told(), CALL_OK, "null");
}

static void its_own_death_is_not_told(void **state)
{
	(void)state;
	begin(once);
	declare_dead("other", "g", once);
	world_sync();
	fails(event("a"));
	assert_int_equal(told(), 2);
	end_call(last_told(), CALL_FAILED, "it is broken, too");
	pass(1000);
	assert_int_equal(told(), 1);
	assert_int_equal(dead_letter_count(), 2);
}

/* The end of a loop is told, though it stands at the loop's end; the loop through that is not. */
static void the_end_of_a_loop_is_told(void **state)
{
	(void)state;
	begin("{\"reason\":\"loop_detected\"}");
	(void)put_event_at("a", 15);
	turn();
	assert_int_equal(told(), 0);
	(void)put_event_at("b", 16);
	turn();
	assert_int_equal(told(), 1);
	assert_true(last_data_has("\"depth\":17"));
	end_call(last_told(), CALL_OK, "null");
	assert_int_equal(dead_letter_count(), 1);
	(void)put_event_at("c", 18); /* as a handler of that would write */
	turn();
	assert_int_equal(told(), 0);
	assert_int_equal(dead_letter_count(), 3);
}

static void a_replayed_one_that_dies_again_is_told_again(void **state)
{
	(void)state;
	begin("{}");
	uint64_t seq = event("a");
	fails(seq);
	end_call(last_told(), CALL_OK, "null");
	const struct job job = {
	        .version = 1,
	        .seq = seq,
	        .replay = 1,
	        .scope = SPAN("s"),
	        .key = SPAN("a"),
	        .asked = true,
	        .attempts = SPAN("[]"),
	        .event = SPAN("{\"id\":\"x-1-1\",\"event_type\":\"state:updated\",\"key\":\"a\"}")};
	job_store_put(world->store, trigger("mail"), &job);
	dispatch_adopt(world->dispatch, trigger("mail"), &job);
	flush();
	end_call(&world->started[world->started_count - 1], CALL_FAILED, "still");
	assert_int_equal(told(), 1);
	assert_true(last_data_has("\"event\":{\"id\":\"x-1-1\",\"event_type\":\"state:updated\""));
	assert_true(last_data_has("\"depth\":1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(a_dead_letter_is_told),
	        WORLD_TEST(who_does_not_ask_for_it_is_not_told),
	        WORLD_TEST(a_long_message_is_cut_between_characters),
	        WORLD_TEST(it_is_written_with_the_letter),
	        WORLD_TEST(ranges_are_told_too),
	        WORLD_TEST(its_own_death_is_not_told),
	        WORLD_TEST(the_end_of_a_loop_is_told),
	        WORLD_TEST(a_replayed_one_that_dies_again_is_told_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
