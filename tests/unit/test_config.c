/* This file tests the configuration: what is accepted, what is refused, and where it says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* The configuration of `text`, or NULL with its faults in the report. */
static struct config *load(const char *text, const struct config_judge *judge,
                           struct report *report, struct err *err)
{
	char path[] = "/tmp/pawl-test-config-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	size_t len = strlen(text);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
	struct config *config = NULL;
	int result = config_load(path, judge, &config, report, err);
	assert_int_equal(unlink(path), 0);
	assert_true((result == 0) == (config != NULL));
	return config;
}

static struct config *accept_text(const char *text)
{
	struct report report = {0};
	struct err err = {0};
	struct config *config = load(text, NULL, &report, &err);
	if (config == NULL) {
		fail_msg("%s", err.text);
	}
	return config;
}

struct refusal {
	const char *text;
	const char *code;
	uint32_t line;
	const char *part;
};

static void refuse_text(const struct refusal *refusal)
{
	struct report report = {0};
	struct err err = {0};
	if (load(refusal->text, NULL, &report, &err) != NULL) {
		fail_msg("accepted: %s", refusal->text);
	}
	if (report.count != 1 || report.items[0].line != refusal->line ||
	    strcmp(report.items[0].code, refusal->code) != 0 ||
	    strstr(report.items[0].text, refusal->part) == NULL) {
		fail_msg("'%s' gave %zu faults, the first %s: %s", refusal->text, report.count,
		         err.code, err.text);
	}
	report_close(&report);
}

static void test_no_file_means_the_defaults(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	assert_int_equal(config_load(NULL, NULL, &config, &report, &err), 0);
	assert_string_equal(config->listen, "127.0.0.1:49134");
	assert_string_equal(config->listen_host, "127.0.0.1");
	assert_int_equal(config->listen_port, 49134);
	assert_string_equal(config->data, "./data");
	assert_int_equal(config->state.adapter.name, CONFIG_ADAPTER_KV);
	assert_string_equal(config->state.adapter.config,
	                    "{\"store_method\":\"file_based\",\"durability\":\"commit\","
	                    "\"save_interval_ms\":1000}");
	assert_int_equal(config->cache.max_bytes, 32 << 20);
	assert_int_equal(config->journal.max_bytes, 4LL << 30);
	assert_int_equal(config->delivery.retry.max_age, 24 * 3600 * 1000);
	assert_int_equal(config->delivery.timeout_max, 15 * 60 * 1000);
	assert_int_equal(config->limits.max_message, 32 << 20);
	assert_int_equal(config->dead.max_bytes, 1 << 30);
	assert_int_equal(config->function_count, 0);
	assert_int_equal(config->trigger_count, 0);
	config_free(config);
	config_free(NULL);
}

static void test_addresses_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *host;
		uint16_t port;
	} cases[] = {
	        {"listen: \"[::1]:0\"", "::1", 0},
	        {"listen: localhost:65535", "localhost", 65535},
	        {"listen: 127.9.9.9:1", "127.9.9.9", 1},
	        {"{listen: 0.0.0.0:80, insecure: true}", "0.0.0.0", 80},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config *config = accept_text(cases[i].text);
		assert_string_equal(config->listen_host, cases[i].host);
		assert_int_equal(config->listen_port, cases[i].port);
		config_free(config);
	}
}

static void test_what_is_wrong_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
	        {"- a", "invalid_value", 1, "must be a mapping, not a list"},
	        {"listen: 0.0.0.0:80", "invalid_value", 1, "insecure: true"},
	        {"listen: \"[::]:80\"", "invalid_value", 1, "not loopback"},
	        {"listen: example.com:80", "invalid_value", 1, "not loopback"},
	        {"listen: 127.0.0.1", "invalid_value", 1, "must be host:port"},
	        {"listen: 127.0.0.1:65536", "invalid_value", 1, "must be host:port"},
	        {"listen: ::1:80", "invalid_value", 1, "must be host:port"},
	        {"\nlogs: {}", "unknown_key", 2, "do you mean 'log'?"},
	        {"log: {level: loud}", "invalid_value", 1, "debug, info, warn or error"},
	        {"cluster: {}", "not_available", 1, "'cluster' is not available yet"},
	        {"listen: none", "invalid_value", 1, "needs another listener"},
	        {"\ntls: {cert: a.pem}", "invalid_value", 2, "needs 'listen', 'cert' and 'key'"},
	        {"tls:\n  listen: x\n  cert: a\n  key: b", "invalid_value", 2, "host:port"},
	        {"tls: {listen: '1.2.3.4:5', cert: a, key: b}", "invalid_value", 1,
	         "'tls.listen' is not loopback"},
	        {"tls:\n  listen: '127.0.0.1:0'\n  cert: /none.pem\n  key: b",
	         "invalid_certificate", 3, "/none.pem: No such file"},
	        {"unix: {path: /tmp/x, mode: '0888'}", "invalid_value", 1, "must be octal"},
	        {"unix: {path: /tmp/x, mode: '1777'}", "invalid_value", 1, "at most 0777"},
	        {"unix: {group: web}", "invalid_value", 1, "without 'unix.path'"},
	        {"auth: {token: x}", "unknown_key", 1, "token"},
	        {"auth: {tokens: 1}", "invalid_value", 1, "a list"},
	        {"auth:\n  tokens:\n  - {name: a, hash: 1}", "invalid_value", 3, "hash"},
	        {"state:\n  schemas: 5s", "not_available", 2, "'schemas' is not available yet"},
	        {"state:\n adapter:\n  name: redis", "not_available", 3, "'name: redis'"},
	        {"state: {adapter: {config: {path: x}}}", "unknown_key", 1, "'path'"},
	        {"state: {adapter: {config: [x]}}", "invalid_value", 1, "must be a mapping"},
	        {"state:\n adapter: {name: plugin}", "invalid_value", 2, "config.path"},
	        {"delivery:\n  timeout: 16m", "invalid_value", 2, "'timeout_max'"},
	        {"delivery:\n  timeout_max: 1s", "invalid_value", 1, "'timeout_max'"},
	        {"delivery:\n  retry:\n    max_ms: 5", "invalid_value", 2, "'initial_ms'"},
	        {"limits: {max_value: 64m}", "invalid_value", 1, "'max_message'"},
	        {"data: ${PAWL_TEST_NONE}", "missing_variable", 1, "PAWL_TEST_NONE is not set"},
	};
	assert_int_equal(unsetenv("PAWL_TEST_NONE"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		refuse_text(&cases[i]);
	}
}

static void test_wrong_functions_and_triggers_are_refused(void **state)
{
	(void)state;
	static const struct refusal cases[] = {
	        {"functions: {}", "invalid_value", 1, "'functions' must be a list"},
	        {"functions:\n- 5", "invalid_value", 2, "a function must be a mapping"},
	        {"functions:\n- id: a", "invalid_value", 2, "either 'exec' or 'http'"},
	        {"functions:\n- id: a\n  concurrency: 0", "invalid_value", 3, "'concurrency'"},
	        {"functions:\n- id: a\n  retry: {schedule: [5]}", "invalid_value", 3, "'schedule'"},
	        {"delivery: {retry: {multiplier: 0.5}}", "invalid_value", 1, "from 1 to 10"},
	        {"delivery: {retry: {multiplier: 1.2345}}", "invalid_value", 1, "three decimals"},
	        {"delivery:\n  retry:\n    schedule: [5s, soon]", "invalid_value", 3, "'soon'"},
	        {"functions:\n- {id: a, exec: }", "invalid_value", 2, "must be a mapping"},
	        {"functions:\n- exec: {command: [x]}", "missing_key", 2, "'id' is missing"},
	        {"functions:\n- {id: a, exec: {}}", "missing_key", 2, "'command' is missing"},
	        {"functions:\n- {id: a, exec: {command: []}}", "invalid_value", 2, "1 to 256"},
	        {"functions:\n- {id: a, exec: {command: }}", "invalid_value", 2, "'command'"},
	        {"functions:\n- {id: a, http: {url: 'ftp://x'}}", "invalid_value", 2, "http://"},
	        {"functions:\n- {id: a, http: {url: 'http://x', auth: {type: hmac}}}",
	         "invalid_value", 2, "auth of type hmac needs 'secret_key'"},
	        {"functions:\n- {id: a, http: {url: 'http://x', auth: {header: h}}}",
	         "invalid_value", 2, "auth of type none has no 'header'"},
	        {"functions:\n- &a {id: a, exec: {command: [x]}}\n- {<<: *a}", "duplicate_id", 3,
	         "the function 'a' stands in line 2 already"},
	        {"functions:\n- {id: a, flow: x, exec: {command: [x]}}", "not_available", 2,
	         "'flow'"},
	        {"triggers: 5", "invalid_value", 1, "'triggers' must be a list"},
	        {"triggers:\n- {function: f}", "missing_key", 2, "'id' is missing"},
	        {"triggers:\n- {id: t}", "missing_key", 2, "'function' is missing"},
	        {"triggers:\n- {id: t, function: f, type: stream}", "not_available", 2, "stream"},
	        {"triggers:\n- {id: t, function: f}\n- {id: t, function: g}", "duplicate_id", 3,
	         "the trigger 't' stands in line 2 already"},
	        {"triggers:\n- id: t\n  function: f\n  scope: .inf", "invalid_value", 4,
	         "JSON has no number"},
	        {"triggers:\n- {id: t, function: f, type: queue}", "invalid_value", 2, "'queues'"},
	        {"triggers:\n- {id: 'queue:a', function: f}", "invalid_value", 2, "another one"},
	        {"queues: [a]", "invalid_value", 1, "'queues' must be a mapping"},
	        {"queues:\n  a: 5", "invalid_value", 2, "a queue must be a mapping"},
	        {"queues:\n  '': {}", "invalid_value", 2, "1 to 128 bytes"},
	        {"queues:\n  a: {queue: b}", "unknown_field", 2, "stands before its options"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		refuse_text(&cases[i]);
	}
}

static void test_functions_are_read(void **state)
{
	(void)state;
	struct config *config =
	        accept_text("functions:\n"
	                    "  - id: a\n"
	                    "    description: first\n"
	                    "    exec: {command: [sh, -c, 'cat'], mode: lines, env: {K: v}}\n"
	                    "  - id: a\n"
	                    "    namespace: other\n"
	                    "    http:\n"
	                    "      url: https://example.com/x\n"
	                    "      method: PUT\n"
	                    "      headers: {X-A: 1}\n"
	                    "      auth: {type: api_key, header: X-Key, value_key: KEY}\n");
	assert_int_equal(config->function_count, 2);
	const struct config_function *exec = &config->functions[0];
	assert_string_equal(exec->id, "a");
	assert_string_equal(exec->description, "first");
	assert_string_equal(exec->namespace_, "default");
	assert_int_equal(exec->kind, CONFIG_FUNCTION_EXEC);
	assert_int_equal(exec->exec.command.count, 3);
	assert_int_equal(exec->exec.mode, CONFIG_EXEC_LINES);
	assert_null(exec->exec.cwd);
	assert_int_equal(exec->exec.timeout, 30000);
	assert_int_equal(exec->line, 2);
	const struct config_function *http = &config->functions[1];
	assert_int_equal(http->kind, CONFIG_FUNCTION_HTTP);
	assert_string_equal(http->http.url, "https://example.com/x");
	assert_string_equal(config_methods[http->http.method], "PUT");
	assert_string_equal(http->http.headers.pairs[0].name, "X-A");
	assert_int_equal(http->http.auth.type, CONFIG_AUTH_API_KEY);
	assert_int_equal(http->concurrency, 0);
	assert_int_equal(http->retry.said.max_attempts, -1);
	assert_string_equal(http->http.auth.value_key, "KEY");
	config_free(config);
}

static void test_a_triggers_own_members_become_its_config(void **state)
{
	(void)state;
	struct config *config = accept_text("triggers:\n"
	                                    "  - id: t\n"
	                                    "    function: f\n"
	                                    "    scope: users\n"
	                                    "    key: '5'\n"
	                                    "    concurrency: 4\n"
	                                    "    retry: {max_attempts: 2, jitter: 0.50}\n"
	                                    "    events: [created]\n"
	                                    "    metadata: {z: 1, a: [true]}\n"
	                                    "  - {id: u, function: f, type: mine}\n");
	assert_int_equal(config->trigger_count, 2);
	const struct config_trigger *first = &config->triggers[0];
	assert_string_equal(first->id, "t");
	assert_string_equal(first->type, "state");
	assert_string_equal(first->function, "f");
	assert_string_equal(first->namespace_, "default");
	assert_string_equal(first->config,
	                    "{\"concurrency\":4,\"events\":[\"created\"],\"key\":\"5\","
	                    "\"retry\":{\"jitter\":0.50,\"max_attempts\":2},\"scope\":\"users\"}");
	assert_string_equal(first->metadata, "{\"a\":[true],\"z\":1}");
	assert_string_equal(config->triggers[1].type, "mine");
	assert_string_equal(config->triggers[1].config, "{}");
	assert_null(config->triggers[1].metadata);
	config_free(config);
}

static void test_queues_are_triggers_of_their_own(void **state)
{
	(void)state;
	struct config *config = accept_text("queues:\n"
	                                    "  mail: {concurrency: 2, retry: {max_attempts: 3}}\n"
	                                    "  plain:\n");
	assert_int_equal(config->trigger_count, 0);
	assert_int_equal(config->queue_count, 3);
	assert_string_equal(config->queues[0].id, "queue:mail");
	assert_string_equal(config->queues[0].type, "queue");
	assert_string_equal(
	        config->queues[0].config,
	        "{\"concurrency\":2,\"queue\":\"mail\",\"retry\":{\"max_attempts\":3}}");
	assert_string_equal(config->queues[1].config, "{\"queue\":\"plain\"}");
	assert_string_equal(config->queues[2].id, "queue:default");
	config_free(config);
	config = accept_text("queues: {default: {concurrency: 1}}");
	assert_int_equal(config->queue_count, 1);
	config_free(config);
}

static int judge_scope(void *ctx, const struct config_trigger *trigger, const char **out_member,
                       struct err *err)
{
	++*(int *)ctx;
	struct span scope = SPAN_NONE;
	if (json_get(span_of(trigger->config), SPAN("scope"), &scope)) {
		*out_member = "scope";
		return err_set(err, E_INVALID, "invalid_scope", "no scopes today");
	}
	return strcmp(trigger->type, "state") == 0
	               ? 0
	               : err_set(err, E_NOT_FOUND, "unknown_type", "no such type");
}

static void test_the_judge_speaks_at_the_members_line(void **state)
{
	(void)state;
	int asked = 0;
	struct config_judge judge = {.trigger = judge_scope, .ctx = &asked};
	struct report report = {0};
	struct err err = {0};
	assert_null(load("triggers:\n"
	                 "  - id: t\n"
	                 "    function: f\n"
	                 "    scope: users\n"
	                 "  - {id: u, function: f}\n"
	                 "  - {id: v, function: f, type: mine}\n"
	                 "  - {function: f, scope: x}\n",
	                 &judge, &report, &err));
	assert_int_equal(asked, 3);
	assert_int_equal(report.count, 3);
	assert_int_equal(report.items[0].line, 4);
	assert_string_equal(report.items[0].code, "invalid_scope");
	assert_string_equal(report.items[0].text, "trigger 't': no scopes today");
	assert_int_equal(report.items[1].line, 6);
	assert_string_equal(report.items[1].text, "trigger 'v': no such type");
	assert_string_equal(report.items[2].text, "'id' is missing");
	report_close(&report);
}

static void test_adapters_get_their_config_as_json(void **state)
{
	(void)state;
	struct config *config = accept_text(
	        "state: {adapter: {config: {store_method: in_memory, durability: interval}}}");
	assert_string_equal(config->state.adapter.config,
	                    "{\"store_method\":\"in_memory\",\"durability\":\"interval\","
	                    "\"save_interval_ms\":1000}");
	assert_null(config->state.adapter.plugin);
	config_free(config);
	config = accept_text(
	        "state: {adapter: {name: plugin, config: {path: ./x.so, size: 0x10, deep: [~]}}}");
	assert_int_equal(config->state.adapter.name, CONFIG_ADAPTER_PLUGIN);
	assert_string_equal(config->state.adapter.plugin, "./x.so");
	assert_string_equal(config->state.adapter.config,
	                    "{\"path\":\"./x.so\",\"size\":16,\"deep\":[null]}");
	config_free(config);
}

static void test_the_environment_reaches_every_value(void **state)
{
	(void)state;
	assert_int_equal(setenv("PAWL_TEST_PORT", "5555", 1), 0);
	struct config *config = accept_text("listen: 127.0.0.1:${PAWL_TEST_PORT}\n"
	                                    "delivery: {concurrency: \"${PAWL_TEST_PORT:3}\"}\n"
	                                    "triggers:\n"
	                                    "  - id: t\n"
	                                    "    function: f\n"
	                                    "    concurrency: ${PAWL_TEST_PORT}\n");
	assert_int_equal(config->listen_port, 5555);
	assert_int_equal(config->delivery.concurrency, 5555);
	assert_string_equal(config->triggers[0].config, "{\"concurrency\":5555}");
	config_free(config);
}

static void test_a_missing_or_broken_file_is_told_in_err(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	assert_int_equal(config_load("/nonexistent/c.yaml", NULL, &config, &report, &err),
	                 E_NOT_FOUND);
	assert_null(load("a: [", NULL, &report, &err));
	assert_string_equal(err.code, "invalid_yaml");
	assert_int_equal(report.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_no_file_means_the_defaults),
	        cmocka_unit_test(test_addresses_are_taken_apart),
	        cmocka_unit_test(test_what_is_wrong_is_refused_with_its_line),
	        cmocka_unit_test(test_wrong_functions_and_triggers_are_refused),
	        cmocka_unit_test(test_functions_are_read),
	        cmocka_unit_test(test_a_triggers_own_members_become_its_config),
	        cmocka_unit_test(test_queues_are_triggers_of_their_own),
	        cmocka_unit_test(test_the_judge_speaks_at_the_members_line),
	        cmocka_unit_test(test_adapters_get_their_config_as_json),
	        cmocka_unit_test(test_the_environment_reaches_every_value),
	        cmocka_unit_test(test_a_missing_or_broken_file_is_told_in_err),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
