/* This file tests expressions from their text to their value. */
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
	           "{\"plan\":\"pro\",\"age\":30,\"half\":0.5,\"big\":9007199254740993,"
	           "\"no\":false,\"yes\":true,\"nothing\":null,\"a key\":{\"b\":[1,2,3]},"
	           "\"items\":[{\"sku\":\"A-1\",\"qty\":3,\"d\":{\"e\":1}},"
	           "{\"qty\":1,\"sku\":\"B\",\"d\":{\"e\":2}}],"
	           "\"m\":{\"a\":1,\"b\":2},\"email\":\"a@example.com\"}");
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

struct row {
	const char *source;
	const char *value;
};

static void check_rows_of(const struct row *rows)
{
	for (; rows->source != NULL; rows++) {
		const char *found = world_eval(&world, rows->source);
		if (strcmp(found, rows->value) != 0) {
			fail_msg("%s: %s, expected %s", rows->source, found, rows->value);
		}
	}
}

static void test_paths(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"new_value.plan", "\"pro\""},
	        {"new_value['plan'] == \"pro\"", "true"},
	        {"new_value['a key'].b[1] == 2", "true"},
	        {"new_value['a key']['b'][3]", "out_of_bounds"},
	        {"new_value.nope", "no_such_key"},
	        {"new_value.nope.deeper", "no_such_key"},
	        {"new_value.plan.x", "no_such_overload"},
	        {"old_value.plan", "no_such_overload"},
	        {"has(new_value.plan)", "true"},
	        {"has(new_value.nothing)", "true"},
	        {"has(new_value.nope)", "false"},
	        {"has(new_value.nope.deeper)", "no_such_key"},
	        {"has(new_value.plan.x)", "no_such_overload"},
	        {"has(old_value.plan)", "false"},
	        {"has(new_value.nothing.x)", "false"},
	        {"old_value.?plan.orValue(\"none\")", "\"none\""},
	        {"old_value[?'plan'].orValue(\"none\")", "\"none\""},
	        {"old_value.?plan.deep.hasValue()", "false"},
	        {"new_value.?plan.orValue(\"none\")", "\"pro\""},
	        {"new_value.?nope.hasValue()", "false"},
	        {"new_value.?nope.deeper.hasValue()", "false"},
	        {"new_value.?m.b.value() == 2", "true"},
	        {"new_value.?plan.x.hasValue()", "no_such_overload"},
	        {"new_value.items[?5].hasValue()", "false"},
	        {"new_value.items[?0].sku.value()", "\"A-1\""},
	        {"deep.er.x == 1", "true"},
	        {".deep.er.x == 1", "true"},
	        {"[1].exists(scope, scope == 1 && .scope == \"shop\")", "true"},
	        {"[{'er': {'x': 2}}].exists(deep, deep.er.x == 2)", "true"},
	        {"type(new_value.age) == double", "true"},
	        {"[int, string, optional_type, google.protobuf.Timestamp].size()", "4"},
	        {"new_value.big == 9007199254740993", "true"},
	        {"new_value.big == 9007199254740992", "false"},
	        {NULL, NULL},
	};
	check_rows_of(rows);
}

static void test_tests(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"\"pro\" == new_value.plan", "true"},
	        {"new_value.plan != \"pro\"", "false"},
	        {"!(new_value.plan == \"free\")", "true"},
	        {"!(new_value.nope == \"free\")", "no_such_key"},
	        {"new_value.plan == 5", "false"},
	        {"new_value.age == 30 && new_value.age == 30.0 && new_value.age == 30u", "true"},
	        {"new_value.age != 30", "false"},
	        {"18 <= new_value.age && 65 > new_value.age", "true"},
	        {"new_value.age < 30 || new_value.age > 30", "false"},
	        {"new_value.age <= 30 && new_value.age >= 30", "true"},
	        {"new_value.half < 1 && new_value.half > 0", "true"},
	        {"new_value.age < 0.0/0.0 || new_value.age >= 0.0/0.0", "false"},
	        {"new_value.plan < 5", "no_such_overload"},
	        {"new_value.plan < \"q\"", "true"},
	        {"new_value.nothing == null", "true"},
	        {"new_value.nothing < null", "refused: '<' does not take any and null_type"},
	        {"new_value.plan in [\"pro\", \"team\"]", "true"},
	        {"new_value.plan in []", "false"},
	        {"new_value.age in [\"x\", 30]", "true"},
	        {"new_value.plan in ['1','2','3','4','5','6','7','8','pro']", "true"},
	        {"new_value.age in [1,2,3,4,5u,6.0,7,8,9,30u,11]", "true"},
	        {"new_value.age in [1,2,3,4,5,6,7,8,9,10,11]", "false"},
	        {"new_value.items in [1,2,3,4,5,6,7,8,9,10,11]", "false"},
	        {"new_value.items in [1,2,3,4,5,6,7,8,9,10,[1]]", "false"},
	        {"new_value.m == {'b': 2, 'a': 1}", "true"},
	        {"new_value['a key'].b == [1, 2, 3]", "true"},
	        {"2 in new_value['a key'].b && !('z' in new_value.m)", "true"},
	        {"new_value.plan.startsWith('p') && new_value.plan.endsWith('ro')", "true"},
	        {"new_value.plan.contains('r') && !new_value.plan.contains('x')", "true"},
	        {"new_value.age.startsWith('p')", "no_such_overload"},
	        {"new_value.email.matches('^[a-z]+@example[.]com$')", "true"},
	        {"matches(new_value.email, 'nobody')", "false"},
	        {"new_value.age.matches('x')", "no_such_overload"},
	        {"['^p', 'o$'].all(p, new_value.plan.matches(p))", "true"},
	        {"['(', 'o$'].all(p, new_value.plan.matches(p))", "invalid_argument"},
	        {"new_value.yes && !new_value.no", "true"},
	        {"new_value.plan == new_value.email || new_value.yes == true", "true"},
	        {"size(new_value.items) > 1 && new_value.items.size() == 2", "true"},
	        {"new_value.age > new_value.half", "true"},
	        {"dyn(9223372036854775807) < 9223372036854775808.0", "false"},
	        {NULL, NULL},
	};
	check_rows_of(rows);
}

/* A test of a constant answers as the operator does that is told nothing. */
static void test_fused_is_plain(void **state)
{
	(void)state;
	static const char *const values[] = {
	        "1",
	        "-1",
	        "1.0",
	        "1.5",
	        "1e3",
	        "\"a\"",
	        "\"\"",
	        "\"abcdefghijklmnopq\"",
	        "true",
	        "null",
	        "[1]",
	        "{}",
	        "{\"a\":1}",
	        "0",
	        "1e300",
	        "18446744073709551615",
	        "9007199254740993",
	        "9007199254740992.0",
	        "-9223372036854775808",
	};
	static const char *const constants[] = {
	        "1",
	        "1u",
	        "1.0",
	        "1.5",
	        "1000",
	        "'a'",
	        "''",
	        "'abcdefghijklmnopq'",
	        "true",
	        "null",
	        "[1]",
	        "{}",
	        "{'a': 1}",
	        "b'a'",
	        "0.0 / 0.0",
	        "18446744073709551615u",
	        "9007199254740993",
	        "9223372036854775807",
	        "9223372036854775808.0",
	        "string",
	};
	static const char *const forms[] = {
	        "%s == %s",
	        "%s != %s",
	        "%s < %s",
	        "%s <= %s",
	        "%s > %s",
	        "%s >= %s",
	        "!(%s == %s)",
	        "%s in [%s]",
	        "%s in [11, 12, 13, 14, 15, 16, 17, %s, 18, 'x']",
	        "%s.startsWith(%s)",
	        "%s.endsWith(%s)",
	        "%s.contains(%s)",
	        "%s.matches(%s)",
	};
	enum { VALUES = sizeof values / sizeof *values, FORMS = sizeof forms / sizeof *forms };
	world.env.unchecked = true;
	for (size_t i = 0; i < VALUES * FORMS * (sizeof constants / sizeof *constants); i++) {
		const char *constant = constants[i / VALUES / FORMS];
		char json[64];
		char part[128];
		char source[256];
		char found[64];
		(void)snprintf(json, sizeof json, "{\"x\":%s}", values[i % VALUES]);
		world_bind(&world, "null", json);
		(void)snprintf(part, sizeof part, forms[i / VALUES % FORMS], "new_value.x",
		               constant);
		(void)snprintf(found, sizeof found, "%s", world_eval(&world, part));
		(void)snprintf(part, sizeof part, forms[i / VALUES % FORMS], "new_value.x", "c");
		(void)snprintf(source, sizeof source, "cel.bind(c, %s, %s)", constant, part);
		const char *plain = world_eval(&world, source);
		if (strcmp(found, plain) != 0) {
			fail_msg("x = %s, c = %s: %s: %s, of the constant: %s", values[i % VALUES],
			         constant, part, plain, found);
		}
	}
}

static void test_loops(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"new_value.items.exists(i, i.sku == 'A-1' && i.qty > 2)", "true"},
	        {"new_value.items.all(i, i.qty > 2)", "false"},
	        {"new_value.items.exists_one(i, i.sku == 'B')", "true"},
	        {"new_value.items.map(i, i.d.e)", "[1, 2]"},
	        {"new_value.items.map(i, i.qty > 2, i.sku)", "[\"A-1\"]"},
	        {"new_value.items.filter(i, i.d.e == 2)[0].sku", "\"B\""},
	        {"new_value.m.exists(k, k == 'b')", "true"},
	        {"new_value.m.all(k, v, v < 3)", "true"},
	        {"new_value.items.exists(i, i.nope == 1)", "no_such_key"},
	        {"new_value.items.exists(i, i.nope == 1 || i.sku == 'B')", "true"},
	        {"new_value.items.exists_one(i, i.nope == 1 || i.sku == 'B')", "no_such_key"},
	        {"new_value.items.all(i, i)", "no_such_overload"},
	        {"new_value.plan.all(i, true)", "no_such_overload"},
	        {"new_value.items.all(i, new_value.items.exists(j, i.sku == j.sku))", "true"},
	        {"new_value.m.transformList(k, v, v > 1, k)", "[\"b\"]"},
	        {"new_value.m.transformMap(k, v, k + '!')", "{\"a\": \"a!\", \"b\": \"b!\"}"},
	        {"new_value.items.transformMapEntry(i, v, {v.sku: i})", "{\"A-1\": 0, \"B\": 1}"},
	        {"[1, 2].transformMapEntry(i, v, {'x': i})", "duplicate_key"},
	        {"cel.bind(x, new_value.age, x > 20 && x < 40)", "true"},
	        {"cel.bind(x, new_value.nope, true || x == 1)", "true"},
	        {"cel.bind(x, new_value.nope, x == 1)", "no_such_key"},
	        {"new_value.?age.optMap(a, a + 1).value() == 31", "true"},
	        {"[?new_value.?age, ?new_value.?nope].size()", "1"},
	        {"{?'a': new_value.?nope}.size()", "0"},
	        {"{1: 2}[1.0]", "2"},
	        {"{1.0: 2}", "no_such_overload"},
	        {NULL, NULL},
	};
	check_rows_of(rows);
}

/* ---- && and || ---- */

enum truth { TRUE_, FALSE_, ERROR_, NO_BOOL, TRUTHS };

static const char *expected_of(bool is_and, enum truth a, enum truth b)
{
	enum truth decisive = is_and ? FALSE_ : TRUE_;
	if (a == decisive || b == decisive) {
		return is_and ? "false" : "true";
	}
	if (a == ERROR_ || (b == ERROR_ && a != NO_BOOL)) {
		return "no_such_key";
	}
	return a == NO_BOOL || b == NO_BOOL ? "no_such_overload" : is_and ? "true" : "false";
}

static void test_absorption(void **state)
{
	(void)state;
	/* As slots, and as what is no node of its own. */
	static const char *const operands[2][TRUTHS] = {
	        {"new_value.yes", "new_value.no", "new_value.nope", "new_value.plan"},
	        {"(new_value.age > 1)", "(new_value.age < 1)", "(new_value.nope == 1)",
	         "(new_value.yes ? 1 : 2)"},
	};
	world.env.unchecked = true;
	for (unsigned i = 0; i < 2u * 2 * 2 * TRUTHS * TRUTHS; i++) {
		enum truth a = i % TRUTHS;
		enum truth b = i / TRUTHS % TRUTHS;
		unsigned forms = i / TRUTHS / TRUTHS;
		bool is_and = forms & 4;
		char source[128];
		(void)snprintf(source, sizeof source, "%s %s %s", operands[forms & 1][a],
		               is_and ? "&&" : "||", operands[(forms >> 1) & 1][b]);
		const char *found = world_eval(&world, source);
		if (strcmp(found, expected_of(is_and, a, b)) != 0) {
			fail_msg("%s: %s, expected %s", source, found, expected_of(is_and, a, b));
		}
	}
}

static void test_logic_of_many(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"new_value.nope && new_value.yes && new_value.no", "false"},
	        {"(new_value.nope || new_value.no) || (new_value.no || new_value.yes)", "true"},
	        {"new_value.yes && true && new_value.yes", "true"},
	        {"true && new_value.plan", "no_such_overload"},
	        {"false && new_value.nope", "false"},
	        {"new_value.no ? 1/0 : 2", "2"},
	        {"new_value.nope ? 1 : 2", "no_such_key"},
	        {"new_value.plan ? 1 : 2", "no_such_overload"},
	        {"!new_value.plan", "no_such_overload"},
	        {"true ? 'a' : 'b'", "\"a\""},
	        {NULL, NULL},
	};
	check_rows_of(rows);
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		size_t column;
		const char *text;
		const char *hint;
	} rows[] = {
	        {"1 == 1 && new_valu.x == 1", 11, "no variable 'new_valu'", "'new_value'"},
	        {"new_value.items.all(item, itm.x)", 27, "no variable 'itm'", "'item'"},
	        {"new_value.plan.startWith('x')", 16, "no function 'startWith'", "startsWith"},
	        {"new_value.plan.startsWith('x', 1)", 16, "does not take 2 arguments",
	         "it takes 1"},
	        {"'a'.substring()", 5, "does not take 0 arguments", "it takes 1 or 2"},
	        {"[1].includes(1)", 5, "no function 'includes'", "write x in list"},
	        {"startsWith(new_value.plan, 'x')", 1, "called as a method", "x.startsWith("},
	        {"1 + 'a'", 3, "'+' does not take int and string", ""},
	        {"1 + 1u", 3, "'+' does not take int and uint", "convert"},
	        {"scope - 1", 7, "'-' does not take string and int", ""},
	        {"scope.x == 1", 7, "string has no fields", ""},
	        {"1 && true", 3, "'&&' does not take int", ""},
	        {"!'a'", 1, "'!' does not take string", ""},
	        {"new_value.email.matches('a(')", 25, "pattern", ""},
	        {"[1].all(i, 'x')", 5, "does not take string", ""},
	        {NULL, 0, NULL, NULL},
	};
	for (size_t i = 0; rows[i].source != NULL; i++) {
		struct expr *expr = world_expr(&world, rows[i].source);
		if (expr != NULL || world.fault.column != rows[i].column ||
		    strstr(world.fault.text, rows[i].text) == NULL ||
		    strstr(world.fault.hint, rows[i].hint) == NULL) {
			fail_msg("%s: column %zu: %s; %s", rows[i].source, world.fault.column,
			         world.fault.text, world.fault.hint);
		}
	}
}

static void test_unchecked(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"nobody", "unknown_name"},         {"nobody || true", "true"},
	        {"nothing(1)", "unknown_function"}, {"1 + 'a'", "no_such_overload"},
	        {"'a' && false", "false"},          {NULL, NULL},
	};
	world.env.unchecked = true;
	check_rows_of(rows);
}

static void test_wants_bool(void **state)
{
	(void)state;
	struct expr *expr = NULL;
	struct fault fault = {0};
	assert_int_not_equal(expr_new(&world.env, SPAN("scope"), EXPR_BOOL, &expr, &fault), 0);
	assert_non_null(strstr(fault.text, "never true or false"));
	assert_int_equal(expr_new(&world.env, SPAN("key"), EXPR_BOOL, &expr, &fault), 0);
	struct value value = expr_eval(expr, &world.activation, EXPR_BUDGET, NULL);
	assert_true(value_is_error(value) && value.code == ERROR_NOT_BOOL);
	expr_free(expr);
}

static void test_error_has_a_place(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		uint32_t at;
	} rows[] = {
	        {"new_value.yes && new_value.nope", 27},
	        {"1 == 1 && 1 / 0 == 1", 12},
	        {"true && [1][2] == 1", 11},
	        {"1 < 2 && int('x') == 1", 9},
	        {"false || new_value.plan < 1", 24},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct expr *expr = world_expr(&world, rows[i].source);
		assert_non_null(expr);
		struct value value = expr_eval(expr, &world.activation, EXPR_BUDGET, NULL);
		assert_true(value_is_error(value));
		if (value.at != rows[i].at) {
			fail_msg("%s: at %u, expected %u", rows[i].source, value.at, rows[i].at);
		}
		expr_free(expr);
	}
}

/* ---- what it costs ---- */

static void test_folded(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		int64_t steps; /* a node each; what is called takes more */
	} rows[] = {
	        {"1 + 2 * 3", 5},
	        {"timestamp('2024-01-01T00:00:00Z') < timestamp('2025-01-01T00:00:00Z')", 5},
	        {"'a' + 'b' in ['ab', 'c'.lowerAscii()]", 8},
	        {"size([1, 2, 3]) == 3 && 'x'.matches('x')", 11},
	        {"1 / 0", 4},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct expr *expr = world_expr(&world, rows[i].source);
		assert_non_null(expr);
		int64_t spent = 0;
		(void)expr_eval(expr, &world.activation, EXPR_BUDGET, &spent);
		if (spent != rows[i].steps) {
			fail_msg("%s: %ld steps", rows[i].source, (long)spent);
		}
		expr_free(expr);
	}
}

static void test_budget(void **state)
{
	(void)state;
	char json[4000] = "{\"yes\":true,\"l\":[0";
	for (int i = 1; i < 1500; i++) {
		(void)strcat(json, ",0");
	}
	(void)strcat(json, "]}");
	world_bind(&world, "null", json);
	static const struct row rows[] = {
	        {"new_value.l.all(a, new_value.l.all(b, a == b))", "budget"},
	        {"new_value.l.all(a, new_value.l.all(b, a == b)) || true", "true"},
	        {"new_value.l.all(a, new_value.l.all(b, a == b)) || new_value.yes", "budget"},
	        {"new_value.l.exists(a, new_value.l.map(b, a).size() == 0) || new_value.yes",
	         "budget"},
	        {"new_value.l.map(a, new_value.l.map(b, new_value.l)).size()", "budget"},
	        {"new_value.l.all(a, a == 0)", "true"},
	        {NULL, NULL},
	};
	check_rows_of(rows);
	struct expr *expr = world_expr(&world, "new_value.yes && new_value.yes");
	int64_t spent = 0;
	struct value value = expr_eval(expr, &world.activation, 2, &spent);
	assert_true(value_is_error(value) && value.code == ERROR_BUDGET);
	expr_free(expr);
}

static void test_too_big(void **state)
{
	(void)state;
	struct buf source = {0};
	BUF_LITERAL(&source, "cel.bind(a0, new_value.plan, ");
	for (int i = 1; i < 40; i++) {
		buf_format(&source, "cel.bind(a%d, a%d + a%d, ", i, i - 1, i - 1);
	}
	BUF_LITERAL(&source, "a39.size() > 0 || new_value.nope");
	for (int i = 0; i < 40; i++) {
		buf_byte(&source, ')');
	}
	buf_byte(&source, '\0');
	const char *found = world_eval(&world, source.ptr);
	assert_true(strcmp(found, "too_big") == 0 || strcmp(found, "budget") == 0);
	buf_free(&source);
}

static void test_memory(void **state)
{
	(void)state;
	struct expr *expr =
	        world_expr(&world, "scope == \"s\" && key == \"k1\" && new_value.x == 1");
	assert_non_null(expr);
	assert_true(expr_bytes(expr) < 500);
	assert_true(
	        span_is(expr_source(expr), "scope == \"s\" && key == \"k1\" && new_value.x == 1"));
	expr_free(expr);
	/* Every slot was given back. */
	assert_int_equal(paths_child(world.paths, world.variables[3].slot, SPAN("x")), PATHS_NONE);
	assert_null(world_expr(&world, "new_value.x.y.z == 1 && new_value.x.matches('(')"));
	assert_int_equal(paths_child(world.paths, world.variables[3].slot, SPAN("x")), PATHS_NONE);
}

/* A path that is first used after the event was bound. */
static void test_later_path(void **state)
{
	(void)state;
	struct expr *first = world_expr(&world, "new_value.plan == 'pro'");
	assert_true(value_is_true(expr_eval(first, &world.activation, EXPR_BUDGET, NULL)));
	char source[64];
	struct expr *later[100];
	for (int i = 0; i < 100; i++) {
		(void)snprintf(source, sizeof source, "!has(new_value.f%d) && new_value.yes", i);
		later[i] = world_expr(&world, source);
		assert_true(
		        value_is_true(expr_eval(later[i], &world.activation, EXPR_BUDGET, NULL)));
	}
	for (int i = 0; i < 100; i++) {
		expr_free(later[i]);
	}
	expr_free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_paths, begin, end),
	        cmocka_unit_test_setup_teardown(test_tests, begin, end),
	        cmocka_unit_test_setup_teardown(test_fused_is_plain, begin, end),
	        cmocka_unit_test_setup_teardown(test_loops, begin, end),
	        cmocka_unit_test_setup_teardown(test_absorption, begin, end),
	        cmocka_unit_test_setup_teardown(test_logic_of_many, begin, end),
	        cmocka_unit_test_setup_teardown(test_refused, begin, end),
	        cmocka_unit_test_setup_teardown(test_unchecked, begin, end),
	        cmocka_unit_test_setup_teardown(test_wants_bool, begin, end),
	        cmocka_unit_test_setup_teardown(test_error_has_a_place, begin, end),
	        cmocka_unit_test_setup_teardown(test_folded, begin, end),
	        cmocka_unit_test_setup_teardown(test_budget, begin, end),
	        cmocka_unit_test_setup_teardown(test_too_big, begin, end),
	        cmocka_unit_test_setup_teardown(test_memory, begin, end),
	        cmocka_unit_test_setup_teardown(test_later_path, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
