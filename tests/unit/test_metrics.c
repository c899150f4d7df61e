/* This file tests the table of metrics: names as Prometheus wants them, and the docs tell of each.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/usage.h"
#include "engine/work/metrics.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void names_say_what_they_are(void **state)
{
	(void)state;
	size_t count;
	const struct metric *table = metrics_table(&count);
	for (size_t i = 0; i < count; i++) {
		const struct metric *metric = &table[i];
		bool is_counter = metric->kind == EXPOSITION_COUNTER;
		bool is_time = metric->source == METRIC_MS || metric->source == METRIC_US ||
		               metric->kind == EXPOSITION_HISTOGRAM;
		for (const char *at = metric->name; *at != '\0'; at++) {
			assert_true(islower((unsigned char)*at) || *at == '_');
		}
		assert_int_equal(ends_with(metric->name, "_total"), is_counter);
		assert_true(!is_time || strstr(metric->name, "_seconds") != NULL);
		assert_true(ends_with(metric->help, "."));
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(metric->name, table[j].name);
		}
	}
}

static void the_docs_tell_of_each(void **state)
{
	(void)state;
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	static char docs[64 * 1024];
	FILE *file = fopen(SOURCE_DIR "/docs/observability.md", "re");
	assert_non_null(file);
	docs[fread(docs, 1, sizeof docs - 1, file)] = '\0';
	(void)fclose(file);
	size_t count;
	const struct metric *table = metrics_table(&count);
	for (size_t i = 0; i < count; i++) {
		struct buf row = {0};
		buf_format(&row, "| `%s` | %s | %s |\n", table[i].name, kinds[table[i].kind],
		           table[i].help);
		buf_byte(&row, '\0');
		if (strstr(docs, row.ptr) == NULL) {
			fail_msg("docs/observability.md lacks %s", row.ptr);
		}
		buf_free(&row);
	}
}

static void the_process_is_measured(void **state)
{
	(void)state;
	struct usage before;
	struct usage after;
	usage_read(&before);
	FILE *file = fopen("/dev/null", "re");
	usage_read(&after);
	(void)fclose(file);
	assert_int_equal(after.open_fds, before.open_fds + 1);
	assert_true(after.resident_bytes > 100000 && after.virtual_bytes >= after.resident_bytes);
	assert_true(after.cpu_us >= before.cpu_us && after.max_fds > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_say_what_they_are),
	        cmocka_unit_test(the_docs_tell_of_each),
	        cmocka_unit_test(the_process_is_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
