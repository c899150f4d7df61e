/* This file tests what a state trigger may ask for, and which events it then wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "triggers/filter.h"
#include "triggers/on_state.h"
#include "triggers/triggers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct condition_env *env;

static int open_env(void **state)
{
	(void)state;
	env = condition_env_new();
	return 0;
}

static int close_env(void **state)
{
	(void)state;
	condition_env_free(env);
	return 0;
}

static int parse_state(struct span config, struct filter **out, struct trigger_policy *out_policy,
                       struct err *err)
{
	const struct trigger_request request = {
	        .env = env, .type = SPAN("state"), .config = config};
	return trigger_parse(&request, out, out_policy, err);
}

static struct filter *parse(const char *config, struct trigger_policy *out_policy)
{
	struct filter *filter = NULL;
	struct trigger_policy policy;
	struct err err = {0};
	assert_int_equal(json_check(span_of(config), NULL, &err), 0);
	if (parse_state(span_of(config), &filter, &policy, &err) != 0) {
		fail_msg("%s: %s", config, err.text);
	}
	if (out_policy != NULL) {
		*out_policy = policy;
	}
	return filter;
}

static enum filter_answer ask(const char *config, struct event event)
{
	struct filter *filter = parse(config, NULL);
	struct matching matching;
	matching_init(&matching, env, SPAN("log"));
	matching_begin(&matching, &event);
	enum filter_answer answer = filter_matches(filter, &matching);
	matching_close(&matching);
	filter_free(filter);
	return answer;
}

static bool wants(const char *config, struct event event)
{
	return ask(config, event) == FILTER_YES;
}

static struct event updated(const char *old_value, const char *new_value)
{
	return (struct event){.kind = EVENT_UPDATED,
	                      .scope = SPAN("users"),
	                      .key = SPAN("user_1"),
	                      .old_value = span_of(old_value),
	                      .new_value = span_of(new_value)};
}

static void scope_and_key_are_exact_globs_or_regexes(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{}", event));
	assert_true(wants("{\"scope\":null,\"key\":null}", event));
	assert_true(wants("{\"scope\":\"users\"}", event));
	assert_false(wants("{\"scope\":\"user\"}", event));
	assert_false(wants("{\"scope\":\"u*\"}", event));
	assert_true(wants("{\"key\":\"user_1\"}", event));
	assert_true(wants("{\"key\":\"user\\u005f1\"}", event));
	assert_false(wants("{\"key\":\"user_\"}", event));
	assert_true(wants("{\"key\":\"user_*\"}", event));
	assert_true(wants("{\"key\":\"user_[0-9]\"}", event));
	assert_false(wants("{\"key\":\"user_\\\\*\"}", event));
	assert_true(wants("{\"key_regex\":\"^user_\\\\d$\"}", event));
	assert_true(wants("{\"key_regex\":\"er\"}", event));
	assert_false(wants("{\"key_regex\":\"^er\"}", event));
	event.key = SPAN("user_*");
	assert_true(wants("{\"key\":\"user_\\\\*\"}", event));
	event.key = SPAN("c:\\x");
	assert_true(wants("{\"key\":\"c:\\\\\\\\x\"}", event));
}

static void events_are_named(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{\"events\":[\"updated\"]}", event));
	assert_true(wants("{\"events\":[\"created\",\"state:updated\"]}", event));
	assert_false(wants("{\"events\":[\"created\",\"deleted\"]}", event));
	event.kind = EVENT_TOUCHED;
	assert_false(wants("{}", event));
	assert_true(wants("{\"events\":[\"touched\"]}", event));
	event.kind = EVENT_DELETED;
	assert_true(wants("{}", event));
}

static void changed_compares_values_at_paths(void **state)
{
	(void)state;
	static const struct {
		const char *changed;
		const char *old_value;
		const char *new_value;
		bool wanted;
	} CASES[] = {
	        {"[\"a\"]", "{\"a\":1}", "{\"a\":2}", true},
	        {"[\"a\"]", "{\"a\":1,\"b\":1}", "{\"b\":2,\"a\":1.0}", false},
	        {"[\"a\"]", "{}", "{\"a\":null}", true},
	        {"[\"a\"]", "{\"a\":null}", "{}", true},
	        {"[\"a\"]", "{}", "{\"b\":1}", false},
	        {"[\"a\"]", NULL, "{\"a\":1}", true},
	        {"[\"a\"]", NULL, "{\"b\":1}", false},
	        {"[\"a\"]", "{\"a\":1}", NULL, true},
	        {"[\"a\"]", "5", "6", false},
	        {"[\"a\"]", "{\"a\":1}", "6", true},
	        {"[\"a\",\"b\"]", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":2}", true},
	        {"[\"a.b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", false},
	        {"[\"a.b\"]", "{\"a.b\":1}", "{\"a.b\":2}", true},
	        {"[\"/a/b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", true},
	        {"[\"/a/b\"]", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}", false},
	        {"[\"/a~1b/~0\"]", "{\"a/b\":{\"~\":1}}", "{\"a/b\":{\"~\":2}}", true},
	        {"[\"/\"]", "{\"\":1}", "{\"\":2}", true},
	        {"[\"/a/\"]", "{\"a\":{\"\":1}}", "{\"a\":{\"\":2}}", true},
	        {"[\"/a/1\"]", "{\"a\":[0,1]}", "{\"a\":[0,2]}", true},
	        {"[[\"a\",1]]", "{\"a\":[0,1]}", "{\"a\":[5,1]}", false},
	        {"[[\"a\",\"/b\"]]", "{\"a\":{\"/b\":1}}", "{\"a\":{\"/b\":[]}}", true},
	        {"[\"\\u0061\"]", "{\"a\":{\"x\":1,\"y\":2}}", "{\"\\u0061\":{\"y\":2,\"x\":1}}",
	         false},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct buf config = {0};
		buf_format(&config, "{\"changed\":%s}%c", CASES[i].changed, 0);
		struct event event = updated(CASES[i].old_value, CASES[i].new_value);
		if (wants(config.ptr, event) != CASES[i].wanted) {
			fail_msg("%s from %s to %s", config.ptr, CASES[i].old_value,
			         CASES[i].new_value);
		}
		buf_free(&config);
	}
}

/* ---- when ---- */

struct question {
	const char *config; /* the rest behind {"when": */
	struct event event;
	enum filter_answer answer;
};

static void check_all(const struct question questions[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf config = {0};
		buf_format(&config, "{\"when\":%s}%c", questions[i].config, 0);
		enum filter_answer answer = ask(config.ptr, questions[i].event);
		if (answer != questions[i].answer) {
			fail_msg("%s: %d, not %d", config.ptr, answer, questions[i].answer);
		}
		buf_free(&config);
	}
}

#define CHECK_ALL(list) check_all((list), sizeof(list) / sizeof *(list))

static struct event created(const char *new_value)
{
	struct event event = updated(NULL, new_value);
	event.kind = EVENT_CREATED;
	return event;
}

static struct event deleted(const char *old_value)
{
	struct event event = updated(old_value, NULL);
	event.kind = EVENT_DELETED;
	return event;
}

static void conditions_see_the_event(void **state)
{
	(void)state;
	struct event event = updated("{\"n\":1}", "{\"n\":9007199254740993,\"s\":\"\\u00e4\"}");
	event.seq = 7;
	event.epoch = 2;
	event.rev = 8;
	event.time_ms = 1500;
	event.reason = SPAN("expired");
	event.cause =
	        (struct event_cause){.root = SPAN("log-2-1"), .depth = 2, .path = SPAN("a\nb")};
	const struct question QUESTIONS[] = {
	        {"\"scope == 'users' && key == 'user_1'\"", event, FILTER_YES},
	        {"\"event_type == 'state:updated' && event.type == 'state'\"", event, FILTER_YES},
	        {"\"new_value.n == 9007199254740993 && new_value.n != 9007199254740992\"", event,
	         FILTER_YES},
	        {"\"old_value.n == 1.0 && old_value.n + 1 == 2.0\"", event, FILTER_YES},
	        {"\"new_value.s == '\u00e4'\"", event, FILTER_YES},
	        {"\"seq == 7 && event.seq == 7 && event.rev == '8'\"", event, FILTER_YES},
	        {"\"time == timestamp('1970-01-01T00:00:01.5Z') && event.time == time\"", event,
	         FILTER_YES},
	        {"\"event.id == 'log-2-7' && event.reason == 'expired'\"", event, FILTER_YES},
	        {"\"event.cause.depth == 2 && event.cause.path == ['a', 'b'] && "
	         "event.cause.root == 'log-2-1'\"",
	         event, FILTER_YES},
	        {"\"event['new_value'].s == new_value.s && event.old_value == old_value\"", event,
	         FILTER_YES},
	        {"\"!has(event.nothing) && has(event.new_value)\"", event, FILTER_YES},
	        {"\"metadata == null\"", event, FILTER_YES},
	        {"\"old_value == null && !has(old_value.n)\"", created("{}"), FILTER_YES},
	        {"\"new_value == null\"", deleted("{}"), FILTER_YES},
	        {"\"event.new_value == null\"", deleted("{}"), FILTER_YES},
	        {"\"new_value.n > 5\"", event, FILTER_YES},
	        {"\"new_value.missing > 5\"", event, FILTER_ERROR},
	        {"\"new_value.missing > 5 && scope == 'x'\"", event, FILTER_NO},
	        {"\"new_value.missing > 5 || scope == 'users'\"", event, FILTER_YES},
	        {"\"new_value.s\"", event, FILTER_ERROR},
	        {"\"true\",\"scope\":\"x\"", event, FILTER_NO},
	};
	CHECK_ALL(QUESTIONS);
}

static void helpers_look_at_both_values(void **state)
{
	(void)state;
	const struct question QUESTIONS[] = {
	        {"\"created()\"", created("1"), FILTER_YES},
	        {"\"created()\"", updated("1", "2"), FILTER_NO},
	        {"\"updated() && !deleted()\"", updated("1", "2"), FILTER_YES},
	        {"\"deleted()\"", deleted("1"), FILTER_YES},
	        {"\"changed('a')\"", updated("{\"a\":1}", "{\"a\":2}"), FILTER_YES},
	        {"\"changed('a')\"", updated("{\"a\":1}", "{\"a\":1.0}"), FILTER_NO},
	        {"\"changed('a')\"", updated("{}", "{\"a\":null}"), FILTER_YES},
	        {"\"changed('a')\"", updated("{}", "{}"), FILTER_NO},
	        {"\"changed('a')\"", updated("5", "6"), FILTER_NO},
	        {"\"changed('a')\"", updated("5", "{\"a\":1}"), FILTER_YES},
	        {"\"changed('a')\"", created("{\"a\":1}"), FILTER_YES},
	        {"\"changed('a')\"", created("{}"), FILTER_NO},
	        {"\"changed('a')\"", deleted("{\"a\":1}"), FILTER_YES},
	        {"\"changed('a.b')\"", updated("{\"a.b\":1}", "{\"a.b\":2}"), FILTER_YES},
	        {"\"changed('/a/b')\"", updated("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}"),
	         FILTER_YES},
	        {"\"changed('/a/b')\"", updated("{\"a\":{\"b\":1}}", "{\"a\":7}"), FILTER_YES},
	        {"\"changed('/a/b')\"", updated("{\"a\":6}", "{\"a\":7}"), FILTER_NO},
	        {"\"changed('/a~1b/~0')\"", updated("{\"a/b\":{\"~\":1}}", "{\"a/b\":{\"~\":2}}"),
	         FILTER_YES},
	        {"\"changed(['a', 'b'])\"",
	         updated("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,2]}}"), FILTER_NO},
	        {"\"changed(['a', 1])\"", updated("{\"a\":[1,2]}", "{\"a\":[1,3]}"), FILTER_YES},
	        {"\"changed('/a/1')\"", updated("{\"a\":[1,2]}", "{\"a\":[0,2]}"), FILTER_NO},
	        {"\"changed('/a/1')\"", updated("{\"a\":{\"1\":2}}", "{\"a\":{\"1\":3}}"),
	         FILTER_YES},
	        {"\"became('a', 'x')\"", updated("{\"a\":1}", "{\"a\":\"x\"}"), FILTER_YES},
	        {"\"became('a', 'x')\"", updated("{\"a\":\"x\"}", "{\"a\":\"x\"}"), FILTER_NO},
	        {"\"became('a', 'x')\"", created("{\"a\":\"x\"}"), FILTER_YES},
	        {"\"became('a', 'x')\"", created("{}"), FILTER_NO},
	        {"\"became('a', 'x')\"", deleted("{\"a\":\"x\"}"), FILTER_NO},
	        {"\"became('a', 'x')\"", updated("5", "6"), FILTER_NO},
	        {"\"became('/a/0', old_value.b)\"", updated("{\"b\":2,\"a\":[1]}", "{\"a\":[2]}"),
	         FILTER_YES},
	};
	CHECK_ALL(QUESTIONS);
}

static void edges_compare_the_two_values(void **state)
{
	(void)state;
#define RISING  "\"new_value.n > 5\",\"fire\":\"rising\""
#define FALLING "\"new_value.n > 5\",\"fire\":\"falling\""
	const struct question QUESTIONS[] = {
	        {RISING, updated("{\"n\":1}", "{\"n\":6}"), FILTER_YES},
	        {RISING, updated("{\"n\":6}", "{\"n\":7}"), FILTER_NO},
	        {RISING, updated("{\"n\":6}", "{\"n\":1}"), FILTER_NO},
	        {RISING, updated("{}", "{\"n\":6}"), FILTER_YES},
	        {RISING, updated("{\"n\":6}", "{}"), FILTER_ERROR},
	        {RISING, created("{\"n\":6}"), FILTER_YES},
	        {RISING, created("{\"n\":1}"), FILTER_NO},
	        {RISING, deleted("{\"n\":6}"), FILTER_NO},
	        {FALLING, updated("{\"n\":6}", "{\"n\":1}"), FILTER_YES},
	        {FALLING, updated("{\"n\":6}", "{}"), FILTER_YES},
	        {FALLING, updated("{\"n\":6}", "{\"n\":7}"), FILTER_NO},
	        {FALLING, updated("{\"n\":1}", "{\"n\":6}"), FILTER_NO},
	        {FALLING, deleted("{\"n\":6}"), FILTER_YES},
	        {FALLING, deleted("{\"n\":1}"), FILTER_NO},
	        {FALLING, created("{\"n\":6}"), FILTER_NO},
	        {FALLING, updated("{}", "{\"n\":6}"), FILTER_ERROR},
	};
	CHECK_ALL(QUESTIONS);
}

/* Each is true of null, and none of a value that is not there. */
static void what_is_absent_is_not_true_for_an_edge(void **state)
{
	(void)state;
#define FEW(fire) "\"new_value.?n.orValue(1) < 2\",\"fire\":\"" fire "\""
	const struct question QUESTIONS[] = {
	        {FEW("rising"), created("{\"n\":1}"), FILTER_YES},
	        {FEW("rising"), created("{}"), FILTER_YES},
	        {FEW("rising"), created("{\"n\":3}"), FILTER_NO},
	        {FEW("rising"), deleted("{\"n\":3}"), FILTER_NO},
	        {FEW("rising"), deleted("{\"n\":1}"), FILTER_NO},
	        {FEW("rising"), updated("null", "{\"n\":1}"), FILTER_NO},
	        {FEW("falling"), deleted("{\"n\":1}"), FILTER_YES},
	        {FEW("falling"), deleted("{\"n\":3}"), FILTER_NO},
	        {FEW("falling"), created("{\"n\":3}"), FILTER_NO},
	        {FEW("falling"), created("{\"n\":1}"), FILTER_NO},
	        {"\"event_type in ['state:created', key]\"", created("1"), FILTER_YES},
	        {"\"event.type == 'state' && event_type != 'state:touched'\"", created("1"),
	         FILTER_YES},
	        {"\"['x'].exists(event_type, event_type == 'x')\"", created("1"), FILTER_YES},
	        {"\"event_type == 'state:' + 'created'\"", created("1"), FILTER_YES},
	        {"\"true\",\"fire\":\"rising\"", created("1"), FILTER_YES},
	        {"\"true\",\"fire\":\"rising\"", deleted("1"), FILTER_NO},
	        {"\"new_value == null\",\"fire\":\"rising\"", deleted("1"), FILTER_NO},
	        {"\"new_value == null\",\"fire\":\"rising\"", updated("1", "null"), FILTER_YES},
	};
	CHECK_ALL(QUESTIONS);
}

static void a_condition_has_its_triggers_metadata(void **state)
{
	(void)state;
	struct filter *first = parse("{\"when\":\"metadata.plan == new_value.plan\"}", NULL);
	struct filter *second = parse("{\"when\":\"metadata.plan == new_value.plan\"}", NULL);
	struct event event = created("{\"plan\":\"pro\"}");
	struct matching matching;
	first->metadata = SPAN("{\"plan\":\"pro\"}");
	second->metadata = SPAN("{\"plan\":\"free\"}");
	matching_init(&matching, env, SPAN("log"));
	for (int i = 0; i < 2; i++) {
		matching_begin(&matching, &event);
		assert_int_equal(filter_matches(first, &matching), FILTER_YES);
		assert_int_equal(filter_matches(second, &matching), FILTER_NO);
		assert_int_equal(filter_matches(first, &matching), FILTER_YES);
	}
	assert_int_equal(second->tally.condition_false, 2);
	second->metadata = SPAN_NONE;
	matching_begin(&matching, &event);
	assert_int_equal(filter_matches(second, &matching), FILTER_ERROR);
	matching_close(&matching);
	filter_free(first);
	filter_free(second);
}

static void errors_are_counted_and_kept(void **state)
{
	(void)state;
	struct filter *filter = parse("{\"when\":\"new_value.plan == 'pro'\"}", NULL);
	struct event event = created("{}");
	struct matching matching;
	matching_init(&matching, env, SPAN("log"));
	for (event.seq = 1; event.seq <= 3; event.seq++) {
		matching_begin(&matching, &event);
		assert_int_equal(filter_matches(filter, &matching), FILTER_ERROR);
	}
	const struct filter_tally *tally = &filter->tally;
	assert_int_equal(tally->considered, 3);
	assert_int_equal(tally->condition_errors, 3);
	assert_int_equal(tally->condition_false, 0);
	assert_int_equal(tally->error_seq, 3);
	assert_string_equal(filter_error(filter),
	                    "there is no such key: 'plan', in new_value.plan == 'pro'");
	assert_ptr_equal(filter_error(filter), tally->error_text);
	assert_int_equal(tally->samples, 1);
	assert_true(tally->samples_ns > 0);
	assert_false(filter_wakes(filter, FILTER_ERROR));
	event.new_value = SPAN("5");
	matching_begin(&matching, &event);
	assert_int_equal(filter_matches(filter, &matching), FILTER_ERROR);
	assert_string_equal(filter_error(filter),
	                    "a value of type double has no fields, in new_value.plan == 'pro'");
	matching_close(&matching);
	filter_free(filter);
}

/* However many conditions there are, an event costs no more than its budget. */
static void an_event_has_a_budget(void **state)
{
	(void)state;
	static const char HEAVY[] =
	        "{\"when\":\"new_value.all(x, new_value.all(y, x != y + 1000))\"}";
	struct filter *filter = parse(HEAVY, NULL);
	struct buf list = {0};
	struct matching matching;
	BUF_LITERAL(&list, "[0");
	for (int i = 1; i < 100; i++) {
		buf_format(&list, ",%d", i);
	}
	BUF_LITERAL(&list, "]");
	struct event event = created("1");
	event.new_value = buf_view(&list);
	matching_init(&matching, env, SPAN("log"));
	matching_begin(&matching, &event);
	assert_int_equal(filter_matches(filter, &matching), FILTER_YES);
	int times = 1;
	while (filter_matches(filter, &matching) == FILTER_YES) {
		times++;
	}
	assert_true(times > 10 && times < 1000);
	assert_non_null(strstr(filter_error(filter), "budget"));
	assert_int_equal(filter_matches(filter, &matching), FILTER_ERROR);
	matching_begin(&matching, &event);
	assert_int_equal(filter_matches(filter, &matching), FILTER_YES);
	matching_close(&matching);
	buf_free(&list);
	filter_free(filter);
}

/* ---- select ---- */

static int select_from(const char *select, struct event event, struct buf *out, struct err *err)
{
	struct buf config = {0};
	buf_format(&config, "{\"select\":%s}%c", select, 0);
	struct filter *filter = parse(config.ptr, NULL);
	struct matching matching;
	matching_init(&matching, env, SPAN("log"));
	matching_begin(&matching, &event);
	int status = selection_write(filter->selection, &matching, SPAN("{\"m\":1}"), out, err);
	matching_close(&matching);
	filter_free(filter);
	buf_free(&config);
	return status;
}

static void a_selection_shapes_the_event(void **state)
{
	(void)state;
	const struct event event =
	        updated("{\"plan\":\"free\"}",
	                "{\"id\":9007199254740993,\"email\":\"a@b\\u00e4\",\"l\":[1.50, 2]}");
	static const struct {
		const char *select;
		const char *gives;
	} CASES[] = {
	        {"[\"key\",\"new_value.id\",\"new_value.l\"]",
	         "[\"user_1\",9007199254740993,[1.50, 2]]"},
	        {"{\"email\":\"new_value.email\",\"was\":\"old_value.?plan.orValue('none')\"}",
	         "{\"email\":\"a@bä\",\"was\":\"free\"}"},
	        {"{\"b\":\"new_value.?nothing\",\"a\":\"old_value.?plan\"}", "{\"a\":\"free\"}"},
	        {"[\"new_value.?nothing\",\"1 + 1\"]", "[2]"},
	        {"{\"user\":{\"id\":\"key\",\"tags\":[\"scope\",\"metadata.m\"]},\"z\":\"null\"}",
	         "{\"user\":{\"id\":\"user_1\",\"tags\":[\"users\",1]},\"z\":null}"},
	        {"{\"n\":\"{'x': [new_value.id == 9007199254740993]}\"}", "{\"n\":{\"x\":[true]}}"},
	        {"[\"event.key\",\"event\"]", NULL},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct buf out = {0};
		struct err err = {0};
		int status = select_from(CASES[i].select, event, &out, &err);
		assert_string_equal(err.text, "");
		assert_int_equal(status, 0);
		assert_int_equal(json_check(buf_view(&out), NULL, &err), 0);
		if (CASES[i].gives != NULL && !span_is(buf_view(&out), CASES[i].gives)) {
			fail_msg("%s: %.*s", CASES[i].select, SPAN_ARG(buf_view(&out)));
		}
		buf_free(&out);
	}
}

static void a_selection_may_fail(void **state)
{
	(void)state;
	static const char *const CASES[] = {
	        "{\"a\":\"new_value.nothing\"}",
	        "[\"1\",{\"a\":[\"1 / int(new_value.zero)\"]}]",
	        "[\"0.0 / 0.0\"]",
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct buf out = {0};
		struct err err = {0};
		assert_int_equal(select_from(CASES[i], updated("{}", "{\"zero\":0}"), &out, &err),
		                 E_INVALID);
		assert_string_equal(err.code, "select_failed");
		assert_non_null(strstr(err.text, "select: "));
		assert_int_equal(out.len, 0);
	}
}

/* What a replayed dead letter has of its event is its JSON. */
static void an_event_is_read_back_from_its_json(void **state)
{
	(void)state;
	struct event event = updated("{\"a\":1}", NULL);
	event.kind = EVENT_DELETED;
	event.scope = SPAN("a\"b");
	event.seq = 12;
	event.epoch = 3;
	event.rev = 12;
	event.time_ms = 1767323045678;
	event.reason = SPAN("expired");
	struct buf json = {0};
	struct buf texts = {0};
	struct event back;
	event_write_json(&event, SPAN("log"), NULL, &json);
	event_read_json(buf_view(&json), &texts, &back);
	assert_int_equal(back.kind, EVENT_DELETED);
	assert_true(span_equal(back.scope, event.scope) && span_equal(back.key, event.key));
	assert_true(span_equal(back.old_value, event.old_value));
	assert_null(back.new_value.ptr);
	assert_int_equal(back.seq, 12);
	assert_int_equal(back.epoch, 3);
	assert_int_equal(back.rev, 12);
	assert_int_equal(back.time_ms, event.time_ms);
	assert_true(span_is(back.reason, "expired"));
	buf_clear(&texts);
	event_read_json(SPAN("{\"time\":\"soon\",\"seq\":\"x\"}"), &texts, &back);
	assert_int_equal(back.time_ms, 0);
	assert_int_equal(back.kind, EVENT_UPDATED);
	buf_free(&json);
	buf_free(&texts);
}

static void conditions_are_refused_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		const char *code;
		const char *says[3];
		const char *member;
		const char *caret; /* the last line of what is shown */
	} CASES[] = {
	        {"{\"when\":\"new_valu.plan == 'pro'\"}",
	         "invalid_condition",
	         {"'when': ", "new_valu", "line 1, column 1"},
	         "when",
	         "^"},
	        {"{\"when\":\"key == 'a' &&\\n  cretated()\"}",
	         "invalid_condition",
	         {"'when'", "cretated", "line 2, column"},
	         "when",
	         "^"},
	        {"{\"when\":\"1 +\"}",
	         "invalid_condition",
	         {"'when'", "line 1", "column"},
	         "when",
	         "^"},
	        {"{\"when\":\"'text'\"}", "invalid_condition", {"'when'", "", ""}, "when", "^"},
	        {"{\"when\":\"changed(key)\"}",
	         "invalid_condition",
	         {"changed() takes a path that is written out", "column 9", "JSON Pointer"},
	         "when",
	         "^"},
	        {"{\"when\":\"changed('/a~2')\"}",
	         "invalid_condition",
	         {"takes a path", "", ""},
	         "when",
	         "^"},
	        {"{\"when\":\"became([], 1)\"}",
	         "invalid_condition",
	         {"became()", "", ""},
	         "when",
	         "^"},
	        {"{\"when\":\"new_value.a && old_value.a\",\"fire\":\"rising\"}",
	         "invalid_condition",
	         {"with fire: rising or falling only", "column 16", "fire: change"},
	         "when",
	         "^"},
	        {"{\"when\":\"changed('a')\",\"fire\":\"falling\"}",
	         "invalid_condition",
	         {"with fire: rising or falling only", "", ""},
	         "when",
	         "^"},
	        {"{\"when\":\"nothing.a\",\"fire\":\"rising\"}",
	         "invalid_condition",
	         {"nothing", "", ""},
	         "when",
	         "^"},
	        {"{\"when\":\"became('a')\"}",
	         "invalid_condition",
	         {"became() does not take 1 argument", "a path and a value",
	          "became('plan', 'pro')"},
	         "when",
	         "^"},
	        {"{\"when\":\"value.a == 1\"}",
	         "invalid_condition",
	         {"no variable 'value'", "did you mean 'new_value'?", ""},
	         "when",
	         "^"},
	        {"{\"when\":\"event_type == 'created'\"}",
	         "invalid_condition",
	         {"event_type is never 'created'", "column 15", "created()"},
	         "when",
	         "^"},
	        {"{\"when\":\"'update' != event.event_type\"}",
	         "invalid_condition",
	         {"event.event_type is never 'update'", "column 1)", "updated()"},
	         "when",
	         "^"},
	        {"{\"when\":\"event.type == 'created'\"}",
	         "invalid_condition",
	         {"event.type is never 'created'", "column 15", "it is \"state\""},
	         "when",
	         "^"},
	        {"{\"when\":\"event_type in ['state:created', 'deleted']\"}",
	         "invalid_condition",
	         {"event_type is never 'deleted'", "column 33", "deleted()"},
	         "when",
	         "^"},
	        {"{\"when\":5}",
	         "invalid_trigger",
	         {"'when' must be the text", "", ""},
	         NULL,
	         NULL},
	        {"{\"fire\":\"rising\"}",
	         "invalid_trigger",
	         {"'fire' says something of 'when', which is missing", "", ""},
	         NULL,
	         NULL},
	        {"{\"on_condition_error\":\"dead\"}",
	         "invalid_trigger",
	         {"'on_condition_error' says", "", ""},
	         NULL,
	         NULL},
	        {"{\"when\":\"true\",\"fire\":\"sometimes\"}",
	         "invalid_trigger",
	         {"'fire' must be change, rising or falling", "", ""},
	         NULL,
	         NULL},
	        {"{\"select\":\"key\"}",
	         "invalid_trigger",
	         {"'select' must be a list", "", ""},
	         NULL,
	         NULL},
	        {"{\"select\":{\"a\":5}}",
	         "invalid_trigger",
	         {"'select' holds expressions", "", ""},
	         NULL,
	         NULL},
	        {"{\"select\":{\"a\":[\"key\",\"ky\"]}}",
	         "invalid_condition",
	         {"'select': 'a': there", "ky", "column 1"},
	         "select",
	         "^"},
	        {"{\"select\":[[[[[[[[[\"key\"]]]]]]]]]}",
	         "invalid_trigger",
	         {"8 deep", "", ""},
	         NULL,
	         NULL},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct filter *filter = NULL;
		struct trigger_policy policy;
		struct err err = {0};
		struct condition_fault where = {0};
		const struct trigger_request request = {.env = env,
		                                        .type = SPAN("state"),
		                                        .config = span_of(CASES[i].config),
		                                        .where = &where};
		int status = trigger_parse(&request, &filter, &policy, &err);
		bool says = strstr(err.text, CASES[i].says[0]) &&
		            strstr(err.text, CASES[i].says[1]) &&
		            strstr(err.text, CASES[i].says[2]);
		if (status != E_INVALID || !says || strcmp(err.code, CASES[i].code) != 0) {
			fail_msg("%s: %d %s: %s", CASES[i].config, status, err.code, err.text);
		}
		assert_null(filter);
		assert_true((where.member == NULL) == (CASES[i].member == NULL));
		if (where.member != NULL) {
			assert_string_equal(where.member, CASES[i].member);
			buf_byte(&where.text, 0);
			assert_non_null(strstr(where.text.ptr, CASES[i].caret));
		}
		buf_free(&where.text);
	}
	assert_int_equal(env->event_users, 0);
}

static void a_policy_says_only_what_the_config_says(void **state)
{
	(void)state;
	struct trigger_policy policy;
	filter_free(parse("{\"retry\":{\"max_ms\":null}}", &policy));
	assert_int_equal(policy.concurrency, 0);
	assert_int_equal(policy.order, ORDER_KEY);
	assert_false(policy.durable);
	assert_int_equal(policy.timeout_ms, 0);
	assert_null(policy.condition_function_id.ptr);
	assert_int_equal(policy.retry.max_attempts, -1);
	assert_int_equal(policy.retry.initial_ms, -1);
	assert_int_equal(policy.retry.max_ms, -1);
	assert_int_equal(policy.retry.multiplier, -1);
	assert_int_equal(policy.retry.jitter_percent, -1);
	assert_int_equal(policy.retry.max_age_ms, -1);
	struct filter *filter =
	        parse("{\"concurrency\":10000,\"order\":\"trigger\",\"durable\":true,"
	              "\"timeout_ms\":5e3,\"condition_function_id\":\"ask::me\",\"retry\":{"
	              "\"max_attempts\":3,\"initial_ms\":10,\"max_ms\":20,\"multiplier\":4.5,"
	              "\"jitter\":0,\"max_age\":\"1m\",\"schedule\":[\"5s\",\"2h\"]}}",
	              &policy);
	assert_int_equal(policy.concurrency, 10000);
	assert_int_equal(policy.order, ORDER_TRIGGER);
	assert_true(policy.durable);
	assert_int_equal(policy.timeout_ms, 5000);
	assert_true(span_is(policy.condition_function_id, "ask::me"));
	assert_ptr_equal(policy.condition_function_id.ptr, filter->condition_function_id.ptr);
	assert_int_equal(policy.retry.max_attempts, 3);
	assert_int_equal(policy.retry.initial_ms, 10);
	assert_int_equal(policy.retry.max_ms, 20);
	assert_int_equal(policy.retry.multiplier, 4500);
	assert_int_equal(policy.retry.jitter_percent, 0);
	assert_int_equal(policy.retry.max_age_ms, 60000);
	assert_int_equal(policy.retry.schedule_count, 2);
	assert_int_equal(policy.retry.schedule[0], 5000);
	assert_int_equal(policy.retry.schedule[1], 7200000);
	filter_free(filter);
}

static void of_two_members_the_last_decides(void **state)
{
	(void)state;
	struct event event = updated("1", "2");
	assert_true(wants("{\"key\":\"*\",\"key\":\"user_1\"}", event));
	assert_true(wants("{\"key\":\"no\",\"key\":null}", event));
	assert_true(wants("{\"key_regex\":\"a\",\"key_regex\":\"user\"}", event));
	assert_true(wants("{\"events\":[\"created\"],\"events\":[\"updated\"]}", event));
}

static void faults_name_field_value_and_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		int number;
		const char *says;
	} CASES[] = {
	        {"{\"scope\":5}", E_INVALID, "'scope' must be text of 1 to 512 bytes, not 5"},
	        {"{\"key\":\"\"}", E_INVALID, "'key' must be text of 1 to 1024 bytes, not \"\""},
	        {"{\"key\":\"a\\u0000\"}", E_INVALID, "'key' must be text"},
	        {"{\"key\":\"a[\"}", E_INVALID, "'key': byte 2: the set has no ]; write"},
	        {"{\"key\":\"a\",\"key_regex\":\"b\"}", E_INVALID, "keep one of them"},
	        {"{\"key_regex\":\"(?=a)\"}", E_INVALID, "'key_regex': column 1: look-ahead"},
	        {"{\"events\":[]}", E_INVALID, "'events' must be a list of 1 to 16 texts, not []"},
	        {"{\"events\":\"created\"}", E_INVALID, "'events' must be a list"},
	        {"{\"events\":[\"create\"]}", E_INVALID, "deleted and touched, not 'create'"},
	        {"{\"events\":[1]}", E_INVALID, "'events' must be a list"},
	        {"{\"changed\":\"a\"}", E_INVALID, "segments; write [\"a\"]"},
	        {"{\"changed\":\"\"}", E_INVALID, "'changed' must be a list of 1 to 64 paths"},
	        {"{\"select\":[]}", E_INVALID, "'select' must hold an expression"},
	        {"{\"select\":{}}", E_INVALID, "'select' must hold an expression"},
	        {"{\"changed\":[]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[\"\"]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[-1]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[[1.5]]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[{}]}", E_INVALID, "'changed' must be"},
	        {"{\"changed\":[\"/a~2\"]}", E_INVALID, "~0 (for ~)"},
	        {"{\"changed\":[\"/a~\"]}", E_INVALID, "~0 (for ~)"},
	        {"{\"concurrency\":0}", E_INVALID, "an integer from 1 to 10000, not 0"},
	        {"{\"concurrency\":10001}", E_INVALID, "an integer from 1 to 10000, not 10001"},
	        {"{\"concurrency\":\"5\"}", E_INVALID, "not \"5\""},
	        {"{\"concurrency\":1.5}", E_INVALID, "not 1.5"},
	        {"{\"durable\":1}", E_INVALID, "'durable' must be true or false, not 1"},
	        {"{\"order\":\"keys\"}", E_INVALID, "'order' must be key, none or trigger"},
	        {"{\"retry\":5}", E_INVALID, "'retry' must be a mapping, not 5"},
	        {"{\"retry\":{\"jitter\":101}}", E_INVALID,
	         "retry: 'jitter' must be an integer (percent) from 0 to 100, not 101"},
	        {"{\"retry\":{\"max_attempt\":5}}", E_INVALID, "do you mean 'max_attempts'?"},
	        {"{\"timeout\":5}", E_INVALID, "'timeout' must be a duration"},
	        {"{\"timeot\":5}", E_INVALID, "do you mean 'timeout'?"},
	        {"{\"evnets\":[]}", E_INVALID,
	         "there is no option 'evnets' here; do you mean 'events'"},
	        {"{\"xyzzy\":1}", E_INVALID,
	         "there is no option 'xyzzy' here; the options are scope, key, key_regex"},
	        {"{\"debounce\":{}}", E_INVALID, "'debounce' needs a key"},
	        {"{\"debounce\":{\"key\":\"key\"}}", E_INVALID, "'debounce' needs a wait"},
	        {"{\"debounce\":{\"key\":\"key\",\"wait\":\"1s\"}}", E_INVALID,
	         "'debounce' needs a max_delay: while events come"},
	        {"{\"debounce\":{\"key\":\"key\",\"wait\":\"2s\",\"max_delay_ms\":1999}}",
	         E_INVALID, "max_delay below its wait"},
	        {"{\"debounce\":{\"key\":\"key\",\"wait\":\"0s\"}}", E_INVALID,
	         "debounce: 'wait' must be"},
	        {"{\"debounce\":{\"quiet\":\"1s\"}}", E_INVALID, "there is no option 'quiet'"},
	        {"{\"batch\":{}}", E_INVALID, "'batch' needs a max_size"},
	        {"{\"batch\":{\"max_size\":5}}", E_INVALID, "'batch' needs a max_wait"},
	        {"{\"batch\":{\"max_size\":1001}}", E_INVALID,
	         "batch: 'max_size' must be an integer from 1 to 1000, not 1001"},
	        {"{\"batch\":{\"max_size\":5,\"max_wait\":\"1s\"},\"condition_function_id\":\"f\"}",
	         E_INVALID, "'batch' and 'condition_function_id' exclude each other"},
	        {"{\"batch\":{},\"debounce\":{}}", E_INVALID,
	         "'debounce' and 'batch' exclude each other"},
	        {"{\"throttle\":{\"rate\":5}}", E_INVALID, "'throttle' needs a rate and a per"},
	        {"{\"throttle\":{\"rate\":10001}}", E_INVALID, "from 1 to 10000, not 10001"},
	        {"{\"ttl\":1}", E_UNSUPPORTED, "'ttl' is not available yet"},
	        {"[]", E_INVALID, "must be an object, not array"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct filter *filter = NULL;
		struct trigger_policy policy;
		struct err err = {0};
		int status = parse_state(span_of(CASES[i].config), &filter, &policy, &err);
		if (status != CASES[i].number || strstr(err.text, CASES[i].says) == NULL) {
			fail_msg("%s: %d %s", CASES[i].config, status, err.text);
		}
		assert_null(filter);
		assert_string_equal(err.code,
		                    status == E_INVALID ? "invalid_trigger" : "not_available");
	}
}

static void changed_is_bounded(void **state)
{
	(void)state;
	for (int paths = 64; paths <= 65; paths++) {
		struct buf config = {0};
		struct filter *filter = NULL;
		struct trigger_policy policy;
		BUF_LITERAL(&config, "{\"changed\":[\"/a\"");
		for (int i = 1; i < paths; i++) {
			BUF_LITERAL(&config, ",\"b\"");
		}
		BUF_LITERAL(&config, "]}");
		assert_int_equal(parse_state(buf_view(&config), &filter, &policy, NULL),
		                 paths == 64 ? 0 : E_INVALID);
		filter_free(filter);
		buf_free(&config);
	}
	for (int segments = 32; segments <= 33; segments++) {
		struct buf config = {0};
		struct filter *filter = NULL;
		struct trigger_policy policy;
		BUF_LITERAL(&config, "{\"changed\":[\"");
		for (int i = 0; i < segments; i++) {
			BUF_LITERAL(&config, "/a");
		}
		BUF_LITERAL(&config, "\"]}");
		assert_int_equal(parse_state(buf_view(&config), &filter, &policy, NULL),
		                 segments == 32 ? 0 : E_INVALID);
		filter_free(filter);
		buf_free(&config);
	}
}

static void assert_canonical(const char *config, const char *wanted)
{
	struct buf out = {0};
	filter_canonical(span_of(config), &out);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
}

static void equal_configs_have_equal_bytes(void **state)
{
	(void)state;
	assert_canonical("{ }", "{}");
	assert_canonical("{\"scope\" : \"s\", \"key\":\"\\u006b\" , \"events\":null}",
	                 "{\"key\":\"k\",\"scope\":\"s\"}");
	assert_canonical("{\"key\":\"k\",\"key\":null}", "{}");
	assert_canonical("{\"retry\":{\"max_ms\":null,\"jitter\":1}}",
	                 "{\"retry\":{\"jitter\":1}}");
	assert_canonical("{\"changed\":[null, [\"a\", {\"b\":null}]]}",
	                 "{\"changed\":[null,[\"a\",{\"b\":null}]]}");
}

static void types_are_known_planned_or_unknown(void **state)
{
	(void)state;
	struct filter *filter = NULL;
	struct trigger_policy policy;
	struct err err = {0};
	struct trigger_request request = {.env = env, .type = SPAN("stream"), .config = SPAN("{}")};
	assert_int_equal(trigger_parse(&request, &filter, &policy, &err), E_UNSUPPORTED);
	assert_string_equal(err.code, "not_available");
	assert_non_null(strstr(err.text, "'stream' are not available yet"));
	request.type = SPAN("stat");
	assert_int_equal(trigger_parse(&request, &filter, &policy, &err), E_NOT_FOUND);
	assert_string_equal(err.code, "trigger_type_not_found");
	assert_non_null(
	        strstr(err.text,
	               "the types are: state, event, dead, alarm, cron, http, durable:subscriber"));
	assert_true(trigger_type_is_ours(SPAN("state")));
	assert_true(trigger_type_is_ours(SPAN("stream")));
	assert_false(trigger_type_is_ours(SPAN("my-type")));
	assert_int_equal(trigger_type_count(), 9);
	assert_string_equal(trigger_type_at(0)->name, "state");
}

static void the_manual_comes_from_the_table(void **state)
{
	(void)state;
	struct buf out = {0};
	on_state_print("t.", &out);
	buf_byte(&out, 0);
	assert_non_null(strstr(out.ptr, "t.events: [created, updated, deleted]\n    Which"));
	assert_non_null(strstr(out.ptr, "t.concurrency\n    How many"));
	assert_non_null(strstr(out.ptr, "t.changed\n    Only when"));
	assert_non_null(strstr(out.ptr, "t.retry.jitter\n    By how much"));
	assert_non_null(strstr(out.ptr, "One of: key"));
	assert_non_null(strstr(out.ptr, "t.throttle.rate\n    At most so many"));
	assert_null(strstr(out.ptr, "t.ttl"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scope_and_key_are_exact_globs_or_regexes),
	        cmocka_unit_test(events_are_named),
	        cmocka_unit_test(changed_compares_values_at_paths),
	        cmocka_unit_test(conditions_see_the_event),
	        cmocka_unit_test(helpers_look_at_both_values),
	        cmocka_unit_test(edges_compare_the_two_values),
	        cmocka_unit_test(what_is_absent_is_not_true_for_an_edge),
	        cmocka_unit_test(a_condition_has_its_triggers_metadata),
	        cmocka_unit_test(errors_are_counted_and_kept),
	        cmocka_unit_test(an_event_has_a_budget),
	        cmocka_unit_test(a_selection_shapes_the_event),
	        cmocka_unit_test(a_selection_may_fail),
	        cmocka_unit_test(an_event_is_read_back_from_its_json),
	        cmocka_unit_test(conditions_are_refused_with_their_place),
	        cmocka_unit_test(a_policy_says_only_what_the_config_says),
	        cmocka_unit_test(of_two_members_the_last_decides),
	        cmocka_unit_test(faults_name_field_value_and_what_to_do),
	        cmocka_unit_test(changed_is_bounded),
	        cmocka_unit_test(equal_configs_have_equal_bytes),
	        cmocka_unit_test(types_are_known_planned_or_unknown),
	        cmocka_unit_test(the_manual_comes_from_the_table),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
