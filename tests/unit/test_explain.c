/* This file tests what people are told of a condition that did not hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/expr_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct world world;

static int begin(void **state)
{
	(void)state;
	world_open(&world);
	world_bind(&world, "null",
	           "{\"age\":30,\"no\":false,\"yes\":true,\"m\":{\"a\":1,\"b\":2},"
	           "\"items\":[{\"sku\":\"A-1\",\"qty\":3,\"d\":{\"e\":1}},"
	           "{\"qty\":1,\"sku\":\"B\",\"d\":{\"e\":2}}]}");
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void note(struct buf *out, const char *kind, struct span source, struct value value)
{
	buf_format(out, "%s %.*s = ", kind, SPAN_ARG(source));
	if (value_is_error(value)) {
		buf_format(out, "%s", value_error_word(value.code));
	} else {
		value_write_text(&world.activation.allowance, value, 40, out);
	}
	buf_byte(out, '\n');
}

static void note_part(void *ctx, struct span source, struct value value)
{
	note(ctx, "part", source, value);
}

static void note_seen(void *ctx, struct span source, struct value value)
{
	note(ctx, "seen", source, value);
}

static const char *explain(struct buf *out, const char *source)
{
	struct fault fault = {0};
	buf_clear(out);
	int status = expr_explain(&world.env, span_of(source), &world.activation, EXPR_BUDGET,
	                          note_part, note_seen, out, &fault);
	if (status != 0) {
		buf_format(out, "%s", fault.text);
	}
	buf_byte(out, '\0');
	return out->ptr;
}

static void test_explain(void **state)
{
	(void)state;
	struct buf out = {0};
	assert_string_equal(
	        explain(&out, "scope == 'shop' && (new_value.age < 18 || "
	                      "size(new_value.items) > 5 || has(old_value.plan)) && "
	                      "new_value.yes"),
	        "part scope == 'shop' = true\n"
	        "part (new_value.age < 18 || size(new_value.items) > 5 || "
	        "has(old_value.plan)) = false\n"
	        "part new_value.yes = true\n"
	        "seen new_value.age = 30\n"
	        "seen size(new_value.items) = 2\n"
	        "seen new_value.items = [{\"sku\": \"A-1\", \"qty\": 3, \"d\": {\"e\": 1}}...\n"
	        "seen old_value.plan = no_such_overload\n");
	assert_string_equal(explain(&out, "new_value.m.all(seq, seq == key || new_value.no)"),
	                    "part new_value.m.all(seq, seq == key || new_value.no) = false\n"
	                    "seen new_value.m = {\"a\": 1, \"b\": 2}\n"
	                    "seen key = \"user:1\"\n"
	                    "seen new_value.no = false\n");
	assert_string_equal(explain(&out, "nobody == 1"), "there is no variable 'nobody'");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_explain, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
