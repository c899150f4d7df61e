/* This file tests what is understood of iii configurations, in both forms, and what is said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int load(const char *text, struct config **out, struct report *report, struct err *err)
{
	char path[] = "/tmp/pawl-test-iii-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	int status = config_load(path, NULL, out, report, err);
	assert_int_equal(unlink(path), 0);
	return status;
}

struct understood {
	const char *text;
	const char *listen;
	const char *adapter;
	const char *ignored;
	const char *http;
};

#define STATE_MODULE                                                                               \
	"{class: 'modules::state::StateModule', config: {adapter: {class: "                        \
	"'modules::state::adapters::KvStore', config: {store_method: file_based, file_path: "      \
	"./d}}}}"
#define FILES(path, ms)                                                                            \
	"{\"store_method\":\"file_based\",\"file_path\":\"" path                                   \
	"\",\"durability\":\"commit\",\"save_interval_ms\":" ms "}"

static const struct understood cases[] = {
        {"modules: [" STATE_MODULE "]", "127.0.0.1:49134", FILES("./d", "1000"), "", ""},
        {"{port: 5000, modules: [{class: 'modules::kv_server::KvServer', config: {file_path: ./k, "
         "save_interval_ms: 70, extra: 1}}, " STATE_MODULE
         ", {class: 'modules::cron::CronModule'}]}",
         "127.0.0.1:5000", FILES("./d", "70"),
         "modules::kv_server::KvServer.extra, modules::cron::CronModule", ""},
        {"workers: [{name: iii-worker-manager, config: {host: 0.0.0.0, port: 5001}}, {name: "
         "iii-state, config: {adapter: {name: kv, config: {store_method: in_memory}}}}, {name: "
         "iii-http}]",
         "127.0.0.1:5001",
         "{\"store_method\":\"in_memory\",\"durability\":\"commit\",\"save_interval_ms\":1000}",
         "iii-worker-manager.host", "127.0.0.1:3111"},
        {"modules: [{class: 'modules::api::RestApiModule', config: {host: 127.0.0.1, port: 5002, "
         "cors: {}}}]",
         "127.0.0.1:49134",
         "{\"store_method\":\"file_based\",\"durability\":\"commit\",\"save_interval_ms\":1000}",
         "modules::api::RestApiModule.cors", "127.0.0.1:5002"},
        {"{workers: [{name: iii-http, config: {host: 0.0.0.0}}], http: {listen: '127.0.0.1:7'}}",
         "127.0.0.1:49134",
         "{\"store_method\":\"file_based\",\"durability\":\"commit\",\"save_interval_ms\":1000}",
         "iii-http.host", "127.0.0.1:7"},
        /* pawl's own words beside the list count */
        {"{modules: [" STATE_MODULE "], port: 1, listen: '127.0.0.1:2', env: x, triggers: [{id: t, "
         "function: f}]}",
         "127.0.0.1:2", FILES("./d", "1000"), "env, port (listen says it)", ""},
        {"modules: []", "127.0.0.1:49134",
         "{\"store_method\":\"file_based\",\"durability\":\"commit\",\"save_interval_ms\":1000}",
         "", ""},
};

static void test_state_and_port_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *config = NULL;
		struct report report = {0};
		struct err err = {0};
		if (load(cases[i].text, &config, &report, &err) != 0) {
			fail_msg("%s", err.text);
		}
		assert_string_equal(config->listen, cases[i].listen);
		assert_string_equal(config->state.adapter.config, cases[i].adapter);
		assert_string_equal(config->iii_ignored, cases[i].ignored);
		assert_string_equal(config->http.listen ? config->http.listen : "", cases[i].http);
		config_free(config);
	}
}

static void test_queues_are_understood(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	static const char text[] =
	        "modules: [{class: 'modules::queue::QueueModule', config: {adapter: {class: x}, "
	        "queue_configs: {mail: {max_retries: 5, concurrency: 2, type: standard, "
	        "poll_interval_ms: 9}, pay: {type: fifo, message_group_field: id}}}}]";
	if (load(text, &config, &report, &err) != 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(config->queue_count, 3);
	assert_string_equal(config->queues[0].id, "queue:mail");
	assert_string_equal(config->queues[0].config,
	                    "{\"concurrency\":2,\"max_retries\":5,\"queue\":\"mail\",\"type\":"
	                    "\"standard\"}");
	assert_string_equal(config->iii_ignored,
	                    "modules::queue::QueueModule.adapter, mail.poll_interval_ms");
	config_free(config);
}

static void test_what_cannot_be_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *code;
		const char *part;
	} refusals[] = {
	        {"workers: [{name: iii-state, config: {adapter: {name: redis}}}]", "not_available",
	         "'redis' is not available yet"},
	        {"modules: [{class: 'modules::state::StateModule', config: {adapter: {class: "
	         "'modules::state::adapters::RedisAdapter'}}}]",
	         "not_available", "RedisAdapter"},
	        {"modules: {a: b}", "invalid_value", "must be a list"},
	        {"modules: [a]", "invalid_value", "'class' or 'name'"},
	        {"{queues: {}, modules: [{name: queue, config: {queue_configs: {a: {}}}}]}",
	         "invalid_value", "said twice"},
	        {"{port: x, modules: []}", "invalid_value", "'port' must be a number"},
	        {"workers: [{name: iii-http, config: {port: 70000}}]", "invalid_value",
	         "'port' must be a number"},
	        {"{state: {}, modules: [" STATE_MODULE "]}", "invalid_value", "said twice"},
	        {"workers: [{name: iii-state, config: {adapter: {config: {save_interval_ms: 0}}}}]",
	         "invalid_value", "save_interval_ms"},
	};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct config *config = NULL;
		struct report report = {0};
		struct err err = {0};
		assert_int_not_equal(load(refusals[i].text, &config, &report, &err), 0);
		if (report.count != 1 || strcmp(err.code, refusals[i].code) != 0 ||
		    strstr(err.text, refusals[i].part) == NULL) {
			fail_msg("'%s' gave %s: %s", refusals[i].text, err.code, err.text);
		}
		report_close(&report);
	}
}

static void test_pawls_own_form_is_not_taken_for_iii(void **state)
{
	(void)state;
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	struct buf out = {0};
	assert_int_equal(load("workers: {credit: 3}", &config, &report, &err), 0);
	assert_null(config->iii_ignored);
	config_describe_iii(config, &out);
	assert_int_equal(out.len, 0);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_state_and_port_are_understood),
	        cmocka_unit_test(test_queues_are_understood),
	        cmocka_unit_test(test_what_cannot_be_is_refused),
	        cmocka_unit_test(test_pawls_own_form_is_not_taken_for_iii),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
