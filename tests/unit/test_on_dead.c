/* This file proves which dead letters a trigger of type dead wants, and what it may ask. */
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

static const char TOLD[] = "{\"id\":\"L-1-3/mail\",\"trigger\":\"mail_eu\",\"function_id\":"
                           "\"mail::send\",\"reason\":\"loop_detected\",\"attempts\":8}";

static struct event died(void)
{
	return (struct event){.seq = 9,
	                      .kind = EVENT_DEAD,
	                      .scope = SPAN("tenant_7"),
	                      .key = SPAN("ada"),
	                      .new_value = span_of(TOLD)};
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

/* With the index and without it. */
static void matched(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	(void)entry;
	*(bool *)ctx |= answer == FILTER_YES;
}

static bool wants(const char *type, const char *config, const struct event *event)
{
	bool wanted[2] = {false, false};
	for (int scans_all = 0; scans_all <= 1; scans_all++) {
		struct index *index = index_new(env, scans_all != 0);
		struct index_entry entry = {.filter = need(type, config)};
		index_add(index, &entry);
		matching_begin(&matching, event);
		index_match(index, &matching, matched, &wanted[scans_all]);
		index_remove(index, &entry);
		filter_free(entry.filter);
		index_free(index);
	}
	assert_int_equal(wanted[0], wanted[1]);
	return wanted[0];
}

static void all_that_is_asked_must_hold(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		bool wanted;
	} cases[] = {
	        {"{}", true},
	        {"{\"of_trigger\":\"mail_eu\"}", true},
	        {"{\"of_trigger\":\"mail_*\"}", true},
	        {"{\"of_trigger\":\"mail\"}", false},
	        {"{\"of_function\":\"mail::*\"}", true},
	        {"{\"of_function\":\"sms::*\"}", false},
	        {"{\"reason\":\"loop_detected\"}", true},
	        {"{\"reason\":\"loop\\\\_detected\"}", true},
	        {"{\"reason\":\"TIMEOUT\"}", false},
	        {"{\"scope\":\"tenant_7\"}", true},
	        {"{\"scope\":\"tenant_?\"}", true},
	        {"{\"scope\":\"tenant_8\"}", false},
	        {"{\"scope\":\"user*\"}", false},
	        {"{\"key\":\"ada\"}", true},
	        {"{\"key\":\"b*\"}", false},
	        {"{\"key_regex\":\"^a\"}", true},
	        {"{\"of_trigger\":\"mail_eu\",\"reason\":\"x\"}", false},
	        {"{\"events\":null}", true},
	        {"{\"when\":\"event.attempts > 5 && scope == 'tenant_7'\"}", true},
	        {"{\"when\":\"event.trigger == 'mail_us'\"}", false},
	        {"{\"when\":\"new_value.reason == 'loop_detected'\"}", true},
	        {"{\"when\":\"event_type == 'dead:created'\"}", true},
	        {"{\"when\":\"event_type == 'state:created'\"}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event event = died();
		if (wants("dead", cases[i].config, &event) != cases[i].wanted) {
			fail_msg("%s", cases[i].config);
		}
	}
}

static void other_events_are_none_of_its(void **state)
{
	(void)state;
	struct event event = died();
	assert_false(wants("state", "{}", &event));
	assert_false(wants("event", "{}", &event));
	event.kind = EVENT_UPDATED;
	event.old_value = SPAN("1");
	assert_false(wants("dead", "{}", &event));
	assert_true(wants("state", "{\"scope\":\"tenant_7\"}", &event));
}

/* A range of events has no scope and no key. */
static void a_range_fits_who_asks_for_no_place(void **state)
{
	(void)state;
	struct event event = died();
	event.scope = SPAN("");
	event.key = SPAN_NONE;
	assert_true(wants("dead", "{\"of_trigger\":\"mail_eu\"}", &event));
	assert_true(wants("dead", "{\"scope\":\"*\"}", &event));
	assert_false(wants("dead", "{\"scope\":\"tenant_*\"}", &event));
	assert_false(wants("dead", "{\"key\":\"ada\"}", &event));
}

static void what_it_has_not_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "{\"events\":[\"created\"]}",
	        "{\"changed\":[\"a\"]}",
	        "{\"when\":\"true\",\"fire\":\"rising\"}",
	        "{\"of_trigger\":\"\"}",
	        "{\"of_trigger\":7}",
	        "{\"of_function\":\"[\"}",
	        "{\"scope\":\"[\"}",
	        "{\"source\":\"a\"}",
	        "{\"on_condition_error\":\"fire\"}",
	};
	struct filter *filter;
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse("dead", bad[i], &filter, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_trigger");
		assert_null(filter);
	}
	assert_int_equal(parse("state", "{\"events\":[\"dead:created\"]}", &filter, &err),
	                 E_INVALID);
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
	        {"dead", "{\"scope\":\"x\"}", RULING_SCOPE, "scope does not match: it wants"},
	        {"dead", "{\"scope\":\"x*\"}", RULING_LETTER, "scope does not match: it wants"},
	        {"dead", "{\"of_trigger\":\"x\"}", RULING_LETTER, "of_trigger does not match"},
	        {"dead", "{\"reason\":\"x\"}", RULING_LETTER, "reason does not match"},
	        {"dead", "{\"key\":\"x\"}", RULING_KEY, "key does not match"},
	        {"state", "{}", RULING_EVENTS, "not on dead letters"},
	        {"event", "{}", RULING_EVENTS, "events that are sent in, not on dead letters"},
	};
	struct event event = died();
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

/* What a handler gets is the same event again when it is read back. */
static void its_json_is_read_back(void **state)
{
	(void)state;
	struct event event = died();
	struct event again;
	struct buf out = {0};
	struct buf texts = {0};
	event_write_json(&event, SPAN("L"), NULL, &out);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.ptr, "{\"type\":\"dead\",\"event_type\":\"dead:created\","
	                                "\"scope\":\"tenant_7\",\"key\":\"ada\",\"dead\":{\"id\""));
	assert_null(strstr(out.ptr, "\"rev\""));
	out.len--;
	event_read_json(buf_view(&out), &texts, &again);
	assert_int_equal(again.kind, EVENT_DEAD);
	assert_true(span_equal(again.scope, event.scope));
	assert_true(span_equal(again.key, event.key));
	assert_true(span_equal(again.new_value, event.new_value));
	buf_free(&out);
	buf_free(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_that_is_asked_must_hold),
	        cmocka_unit_test(other_events_are_none_of_its),
	        cmocka_unit_test(a_range_fits_who_asks_for_no_place),
	        cmocka_unit_test(what_it_has_not_is_refused),
	        cmocka_unit_test(it_says_why_not),
	        cmocka_unit_test(its_json_is_read_back),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
