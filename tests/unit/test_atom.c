/* This file tests what an index learns of an expression, and that it is never too strict. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/expr_world.h"

#include "base/json.h"
#include "triggers/expr/atom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world world;

static int begin(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* ---- what comes out ---- */

static void write_atom(const struct expr_atom *atom, struct buf *out)
{
	static const char *const ops[] = {
	        [ATOM_EQUAL] = "==",         [ATOM_TRUE] = "true",     [ATOM_HAS] = "has",
	        [ATOM_LESS] = "<",           [ATOM_LESS_EQUAL] = "<=", [ATOM_GREATER] = ">",
	        [ATOM_GREATER_EQUAL] = ">=", [ATOM_PREFIX] = "^",      [ATOM_SUFFIX] = "$",
	};
	paths_write(world.paths, atom->slot, out);
	buf_format(out, " %s", ops[atom->op]);
	for (size_t i = 0; i < atom->count; i++) {
		buf_byte(out, ' ');
		value_write_text(&world.activation.allowance, atom->values[i], 40, out);
	}
}

/* "a == 1 & b has | c true" */
static const char *alternatives_of(const struct expr *expr)
{
	const struct expr_alternative *alternatives = NULL;
	size_t count = expr_alternatives(expr, &alternatives);
	buf_clear(&world.text);
	for (size_t i = 0; i < count; i++) {
		buf_format(&world.text, "%s", i == 0 ? "" : " | ");
		for (size_t j = 0; j < alternatives[i].count; j++) {
			buf_format(&world.text, "%s", j == 0 ? "" : " & ");
			write_atom(&alternatives[i].atoms[j], &world.text);
		}
	}
	buf_byte(&world.text, '\0');
	return world.text.ptr;
}

static void test_alternatives(void **state)
{
	(void)state;
	static const struct {
		const char *source;
		const char *alternatives;
	} rows[] = {
	        {"scope == 's' && key == 'k' && new_value.x == 1",
	         "scope == \"s\" & key == \"k\" & new_value.x == 1"},
	        {"scope == 's' && (key == 'a' || key == 'b') && new_value.y",
	         "scope == \"s\" & key == \"a\" & new_value.y true | "
	         "scope == \"s\" & key == \"b\" & new_value.y true"},
	        {"new_value.a in [1, 'x', null]", "new_value.a == 1 \"x\" null"},
	        {"5 < new_value.a && new_value.b <= 2.5", "new_value.a > 5 & new_value.b <= 2.5"},
	        {"has(new_value.a) && new_value.b.startsWith('p') && new_value.c.endsWith('s')",
	         "new_value.a has & new_value.b ^ \"p\" & new_value.c $ \"s\""},
	        {"key.matches('^user:[0-9]+$')", "key ^ \"user:\""},
	        {"key.matches('^a|b')", "key has"},
	        {"!new_value.a", "new_value.a == false"},
	        {"!(new_value.a != 1 || !has(new_value.b))", "new_value.a == 1 & new_value.b has"},
	        {"!(new_value.a != 1 && new_value.b != 2)", "new_value.a == 1 | new_value.b == 2"},
	        {"!(new_value.a < 1)", ""},
	        {"!(new_value.a == 1)", ""},
	        {"new_value.a == 1 || new_value.b + 1 == 2", ""},
	        {"new_value.a == 1 && new_value.b + 1 == 2", "new_value.a == 1"},
	        {"new_value.a == [1] || new_value.b == 1", ""},
	        {"new_value.a == 0.0/0.0 || new_value.b == 1", "new_value.b == 1"},
	        {"new_value.a == 1 ? new_value.b : false", ""},
	        {"new_value.l.exists(i, new_value.a == 1)", ""},
	        {"new_value.a < 9007199254740993", ""},
	        {"new_value.a.startsWith('')", "new_value.a has"},
	        {"new_value.a in [1] || false || new_value.b in []", "new_value.a == 1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct expr *expr = world_expr(&world, rows[i].source);
		if (expr == NULL) {
			fail_msg("%s: %s", rows[i].source, world.fault.text);
		}
		const char *found = alternatives_of(expr);
		if (strcmp(found, rows[i].alternatives) != 0) {
			fail_msg("%s: %s", rows[i].source, found);
		}
		expr_free(expr);
	}
}

static void test_too_many(void **state)
{
	(void)state;
	struct buf source = {0};
	for (int i = 0; i < 17; i++) {
		buf_format(&source, "%snew_value.f%d == 1", i == 0 ? "" : " || ", i);
	}
	buf_byte(&source, '\0');
	struct expr *expr = world_expr(&world, source.ptr);
	assert_non_null(expr);
	assert_string_equal(alternatives_of(expr), "");
	expr_free(expr);
	buf_clear(&source);
	BUF_LITERAL(&source, "new_value.a == 1");
	for (int i = 0; i < 3; i++) {
		buf_format(&source, " && (new_value.x%d || new_value.y%d || new_value.z%d)", i, i,
		           i);
	}
	buf_byte(&source, '\0');
	expr = world_expr(&world, source.ptr);
	const struct expr_alternative *alternatives = NULL;
	assert_int_equal(expr_alternatives(expr, &alternatives), 9);
	assert_int_equal(alternatives[8].count, 3);
	expr_free(expr);
	buf_free(&source);
}

static void test_prefix(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *prefix;
	} rows[] = {
	        {"^abc", "abc"},      {"abc", ""},     {"^ab*", "a"},
	        {"^ab?c", "a"},       {"^ab{0}", "a"}, {"^ab+", "ab"},
	        {"^a\\.b\\d", "a.b"}, {"^a|b", ""},    {"^a(b|c)", "a"},
	        {"^a\\|b", "a|b"},    {"^[a]b", ""},   {"^a[(]|b", ""},
	        {"^x\xc3\xa9*", "x"}, {"^", ""},       {"", ""},
	        {"^a\\Q(\\E|b", ""},  {"^a\\(|b", ""}, {"^(?i)a", ""},
	        {"^a$b", "a"},        {"(?i)^a", ""},  {"^x\xc3\xa9y", "x\xc3\xa9y"},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span found = atom_prefix(&arena, span_of(rows[i].pattern));
		if (!span_is(found, rows[i].prefix)) {
			fail_msg("%s: %.*s", rows[i].pattern, SPAN_ARG(found));
		}
	}
	arena_close(&arena);
}

/* ---- random conditions on random events ---- */

static uint64_t seed;

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static const char *pick_path(void)
{
	static const char *const paths[] = {
	        "new_value.a", "new_value.b",    "new_value.o.a",
	        "old_value.a", "new_value['c']", "key",
	};
	return paths[pick(sizeof paths / sizeof paths[0])];
}

static const char *pick_constant(void)
{
	static const char *const constants[] = {
	        "1",
	        "1u",
	        "1.0",
	        "2.5",
	        "-1",
	        "'a'",
	        "'ab'",
	        "''",
	        "true",
	        "null",
	        "false",
	        "[1]",
	        "{}",
	        "'user:1'",
	        "0.0/0.0",
	        "9007199254740993",
	        "18446744073709551615u",
	        "b'a'",
	};
	return constants[pick(sizeof constants / sizeof constants[0])];
}

static void write_leaf(struct buf *out)
{
	static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">=", "==", "=="};
	switch (pick(10)) {
	case 0:
		buf_format(out, "%s in [%s, %s]", pick_path(), pick_constant(), pick_constant());
		return;
	case 1:
		buf_format(out, "has(%s.a)", pick_path());
		return;
	case 2:
		buf_format(out, "%s.startsWith('%s')", pick_path(), pick(2) ? "a" : "");
		return;
	case 3:
		buf_format(out, "%s.endsWith('b')", pick_path());
		return;
	case 4:
		buf_format(out, "%s.matches('^%s')", pick_path(),
		           pick(2)   ? "ab?"
		           : pick(2) ? "a(b|c)?"
		                     : "a|b");
		return;
	case 5:
		buf_format(out, "%s", pick_path());
		return;
	case 6:
		buf_format(out, "%s %s %s", pick_constant(), ops[pick(8)], pick_path());
		return;
	case 7:
		buf_format(out, "%s == %s", pick_path(), pick_path());
		return;
	default:
		buf_format(out, "%s %s %s", pick_path(), ops[pick(8)], pick_constant());
	}
}

static void write_condition(struct buf *out, uint32_t depth)
{
	uint32_t choice = depth == 0 ? 0 : pick(8);
	if (choice < 2) {
		write_leaf(out);
		return;
	}
	buf_format(out, "%s", choice == 2 ? "!(" : "(");
	write_condition(out, depth - 1);
	if (choice != 2) {
		buf_format(out, "%s", choice < 5 ? " && " : choice == 7 ? " ? " : " || ");
		write_condition(out, depth - 1);
	}
	if (choice == 7) {
		BUF_LITERAL(out, " : ");
		write_condition(out, depth - 1);
	}
	buf_byte(out, ')');
}

static void write_event(struct buf *out)
{
	static const char *const values[] = {
	        "1",
	        "1.0",
	        "2.5",
	        "-1",
	        "\"a\"",
	        "\"ab\"",
	        "\"\"",
	        "true",
	        "false",
	        "[]",
	        "{}",
	        "null",
	        "[1]",
	        "{\"a\":1}",
	        "1e0",
	        "9007199254740993",
	        "9007199254740992.0",
	        "18446744073709551615",
	        "\"b\"",
	        "{\"a\":null}",
	};
	static const char *const names[] = {"a", "b", "c", "o"};
	buf_byte(out, '{');
	for (size_t i = 0; i < 4; i++) {
		if (pick(4) != 0) {
			buf_format(out, "%s\"%s\":%s", out->ptr[out->len - 1] == '{' ? "" : ",",
			           names[i], values[pick(sizeof values / sizeof values[0])]);
		}
	}
	buf_byte(out, '}');
	buf_byte(out, '\0');
}

/* As an index would: by exact values. */
static bool atom_holds(const struct expr_atom *atom)
{
	struct value value = activation_get(&world.activation, atom->slot);
	int order = 0;
	if (value_is_error(value)) {
		return false;
	}
	switch (atom->op) {
	case ATOM_HAS:
		return true;
	case ATOM_TRUE:
		return value_is_true(value);
	case ATOM_PREFIX:
		return value.tag == VALUE_STRING &&
		       span_starts_with(value_text(value), value_text(atom->values[0]));
	case ATOM_SUFFIX:
		return value.tag == VALUE_STRING && value.len >= atom->values[0].len &&
		       memcmp(value.as.text + value.len - atom->values[0].len,
		              atom->values[0].as.text, atom->values[0].len) == 0;
	case ATOM_EQUAL:
		for (size_t i = 0; i < atom->count; i++) {
			struct value constant = atom->values[i];
			world.activation.allowance.budget = EXPR_BUDGET;
			if (value_is_true(
			            value_equal(&world.activation.allowance, &value, &constant))) {
				return true;
			}
		}
		return false;
	default:
		break;
	}
	if (value.tag < VALUE_INT || value.tag > VALUE_DOUBLE ||
	    !value_compare(value, atom->values[0], &order)) {
		return false;
	}
	return (atom->op == ATOM_LESS && order < 0) ||
	       (atom->op == ATOM_LESS_EQUAL && order <= 0) ||
	       (atom->op == ATOM_GREATER && order > 0) ||
	       (atom->op == ATOM_GREATER_EQUAL && order >= 0);
}

static bool some_alternative_holds(const struct expr *expr)
{
	const struct expr_alternative *alternatives = NULL;
	size_t count = expr_alternatives(expr, &alternatives);
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;
		while (j < alternatives[i].count && atom_holds(&alternatives[i].atoms[j])) {
			j++;
		}
		if (j == alternatives[i].count) {
			return true;
		}
	}
	return count == 0;
}

enum { CONDITIONS = 3000, EVENTS = 20 };

static void test_never_too_strict(void **state)
{
	(void)state;
	const char *chosen = getenv("PAWL_SEED");
	seed = chosen != NULL ? strtoull(chosen, NULL, 10) : 20240801;
	print_message("PAWL_SEED=%llu\n", (unsigned long long)seed);
	size_t trues = 0;
	size_t pruned = 0;
	struct buf source = {0};
	struct buf old_json = {0};
	struct buf new_json = {0};
	for (int i = 0; i < CONDITIONS; i++) {
		buf_clear(&source);
		write_condition(&source, 3);
		buf_byte(&source, '\0');
		world.env.unchecked = true;
		struct expr *expr = world_expr(&world, source.ptr);
		if (expr == NULL) {
			fail_msg("%s: %s", source.ptr, world.fault.text);
		}
		for (int j = 0; j < EVENTS; j++) {
			buf_clear(&old_json);
			buf_clear(&new_json);
			write_event(&old_json);
			write_event(&new_json);
			world_bind(&world, pick(4) ? old_json.ptr : "null", new_json.ptr);
			struct value value = expr_eval(expr, &world.activation, EXPR_BUDGET, NULL);
			bool holds = some_alternative_holds(expr);
			trues += value_is_true(value);
			pruned += !holds;
			if (value_is_true(value) && !holds) {
				fail_msg("%s: true of %s, but not found by %s", source.ptr,
				         new_json.ptr, alternatives_of(expr));
			}
		}
		expr_free(expr);
	}
	/* Both sides were there to be seen. */
	assert_true(trues > CONDITIONS && pruned > CONDITIONS);
	buf_free(&source);
	buf_free(&old_json);
	buf_free(&new_json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_alternatives, begin, end),
	        cmocka_unit_test_setup_teardown(test_too_many, begin, end),
	        cmocka_unit_test_setup_teardown(test_prefix, begin, end),
	        cmocka_unit_test_setup_teardown(test_never_too_strict, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
