/* This file tests triggers that batch: when a batch is full, what of it fails, what a crash leaves.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

static const char of_three[] = "{\"batch\":{\"max_size\":3,\"max_wait\":\"2s\"}}";
static const char by_user[] =
        "{\"batch\":{\"max_size\":3,\"max_wait_ms\":2000,\"key\":\"new_value.user\"}}";

static void begin(const char *config)
{
	declare("t", "f", config);
	world_up();
	offer("f");
}

static uint64_t of_user(const char *key, int user)
{
	char value[32];
	(void)snprintf(value, sizeof value, "{\"user\":%d}", user);
	return change(key, "{}", value);
}

/* The open call of the batch that this event began. */
static struct started *open_batch(uint64_t first_seq)
{
	char part[64];
	(void)snprintf(part, sizeof part, "-%llu/t", (unsigned long long)first_seq);
	for (size_t i = world->started_count; i-- > 0;) {
		struct started *started = &world->started[i];
		const char *at = strstr(started->delivery_id, part);
		if (started->call != NULL && at != NULL) {
			return started;
		}
	}
	return NULL;
}

/* What the last call was given, as "seq seq". */
static const char *given(void)
{
	static char text[512];
	struct span events;
	struct span item;
	struct span json = buf_view(&world->write);
	text[0] = '\0';
	assert_true(json_get(json, SPAN("events"), &events));
	for (struct json_iter iter = json_iter(events); json_next_item(&iter, &item);) {
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof text - len, "%s%lld", len != 0 ? " " : "",
		               (long long)number_member(item, "seq"));
	}
	return text;
}

static void assert_given(const uint64_t seqs[], size_t count)
{
	char text[512] = "";
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof text - len, "%s%llu", len != 0 ? " " : "",
		               (unsigned long long)seqs[i]);
	}
	assert_string_equal(given(), text);
	assert_int_equal(number_member(buf_view(&world->write), "count"), count);
}

/* The answer that these events have failed. */
static const char *failed(const uint64_t seqs[], size_t count)
{
	static char text[1024];
	struct adapter_head head;
	store_head(world->store, &head);
	(void)snprintf(text, sizeof text, "{\"$pawl\":{\"failed\":[");
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof text - len,
		               i % 2 == 0 ? "%s\"%s-%llu-%llu\"" : "%s{\"id\":\"%s-%llu-%llu\"}",
		               i != 0 ? "," : "", head.log, (unsigned long long)head.epoch,
		               (unsigned long long)seqs[i]);
	}
	strcat(text, "]}}");
	return text;
}

static void a_full_batch_is_delivered_at_once(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[3] = {event("a"), event("b"), event("c")};
	struct started *started = open_batch(seqs[0]);
	assert_non_null(started);
	assert_int_equal(started->attempt, 1);
	assert_given(seqs, 3);
	char type[16];
	char id[16];
	text_member(buf_view(&world->write), "type", type, sizeof type);
	text_member(buf_view(&world->write), "trigger", id, sizeof id);
	assert_string_equal(type, "batch");
	assert_string_equal(id, "t");
	buf_byte(&world->write, '\0');
	world->write.len--;
	struct span events;
	assert_true(json_get(buf_view(&world->write), SPAN("events"), &events));
	assert_null(strstr(events.ptr, "\"delivery_id\"")); /* it is the batch's */
	end_call(started, CALL_OK, "null");
	pass(300);
	assert_false(has_job("t", seqs[0]));
	assert_int_equal(trigger("t")->delivered, 1);
	assert_int_equal(trigger("t")->matched, 3);
}

static void a_smaller_one_when_its_time_is_over(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[2] = {event("a")};
	pass(1900);
	seqs[1] = event("b"); /* does not make it wait longer */
	assert_int_equal(world->started_count, 0);
	pass(150);
	assert_non_null(open_batch(seqs[0]));
	assert_given(seqs, 2);
}

static void values_of_the_key_have_their_own(void **state)
{
	(void)state;
	begin(by_user);
	uint64_t a = of_user("a", 1);
	uint64_t other = of_user("b", 2);
	uint64_t b = of_user("c", 1);
	uint64_t c = of_user("d", 1);
	assert_non_null(open_batch(a));
	assert_given((uint64_t[]){a, b, c}, 3);
	assert_null(open_batch(other));
	pass(2000);
	assert_non_null(open_batch(other));
	assert_given(&other, 1);
}

static void batches_of_a_key_are_in_order(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[6];
	for (int i = 0; i < 6; i++) {
		seqs[i] = event("a");
	}
	assert_null(open_batch(seqs[3]));
	end_call(open_batch(seqs[0]), CALL_FAILED, "it broke");
	pass(500);
	assert_null(open_batch(seqs[3]));
	pass(600);
	struct started *again = open_batch(seqs[0]);
	assert_int_equal(again->attempt, 2);
	end_call(again, CALL_OK, "null");
	assert_non_null(open_batch(seqs[3]));
	assert_given(seqs + 3, 3);
}

static void large_events_close_it_early(void **state)
{
	(void)state;
	begin("{\"batch\":{\"max_size\":100,\"max_wait\":\"2s\"}}");
	char *large = mem_new((1 << 20) + 3);
	memset(large, 'x', (1 << 20) + 2);
	large[0] = '"';
	large[(1 << 20) + 1] = '"';
	uint64_t seqs[5];
	for (int i = 0; i < 5; i++) {
		seqs[i] = put((struct event){.key = SPAN("k"), .new_value = span_of(large)});
		turn();
	}
	assert_non_null(open_batch(seqs[0]));
	assert_given(seqs, 4); /* with the fourth it was over 4 MiB */
	mem_free(large);
}

static void the_failed_ones_are_a_smaller_batch(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[3] = {event("a"), event("b"), event("c")};
	char id[160];
	strcpy(id, open_batch(seqs[0])->delivery_id);
	end_call(open_batch(seqs[0]), CALL_OK, failed(seqs + 1, 2));
	assert_int_equal(trigger("t")->failed, 1);
	pass(1100);
	struct started *again = open_batch(seqs[0]);
	assert_string_equal(again->delivery_id, id);
	assert_int_equal(again->attempt, 2);
	assert_given(seqs + 1, 2);
	assert_int_equal(react_first_needed(world->react), seqs[1]);
	/* What is done stays done over a crash. */
	restart(true);
	offer("f");
	pass(100);
	again = open_batch(seqs[0]);
	assert_int_equal(again->attempt, 2);
	assert_given(seqs + 1, 2);
	end_call(again, CALL_OK, "{\"$pawl\":{\"failed\":[]}}");
	assert_int_equal(trigger("t")->held, 0);
}

static void odd_answers_fail_the_whole(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[3] = {event("a"), event("b"), event("c")};
	end_call(open_batch(seqs[0]), CALL_OK, "{\"$pawl\":{\"failed\":[\"nobody\"]}}");
	assert_non_null(strstr(trigger("t")->last_error,
	                       "names \"nobody\", which is no event of the batch"));
	pass(1100);
	assert_given(seqs, 3);
	end_call(open_batch(seqs[0]), CALL_OK, "{\"$pawl\":{\"failed\":true}}");
	assert_non_null(strstr(trigger("t")->last_error, "must be a list of event ids"));
	pass(2100);
	assert_given(seqs, 3);
	end_call(open_batch(seqs[0]), CALL_OK, failed((uint64_t[]){seqs[0], seqs[2] + 1}, 2));
	size_t count;
	const char *letters = dead_letters(&count); /* it was the last attempt */
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"reason\":\"invalid_answer\""));
}

static void the_last_failure_buries_what_failed(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[3] = {event("a"), event("b"), event("c")};
	end_call(open_batch(seqs[0]), CALL_OK,
	         "{\"$pawl\":{\"retry_after_ms\":500,\"fail\":false}}");
	pass(550);
	end_call(open_batch(seqs[0]), CALL_OK, failed(seqs + 2, 1));
	pass(2100);
	assert_given(seqs + 2, 1);
	end_call(open_batch(seqs[0]), CALL_FAILED, "it broke");
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"event\":{\"type\":\"batch\",\"trigger\":\"t\""));
	assert_non_null(strstr(letters, "\"count\":1,\"events\":[{\"type\":\"state\""));
	assert_non_null(strstr(letters, "\"window\":\"\""));
	assert_non_null(strstr(letters, "1 of 3 events of the batch failed"));
	assert_int_equal(trigger("t")->held, 0);
	pass(300);
	assert_int_equal(react_first_needed(world->react), store_durable_seq(world->store) + 1);
	restart(true);
	offer("f");
	pass(3000);
	assert_int_equal(world->started_count, 3);
}

/* A letter that holds its events fails in part, too. */
static void a_replayed_batch_is_narrowed_as_well(void **state)
{
	(void)state;
	begin(of_three);
	struct adapter_head head;
	store_head(world->store, &head);
	char json[512];
	(void)snprintf(json, sizeof json,
	               "{\"type\":\"batch\",\"delivery_id\":\"%s-1-7/t\",\"events\":["
	               "{\"id\":\"%s-1-7\",\"seq\":7,\"key\":\"a\"},"
	               "{\"id\":\"%s-1-9\",\"seq\":9,\"key\":\"b\"}]}",
	               head.log, head.log, head.log);
	const struct job job = {.version = 1,
	                        .seq = 7,
	                        .epoch = 1,
	                        .scope = SPAN("s"),
	                        .key = SPAN("a"),
	                        .window = SPAN(""),
	                        .event = span_of(json)};
	job_store_put(world->store, trigger("t"), &job);
	dispatch_adopt(world->dispatch, trigger("t"), &job);
	flush();
	assert_given((uint64_t[]){7, 9}, 2);
	char answer_text[128];
	(void)snprintf(answer_text, sizeof answer_text,
	               "{\"$pawl\":{\"failed\":[{\"id\":\"%s-1-9\",\"reason\":\"no room\"}]}}",
	               head.log);
	end_call(open_batch(7), CALL_OK, answer_text);
	assert_non_null(
	        strstr(trigger("t")->last_error, "1 of 2 events of the batch failed: no room"));
	restart(true);
	offer("f");
	pass(1100);
	assert_given((uint64_t[]){9}, 1);
	assert_int_equal(open_batch(7)->attempt, 2);
}

static void a_dead_batch_holds_its_lane(void **state)
{
	(void)state;
	begin("{\"on_exhausted\":\"pause_key\",\"retry\":{\"max_attempts\":1},"
	      "\"batch\":{\"max_size\":2,\"max_wait\":\"2s\"}}");
	uint64_t dead[2] = {event("a"), event("b")};
	uint64_t behind[2] = {event("c"), event("d")};
	end_call(open_batch(dead[0]), CALL_OK, failed(dead + 1, 1));
	pass(500);
	restart(true);
	offer("f");
	pass(500);
	assert_int_equal(trigger("t")->blocked, 1);
	assert_null(open_batch(behind[0]));
	assert_int_equal(react_first_needed(world->react), behind[0]);
	size_t count;
	assert_non_null(strstr(dead_letters(&count), "\"count\":1,\"events\""));
	struct err err;
	assert_int_equal(
	        catalog_release_key(world->catalog, SPAN("t"), SPAN("s"), SPAN("a"), NULL, &err),
	        0);
	flush();
	assert_non_null(open_batch(behind[0]));
	assert_given(behind, 2);
}

static void each_event_is_selected_of(void **state)
{
	(void)state;
	begin("{\"batch\":{\"max_size\":2,\"max_wait\":\"2s\"},\"select\":{\"k\":\"key\",\"u\":"
	      "\"new_value.user\"}}");
	(void)of_user("a", 1);
	(void)of_user("b", 2);
	struct span events;
	assert_true(json_get(buf_view(&world->write), SPAN("events"), &events));
	assert_true(span_is(events, "[{\"k\":\"a\",\"u\":1},{\"k\":\"b\",\"u\":2}]"));
	end_call(&world->started[0], CALL_OK, "null");
	(void)of_user("a", 1);
	(void)change("b", "1", "2");
	assert_int_equal(world->started_count, 1);
	size_t count;
	const char *letters = dead_letters(&count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(letters, "\"reason\":\"select_failed\""));
	assert_non_null(strstr(letters, "\"count\":2,\"events\":[{\"type\":\"state\""));
}

static void a_crash_at_each_place_loses_no_event(void **state)
{
	(void)state;
	/* How long it goes on before the crash: nothing is put; the window is; it is closed. */
	static const int64_t places[] = {0, 300, 2100};
	begin(of_three);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		uint64_t seqs[2] = {event("a"), event("b")};
		pass(places[i]);
		restart(true);
		offer("f");
		pass(2100);
		assert_given(seqs, 2);
		struct started *started = open_batch(seqs[0]);
		assert_int_equal(started->attempt, 1);
		end_call(started, CALL_OK, "null");
		flush();
		restart(true);
		size_t before = world->started_count;
		offer("f");
		pass(2500);
		assert_int_equal(world->started_count, before);
	}
}

static void a_failed_write_loses_no_event(void **state)
{
	(void)state;
	begin(of_three);
	uint64_t seqs[3] = {event("a"), event("b")};
	pass(300);
	lose_writes(1);
	seqs[2] = put_event("c"); /* is lost, and then its seq is given again */
	turn();
	pass(1200);
	seqs[2] = event("c");
	if (open_batch(seqs[0]) == NULL) {
		pass(2000);
	}
	assert_given(seqs, 3);
	lose_writes(1);
	end_call(open_batch(seqs[0]), CALL_OK, failed(seqs + 2, 1)); /* of the new epoch */
	pass(2500);
	assert_given(seqs + 2, 1);
	assert_int_equal(open_batch(seqs[0])->attempt, 2);
}

/* Enough events that it reads them from the journal, chunk by chunk. */
static void a_large_one_is_read_from_the_journal(void **state)
{
	(void)state;
	begin("{\"batch\":{\"max_size\":1000,\"max_wait\":\"60s\"},\"key\":\"k*\"}");
	uint64_t first = 0;
	for (int i = 0; i < 900; i++) {
		uint64_t seq = put_event("k");
		first = first != 0 ? first : seq;
		for (int j = 0; j < (i % 50 == 0 ? 40 : 1); j++) {
			(void)put_event("other");
		}
		if (i % 30 == 0) {
			turn();
		}
	}
	pass(300);
	restart(true);
	offer("f");
	jump(61000);
	for (int i = 0; i < 100 && open_batch(first) == NULL; i++) {
		turn();
	}
	assert_non_null(open_batch(first));
	assert_int_equal(number_member(buf_view(&world->write), "count"), 900);
	struct span events;
	struct span item;
	uint64_t last = 0;
	assert_true(json_get(buf_view(&world->write), SPAN("events"), &events));
	for (struct json_iter iter = json_iter(events); json_next_item(&iter, &item);) {
		uint64_t seq = (uint64_t)number_member(item, "seq");
		assert_true(seq > last);
		last = seq;
	}
}

static void a_full_journal_takes_only_its_part(void **state)
{
	(void)state;
	begin("{\"batch\":{\"max_size\":10,\"max_wait\":\"60s\"}}");
	uint64_t seqs[4] = {event("a"), event("b"), event("c"), event("d")};
	pass(300);
	assert_true(react_detach_before(world->react, seqs[2]));
	flush();
	size_t count;
	char range[64];
	(void)snprintf(range, sizeof range, "{\"from_seq\":%llu,\"to_seq\":%llu}",
	               (unsigned long long)seqs[0], (unsigned long long)seqs[1]);
	assert_non_null(strstr(dead_letters(&count), range));
	assert_int_equal(trigger("t")->windows->count, 1);
	restart(true);
	offer("f");
	pass(61000);
	assert_given(seqs + 2, 2);
	/* The same while it is a job. */
	end_call(open_batch(seqs[2]), CALL_FAILED, "it broke");
	flush();
	assert_true(react_detach_before(world->react, seqs[3]));
	flush();
	pass(1100);
	assert_given(seqs + 3, 1);
	restart(true);
	offer("f");
	pass(100);
	assert_given(seqs + 3, 1);
}

static void its_writes_have_the_longest_chain_as_cause(void **state)
{
	(void)state;
	begin(of_three);
	(void)put_event_at("a", 2);
	uint64_t deep = put_event_at("b", 5);
	(void)put_event_at("c", 3);
	turn();
	const struct delivery *delivery =
	        LIST_FIRST(&trigger("t")->deliveries, struct delivery, in_binding);
	struct event_cause cause;
	struct buf scratch = {0};
	struct adapter_head head;
	store_head(world->store, &head);
	assert_true(attempt_cause(delivery, span_of(head.log), &scratch, &cause));
	assert_int_equal(cause.depth, 6);
	char root[64];
	(void)snprintf(root, sizeof root, "-%llu", (unsigned long long)deep);
	buf_byte(&scratch, '\0');
	assert_non_null(strstr(scratch.ptr, root));
	buf_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(a_full_batch_is_delivered_at_once),
	        WORLD_TEST(a_smaller_one_when_its_time_is_over),
	        WORLD_TEST(values_of_the_key_have_their_own),
	        WORLD_TEST(batches_of_a_key_are_in_order),
	        WORLD_TEST(large_events_close_it_early),
	        WORLD_TEST(the_failed_ones_are_a_smaller_batch),
	        WORLD_TEST(odd_answers_fail_the_whole),
	        WORLD_TEST(the_last_failure_buries_what_failed),
	        WORLD_TEST(a_replayed_batch_is_narrowed_as_well),
	        WORLD_TEST(a_dead_batch_holds_its_lane),
	        WORLD_TEST(each_event_is_selected_of),
	        WORLD_TEST(a_crash_at_each_place_loses_no_event),
	        WORLD_TEST(a_failed_write_loses_no_event),
	        WORLD_TEST(a_large_one_is_read_from_the_journal),
	        WORLD_TEST(a_full_journal_takes_only_its_part),
	        WORLD_TEST(its_writes_have_the_longest_chain_as_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
