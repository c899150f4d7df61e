/* This file tests that the index finds whom a scan finds when conditions decide, and asks few. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/unit/matching_fixture.h"
#include "triggers/index.h"
#include "triggers/on_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct trigger {
	struct index_entry entry;
	struct filter *filter;
	char config[1024];
	uint64_t added;
	bool is_in;
};

static void trigger_open(struct trigger *trigger, const char *config)
{
	const struct trigger_request request = {.env = env, .config = span_of(config)};
	struct trigger_policy policy;
	struct err err = {0};
	*trigger = (struct trigger){0};
	(void)snprintf(trigger->config, sizeof trigger->config, "%s", config);
	if (on_state_parse(&request, &trigger->filter, &policy, &err) != 0) {
		fail_msg("%s: %s", config, err.text);
	}
	trigger->filter->metadata = SPAN("{\"team\":\"x\",\"n\":2}");
	trigger->entry.filter = trigger->filter;
}

enum { FOUND_MAX = 2000 };

struct found {
	struct trigger *triggers[FOUND_MAX];
	enum filter_answer answers[FOUND_MAX];
	size_t count;
};

static void note(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	struct found *found = ctx;
	assert_true(found->count < FOUND_MAX);
	found->answers[found->count] = answer;
	found->triggers[found->count++] = MEM_CONTAINER(entry, struct trigger, entry);
}

/* ---- dice ---- */

/* A failure tells its seed; PAWL_SEED runs it again. */
static void seed(struct dice *dice)
{
	const char *given = getenv("PAWL_SEED");
	id_random(&dice->at, sizeof dice->at);
	if (given != NULL) {
		dice->at = strtoull(given, NULL, 16);
	}
	print_message("seed %llx\n", (unsigned long long)dice->at);
}

/* ---- random conditions ---- */

static const char *const PATHS[] = {
        "new_value.a",  "new_value.b", "new_value.a.b",     "new_value.c['d e']", "old_value.a",
        "old_value.b",  "new_value",   "event.new_value.b", "new_value.n",        "new_value.s",
        "new_value.ok", "old_value.n", "metadata.team",     "event.old_value.s",
};
static const char *const STRINGS[] = {"''",   "'x'",   "'xy'", "'xyz'",
                                      "'yz'", "'pro'", "'ä'",  "'x\\\"y'"};
static const char *const NUMBERS[] = {"0",    "1",    "1.0", "2u", "-1", "2.5", "9007199254740993",
                                      "-0.0", "1e300"};
static const char *const CONSTANTS[] = {"null",
                                        "true",
                                        "false",
                                        "1",
                                        "1.0",
                                        "2u",
                                        "'x'",
                                        "'xy'",
                                        "'pro'",
                                        "''",
                                        "9007199254740993",
                                        "9007199254740992",
                                        "-0.0",
                                        "b'x'",
                                        "[1]",
                                        "{'a': 1}"};

static void write_atom(struct dice *dice, struct buf *out)
{
	static const char *const ORDERS[] = {"<", "<=", ">", ">="};
	static const char *const WHOLE[] = {
	        "created()",
	        "updated()",
	        "deleted()",
	        "scope == 's'",
	        "scope == 't'",
	        "key == 'k1'",
	        "key in ['k1', 'k2']",
	        "scope in ['s', 't', 'u', 'v', 'w']",
	        "key.startsWith('k')",
	        "event_type == 'state:touched'",
	        "event_type in ['state:created', 'state:updated']",
	        "changed('a')",
	        "changed('/a/b')",
	        "changed(['l', 0])",
	        "became('a', 1)",
	        "became('s', 'xy')",
	        "became(['n'], 2.5)",
	        "seq > 50",
	        "seq == 7",
	        "event.type == 'state'",
	        "event.?reason.hasValue()",
	        "time > timestamp('1970-01-01T00:00:01Z')",
	        "new_value.l.exists(x, x == 1)",
	        "size(new_value.s) > 1",
	        "new_value.n + 1 > 2",
	        "1 / 0 == 1",
	        "1",
	};
	const char *path = PICK(dice, PATHS);
	switch (roll(dice, 11)) {
	case 0:
	case 1:
		buf_format(out, "%s == %s", path, PICK(dice, CONSTANTS));
		break;
	case 2:
		buf_format(out, "%s in [%s, %s]", path, PICK(dice, CONSTANTS),
		           PICK(dice, CONSTANTS));
		break;
	case 3:
		buf_format(out, "%s %s %s", path, PICK(dice, ORDERS), PICK(dice, NUMBERS));
		break;
	case 4:
		buf_format(out, "%s >= %s && %s < %s", path, PICK(dice, NUMBERS), path,
		           PICK(dice, NUMBERS));
		break;
	case 5:
		buf_format(out, "%s.startsWith(%s)", path, PICK(dice, STRINGS));
		break;
	case 6:
		buf_format(out, "%s.endsWith(%s)", path, PICK(dice, STRINGS));
		break;
	case 7:
		buf_format(out, "%s.matches('^x%s')", path, roll(dice, 2) ? "y" : "[yz]*$");
		break;
	case 8:
		buf_format(out, "has(new_value.%s)", roll(dice, 2) ? "a" : "s");
		break;
	case 9:
		buf_format(out, "%s != %s", path, PICK(dice, CONSTANTS));
		break;
	default: {
		/* The last of them is no condition at all; inside others it may be one. */
		size_t count = sizeof WHOLE / sizeof *WHOLE - 1;
		buf_format(out, "%s", roll(dice, 12) ? WHOLE[roll(dice, count)] : path);
		break;
	}
	}
}

static void write_condition(struct dice *dice, int depth, struct buf *out)
{
	static const char *const JOINTS[] = {"&&", "&&", "||"};
	if (depth == 0 || roll(dice, 4) == 0) {
		write_atom(dice, out);
		return;
	}
	if (roll(dice, 6) == 0) {
		BUF_LITERAL(out, "!(");
		write_condition(dice, depth - 1, out);
		BUF_LITERAL(out, ")");
		return;
	}
	if (roll(dice, 12) == 0) {
		BUF_LITERAL(out, "(");
		write_condition(dice, depth - 1, out);
		BUF_LITERAL(out, ") ? (");
		write_condition(dice, depth - 1, out);
		BUF_LITERAL(out, ") : false");
		return;
	}
	BUF_LITERAL(out, "(");
	write_condition(dice, depth - 1, out);
	buf_format(out, ") %s (", PICK(dice, JOINTS));
	write_condition(dice, depth - 1, out);
	BUF_LITERAL(out, ")");
}

/* Those that may not be are tried again: edges refuse most. */
static void random_trigger(struct dice *dice, struct trigger *trigger)
{
	static const char *const FIELDS[] = {"",
	                                     "",
	                                     "\"scope\":\"s\",",
	                                     "\"scope\":\"s\",\"key\":\"k1\",",
	                                     "\"key\":\"k*\",",
	                                     "\"events\":[\"created\",\"touched\"],",
	                                     "\"changed\":[\"a\"],",
	                                     "\"key_regex\":\"1\","};
	static const char *const FIRES[] = {"", "", "", "\"fire\":\"rising\",",
	                                    "\"fire\":\"falling\","};
	static const char *const ERRORS[] = {"",
	                                     "",
	                                     "",
	                                     "",
	                                     "\"on_condition_error\":\"fire\",",
	                                     "\"on_condition_error\":\"dead\","};
	for (;;) {
		struct buf when = {0};
		struct buf config = {0};
		struct trigger_policy policy;
		write_condition(dice, 3, &when);
		buf_byte(&config, '{');
		buf_format(&config, "%s%s%s\"when\":", PICK(dice, FIELDS), PICK(dice, FIRES),
		           PICK(dice, ERRORS));
		json_write_string(&config, buf_view(&when));
		buf_format(&config, "}%c", 0);
		const struct trigger_request request = {
		        .env = env, .config = span_make(config.ptr, config.len - 1)};
		struct filter *filter = NULL;
		bool is_good = config.len < sizeof trigger->config &&
		               on_state_parse(&request, &filter, &policy, NULL) == 0;
		if (is_good) {
			filter_free(filter);
			trigger_open(trigger, config.ptr);
		}
		buf_free(&when);
		buf_free(&config);
		if (is_good) {
			return;
		}
	}
}

static void random_value(struct dice *dice, struct buf *out)
{
	static const char *const SCALARS[] = {"null",
	                                      "true",
	                                      "false",
	                                      "0",
	                                      "1",
	                                      "1.0",
	                                      "2",
	                                      "-0.0",
	                                      "2.5",
	                                      "\"\"",
	                                      "\"x\"",
	                                      "\"xy\"",
	                                      "\"xyz\"",
	                                      "\"pro\"",
	                                      "\"\\u0078y\"",
	                                      "\"ä\"",
	                                      "9007199254740993",
	                                      "9007199254740992.0",
	                                      "-1",
	                                      "1e300",
	                                      "[1]",
	                                      "{\"a\":1.0}",
	                                      "\"x\\\"y\""};
	static const char *const NAMES[] = {"a", "b", "n", "s", "ok", "\\u0061"};
	if (roll(dice, 8) == 0) {
		buf_format(out, "%s", PICK(dice, SCALARS));
		return;
	}
	buf_byte(out, '{');
	for (size_t i = roll(dice, 6); i > 0; i--) {
		json_write_comma(out);
		buf_format(out, "\"%s\":%s", PICK(dice, NAMES), PICK(dice, SCALARS));
	}
	if (roll(dice, 3) == 0) {
		json_write_comma(out);
		buf_format(out, "\"a\":{\"b\":%s,\"z\":[1,{}]}", PICK(dice, SCALARS));
	}
	if (roll(dice, 4) == 0) {
		json_write_comma(out);
		buf_format(out, "\"c\":{\"d e\":%s},\"l\":[%s,2]", PICK(dice, SCALARS),
		           PICK(dice, SCALARS));
	}
	buf_byte(out, '}');
}

struct random_event {
	struct event event;
	struct buf old_value;
	struct buf new_value;
};

static void random_event(struct dice *dice, struct random_event *out)
{
	static const char *const SCOPES[] = {"s", "s", "t", "u", "x"};
	static const char *const KEYS[] = {"k1", "k1", "k2", "k3", "z"};
	buf_clear(&out->old_value);
	buf_clear(&out->new_value);
	random_value(dice, &out->old_value);
	random_value(dice, &out->new_value);
	enum event_kind kind = (enum event_kind)(1 + roll(dice, 4));
	out->event = (struct event){
	        .kind = kind,
	        .seq = roll(dice, 100),
	        .scope = span_of(PICK(dice, SCOPES)),
	        .key = span_of(PICK(dice, KEYS)),
	        .old_value = kind == EVENT_CREATED ? SPAN_NONE : buf_view(&out->old_value),
	        .new_value = kind == EVENT_DELETED ? SPAN_NONE : buf_view(&out->new_value),
	        .time_ms = (int64_t)roll(dice, 3000),
	        .reason = roll(dice, 3) ? SPAN_NONE : SPAN("expired"),
	};
}

static void show(const struct event *event, const struct trigger *trigger)
{
	struct buf text = {0};
	event_write_json(event, SPAN("log"), NULL, &text);
	print_message("event %.*s\ntrigger %s\n", SPAN_ARG(buf_view(&text)),
	              trigger ? trigger->config : "none");
	buf_free(&text);
}

static int by_age(const void *a, const void *b)
{
	const struct trigger *const *left = a;
	const struct trigger *const *right = b;
	return ((*left)->added > (*right)->added) - ((*left)->added < (*right)->added);
}

/* Everybody is asked, and those who want the event stand in the order of registration. */
static void scan(struct trigger triggers[], size_t count, const struct event *event,
                 struct found *found)
{
	matching_begin(&matching, event);
	for (size_t i = 0; i < count; i++) {
		struct trigger *trigger = &triggers[i];
		if (trigger->is_in &&
		    filter_wakes(trigger->filter, filter_matches(trigger->filter, &matching))) {
			found->triggers[found->count++] = trigger;
		}
	}
	qsort(found->triggers, found->count, sizeof *found->triggers, by_age);
}

static void compare(struct index *index, struct trigger triggers[], size_t count,
                    const struct event *event, size_t *woken)
{
	static struct found by_index;
	static struct found by_scan;
	by_index.count = 0;
	by_scan.count = 0;
	matching_begin(&matching, event);
	index_match(index, &matching, note, &by_index);
	scan(triggers, count, event, &by_scan);
	size_t same = 0;
	while (same < by_index.count && same < by_scan.count &&
	       by_index.triggers[same] == by_scan.triggers[same]) {
		same++;
	}
	if (same < by_index.count || same < by_scan.count) {
		show(event, same < by_index.count ? by_index.triggers[same] : NULL);
		show(event, same < by_scan.count ? by_scan.triggers[same] : NULL);
		fail_msg("the index finds %zu, a scan %zu; the first %zu are the same",
		         by_index.count, by_scan.count, same);
	}
	*woken += same;
}

enum { TRIGGERS = 300, ROUNDS = 6000 };

static void close_all(struct index *index, struct trigger triggers[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (triggers[i].is_in) {
			index_remove(index, &triggers[i].entry);
			triggers[i].is_in = false;
		}
		filter_free(triggers[i].filter);
	}
}

static void the_index_finds_what_a_scan_finds(void **state)
{
	(void)state;
	static struct trigger triggers[TRIGGERS];
	struct dice dice;
	struct random_event event = {0};
	seed(&dice);
	struct index *index = index_new(env, false);
	for (size_t i = 0; i < TRIGGERS; i++) {
		random_trigger(&dice, &triggers[i]);
	}
	size_t woken = 0;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct trigger *trigger = &triggers[roll(&dice, TRIGGERS)];
		trigger->is_in ? index_remove(index, &trigger->entry)
		               : index_add(index, &trigger->entry);
		trigger->is_in = !trigger->is_in;
		trigger->added = round;
		if (roll(&dice, 8) == 0 && !trigger->is_in) {
			filter_free(trigger->filter);
			random_trigger(&dice, trigger);
		}
		random_event(&dice, &event);
		compare(index, triggers, TRIGGERS, &event.event, &woken);
	}
	assert_true(woken > ROUNDS * 4);
	print_message("%zu woken, %llu asked\n", woken, (unsigned long long)index_asked(index));
	close_all(index, triggers, TRIGGERS);
	index_free(index);
	buf_free(&event.old_value);
	buf_free(&event.new_value);
}

/* Without the index the same ones are found. */
static void the_index_can_be_off(void **state)
{
	(void)state;
	static struct trigger triggers[TRIGGERS];
	struct dice dice;
	struct random_event event = {0};
	seed(&dice);
	struct index *index = index_new(env, true);
	for (size_t i = 0; i < TRIGGERS; i++) {
		random_trigger(&dice, &triggers[i]);
		triggers[i].added = i;
		triggers[i].is_in = true;
		index_add(index, &triggers[i].entry);
	}
	size_t woken = 0;
	for (size_t round = 0; round < 100; round++) {
		random_event(&dice, &event);
		compare(index, triggers, TRIGGERS, &event.event, &woken);
	}
	assert_int_equal(index_asked(index), 100 * TRIGGERS);
	close_all(index, triggers, TRIGGERS);
	index_free(index);
	buf_free(&event.old_value);
	buf_free(&event.new_value);
}

/* ---- what it costs ---- */

/* Each # of the form is the number of the trigger. */
static uint64_t asked_of_many(const char *form, const char *new_value, size_t *out_woken)
{
	enum { COUNT = 2000 };
	struct trigger *triggers = MEM_ARRAY(struct trigger, COUNT);
	struct index *index = index_new(env, false);
	for (size_t i = 0; i < COUNT; i++) {
		struct buf when = {0};
		struct buf config = {0};
		for (const char *at = form; *at != '\0'; at++) {
			*at == '#' ? buf_uint(&when, i) : buf_byte(&when, *at);
		}
		BUF_LITERAL(&config, "{\"when\":");
		json_write_string(&config, buf_view(&when));
		buf_format(&config, "}%c", 0);
		trigger_open(&triggers[i], config.ptr);
		triggers[i].is_in = true;
		index_add(index, &triggers[i].entry);
		buf_free(&when);
		buf_free(&config);
	}
	const struct event event = {.kind = EVENT_UPDATED,
	                            .scope = SPAN("s"),
	                            .key = SPAN("k1000"),
	                            .old_value = SPAN("{}"),
	                            .new_value = span_of(new_value)};
	static struct found found;
	found.count = 0;
	matching_begin(&matching, &event);
	index_match(index, &matching, note, &found);
	uint64_t asked = index_asked(index);
	*out_woken = found.count;
	close_all(index, triggers, COUNT);
	index_free(index);
	mem_free(triggers);
	return asked;
}

static void conditions_on_other_values_are_not_asked(void **state)
{
	(void)state;
	enum { ALWAYS = 4 }; /* the first of a bucket */
	static const struct {
		const char *form;
		const char *new_value;
		size_t woken;
		uint64_t asked;
	} CASES[] = {
	        {"scope == 's' && key == 'k#' && new_value.x == 1", "{\"x\":1}", 1, 1},
	        {"new_value.x == #", "{\"x\":1000.0}", 1, 1 + ALWAYS},
	        {"new_value.x in [#, 'none']", "{\"x\":1000}", 1, 1 + ALWAYS},
	        {"new_value.id == 'u#' && new_value.plan == 'pro'",
	         "{\"plan\":\"pro\",\"id\":\"u1000\"}", 1, 1 + ALWAYS},
	        {"new_value.x >= #.0 && new_value.x < 1001.0", "{\"x\":1000}", 1001, 1001},
	        {"new_value.x > #.1 && new_value.x < #.9", "{\"x\":1000.5}", 1, 1 + ALWAYS},
	        {"new_value.id.startsWith('u#/')", "{\"id\":\"u1000/x\"}", 1, 1 + ALWAYS},
	        {"new_value.id.endsWith('/u#')", "{\"id\":\"x/u1000\"}", 1, 1 + ALWAYS},
	        {"new_value.id.matches('^u#/')", "{\"id\":\"u1000/x\"}", 1, 1 + ALWAYS},
	        {"has(new_value.p#)", "{\"p1000\":null}", 1, 1 + ALWAYS},
	        {"new_value.p#", "{\"p1000\":true}", 1, 1 + ALWAYS},
	        {"key == 'k#' || new_value.x == #", "{\"x\":1001}", 2, 2 + ALWAYS},
	        {"became('x', #)", "{\"x\":1000}", 1, 1 + ALWAYS},
	        {"!(new_value.x != #)", "{\"x\":1000}", 1, 1 + ALWAYS},
	        {"created() && new_value.x < #.0", "{\"x\":1}", 0, 0},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		size_t woken = 0;
		uint64_t asked = asked_of_many(CASES[i].form, CASES[i].new_value, &woken);
		if (woken != CASES[i].woken || asked > CASES[i].asked) {
			fail_msg("%s: %zu woken, %llu asked", CASES[i].form, woken,
			         (unsigned long long)asked);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_index_finds_what_a_scan_finds),
	        cmocka_unit_test(the_index_can_be_off),
	        cmocka_unit_test(conditions_on_other_values_are_not_asked),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
