/* This file proves which CloudEvents a trigger of type event wants, and what it may ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "matching_fixture.h"
#include "triggers/index.h"
#include "triggers/ruling.h"
#include "triggers/triggers.h"

static const char WHOLE[] =
        "{\"specversion\":\"1.0\",\"id\":\"A\",\"source\":\"/s\",\"type\":\"t.u\","
        "\"subject\":\"order/7\",\"data\":{\"n\":7}}";

static struct event sent(void)
{
	return (struct event){.seq = 9,
	                      .kind = EVENT_CUSTOM,
	                      .scope = SPAN("t.u"),
	                      .key = SPAN("order/7"),
	                      .new_value = span_of(WHOLE)};
}

static int parse(const char *type, const char *config, struct filter **out, struct err *err)
{
	struct trigger_policy policy;
	const struct trigger_request request = {
	        .env = env, .type = span_of(type), .config = span_of(config)};
	*out = NULL;
	*err = (struct err){0};
	return trigger_parse(&request, out, &policy, err);
}

static struct filter *need(const char *type, const char *config)
{
	struct filter *filter;
	struct err err;
	int status = parse(type, config, &filter, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(status, 0);
	return filter;
}

static bool wants(const char *type, const char *config, const struct event *event)
{
	struct filter *filter = need(type, config);
	matching_begin(&matching, event);
	enum filter_answer answer = filter_matches(filter, &matching);
	filter_free(filter);
	return answer == FILTER_YES;
}

static void all_that_is_asked_must_hold(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		bool wanted;
	} cases[] = {
	        {"{}", true},
	        {"{\"event_type\":\"t.u\"}", true},
	        {"{\"event_type\":\"t\"}", false},
	        {"{\"event_type\":null,\"scope\":null}", true},
	        {"{\"source\":\"/s\"}", true},
	        {"{\"source\":\"/\"}", false},
	        {"{\"subject\":\"order/7\"}", true},
	        {"{\"subject\":\"order/*\"}", true},
	        {"{\"subject\":\"cart/*\"}", false},
	        {"{\"when\":\"event.data.n == 7.0 && event.id == 'A'\"}", true},
	        {"{\"when\":\"event.data.n == 8.0\"}", false},
	        {"{\"when\":\"event_type == 't.u' && key == 'order/7'\"}", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event event = sent();
		if (wants("event", cases[i].config, &event) != cases[i].wanted) {
			fail_msg("%s", cases[i].config);
		}
	}
}

static void the_state_and_what_is_sent_do_not_mix(void **state)
{
	(void)state;
	struct event event = sent();
	assert_false(wants("state", "{}", &event));
	assert_false(wants("state", "{\"scope\":\"t.u\"}", &event));
	event.kind = EVENT_UPDATED;
	event.old_value = SPAN("1");
	assert_false(wants("event", "{}", &event));
	assert_true(wants("state", "{\"scope\":\"t.u\"}", &event));
	event = sent();
	event.key = SPAN_NONE;
	assert_false(wants("event", "{\"subject\":\"order/7\"}", &event));
	assert_true(wants("event", "{\"event_type\":\"t.u\"}", &event));
}

static void what_it_has_not_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"{\"scope\":\"a\"}",
	                                  "{\"key\":\"a\"}",
	                                  "{\"key_regex\":\"a\"}",
	                                  "{\"events\":[\"created\"]}",
	                                  "{\"changed\":[\"a\"]}",
	                                  "{\"when\":\"true\",\"fire\":\"rising\"}",
	                                  "{\"event_type\":\"\"}",
	                                  "{\"source\":[]}",
	                                  "{\"subject\":\"[\"}",
	                                  "{\"sourc\":\"a\"}",
	                                  "{\"on_condition_error\":\"fire\"}"};
	struct filter *filter;
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse("event", bad[i], &filter, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_trigger");
		assert_null(filter);
	}
	assert_int_equal(parse("event", "{\"when\":\"event.\"}", &filter, &err), E_INVALID);
	assert_string_equal(err.code, "invalid_condition");
	assert_int_equal(parse("state", "{\"events\":[\"custom\"]}", &filter, &err), E_INVALID);
}

static void it_says_why_not(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		const char *config;
		enum ruling ruling;
		const char *text;
	} cases[] = {
	        {"event", "{\"event_type\":\"x\"}", RULING_SCOPE, "event_type does not match"},
	        {"event", "{\"source\":\"x\"}", RULING_SOURCE, "source does not match"},
	        {"event", "{\"subject\":\"x\"}", RULING_KEY, "subject does not match"},
	        {"state", "{}", RULING_EVENTS, "not on events that are sent in"},
	};
	struct event event = sent();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter *filter = need(cases[i].type, cases[i].config);
		struct value error;
		struct buf out = {0};
		matching_begin(&matching, &event);
		assert_int_equal(ruling_of(filter, &matching, &error), cases[i].ruling);
		buf_byte(&out, '{');
		ruling_write(filter, &matching, cases[i].ruling, &out);
		buf_byte(&out, '\0');
		assert_non_null(strstr(out.ptr, cases[i].text));
		buf_free(&out);
		filter_free(filter);
	}
}

static void matched(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	(void)entry;
	*(size_t *)ctx += answer == FILTER_YES;
}

/* The index asks whom the condition names, and asks nobody in vain whether by it or without it. */
static void the_index_finds_them(void **state)
{
	(void)state;
	static const char *const configs[] = {
	        "{\"event_type\":\"t.u\"}",
	        "{\"when\":\"event_type == 't.u'\"}",
	        "{\"when\":\"event.type == 't.u' && event.source == '/s'\"}",
	        "{\"when\":\"event.data.n == 7.0\"}",
	        "{\"when\":\"key == 'order/7'\"}",
	        "{\"when\":\"event_type == 'other'\"}",
	        "{\"when\":\"event.source == '/t'\"}",
	};
	enum { COUNT = sizeof configs / sizeof *configs, WANTED = 5 };
	struct event event = sent();
	for (int scans_all = 0; scans_all <= 1; scans_all++) {
		struct index *index = index_new(env, scans_all != 0);
		struct index_entry entries[COUNT] = {0};
		size_t yes = 0;
		for (size_t i = 0; i < COUNT; i++) {
			entries[i].filter = need("event", configs[i]);
			index_add(index, &entries[i]);
		}
		matching_begin(&matching, &event);
		index_match(index, &matching, matched, &yes);
		assert_int_equal(yes, WANTED);
		for (size_t i = 0; i < COUNT; i++) {
			index_remove(index, &entries[i]);
			filter_free(entries[i].filter);
		}
		index_free(index);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_that_is_asked_must_hold),
	        cmocka_unit_test(the_state_and_what_is_sent_do_not_mix),
	        cmocka_unit_test(what_it_has_not_is_refused),
	        cmocka_unit_test(it_says_why_not),
	        cmocka_unit_test(the_index_finds_them),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
