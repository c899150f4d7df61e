/* This file tests what is said of a filter's answer: the reason, the part that said no, the values.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/unit/matching_fixture.h"
#include "triggers/event_draft.h"
#include "triggers/on_state.h"
#include "triggers/ruling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct filter *parse(const char *config)
{
	const struct trigger_request request = {.env = env, .config = span_of(config)};
	struct trigger_policy policy;
	struct filter *filter = NULL;
	struct err err = {0};
	if (on_state_parse(&request, &filter, &policy, &err) != 0) {
		fail_msg("%s: %s", config, err.text);
	}
	return filter;
}

/* What is written of this event must be exactly `wanted`. */
static void expect(const char *config, const struct event *event, const char *wanted)
{
	struct filter *filter = parse(config);
	struct value error;
	struct buf out = {0};
	filter->metadata = SPAN("{\"team\":\"x\"}");
	matching_begin(&matching, event);
	enum ruling ruling = ruling_of(filter, &matching, &error);
	buf_byte(&out, '{');
	ruling_write(filter, &matching, ruling, &out);
	buf_byte(&out, '}');
	struct err err = {0};
	if (json_check(buf_view(&out), NULL, &err) != 0) {
		fail_msg("%.*s: %s", SPAN_ARG(buf_view(&out)), err.text);
	}
	if (!span_is(buf_view(&out), wanted)) {
		fail_msg("%s: %.*s", config, SPAN_ARG(buf_view(&out)));
	}
	/* What wakes is what the filter wakes for, and ruling left no trace. */
	assert_int_equal(filter->tally.considered, 0);
	matching_begin(&matching, event);
	enum filter_answer answer = filter_matches(filter, &matching);
	assert_int_equal(ruling_wakes(ruling) || ruling == RULING_DEAD_ON_ERROR,
	                 filter_wakes(filter, answer));
	buf_free(&out);
	filter_free(filter);
}

static const struct event change = {
        .seq = 7,
        .kind = EVENT_UPDATED,
        .scope = {"users", 5},
        .key = {"ada", 3},
        .old_value = {"{\"n\":1,\"p\":\"a\"}", 15},
        .new_value = {"{\"n\":2,\"p\":\"a\"}", 15},
};

static void fields_say_what_does_not_fit(void **state)
{
	(void)state;
	expect("{}", &change, "{\"reason\":\"fired\",\"text\":\"fired\"}");
	expect("{\"scope\":\"x\",\"events\":[\"deleted\"],\"key\":\"k\"}", &change,
	       "{\"reason\":\"scope\",\"text\":\"scope does not match: it wants \\\"x\\\"\"}");
	expect("{\"events\":[\"deleted\"],\"key\":\"k\"}", &change,
	       "{\"reason\":\"events\",\"text\":\"events does not list state:updated\"}");
	expect("{\"key\":\"k*\"}", &change,
	       "{\"reason\":\"key\",\"text\":\"key does not match: it wants \\\"k*\\\"\"}");
	expect("{\"changed\":[\"p\",[\"a/b\",\"~\"]]}", &change,
	       "{\"reason\":\"changed\",\"text\":\"changed: none of the paths differs\",\"saw\":["
	       "{\"source\":\"/p\",\"type\":\"string\",\"value\":\"\\\"a\\\"\"},"
	       "{\"source\":\"/a~1b/~0\",\"error\":{\"code\":\"no_such_key\","
	       "\"text\":\"there is no such key\"}}]}");
}

static void a_condition_shows_the_part_that_said_no(void **state)
{
	(void)state;
	expect("{\"when\":\"new_value.n == 2 && metadata.team == 'y' && false\"}", &change,
	       "{\"reason\":\"condition_false\",\"text\":\"its condition is false\",\"conjunct\":{"
	       "\"source\":\"metadata.team == 'y'\",\"type\":\"bool\",\"value\":\"false\"},"
	       "\"saw\":[{\"source\":\"metadata.team\",\"type\":\"string\",\"value\":\"\\\"x\\\"\"}"
	       "]}");
	/* An error is absorbed by what is false: that is what said no. */
	expect("{\"when\":\"new_value.q == 2 && new_value.n == 3\"}", &change,
	       "{\"reason\":\"condition_false\",\"text\":\"its condition is false\",\"conjunct\":{"
	       "\"source\":\"new_value.n == 3\",\"type\":\"bool\",\"value\":\"false\"},"
	       "\"saw\":[{\"source\":\"new_value.n\",\"type\":\"double\",\"value\":\"2\"}]}");
}

static void a_condition_that_fails_shows_the_error(void **state)
{
	(void)state;
	static const char SHOWN[] =
	        ",\"conjunct\":{\"source\":\"new_value.q == "
	        "2\",\"error\":{\"code\":\"no_such_key\","
	        "\"text\":\"there is no such key: 'q'\"}},\"saw\":[{\"source\":\"new_value.q\","
	        "\"error\":{\"code\":\"no_such_key\",\"text\":\"there is no such key: 'q'\"}}]}";
	static const struct {
		const char *on_error;
		const char *reason;
		const char *text;
	} cases[] = {
	        {"ignore", "condition_error", "its condition failed"},
	        {"fire", "fired_on_error",
	         "fired, since on_condition_error is fire; its condition failed"},
	        {"dead", "dead_on_error",
	         "a dead letter, since on_condition_error is dead; its condition failed"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf config = {0};
		struct buf wanted = {0};
		buf_format(&config,
		           "{\"when\":\"new_value.q == 2\",\"on_condition_error\":\"%s\"}%c",
		           cases[i].on_error, 0);
		buf_format(&wanted,
		           "{\"reason\":\"%s\",\"text\":\"%s: there is no such key: 'q', in "
		           "new_value.q == 2\"%s%c",
		           cases[i].reason, cases[i].text, SHOWN, 0);
		expect(config.ptr, &change, wanted.ptr);
		buf_free(&config);
		buf_free(&wanted);
	}
}

static void an_edge_tells_which_side(void **state)
{
	(void)state;
	expect("{\"when\":\"new_value.p == 'a'\",\"fire\":\"rising\"}", &change,
	       "{\"reason\":\"edge\",\"text\":\"fire: rising: it was true before\"}");
	expect("{\"when\":\"new_value.p == 'a'\",\"fire\":\"falling\"}", &change,
	       "{\"reason\":\"edge\",\"text\":\"fire: falling: it is still true\"}");
	expect("{\"when\":\"new_value.n == 2\",\"fire\":\"rising\"}", &change,
	       "{\"reason\":\"fired\",\"text\":\"fired\"}");
	expect("{\"when\":\"new_value.n == 2\",\"fire\":\"falling\"}", &change,
	       "{\"reason\":\"condition_false\",\"text\":\"fire: falling: its condition was not "
	       "true of "
	       "the old value\",\"conjunct\":{\"source\":\"new_value.n == 2\",\"type\":\"bool\","
	       "\"value\":\"false\"},\"saw\":[{\"source\":\"old_value.n\",\"type\":\"double\","
	       "\"value\":\"1\"}]}");
	struct event deleted = change;
	deleted.kind = EVENT_DELETED;
	deleted.new_value = SPAN_NONE;
	expect("{\"when\":\"new_value == null\",\"fire\":\"rising\"}", &deleted,
	       "{\"reason\":\"condition_false\",\"text\":\"fire: rising: there is no new value\"}");
	expect("{\"when\":\"new_value.n == 1\",\"fire\":\"falling\"}", &deleted,
	       "{\"reason\":\"fired\",\"text\":\"fired\"}");
	struct event created = change;
	created.kind = EVENT_CREATED;
	created.old_value = SPAN_NONE;
	expect("{\"when\":\"new_value == null\",\"fire\":\"falling\"}", &created,
	       "{\"reason\":\"condition_false\",\"text\":\"fire: falling: there was no old "
	       "value\"}");
}

static void words_are_told_apart(void **state)
{
	(void)state;
	for (int i = 0; i < RULING_COUNT; i++) {
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(ruling_word((enum ruling)i),
			                        ruling_word((enum ruling)j));
		}
	}
}

static void long_values_are_cut(void **state)
{
	(void)state;
	struct buf value = {0};
	struct buf out = {0};
	BUF_LITERAL(&value, "\"");
	for (int i = 0; i < 100000; i++) {
		buf_byte(&value, 'x');
	}
	BUF_LITERAL(&value, "\"");
	struct event event = change;
	event.new_value = buf_view(&value);
	struct filter *filter = parse("{\"when\":\"new_value == 'y'\"}");
	matching_begin(&matching, &event);
	buf_byte(&out, '{');
	ruling_write(filter, &matching, RULING_CONDITION_FALSE, &out);
	assert_true(out.len < 1000);
	filter_free(filter);
	buf_free(&out);
	buf_free(&value);
}

/* ---- events that people write ---- */

static void draft(const char *json, enum event_kind kind)
{
	struct buf texts = {0};
	struct event event;
	struct err err = {0};
	if (event_draft_read(span_of(json), &texts, &event, &err) != 0) {
		fail_msg("%s: %s", json, err.text);
	}
	assert_int_equal(event.kind, kind);
	assert_true(span_is(event.scope, "s"));
	assert_true(span_is(event.key, "k"));
	buf_free(&texts);
}

static void refuse(const char *json, const char *word)
{
	struct buf texts = {0};
	struct event event;
	struct err err = {0};
	assert_int_equal(event_draft_read(span_of(json), &texts, &event, &err), E_INVALID);
	assert_string_equal(err.code, "invalid_event");
	if (strstr(err.text, word) == NULL) {
		fail_msg("%s: %s", json, err.text);
	}
	buf_free(&texts);
}

static void a_draft_is_completed_or_refused(void **state)
{
	(void)state;
	draft("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1}", EVENT_CREATED);
	draft("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"old_value\":2}", EVENT_UPDATED);
	draft("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":null,\"old_value\":2}", EVENT_DELETED);
	draft("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"event_type\":\"state:touched\"}",
	      EVENT_TOUCHED);
	refuse("[]", "object");
	refuse("{\"key\":\"k\",\"new_value\":1}", "scope");
	refuse("{\"scope\":\"s\",\"key\":\"\",\"new_value\":1}", "'key'");
	refuse("{\"scope\":\"s\",\"key\":\"k\"}", "new_value");
	refuse("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"event_type\":5}", "text");
	refuse("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"event_type\":\"created\"}",
	       "state:created");
	refuse("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"seq\":-1}", "seq");
	refuse("{\"scope\":\"s\",\"key\":\"k\",\"new_value\":1,\"time\":\"noon\"}", "time");
	refuse("{\"scope\":\"s\",\"key\":\"k\",\"new_vale\":1}", "'new_value'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(fields_say_what_does_not_fit),
	        cmocka_unit_test(a_condition_shows_the_part_that_said_no),
	        cmocka_unit_test(a_condition_that_fails_shows_the_error),
	        cmocka_unit_test(an_edge_tells_which_side),
	        cmocka_unit_test(words_are_told_apart),
	        cmocka_unit_test(long_values_are_cut),
	        cmocka_unit_test(a_draft_is_completed_or_refused),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
