/* This file tests what people are told of an evaluation that failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/expr_world.h"
#include "triggers/expr/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct world world;

static int begin(void **state)
{
	(void)state;
	world_open(&world);
	world_bind(&world, "null",
	           "{\"n\":5,\"s\":\"text\",\"list\":[1,\"a\"],\"m\":{\"a\":null}}");
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void it_says_what_and_where(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		const char *want;
	} rows[] = {
	        {"new_value.n - new_value.m.a == 1.0",
	         "the operation '-' does not take these types (double - null), in "
	         "new_value.n - new_value.m.a"},
	        {"old_value.count == 1",
	         "a value of type null has no fields, in old_value.count == 1"},
	        {"old_value.count - 1 > 0",
	         "a value of type null has no fields, in old_value.count"},
	        {"true && new_value.s > 5",
	         "the operation '>' does not take these types (string > int), in new_value.s > 5"},
	        {"new_value.n % 2 == 1",
	         "the operation '%' does not take these types (double % int), in new_value.n % 2"},
	        {"!new_value.n",
	         "the operation '!' does not take these types (double), in !new_value.n"},
	        {"new_value.n && true",
	         "the operation '&&' does not take these types (double), in new_value.n && true"},
	        {"new_value.n ? 1 : 2",
	         "the operation '?:' does not take these types (double), in new_value.n ? 1 : 2"},
	        {"1 in new_value.s", "the operation 'in' does not take these types (int in "
	                             "string), in 1 in new_value.s"},
	        {"size(new_value.n) > 1", "the function 'size' does not take these types (double), "
	                                  "in size(new_value.n) > 1"},
	        {"new_value.n.startsWith('a')",
	         "the function 'startsWith' does not take these types (double), in "
	         "new_value.n.startsWith('a')"},
	        {"new_value.list['a'] == 1",
	         "a value of type list has no fields, in new_value.list['a'] == 1"},
	        {"new_value.list[new_value.s] == 1",
	         "the operation '[]' does not take these types (list, string), in "
	         "new_value.list[new_value.s]"},
	        {"new_value.list[7] == 1", "the index is out of bounds, in new_value.list[7]"},
	        {"new_value.?n.?x.hasValue()",
	         "a value of type double has no fields, in new_value.?n.?x"},
	        {"has(new_value.s.x)", "a value of type string has no fields, in new_value.s.x"},
	        {"new_value.n.all(x, x > 1)",
	         "a loop goes over a list or a map (double), in new_value.n.all(x, x > 1)"},
	        {"new_value.list.exists(x, x > 2)",
	         "the operation '>' does not take these types (string > int), in x > 2"},
	        {"new_value.list.all(x, x)",
	         "what a loop asks is not true or false (double), in new_value.list.all(x, x)"},
	        {"true &&\n  new_value.nothing ==\n\t1",
	         "there is no such key: 'nothing', in new_value.nothing == 1 (line 2, column 21)"},
	        {"new_value.nothing in ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	         "aaaaaaaaaaaaaaaaaaa']",
	         "there is no such key: 'nothing', in new_value.nothing in "
	         "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ... (line 1, column "
	         "19)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct expr *expr = world_expr(&world, rows[i].source);
		assert_non_null(expr);
		struct value value = expr_eval(expr, &world.activation, EXPR_BUDGET, NULL);
		struct buf out = {0};
		if (!value_is_error(value)) {
			fail_msg("%s: no error", rows[i].source);
		}
		failure_write(expr_source(expr), value, &out);
		buf_byte(&out, '\0');
		assert_string_equal(out.ptr, rows[i].want);
		buf_free(&out);
		expr_free(expr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(it_says_what_and_where, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
