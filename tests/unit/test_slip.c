/* This file tests what is said of expressions that do not parse, and the limits of those that do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "parse_copy.h"

/* ---- what is wrong ---- */

static void slips_are_explained(void **state)
{
	(void)state;
	static const struct {
		struct span text;
		size_t at;
		const char *sentence;
		const char *hint;
	} CASES[] = {
#define SLIP(text, at, sentence, hint) {{text, sizeof(text) - 1}, at, sentence, hint}
	        SLIP("", 0, "the expression is empty", ""),
	        SLIP("  // a", 0, "the expression is empty", ""),
	        SLIP("a = 1", 2, "'=' has no meaning in an expression",
	             "write == to compare (>= and <= have no space inside)"),
	        SLIP("a === 1", 2, "'===' has no meaning in an expression", "write =="),
	        SLIP("a !== 1", 2, "'!==' has no meaning in an expression", "write !="),
	        SLIP("a <> 1", 2, "'<>' has no meaning in an expression", "write !="),
	        SLIP("a & b", 2, "'&' has no meaning in an expression", "write && for and"),
	        SLIP("a | b", 2, "'|' has no meaning in an expression", "write || for or"),
	        SLIP("a => b", 2, "'=>' has no meaning in an expression",
	             "write >= to compare; a loop is list.exists(x, x > 1)"),
	        SLIP("a.exists(x -> x > 1)", 11, "'->' has no meaning in an expression",
	             "a loop is list.exists(x, x > 1)"),
	        SLIP("a ?? b", 2,
	             "'?"
	             "?' has no meaning in an expression",
	             "write map.?field.orValue(default)"),
	        SLIP("a?.b", 1, "this '?' has no ':'", "an optional field is map.?field"),
	        SLIP("a?.b == 1", 1, "this '?' has no ':'", "an optional field is map.?field"),
	        SLIP("(a?.b)", 2, "this '?' has no ':'", "an optional field is map.?field"),
	        SLIP("a?.b ? 1 : 2", 1, "this '?' has no ':'", "an optional field is map.?field"),
	        SLIP("(a ? b)", 3, "this '?' has no ':'", "write condition ? a : b"),
	        SLIP("a ? b c", 6, "an operator is missing before 'c'", ""),
	        SLIP("a == \xe2\x80\x9cx\xe2\x80\x9d", 5,
	             "'\342\200\234' has no meaning in an expression",
	             "put text between plain quotes, ' or \""),
	        SLIP("a\xc2\xa0== 1", 1, "'\302\240' has no meaning in an expression",
	             "replace it by a plain space"),
	        SLIP("\xc3\xa4 == 1", 0, "'\303\244' has no meaning in an expression", ""),
	        SLIP("a # b", 2, "'#' has no meaning in an expression", "a comment begins with //"),
	        SLIP("a; b", 1, "';' has no meaning in an expression",
	             "a condition is one expression, without ;"),
	        SLIP("a\x01", 1, "a control character has no meaning in an expression",
	             "remove it"),
	        SLIP("a\0b", 1, "a control character has no meaning in an expression", "remove it"),
	        SLIP("'\xff'", 1, "the expression is not valid UTF-8 here", ""),
	        SLIP("'\xc3\xa4' = 1", 5, "'=' has no meaning in an expression",
	             "write == to compare (>= and <= have no space inside)"),
	        SLIP("a and b", 2, "an operator is missing before 'and'",
	             "write && instead of and"),
	        SLIP("a\n  or b", 4, "an operator is missing before 'or'",
	             "write || instead of or"),
	        SLIP("not a", 4, "an operator is missing before 'a'", "write ! instead of not"),
	        SLIP("not (a)", 0, "there is no 'not' in an expression", "write !(a)"),
	        SLIP("a not in b", 2, "an operator is missing before 'not'",
	             "write !(a in b) instead of a not in b"),
	        SLIP("a !in b", 2, "'!' cannot stand here; an operator or the end can",
	             "write !(a in b) instead of a !in b"),
	        SLIP("a LIKE 'b%'", 2, "an operator is missing before 'LIKE'",
	             "write text.startsWith('a'), .contains('a') or .matches('^a')"),
	        SLIP("a b", 2, "an operator is missing before 'b'", ""),
	        SLIP("a == None", 5, "there is no 'None' in an expression", "write null"),
	        SLIP("a != nil", 5, "there is no 'nil' in an expression", "write null"),
	        SLIP("a == undefined", 5, "there is no 'undefined' in an expression", "write null"),
	        SLIP("a == True", 5, "there is no 'True' in an expression", "write true"),
	        SLIP("'it''s'", 4, "an operator is missing before ''s''",
	             "a quote inside of quotes is \\', or put the text between the other kind"),
	        SLIP("'a' 'b'", 4, "an operator is missing before ''b''", ""),
	        SLIP("a == 'b", 5, "the text that begins here is never closed",
	             "close it with the same quote"),
	        SLIP("a == 'b\n'", 5, "the text that begins here is not closed on its line",
	             "a line break is \\n, or write the text between three quotes"),
	        SLIP("a == \"\"\"b\"", 5, "the text that begins here is never closed",
	             "close it with the same quote"),
	        SLIP("'\\", 0, "the text that begins here is never closed",
	             "close it with the same quote"),
	        SLIP("a.matches('\\d')", 11, "this is no escape",
	             "write \\\\ for a backslash, or r'...' for a text in which it is plain"),
	        SLIP("'\\x4'", 1, "the escape needs 2 hex digits",
	             "\\xHH, \\uHHHH, \\UHHHHHHHH, or \\OOO from \\000 to \\377"),
	        SLIP("'\\400'", 1, "the escape needs 3 octal digits",
	             "\\xHH, \\uHHHH, \\UHHHHHHHH, or \\OOO from \\000 to \\377"),
	        SLIP("'\\u12'", 1, "the escape needs 4 hex digits",
	             "\\xHH, \\uHHHH, \\UHHHHHHHH, or \\OOO from \\000 to \\377"),
	        SLIP("'\\ud800'", 1, "the escape is no character of Unicode", ""),
	        SLIP("'\\U00110000'", 1, "the escape is no character of Unicode", ""),
	        SLIP("b'\\u0041'", 2, "bytes have no \\u", "write the bytes, as \\xHH"),
	        SLIP("9223372036854775808", 0, "the number does not fit an integer of 64 bits",
	             "a literal with a point, like 1e20, is a double"),
	        SLIP("-9223372036854775809", 1, "the number does not fit an integer of 64 bits",
	             "a literal with a point, like 1e20, is a double"),
	        SLIP("18446744073709551616u", 0, "the number does not fit an integer of 64 bits",
	             "a literal with a point, like 1e20, is a double"),
	        SLIP("1e999", 0, "the number does not fit a double", ""),
	        SLIP("1 + 12abc", 6, "an operator is missing before 'abc'", ""),
	        SLIP("7.", 2, "the expression ends before the name of a field",
	             "a double has a digit behind its point: 7.0"),
	        SLIP("0x", 1, "an operator is missing before 'x'", ""),
	        SLIP("(a || b", 0, "this '(' is never closed", ""),
	        SLIP("f(a, b", 1, "this '(' is never closed", ""),
	        SLIP("[1, 2", 0, "this '[' is never closed", ""),
	        SLIP("{'a': 1", 0, "this '{' is never closed", ""),
	        SLIP("a[0", 1, "this '[' is never closed", ""),
	        SLIP("f(", 1, "this '(' is never closed", ""),
	        SLIP("[1,", 3, "nothing follows ','", ""),
	        SLIP("(a]", 2,
	             "']' stands here, but what line 1, column 1 opened with '(' comes first", ""),
	        SLIP("a)", 1, "this ')' closes nothing", "remove it, or open it before"),
	        SLIP("()", 1, "a value is missing before ')'", ""),
	        SLIP("f(a,)", 4, "a value is missing before ')'", ""),
	        SLIP("f(,)", 2, "a value is missing before ','", ""),
	        SLIP("f(?a)", 2, "there is no value before '?'",
	             "an optional item stands in [?x] or {?k: v}"),
	        SLIP("[a b]", 3, "an operator is missing before 'b'", ""),
	        SLIP("{'a' 1}", 5, "an operator is missing before '1'", ""),
	        SLIP("{'a', 1}", 4, "',' cannot stand here; ':' and the value of this key can", ""),
	        SLIP("a &&", 4, "nothing follows '&&'", ""),
	        SLIP("a && (b ||", 10, "nothing follows '||'", ""),
	        SLIP("&& a", 0, "there is no value before '&&'", ""),
	        SLIP("(&& a)", 1, "there is no value before '&&'", ""),
	        SLIP("a && || b", 5, "a value is missing between '&&' and '||'", ""),
	        SLIP("a && )", 5, "a value is missing between '&&' and ')'", ""),
	        SLIP("a + + b", 4, "a value is missing between '+' and '+'",
	             "a positive number has no sign"),
	        SLIP("+1", 0, "there is no value before '+'", "a positive number has no sign"),
	        SLIP("a > = 1", 4, "'=' has no meaning in an expression",
	             "write == to compare (>= and <= have no space inside)"),
	        SLIP("-", 1, "nothing follows '-'", ""),
	        SLIP("a ? b", 2, "this '?' has no ':'", "write condition ? a : b"),
	        SLIP("a ? b : ", 7, "nothing follows ':'", ""),
	        SLIP("a ? b ? c : d : e", 6, "a second '?' stands before the ':' of the first",
	             "put ( ) around the inner condition"),
	        SLIP("a : b", 2, "':' cannot stand here; an operator or the end can",
	             "a ':' stands between key and value of a map, and in condition ? a : b"),
	        SLIP("a.", 2, "the expression ends before the name of a field", ""),
	        SLIP("a.1", 1, "an operator is missing before '.1'",
	             "an item of a list is list[0]"),
	        SLIP("a. 1", 3, "'1' stands where the name of a field must",
	             "an item of a list is list[0]"),
	        SLIP("a.'b'", 2, "''b'' stands where the name of a field must",
	             "write map['name'] without the '.'"),
	        SLIP("a.in", 2, "'in' stands where the name of a field must",
	             "that word is taken: write map['name'] without the '.'"),
	        SLIP("a.?", 3, "the expression ends before the name of a field", ""),
	        SLIP("a.?1", 3, "'1' stands where the name of a field must",
	             "an item of a list is list[0]"),
	        SLIP("a.?b()", 4, "'(' cannot stand here; an operator or the end can",
	             "only a plain name before '(' is called: f(x), a.f(x)"),
	        SLIP("a..b", 2, "'.' stands where the name of a field must", ""),
	        SLIP(".", 1, "the expression ends before the name of a field", ""),
	        SLIP(".1a", 2, "an operator is missing before 'a'", ""),
	        SLIP("a > 5m", 5, "an operator is missing before 'm'",
	             "a span of time is duration('90s'), duration('5m'), duration('24h')"),
	        SLIP("a > 5 m", 6, "an operator is missing before 'm'", ""),
	        SLIP("a.`b:c`", 4, "between `...` stand letters, digits, spaces and _ . - / only",
	             "for any other name write map[\"name\"]"),
	        SLIP("a.``", 3, "between `...` stand letters, digits, spaces and _ . - / only",
	             "for any other name write map[\"name\"]"),
	        SLIP("`a`", 0, "a name between `...` is a field's, and stands behind a '.'",
	             "write map.`name`"),
	        SLIP("a.`b`()", 5, "'(' cannot stand here; an operator or the end can",
	             "only a plain name before '(' is called: f(x), a.f(x)"),
	        SLIP("if (a) b", 0, "'if' is a reserved word", "write condition ? a : b"),
	        SLIP("let x = 1", 0, "'let' is a reserved word",
	             "write cel.bind(x, value, expression with x)"),
	        SLIP("package", 0, "'package' is a reserved word",
	             "it can be the name of a field, behind a '.', but not a variable's"),
	        SLIP("T{a: 1}", 1,
	             "there are no messages, so nothing can stand between 'T' and '{'",
	             "a map is {'name': value}"),
	        SLIP("a.b.T{}", 5,
	             "there are no messages, so nothing can stand between 'T' and '{'",
	             "a map is {'name': value}"),
	        SLIP("[1]{}", 3, "'{' cannot stand here; an operator or the end can", ""),
	        SLIP("has(a)", 4, "has() wants a field of something",
	             "write has(map.field); is a key there: 'key' in map"),
	        SLIP("has(a.?b)", 7, "has() wants a field of something",
	             "write has(map.field); is a key there: 'key' in map"),
	        SLIP("has(a['b'])", 5, "has() wants a field of something",
	             "write has(map.field); is a key there: 'key' in map"),
	        SLIP("has(a.b, c)", 0, "has() does not take 2 arguments", "write has(map.field)"),
	        SLIP("a.all(x.y, z)", 8, "all() wants the name of a new variable here",
	             "like x in list.exists(x, x > 1)"),
	        SLIP("a.all(x)", 2, "all() does not take 1 argument",
	             "write (x, x > 1), or with the index or key (i, x, x > i)"),
	        SLIP("a.map(x, 1, y, z)", 2, "map() does not take 4 arguments",
	             "write (x, x * 2), or of some only (x, x > 1, x * 2)"),
	        SLIP("a.exists(x, x, y)", 12, "both variables are called 'x'",
	             "give them different names"),
	        SLIP("a.exists(x, 1, y)", 12, "exists() wants the name of a new variable here",
	             "like x in list.exists(x, x > 1)"),
	        SLIP("cel.bind(1, a, b)", 9, "cel.bind() wants the name of a new variable here",
	             "like x in list.exists(x, x > 1)"),
	        SLIP("cel.bind(x, a)", 0, "cel.bind() does not take 2 arguments",
	             "write cel.bind(x, value, x + x)"),
	        SLIP("a.optMap(.x, x)", 10, "optMap() wants the name of a new variable here",
	             "like x in list.exists(x, x > 1)"),
	};
	static const struct parser_options PLAIN = {0};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct arena arena = {0};
		struct fault fault = {0};
		assert_null(parse_copy(CASES[i].text, &PLAIN, &arena, &fault));
		if (strcmp(fault.text, CASES[i].sentence) != 0 ||
		    strcmp(fault.hint, CASES[i].hint) != 0 || fault.at != CASES[i].at) {
			fail_msg("%.*s: %zu, \"%s\", \"%s\"", SPAN_ARG(CASES[i].text), fault.at,
			         fault.text, fault.hint);
		}
		arena_close(&arena);
	}
}

static void a_fault_is_shown_with_its_line(void **state)
{
	(void)state;
	static const struct parser_options PLAIN = {0};
	static const struct {
		const char *text;
		const char *shown;
	} CASES[] = {
	        {"a = 1", "'=' has no meaning in an expression (line 1, column 3); write == to "
	                  "compare (>= and <= have no space inside)\n  a = 1\n    ^"},
	        {"a ==\r\n\t'\303\244' b\n|| c",
	         "an operator is missing before 'b' (line 2, column 6)\n   '\303\244' b\n       ^"},
	        {"a &&", "nothing follows '&&' (line 1, column 5)\n  a &&\n      ^"},
	        {"", "the expression is empty (line 1, column 1)\n  \n  ^"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct arena arena = {0};
		struct fault fault = {0};
		struct buf shown = {0};
		struct span text = span_of(CASES[i].text);
		assert_null(parse_copy(text, &PLAIN, &arena, &fault));
		fault_print(&fault, text, &shown);
		buf_byte(&shown, '\0');
		assert_string_equal(shown.ptr, CASES[i].shown);
		struct err err = {0};
		assert_int_equal(fault_err(&fault, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_expression");
		assert_true(span_starts_with(buf_view(&shown), span_of(err.text)));
		buf_free(&shown);
		arena_close(&arena);
	}
}

static void a_long_line_is_cut(void **state)
{
	(void)state;
	struct buf text = {0};
	struct buf shown = {0};
	for (int i = 0; i < 100; i++) {
		BUF_LITERAL(&text, "a && ");
	}
	BUF_LITERAL(&text, "| ");
	for (int i = 0; i < 100; i++) {
		BUF_LITERAL(&text, "b && ");
	}
	struct fault fault = {0};
	assert_int_equal(fault_set(&fault, buf_view(&text), 500, NULL, "no"), E_INVALID);
	fault_print(&fault, buf_view(&text), &shown);
	buf_byte(&shown, '\0');
	const char *line = strchr(shown.ptr, '\n') + 1;
	assert_true(strlen(line) < 200);
	const char *caret = strchr(line, '\n') + 1;
	assert_int_equal(line[strlen(caret) - 1], '|');
	buf_free(&text);
	buf_free(&shown);
}

/* ---- limits ---- */

/* `count` times `open`, `middle`, `count` times `close`. */
static void assert_repeated(const char *open, const char *middle, const char *close, size_t count,
                            const char *sentence)
{
	static const struct parser_options PLAIN = {0};
	struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		buf_span(&text, span_of(open));
	}
	buf_span(&text, span_of(middle));
	for (size_t i = 0; i < count; i++) {
		buf_span(&text, span_of(close));
	}
	struct arena arena = {0};
	struct fault fault = {0};
	struct ast *ast = parse_copy(buf_view(&text), &PLAIN, &arena, &fault);
	if (sentence == NULL && ast == NULL) {
		fail_msg("%zu of %s: %s", count, open, fault.text);
	}
	if (sentence == NULL) {
		assert_true(ast->height <= PARSER_DEPTH_MAX);
	} else {
		assert_null(ast);
		assert_string_equal(fault.text, sentence);
	}
	buf_free(&text);
	arena_close(&arena);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	static const char DEEP[] = "the expression is nested too deep: at most 250 levels";
	static const struct {
		const char *open;
		const char *middle;
		const char *close;
	} CASES[] = {
	        {"(", "a", ")"},         {"[", "a", "]"},
	        {"f(", "a", ")"},        {"a.f(", "a", ")"},
	        {"a[", "a", "]"},        {"{1:", "a", "}"},
	        {"!", "a", ""},          {"-", "a", ""},
	        {"a ? b : ", "c", ""},   {"a + ", "a", ""},
	        {"", "a", ".b"},         {"", "a", "[0]"},
	        {"", "a", ".f()"},       {"a < ", "a", ""},
	        {"a * ", "a", ""},       {"optional.of(", "a", ")"},
	        {"", "a", ".map(x, x)"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		const char *open = CASES[i].open;
		assert_repeated(open, CASES[i].middle, CASES[i].close, 200, NULL);
		assert_repeated(open, CASES[i].middle, CASES[i].close, 251, DEEP);
		assert_repeated(open, CASES[i].middle, CASES[i].close, 1200, DEEP);
	}
	assert_repeated("a && ", "a", "", 3000, NULL);
	assert_repeated("a || ", "a", "", 3000, NULL);
	assert_repeated("", "a", " && (b || c)", 1000, NULL);
}

static void counts_and_sizes_are_bounded(void **state)
{
	(void)state;
	assert_repeated("", "a", " ", PARSER_TEXT_MAX - 1, NULL);
	assert_repeated("", "a", " ", PARSER_TEXT_MAX,
	                "the expression has 16385 bytes, at most 16384 are allowed");
	assert_repeated("!", "a", "", 200, NULL);
	assert_repeated("", "a", "||-a", 3000, NULL);
	assert_repeated("", "a", "||-a", 3400, "the expression has too many parts: at most 10000");
}

static void loops_inside_each_other_are_bounded(void **state)
{
	(void)state;
	assert_repeated("a.all(x, ", "x", ")", 4, NULL);
	assert_repeated("a.all(x, ", "x", ")", 5, "too many loops inside each other: at most 4");
	assert_repeated("", "a", ".map(x, x)", 20, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(slips_are_explained),
	        cmocka_unit_test(a_fault_is_shown_with_its_line),
	        cmocka_unit_test(a_long_line_is_cut),
	        cmocka_unit_test(depth_is_bounded),
	        cmocka_unit_test(counts_and_sizes_are_bounded),
	        cmocka_unit_test(loops_inside_each_other_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
