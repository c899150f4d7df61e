/* This file tests that the index wakes whom a scan of all filters would, and asks few others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "tests/unit/matching_fixture.h"
#include "triggers/index.h"
#include "triggers/on_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct trigger {
	struct index_entry entry;
	struct filter *filter;
	uint64_t added;
	bool is_in;
};

static void trigger_open(struct trigger *trigger, const char *config)
{
	const struct trigger_request request = {.env = env, .config = span_of(config)};
	struct trigger_policy policy;
	struct err err = {0};
	*trigger = (struct trigger){0};
	if (on_state_parse(&request, &trigger->filter, &policy, &err) != 0) {
		fail_msg("%s: %s", config, err.text);
	}
	trigger->entry.filter = trigger->filter;
}

static void trigger_add(struct index *index, struct trigger *trigger, uint64_t added)
{
	trigger->added = added;
	trigger->is_in = true;
	index_add(index, &trigger->entry);
}

static void trigger_remove(struct index *index, struct trigger *trigger)
{
	index_remove(index, &trigger->entry);
	trigger->is_in = false;
}

enum { FOUND_MAX = 400 };

struct found {
	struct trigger *triggers[FOUND_MAX];
	size_t count;
};

static void note(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	assert_int_equal(answer, FILTER_YES);
	struct found *found = ctx;
	assert_true(found->count < FOUND_MAX);
	found->triggers[found->count++] = MEM_CONTAINER(entry, struct trigger, entry);
}

static void find(struct index *index, const struct event *event, struct found *found)
{
	matching_begin(&matching, event);
	index_match(index, &matching, note, found);
}

static size_t count_woken(struct index *index, const char *scope, const char *key)
{
	struct event event = {.kind = EVENT_CREATED,
	                      .scope = span_of(scope),
	                      .key = span_of(key),
	                      .new_value = SPAN("1")};
	struct found found = {0};
	find(index, &event, &found);
	return found.count;
}

static void every_kind_of_filter_is_found(void **state)
{
	(void)state;
	static const char *const CONFIGS[] = {
	        "{\"scope\":\"s\",\"key\":\"user_1\"}",
	        "{\"scope\":\"s\",\"key\":\"user_*\"}",
	        "{\"scope\":\"s\",\"key\":\"*1\"}",
	        "{\"scope\":\"s\",\"key_regex\":\"^user_\\\\d+$\"}",
	        "{\"scope\":\"s\"}",
	        "{\"key\":\"user_1\"}",
	        "{\"key\":\"u?er_1\"}",
	        "{\"key_regex\":\"_\"}",
	        "{}",
	};
	enum { COUNT = sizeof CONFIGS / sizeof CONFIGS[0] };
	struct trigger triggers[COUNT];
	struct index *index = index_new(env, false);
	for (size_t i = 0; i < COUNT; i++) {
		trigger_open(&triggers[i], CONFIGS[i]);
		trigger_add(index, &triggers[i], i);
	}
	assert_int_equal(count_woken(index, "s", "user_1"), 9);
	assert_int_equal(count_woken(index, "t", "user_1"), 4);
	assert_int_equal(count_woken(index, "s", "user_x"), 4);
	assert_int_equal(count_woken(index, "s", "u"), 2);
	assert_int_equal(count_woken(index, "t", "v"), 1);
	for (size_t i = 0; i < COUNT; i++) {
		trigger_remove(index, &triggers[i]);
		filter_free(triggers[i].filter);
		assert_int_equal(count_woken(index, "s", "user_1"), COUNT - 1 - i);
	}
	index_free(index);
	index_free(NULL);
}

/* ---- as a scan of all ---- */

static void random_config(struct dice *dice, char out[512])
{
	static const char *const SCOPES[] = {"", "\"scope\":\"s\",", "\"scope\":\"t\",",
	                                     "\"scope\":\"st\","};
	static const char *const KEYS[] = {
	        "",
	        "\"key\":\"a\",",
	        "\"key\":\"ab\",",
	        "\"key\":\"abcdefgh\",",
	        "\"key\":\"*\",",
	        "\"key\":\"a*\",",
	        "\"key\":\"ab*\",",
	        "\"key\":\"abc*\",",
	        "\"key\":\"abcd?*\",",
	        "\"key\":\"abcdefghi*\",",
	        "\"key\":\"*h\",",
	        "\"key\":\"[ab]*\",",
	        "\"key\":\"\\\\a*\",",
	        "\"key\":\"abcdefghijklmnopqrstuvwxyzabcdefghijkl*\",",
	        "\"key_regex\":\"^a\",",
	        "\"key_regex\":\"c|i\",",
	};
	static const char *const EVENTS[] = {"", "", "\"events\":[\"created\"],",
	                                     "\"events\":[\"updated\",\"touched\"],"};
	static const char *const CHANGED[] = {"", "", "\"changed\":[\"a\"],",
	                                      "\"changed\":[\"/b\"],"};
	int len = snprintf(out, 512, "{%s%s%s%s\"durable\":false}", PICK(dice, SCOPES),
	                   PICK(dice, KEYS), PICK(dice, EVENTS), PICK(dice, CHANGED));
	assert_true(len > 0 && len < 512);
}

static struct event random_event(struct dice *dice)
{
	static const char *const SCOPES[] = {"s", "t", "st", "u"};
	static const char *const VALUES[] = {NULL, "{}", "{\"a\":1}", "{\"a\":2,\"b\":1}", "7"};
	static const char ALPHABET[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	static const size_t LENS[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 31, 32, 33, 38, 39, 50};
	struct event event = {
	        .kind = (enum event_kind)(1 + roll(dice, 4)),
	        .scope = span_of(PICK(dice, SCOPES)),
	        .key = {ALPHABET + (roll(dice, 4) == 0), PICK(dice, LENS)},
	        .old_value = span_of(PICK(dice, VALUES)),
	        .new_value = span_of(PICK(dice, VALUES)),
	};
	return event;
}

/* By order of addition, whoever matches: found by selection, for that needs no thought. */
static void scan(struct trigger triggers[], size_t count, const struct event *event,
                 struct found *found)
{
	uint64_t after = 0;
	matching_begin(&matching, event);
	for (;;) {
		struct trigger *next = NULL;
		for (size_t i = 0; i < count; i++) {
			struct trigger *trigger = &triggers[i];
			if (trigger->is_in && trigger->added > after &&
			    (next == NULL || trigger->added < next->added) &&
			    filter_matches(trigger->filter, &matching) == FILTER_YES) {
				next = trigger;
			}
		}
		if (next == NULL) {
			return;
		}
		after = next->added;
		found->triggers[found->count++] = next;
	}
}

static void the_index_finds_what_a_scan_finds(void **state)
{
	(void)state;
	enum { COUNT = 120, ROUNDS = 4000 };
	static struct trigger triggers[COUNT];
	struct dice dice = {0};
	id_random(&dice.at, sizeof dice.at);
	print_message("seed %llx\n", (unsigned long long)dice.at);
	struct index *index = index_new(env, false);
	for (size_t i = 0; i < COUNT; i++) {
		char config[512];
		random_config(&dice, config);
		trigger_open(&triggers[i], config);
	}
	size_t woken = 0;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct trigger *trigger = &triggers[roll(&dice, COUNT)];
		if (trigger->is_in) {
			trigger_remove(index, trigger);
		} else {
			trigger_add(index, trigger, round);
		}
		struct event event = random_event(&dice);
		struct found by_index = {0};
		struct found by_scan = {0};
		find(index, &event, &by_index);
		scan(triggers, COUNT, &event, &by_scan);
		assert_int_equal(by_index.count, by_scan.count);
		for (size_t i = 0; i < by_scan.count; i++) {
			assert_ptr_equal(by_index.triggers[i], by_scan.triggers[i]);
		}
		woken += by_index.count;
	}
	assert_true(woken > ROUNDS);
	for (size_t i = 0; i < COUNT; i++) {
		if (triggers[i].is_in) {
			trigger_remove(index, &triggers[i]);
		}
		filter_free(triggers[i].filter);
	}
	index_free(index);
}

/* ---- what it costs ---- */

static uint64_t asked_for(struct index *index, const char *scope, const char *key)
{
	uint64_t before = index_asked(index);
	(void)count_woken(index, scope, key);
	return index_asked(index) - before;
}

static void triggers_on_other_keys_are_not_asked(void **state)
{
	(void)state;
	enum { COUNT = 20000 };
	struct trigger *triggers = MEM_ARRAY(struct trigger, COUNT);
	struct index *index = index_new(env, false);
	for (size_t i = 0; i < COUNT; i++) {
		static const char *const FORMS[] = {"{\"scope\":\"s\",\"key\":\"key_%zu\"}",
		                                    "{\"scope\":\"s%zu\"}", "{\"key\":\"key_%zu\"}",
		                                    "{\"scope\":\"s\",\"key\":\"%zu_other_*\"}",
		                                    "{\"scope\":\"s%zu\",\"key_regex\":\"_\"}"};
		char config[128];
		(void)snprintf(config, sizeof config, FORMS[i % 5], i);
		trigger_open(&triggers[i], config);
		trigger_add(index, &triggers[i], i);
	}
	assert_int_equal(asked_for(index, "s", "key_x"), 0);
	assert_int_equal(asked_for(index, "s", "key_10"), 1);
	assert_int_equal(asked_for(index, "none", "key_12"), 1);
	assert_int_equal(asked_for(index, "s11", "key_x"), 1);
	for (size_t i = 0; i < COUNT; i++) {
		trigger_remove(index, &triggers[i]);
		filter_free(triggers[i].filter);
	}
	mem_free(triggers);
	index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_kind_of_filter_is_found),
	        cmocka_unit_test(the_index_finds_what_a_scan_finds),
	        cmocka_unit_test(triggers_on_other_keys_are_not_asked),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
