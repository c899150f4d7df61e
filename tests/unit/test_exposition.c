/* This file tests the text that Prometheus reads: escapes, decimals, histograms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "wire/exposition.h"

static void assert_text(struct buf *out, const char *expected)
{
	buf_byte(out, '\0');
	assert_string_equal(out->ptr, expected);
	buf_free(out);
}

static void help_is_one_line(void **state)
{
	(void)state;
	struct buf out = {0};
	exposition_begin(&out, "x_total", EXPOSITION_COUNTER, "A \\ and\na \"line\".");
	assert_text(&out, "# HELP x_total A \\\\ and\\na \"line\".\n# TYPE x_total counter\n");
}

static void labels_are_escaped(void **state)
{
	(void)state;
	struct buf out = {0};
	const struct exposition_label labels[] = {
	        {"a", SPAN("q\" b\\ n\n {},= \xc3\xa4")},
	        {"b", SPAN("")},
	        {"c", SPAN("\xff")}, /* no UTF-8: a whole page would be refused */
	};
	exposition_uint(&out, "x", labels, 3, UINT64_MAX);
	assert_text(&out, "x{a=\"q\\\" b\\\\ n\\n {},= \xc3\xa4\",b=\"\",c=\"?\"} "
	                  "18446744073709551615\n");
}

static void parts_are_decimals(void **state)
{
	(void)state;
	struct buf out = {0};
	exposition_parts(&out, "a", NULL, 0, 1500, 1000);
	exposition_parts(&out, "b", NULL, 0, 20, 1000000);
	exposition_parts(&out, "c", NULL, 0, 12000, 1000);
	exposition_parts(&out, "d", NULL, 0, 0, 1000);
	exposition_parts(&out, "e", NULL, 0, 1000001, 1000000);
	assert_text(&out, "a 1.5\nb 0.00002\nc 12\nd 0\ne 1.000001\n");
}

static void buckets_are_cumulative(void **state)
{
	(void)state;
	struct buf out = {0};
	struct histogram histogram = {0};
	const struct exposition_buckets how = {.parts = 1000, .least = 10, .decades = 2};
	const int64_t values[] = {3, 10, 11, 50, 51, 499, 500, 100000};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		histogram_add(&histogram, values[i]);
	}
	exposition_histogram(&out, "t", &histogram, &how);
	assert_text(&out, "t_bucket{le=\"0.01\"} 2\n"
	                  "t_bucket{le=\"0.02\"} 3\n"
	                  "t_bucket{le=\"0.05\"} 4\n"
	                  "t_bucket{le=\"0.1\"} 5\n"
	                  "t_bucket{le=\"0.2\"} 5\n"
	                  "t_bucket{le=\"0.5\"} 7\n"
	                  "t_bucket{le=\"+Inf\"} 8\n"
	                  "t_sum 101.124\n"
	                  "t_count 8\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(help_is_one_line),
	        cmocka_unit_test(labels_are_escaped),
	        cmocka_unit_test(parts_are_decimals),
	        cmocka_unit_test(buckets_are_cumulative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
