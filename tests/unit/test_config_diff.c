/* This file tests what is said about a changed configuration, and that every option says how. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_diff.h"

#include "engine/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *load(const char *text)
{
	char path[] = "/tmp/pawl-test-diff-XXXXXX";
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	if (config_load(path, NULL, &config, &report, &err) != 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(unlink(path), 0);
	return config;
}

/* The difference between the configs, the daemon having been started with `boot`. */
static void expect(const char *boot, const char *now, const char *next, const char *wanted)
{
	struct config *configs[] = {load(boot), load(now), load(next)};
	struct config_diff diff;
	struct buf out = {0};
	config_diff_make(configs[0], configs[1], configs[2], &diff);
	buf_byte(&out, '{');
	config_diff_write(&diff, &out);
	BUF_LITERAL(&out, "}\0");
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
	config_diff_close(&diff);
	for (size_t i = 0; i < 3; i++) {
		config_free(configs[i]);
	}
}

#define NOTHING_BUT(added, changed, removed, restart)                                              \
	"{\"added\":[" added "],\"changed\":[" changed "],\"removed\":[" removed                   \
	"],\"needs_restart\":[" restart "]}"

static void test_the_same_differs_in_nothing(void **state)
{
	(void)state;
	expect("", "", "", NOTHING_BUT("", "", "", ""));
	expect("log: {level: debug}", "log: {level: debug}", "log: {level: debug}",
	       NOTHING_BUT("", "", "", ""));
}

static void test_options_are_shown_as_the_file_says_them(void **state)
{
	(void)state;
	expect("", "",
	       "{log: {level: debug}, delivery: {timeout: 90s, retry: {jitter: 0}}, "
	       "limits: {max_value: 1m}, workers: {unique_names: true}, "
	       "http: {allowed_hosts: [a, b]}}",
	       NOTHING_BUT("",
	                   "{\"kind\":\"option\",\"id\":\"log.level\",\"from\":\"info\","
	                   "\"to\":\"debug\"},"
	                   "{\"kind\":\"option\",\"id\":\"delivery.retry.jitter\",\"from\":\"25\","
	                   "\"to\":\"0\"},"
	                   "{\"kind\":\"option\",\"id\":\"delivery.timeout\",\"from\":\"30s\","
	                   "\"to\":\"90s\"},"
	                   "{\"kind\":\"option\",\"id\":\"workers.unique_names\",\"from\":"
	                   "\"false\",\"to\":\"true\"},"
	                   "{\"kind\":\"option\",\"id\":\"limits.max_value\",\"from\":\"2m\","
	                   "\"to\":\"1m\"},"
	                   "{\"kind\":\"option\",\"id\":\"http.allowed_hosts\",\"from\":\"[]\","
	                   "\"to\":\"[\\\"a\\\",\\\"b\\\"]\"}",
	                   "", ""));
}

/* What needs a restart differs until there was one, whatever has been read meanwhile. */
static void test_what_needs_a_restart_is_compared_with_the_start(void **state)
{
	(void)state;
	expect("", "{data: ./other, log: {level: warn}}", "{data: ./other, log: {level: warn}}",
	       NOTHING_BUT("", "", "",
	                   "{\"kind\":\"option\",\"id\":\"data\",\"from\":\"./data\","
	                   "\"to\":\"./other\"}"));
	expect("", "data: ./other", "", NOTHING_BUT("", "", "", ""));
	expect("telemetry: {otlp: {headers: {A: secret, B: b}}}",
	       "telemetry: {otlp: {headers: {A: secret, B: b}}}",
	       "telemetry: {otlp: {headers: {A: other, B: b}}}",
	       NOTHING_BUT("", "", "", "{\"kind\":\"option\",\"id\":\"telemetry.otlp.headers\"}"));
	expect("", "",
	       "state: {adapter: {config: {store_method: in_memory, save_interval_ms: 50}}}",
	       NOTHING_BUT("", "", "",
	                   "{\"kind\":\"option\",\"id\":\"state.adapter.config\",\"fields\":"
	                   "[\"store_method\",\"save_interval_ms\"]}"));
}

static void test_items_come_change_and_go(void **state)
{
	(void)state;
	expect("", "functions: [{id: f, exec: {command: [a]}}, {id: g, exec: {command: [a]}}]",
	       "functions: [{id: f, description: x, exec: {command: [a], timeout: 1s, env: {A: "
	       "b}}}, "
	       "{id: f, namespace: n, exec: {command: [a]}}]",
	       NOTHING_BUT("{\"kind\":\"function\",\"id\":\"f\",\"namespace\":\"n\"}",
	                   "{\"kind\":\"function\",\"id\":\"f\",\"namespace\":\"default\","
	                   "\"fields\":[\"exec.env\",\"exec.timeout\",\"description\"]}",
	                   "{\"kind\":\"function\",\"id\":\"g\",\"namespace\":\"default\"}", ""));
	expect("", "triggers: [{id: a, function: f, scope: s}, {id: b, function: f}]",
	       "triggers: [{id: a, function: g, scope: t, metadata: 1}, {id: c, function: f}]",
	       NOTHING_BUT("{\"kind\":\"trigger\",\"id\":\"c\"}",
	                   "{\"kind\":\"trigger\",\"id\":\"a\",\"fields\":[\"function\",\"scope\","
	                   "\"metadata\"]}",
	                   "{\"kind\":\"trigger\",\"id\":\"b\"}", ""));
}

/* Order does not matter, nor how a value is written. */
static void test_other_words_for_the_same_are_no_change(void **state)
{
	(void)state;
	expect("", "triggers: [{id: a, function: f, scope: s, key: k}, {id: b, function: f}]",
	       "triggers: [{function: f, id: b}, {key: 'k', id: a, function: f, scope: s}]",
	       NOTHING_BUT("", "", "", ""));
	expect("", "delivery: {timeout: 60s}", "delivery: {timeout: 1m}",
	       NOTHING_BUT("", "", "", ""));
}

/* Values of functions may be secret: only names are told. */
static void test_values_of_items_are_not_told(void **state)
{
	(void)state;
	expect("", "functions: [{id: f, http: {url: 'http://a/', headers: {K: secret1}}}]",
	       "functions: [{id: f, http: {url: 'http://b/', headers: {K: secret2}}}]",
	       NOTHING_BUT("",
	                   "{\"kind\":\"function\",\"id\":\"f\",\"namespace\":\"default\","
	                   "\"fields\":[\"http.url\",\"http.headers\"]}",
	                   "", ""));
	expect("", "functions: [{id: f, http: {url: 'http://a/'}}]",
	       "functions: [{id: f, exec: {command: [a]}}]",
	       NOTHING_BUT("",
	                   "{\"kind\":\"function\",\"id\":\"f\",\"namespace\":\"default\","
	                   "\"fields\":[\"http\",\"exec\"]}",
	                   "", ""));
}

/* The names of the rows that do not say whether they are live. */
static void find_unsaid(const struct field *fields, const char *prefix, struct buf *names)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		struct buf name = {0};
		buf_format(&name, "%s%s", prefix, field->name);
		if (field->fields != NULL) {
			BUF_LITERAL(&name, ".\0");
			find_unsaid(field->fields, name.ptr, names);
		} else if (field->change == FIELD_UNSAID && field->kind != FIELD_RESERVED) {
			buf_format(names, "%.*s ", SPAN_ARG(buf_view(&name)));
		}
		buf_free(&name);
	}
}

static void test_every_option_says_whether_it_is_live(void **state)
{
	(void)state;
	struct buf names = {0};
	find_unsaid(config_fields, "", &names);
	buf_byte(&names, 0);
	assert_string_equal(names.ptr, "");
	buf_free(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_same_differs_in_nothing),
	        cmocka_unit_test(test_options_are_shown_as_the_file_says_them),
	        cmocka_unit_test(test_what_needs_a_restart_is_compared_with_the_start),
	        cmocka_unit_test(test_items_come_change_and_go),
	        cmocka_unit_test(test_other_words_for_the_same_are_no_change),
	        cmocka_unit_test(test_values_of_items_are_not_told),
	        cmocka_unit_test(test_every_option_says_whether_it_is_live),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
