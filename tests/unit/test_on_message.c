/* This file proves what subscribers and queues ask for, and how messages look. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "matching_fixture.h"
#include "triggers/on_message.h"
#include "triggers/triggers.h"

static struct trigger_policy policy;

static int parse(const char *type, const char *config, struct filter **out, struct err *err)
{
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

static struct event message(enum event_kind kind, const char *data)
{
	return (struct event){
	        .seq = 9, .kind = kind, .scope = SPAN("orders"), .new_value = span_of(data)};
}

static bool wants(const char *type, const char *config, const struct event *event)
{
	struct filter *filter = need(type, config);
	matching_begin(&matching, event);
	enum filter_answer answer = filter_matches(filter, &matching);
	filter_free(filter);
	return answer == FILTER_YES;
}

static void a_subscriber_wants_its_topic_and_what_it_says_of_the_data(void **state)
{
	(void)state;
	static const struct {
		const char *config;
		bool wanted;
	} cases[] = {
	        {"{\"topic\":\"orders\"}", true},
	        {"{\"queue\":\"orders\"}", true},
	        {"{\"topic\":\"users\"}", false},
	        {"{\"topic\":\"orders\",\"when\":\"new_value.n == 7.0\"}", true},
	        {"{\"topic\":\"orders\",\"when\":\"event.data.n == 7.0\"}", true},
	        {"{\"topic\":\"orders\",\"when\":\"event.topic == 'orders'\"}", true},
	        {"{\"topic\":\"orders\",\"when\":\"event_type == 'topic:message'\"}", true},
	        {"{\"topic\":\"orders\",\"when\":\"new_value.n > 7.0\"}", false},
	};
	const struct event event = message(EVENT_PUBLISHED, "{\"n\":7}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (wants("durable:subscriber", cases[i].config, &event) != cases[i].wanted) {
			fail_msg("%s", cases[i].config);
		}
	}
}

static void each_kind_of_message_has_its_own_triggers(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		const char *config;
		enum event_kind kind;
	} types[] = {
	        {"durable:subscriber", "{\"topic\":\"orders\"}", EVENT_PUBLISHED},
	        {"subscribe", "{\"topic\":\"orders\"}", EVENT_BROADCAST},
	        {"queue", "{\"queue\":\"orders\"}", EVENT_QUEUED},
	        {"state", "{\"scope\":\"orders\"}", EVENT_UPDATED},
	        {"event", "{\"event_type\":\"orders\"}", EVENT_CUSTOM},
	};
	enum { COUNT = sizeof types / sizeof *types };
	for (size_t i = 0; i < COUNT * COUNT; i++) {
		const struct event event = message(types[i % COUNT].kind, "{\"n\":7}");
		bool wanted = wants(types[i / COUNT].type, types[i / COUNT].config, &event);
		if (wanted != (i % COUNT == i / COUNT)) {
			fail_msg("%s and kind %d", types[i / COUNT].type, types[i % COUNT].kind);
		}
	}
}

static void policies_in_the_words_of_iii_are_the_same_policies(void **state)
{
	(void)state;
	filter_free(need("durable:subscriber",
	                 "{\"topic\":\"t\",\"queue_config\":{\"type\":\"fifo\",\"maxRetries\":2,"
	                 "\"concurrency\":4,\"backoffDelayMs\":50,\"backoffType\":\"fixed\"}}"));
	assert_int_equal(policy.order, ORDER_TRIGGER);
	assert_int_equal(policy.retry.max_attempts, 3);
	assert_int_equal(policy.retry.initial_ms, 50);
	assert_int_equal(policy.retry.multiplier, 1000);
	assert_int_equal(policy.concurrency, 4);
	filter_free(
	        need("durable:subscriber",
	             "{\"topic\":\"t\",\"max_retries\":0,\"backoff_ms\":7,\"timeout\":\"2s\"}"));
	assert_int_equal(policy.order, ORDER_KEY);
	assert_int_equal(policy.retry.max_attempts, 1);
	assert_int_equal(policy.retry.initial_ms, 7);
	assert_int_equal(policy.timeout_ms, 2000);
	filter_free(need("queue", "{\"queue\":\"q\",\"retry\":{\"max_attempts\":4}}"));
	assert_int_equal(policy.order, ORDER_NONE);
	assert_int_equal(policy.retry.max_attempts, 4);
	filter_free(need("queue", "{\"queue\":\"q\",\"type\":\"fifo\",\"max_retries\":4,"
	                          "\"message_group_field\":\"id\"}"));
	assert_int_equal(policy.order, ORDER_KEY);
	assert_int_equal(policy.retry.max_attempts, 5);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		const char *config;
		const char *because;
	} bad[] = {
	        {"durable:subscriber", "{}", "'topic'"},
	        {"durable:subscriber", "{\"topic\":\"a\",\"queue\":\"b\"}", "once"},
	        {"durable:subscriber", "{\"topic\":\"a\",\"scope\":\"b\"}", "has no 'scope'"},
	        {"durable:subscriber", "{\"topic\":\"a\",\"key\":\"b\"}", "has no 'key'"},
	        {"durable:subscriber",
	         "{\"topic\":\"a\",\"concurrency\":1,\"queue_config\":{\"concurrency\":2}}",
	         "twice"},
	        {"durable:subscriber",
	         "{\"topic\":\"a\",\"backoff_ms\":1,\"retry\":{\"schedule\":[\"1s\"]}}",
	         "keep one"},
	        {"subscribe", "{\"topic\":\"a\",\"queue_config\":{}}", "queue_config"},
	        {"queue", "{}", "'queue'"},
	        {"queue", "{\"queue\":\"q\",\"type\":\"fifo\"}", "message_group_field"},
	        {"queue", "{\"queue\":\"q\",\"message_group_field\":\"id\"}", "type: fifo"},
	        {"queue", "{\"queue\":\"q\",\"order\":\"key\"}", "a queue has no 'order'"},
	        {"queue", "{\"queue\":\"q\",\"when\":\"true\"}", "a queue has no 'when'"},
	        {"queue", "{\"queue\":\"q\",\"on_exhausted\":\"pause_key\"}", "fifo"},
	        {"queue", "{\"queue\":\"q\",\"type\":\"fifo\",\"message_group_field\":\"/a~2\"}",
	         "JSON Pointer"},
	        {"queue", "{\"queue\":\"q\",\"type\":\"fifo\",\"message_group_field\":7}",
	         "list of"},
	};
	struct filter *filter;
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(bad[i].type, bad[i].config, &filter, &err), E_INVALID);
		if (strstr(err.text, bad[i].because) == NULL) {
			fail_msg("%s: %s", bad[i].config, err.text);
		}
	}
	assert_int_equal(parse("durable:subscriber",
	                       "{\"topic\":\"a\",\"queue_config\":{\"maxPriority\":2}}", &filter,
	                       &err),
	                 E_UNSUPPORTED);
}

static void a_group_is_a_text_or_a_number_in_the_data(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		const char *data;
		const char *group; /* NULL: refused */
	} cases[] = {
	        {"\"id\"", "{\"id\":\"a\\u00e9\"}", "a\xc3\xa9"},
	        {"\"id\"", "{\"id\":17}", "17"},
	        {"\"a.b\"", "{\"a.b\":\"x\"}", "x"},
	        {"\"/a/b\"", "{\"a\":{\"b\":\"x\"}}", "x"},
	        {"[\"a\",1]", "{\"a\":[1,\"x\"]}", "x"},
	        {"\"id\"", "{\"id\":\"\"}", NULL},
	        {"\"id\"", "{\"id\":null}", NULL},
	        {"\"id\"", "{\"id\":{}}", NULL},
	        {"\"id\"", "{}", NULL},
	        {"\"id\"", "5", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf config = {0};
		struct buf group = {0};
		struct err err = {0};
		buf_format(&config,
		           "{\"queue\":\"q\",\"type\":\"fifo\",\"message_group_field\":%s}",
		           cases[i].field);
		buf_byte(&config, '\0');
		struct filter *filter = need("queue", config.ptr);
		int status = on_message_group(filter, span_of(cases[i].data), &group, &err);
		if (cases[i].group == NULL) {
			assert_int_equal(status, E_INVALID);
			assert_string_equal(err.code, "message_group_missing");
		} else {
			assert_int_equal(status, 0);
			assert_true(span_is(buf_view(&group), cases[i].group));
		}
		filter_free(filter);
		buf_free(&config);
		buf_free(&group);
	}
}

static void a_message_is_written_as_json_and_read_back(void **state)
{
	(void)state;
	static const enum event_kind kinds[] = {EVENT_QUEUED, EVENT_PUBLISHED, EVENT_BROADCAST};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct event event = message(kinds[i], "[1]");
		struct event back;
		struct buf json = {0};
		struct buf texts = {0};
		event.time_ms = 1000;
		event.key = SPAN("k\"");
		if (kinds[i] == EVENT_QUEUED) {
			event.old_value = SPAN("{\"function_id\":\"f\"}");
		}
		event_write_json(&event, SPAN("log"), NULL, &json);
		event_read_json(buf_view(&json), &texts, &back);
		assert_int_equal(back.kind, event.kind);
		assert_int_equal(back.seq, event.seq);
		assert_true(span_equal(back.scope, event.scope));
		assert_true(span_equal(back.key, event.key));
		assert_true(span_equal(back.old_value, event.old_value));
		assert_true(span_equal(back.new_value, event.new_value));
		buf_free(&json);
		buf_free(&texts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_subscriber_wants_its_topic_and_what_it_says_of_the_data),
	        cmocka_unit_test(each_kind_of_message_has_its_own_triggers),
	        cmocka_unit_test(policies_in_the_words_of_iii_are_the_same_policies),
	        cmocka_unit_test(what_makes_no_sense_is_refused),
	        cmocka_unit_test(a_group_is_a_text_or_a_number_in_the_data),
	        cmocka_unit_test(a_message_is_written_as_json_and_read_back),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
