/* This file proves that lanes are first in first out, whoever leaves them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_lane_is_first_in_first_out(void **state)
{
	(void)state;
	struct order order = {0};
	struct delivery lane[4] = {{.lane = 7}, {.lane = 7}, {.lane = 7}, {.lane = 8}};
	assert_true(order_enter(&order, &lane[0]));
	assert_false(order_enter(&order, &lane[1]));
	assert_false(order_enter(&order, &lane[2]));
	assert_true(order_enter(&order, &lane[3]));
	assert_null(order_leave(&order, &lane[2])); /* the last */
	assert_ptr_equal(order_leave(&order, &lane[0]), &lane[1]);
	lane[2] = (struct delivery){.lane = 7};
	assert_false(order_enter(&order, &lane[2]));
	assert_ptr_equal(order_head(&order, &lane[2]), &lane[1]);
	assert_ptr_equal(order_leave(&order, &lane[1]), &lane[2]);
	assert_null(order_leave(&order, &lane[2]));
	assert_null(order_leave(&order, &lane[3]));
	order_close(&order);
}

static void the_policy_says_which_lane(void **state)
{
	(void)state;
	struct binding binding = {.id = SPAN("t")};
	struct span s = SPAN("s");
	binding.policy.order = ORDER_KEY;
	assert_true(order_lane(&binding, 1, s, SPAN("a")) == order_lane(&binding, 2, s, SPAN("a")));
	assert_true(order_lane(&binding, 1, s, SPAN("a")) != order_lane(&binding, 1, s, SPAN("b")));
	binding.policy.order = ORDER_TRIGGER;
	assert_true(order_lane(&binding, 1, s, SPAN("a")) == order_lane(&binding, 2, s, SPAN("b")));
	binding.policy.order = ORDER_NONE;
	assert_true(order_lane(&binding, 1, s, SPAN("a")) != order_lane(&binding, 2, s, SPAN("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lane_is_first_in_first_out),
	        cmocka_unit_test(the_policy_says_which_lane),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
