/* This file tests histograms: bounds, quantiles, and what is too large. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/histogram.h"

static void an_empty_one_says_nothing(void **state)
{
	(void)state;
	const struct histogram histogram = {0};
	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	assert_int_equal(histogram_up_to(&histogram, 1000), 0);
}

/* Each bound is exact: what equals it is at most it, the next number is not. */
static void bounds_are_exact(void **state)
{
	(void)state;
	for (int64_t unit = 1; unit < INT64_C(10000000000); unit *= 10) {
		for (int64_t n = 1; n <= 9; n++) {
			struct histogram histogram = {0};
			int64_t bound = n * unit;
			histogram_add(&histogram, bound);
			assert_int_equal(histogram_up_to(&histogram, bound), 1);
			histogram_add(&histogram, bound + 1);
			assert_int_equal(histogram_up_to(&histogram, bound), 1);
			assert_int_equal(histogram_up_to(&histogram, 10 * unit), 2);
		}
	}
}

static void quantiles_are_near(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	for (int i = 1; i <= 1000; i++) {
		histogram_add(&histogram, i);
	}
	assert_int_equal(histogram.count, 1000);
	assert_int_equal(histogram.sum, 500500);
	assert_int_equal(histogram_quantile(&histogram, 500), 500);
	assert_int_equal(histogram_quantile(&histogram, 501), 600);
	assert_int_equal(histogram_quantile(&histogram, 990), 1000);
	histogram_add(&histogram, 1234);
	assert_int_equal(histogram_quantile(&histogram, 1000), 1234); /* not 2000 */
}

static void odd_values_have_a_place(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	histogram_add(&histogram, -5);
	assert_int_equal(histogram_up_to(&histogram, 1), 1);
	assert_int_equal(histogram.sum, 0);
	histogram_add(&histogram, INT64_MAX);
	assert_int_equal(histogram_up_to(&histogram, INT64_C(9000000000)), 1);
	assert_true(histogram_quantile(&histogram, 1000) == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_one_says_nothing),
	        cmocka_unit_test(bounds_are_exact),
	        cmocka_unit_test(quantiles_are_near),
	        cmocka_unit_test(odd_values_have_a_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
