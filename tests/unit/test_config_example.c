/* This file tests that config.yaml.example is what the option tables say, and that it loads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_example.h"

#include "engine/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char EXAMPLE[] = SOURCE_DIR "/config.yaml.example";

static struct config *load(const char *path)
{
	struct config *config = NULL;
	struct report report = {0};
	struct err err = {0};
	if (config_load(path, NULL, &config, &report, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return config;
}

static void test_the_file_is_what_the_tables_print(void **state)
{
	(void)state;
	struct buf printed = {0};
	config_print_example(&printed);
	FILE *file = fopen(EXAMPLE, "rb");
	assert_non_null(file);
	struct buf kept = {0};
	size_t most = printed.len + 1;
	kept.len = fread(buf_reserve(&kept, most), 1, most, file);
	assert_int_equal(fclose(file), 0);
	/* If this fails: pawl check --print-example > config.yaml.example */
	assert_int_equal(kept.len, printed.len);
	assert_memory_equal(kept.ptr, printed.ptr, printed.len);
	buf_free(&kept);
	buf_free(&printed);
}

static void test_the_file_loads_as_the_defaults(void **state)
{
	(void)state;
	struct config *example = load(EXAMPLE);
	struct config *defaults = load(NULL);
	assert_string_equal(example->listen, defaults->listen);
	assert_string_equal(example->state.adapter.config, defaults->state.adapter.config);
	struct config_delivery of_example = example->delivery;
	struct config_delivery of_defaults = defaults->delivery;
	assert_int_equal(of_example.retry.schedule.count, 0);
	of_example.retry.schedule =
	        of_defaults.retry.schedule; /* the list itself, not where it lies */
	assert_memory_equal(&of_example, &of_defaults, sizeof of_example);
	assert_memory_equal(&example->limits, &defaults->limits, sizeof example->limits);
	assert_int_equal(example->function_count, 0);
	assert_int_equal(example->trigger_count, 0);
	config_free(example);
	config_free(defaults);
}

/* Behind the first `##` a line with a single `#` is an example and the others are prose. */
static void test_the_examples_load_when_they_are_uncommented(void **state)
{
	(void)state;
	struct buf printed = {0};
	config_print_example(&printed);
	buf_byte(&printed, 0);
	const char *line = strstr(printed.ptr, "\n## ");
	assert_non_null(line);
	char path[] = "/tmp/pawl-test-example-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	for (line++; *line != 0; line = strchr(line, '\n') + 1) {
		bool is_example = line[0] == '#' && line[1] != '#';
		const char *from = line + is_example;
		size_t len = (size_t)(strchr(from, '\n') + 1 - from);
		assert_int_equal(fwrite(from, 1, len, file), len);
	}
	assert_int_equal(fclose(file), 0);
	struct config *config = load(path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(config->function_count, 3);
	assert_int_equal(config->functions[1].kind, CONFIG_FUNCTION_HTTP);
	assert_int_equal(config->trigger_count, 4);
	assert_int_equal(config->queue_count, 3);
	assert_string_equal(config->triggers[3].type, "cron");
	assert_string_equal(config->triggers[0].config,
	                    "{\"events\":[\"created\"],\"scope\":\"users\"}");
	config_free(config);
	buf_free(&printed);
}

static void test_the_list_of_options_reaches_into_items(void **state)
{
	(void)state;
	struct buf out = {0};
	config_print_options(&out);
	buf_byte(&out, 0);
	assert_non_null(strstr(out.ptr, "listen: 127.0.0.1:49134\n"));
	assert_non_null(strstr(out.ptr, "state.adapter.config.durability: commit\n"));
	assert_non_null(strstr(out.ptr, "functions[].exec.timeout: 30s\n"));
	assert_non_null(strstr(out.ptr, "triggers[].type: state\n"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_file_is_what_the_tables_print),
	        cmocka_unit_test(test_the_file_loads_as_the_defaults),
	        cmocka_unit_test(test_the_examples_load_when_they_are_uncommented),
	        cmocka_unit_test(test_the_list_of_options_reaches_into_items),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
