/* This file tests the syntax of expressions: the trees, the literals, the macros. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "parse_copy.h"

/* ---- a tree as text ---- */

static void print(const struct ast *ast, struct buf *out);

static void print_text(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte < ' ' || byte >= 0x7f || byte == '"') {
			buf_format(out, "\\%02x", byte);
		} else {
			buf_byte(out, (char)byte);
		}
	}
}

static void print_constant(struct value value, struct buf *out)
{
	switch (value.tag) {
	case VALUE_NULL:
		BUF_LITERAL(out, "null");
		return;
	case VALUE_BOOL:
		buf_span(out, value.as.b ? SPAN("true") : SPAN("false"));
		return;
	case VALUE_INT:
		buf_int(out, value.as.i);
		return;
	case VALUE_UINT:
		buf_uint(out, value.as.u);
		buf_byte(out, 'u');
		return;
	case VALUE_DOUBLE:
		buf_format(out, "%.17gd", value.as.d);
		return;
	default:
		assert_true(value.tag == VALUE_STRING || value.tag == VALUE_BYTES);
		buf_span(out, value.tag == VALUE_BYTES ? SPAN("b\"") : SPAN("\""));
		print_text(value_text(value), out);
		buf_byte(out, '"');
	}
}

/* `step` arguments belong together, the first of them may be optional. */
static void print_items(const struct ast *ast, size_t step, struct buf *out)
{
	for (size_t i = 0; i < ast->arg_count; i++) {
		buf_span(out, i == 0 ? SPAN("") : i % step ? SPAN(":") : SPAN(" "));
		if (i % step == 0 && ast->optionals != NULL && ast->optionals[i / step]) {
			buf_byte(out, '?');
		}
		print(ast->args[i], out);
	}
}

static void print_args(const struct ast *ast, struct buf *out)
{
	for (size_t i = 0; i < ast->arg_count; i++) {
		buf_byte(out, ' ');
		print(ast->args[i], out);
	}
	buf_byte(out, ')');
}

static void print(const struct ast *ast, struct buf *out)
{
	static const char *const LOOPS[] = {"all",          "exists",           "exists_one",
	                                    "map",          "filter",           "transformList",
	                                    "transformMap", "transformMapEntry"};
	if (ast == NULL) {
		buf_byte(out, '-');
		return;
	}
	assert_true(ast->from < ast->to && ast->at >= ast->from && ast->at < ast->to);
	switch (ast->kind) {
	case AST_CONST:
		print_constant(ast->constant, out);
		return;
	case AST_IDENT:
		buf_span(out, ast->absolute ? SPAN(".") : SPAN(""));
		buf_span(out, ast->name);
		return;
	case AST_SELECT:
		buf_format(out, "(%s.%s%.*s", ast->test ? "has" : "", ast->optional ? "?" : "",
		           SPAN_ARG(ast->name));
		print_args(ast, out);
		return;
	case AST_CALL:
		buf_format(out, "(%s%.*s", ast->method || ast->absolute ? "." : "",
		           SPAN_ARG(ast->name));
		print_args(ast, out);
		return;
	case AST_LIST:
		buf_byte(out, '[');
		print_items(ast, 1, out);
		buf_byte(out, ']');
		return;
	case AST_MAP:
		buf_byte(out, '{');
		print_items(ast, 2, out);
		buf_byte(out, '}');
		return;
	case AST_LOOP:
		buf_format(out, "(%s %.*s%s%.*s", LOOPS[ast->loop], SPAN_ARG(ast->var),
		           ast->var2.ptr ? "," : "", SPAN_ARG(ast->var2));
		print_args(ast, out);
		return;
	case AST_BIND:
		buf_format(out, "(bind %.*s", SPAN_ARG(ast->var));
		print_args(ast, out);
		return;
	case AST_OPT_MAP:
		buf_format(out, "(%s %.*s", ast->flat ? "optFlatMap" : "optMap",
		           SPAN_ARG(ast->var));
		print_args(ast, out);
		return;
	}
}

static void assert_tree(struct span text, const struct parser_options *options, const char *tree)
{
	struct arena arena = {0};
	struct fault fault = {0};
	struct buf printed = {0};
	struct ast *ast = parse_copy(text, options, &arena, &fault);
	if (ast == NULL) {
		fail_msg("%.*s: %s at %zu (%s)", SPAN_ARG(text), fault.text, fault.at, fault.hint);
	}
	print(ast, &printed);
	if (!span_is(buf_view(&printed), tree)) {
		fail_msg("%.*s: got %.*s, wanted %s", SPAN_ARG(text), SPAN_ARG(buf_view(&printed)),
		         tree);
	}
	buf_free(&printed);
	arena_close(&arena);
}

struct tree_case {
	struct span text;
	const char *tree;
};

#define CASE(text, tree)                                                                           \
	{                                                                                          \
		{text, sizeof(text) - 1}, tree                                                     \
	}

static void assert_trees(const struct tree_case cases[], size_t count)
{
	static const struct parser_options PLAIN = {0};
	for (size_t i = 0; i < count; i++) {
		assert_tree(cases[i].text, &PLAIN, cases[i].tree);
	}
}

#define ASSERT_TREES(cases) assert_trees((cases), sizeof(cases) / sizeof *(cases))

/* ---- trees ---- */

static void operators_bind_as_the_language_says(void **state)
{
	(void)state;
	static const struct tree_case CASES[] = {
	        CASE("a", "a"),
	        CASE(" \t\r\n\f a // comment\n", "a"),
	        CASE("// first\na//", "a"),
	        CASE("a + b * c", "(_+_ a (_*_ b c))"),
	        CASE("a * b + c", "(_+_ (_*_ a b) c)"),
	        CASE("(a + b) * c", "(_*_ (_+_ a b) c)"),
	        CASE("a - b - c", "(_-_ (_-_ a b) c)"),
	        CASE("a-b", "(_-_ a b)"),
	        CASE("a / b % c", "(_%_ (_/_ a b) c)"),
	        CASE("a < b == c", "(_==_ (_<_ a b) c)"),
	        CASE("a<=b", "(_<=_ a b)"),
	        CASE("a>b", "(_>_ a b)"),
	        CASE("a>=b", "(_>=_ a b)"),
	        CASE("a != !b", "(_!=_ a (!_ b))"),
	        CASE("a in b && c", "(_&&_ (@in a b) c)"),
	        CASE("!a in b", "(@in (!_ a) b)"),
	        CASE("inner in in_b", "(@in inner in_b)"),
	        CASE("a || b && c || d", "(_||_ (_||_ a (_&&_ b c)) d)"),
	        CASE("a && b && c && d", "(_&&_ (_&&_ a b) (_&&_ c d))"),
	        CASE("a && (b && c)", "(_&&_ a (_&&_ b c))"),
	        CASE("a || b || c || d || e", "(_||_ (_||_ (_||_ a b) c) (_||_ d e))"),
	        CASE("a ? b : c ? d : e", "(_?_:_ a b (_?_:_ c d e))"),
	        CASE("a || b ? c || d : e", "(_?_:_ (_||_ a b) (_||_ c d) e)"),
	        CASE("a ? (b ? c : d) : e", "(_?_:_ a (_?_:_ b c d) e)"),
	        CASE("a ? .b : .c", "(_?_:_ a .b .c)"),
	        CASE("!!a", "(!_ (!_ a))"),
	        CASE("!a.b(c)", "(!_ (.b a c))"),
	        CASE("-a.b", "(-_ (.b a))"),
	        CASE("- -a", "(-_ (-_ a))"),
	        CASE("a--b", "(_-_ a (-_ b))"),
	        CASE("a - -1", "(_-_ a -1)"),
	        CASE("a -1", "(_-_ a 1)"),
	        CASE("--1", "(-_ -1)"),
	        CASE("-1.a()", "(.a -1)"),
	};
	ASSERT_TREES(CASES);
}

static void members_calls_and_containers(void **state)
{
	(void)state;
	static const struct tree_case CASES[] = {
	        CASE("a.b.c", "(.c (.b a))"),
	        CASE("a . b", "(.b a)"),
	        CASE(".a.b", "(.b .a)"),
	        CASE(".f(x)", "(.f x)"),
	        CASE("f()", "(f)"),
	        CASE("f(a, b)", "(f a b)"),
	        CASE("a.f(b)", "(.f a b)"),
	        CASE("a.b.f()", "(.f (.b a))"),
	        CASE("a[0][b]", "(_[_] (_[_] a 0) b)"),
	        CASE("a[0].b", "(.b (_[_] a 0))"),
	        CASE("a.?b.c", "(.c (.?b a))"),
	        CASE("a[?b]", "(_[?_] a b)"),
	        CASE("a ? [?b] : {}", "(_?_:_ a [?b] {})"),
	        CASE("a.`b-c`", "(.b-c a)"),
	        CASE("a.`b.c/d e_1`", "(.b.c/d e_1 a)"),
	        CASE("a.?`b-c`", "(.?b-c a)"),
	        CASE("a.for.if", "(.if (.for a))"),
	        CASE("a.while()", "(.while a)"),
	        CASE("[]", "[]"),
	        CASE("[a, b,]", "[a b]"),
	        CASE("[?a, b, ?c]", "[?a b ?c]"),
	        CASE("{}", "{}"),
	        CASE("{a: b, 'c': [d],}", "{a:b \"c\":[d]}"),
	        CASE("{?a: b, c: d ? e : f}", "{?a:b c:(_?_:_ d e f)}"),
	        CASE("{a ? b : c : d}", "{(_?_:_ a b c):d}"),
	        CASE("{'a': 1}.a", "(.a {\"a\":1})"),
	        CASE("[1, 2][0]", "(_[_] [1 2] 0)"),
	        CASE("'a'.size()", "(.size \"a\")"),
	        CASE("math.greatest(a, b)", "(math.greatest a b)"),
	        CASE("math . abs(a)", "(math.abs a)"),
	        CASE("optional.none()", "(optional.none)"),
	        CASE("strings.quote(a)", "(strings.quote a)"),
	        CASE("base64.encode(a)", "(base64.encode a)"),
	        CASE("a.math.abs(b)", "(.abs (.math a) b)"),
	        CASE(".math.abs(b)", "(.abs .math b)"),
	        CASE("math.abs", "(.abs math)"),
	};
	ASSERT_TREES(CASES);
}

static void literals_have_their_values(void **state)
{
	(void)state;
	static const struct tree_case CASES[] = {
	        CASE("[true, false, null]", "[true false null]"),
	        CASE("9223372036854775807", "9223372036854775807"),
	        CASE("-9223372036854775808", "-9223372036854775808"),
	        CASE("- 9223372036854775808", "-9223372036854775808"),
	        CASE("-(-9223372036854775808)", "(-_ -9223372036854775808)"),
	        CASE("007", "7"),
	        CASE("0x1F", "31"),
	        CASE("-0x55555555", "-1431655765"),
	        CASE("-0x8000000000000000", "-9223372036854775808"),
	        CASE("18446744073709551615u", "18446744073709551615u"),
	        CASE("0xFFFFFFFFFFFFFFFFU", "18446744073709551615u"),
	        CASE("-1u", "(-_ 1u)"),
	        CASE("1.5", "1.5d"),
	        CASE(".5", "0.5d"),
	        CASE("[-.5]", "[-0.5d]"),
	        CASE("-0.0", "-0d"),
	        CASE("1e3", "1000d"),
	        CASE("1E-2", "0.01d"),
	        CASE("0e+0", "0d"),
	        CASE("1.7976931348623157e308", "1.7976931348623157e+308d"),
	        CASE("1e-400", "0d"),
	        CASE("1.e()", "(.e 1)"),
	        CASE("''", "\"\""),
	        CASE("'a\"b'", "\"a\\22b\""),
	        CASE("\"it's\"", "\"it's\""),
	        CASE("'''a'b''c\n'''", "\"a'b''c\\0a\""),
	        CASE("\"\"\"a\"b\"\"\"", "\"a\\22b\""),
	        CASE("r'\\d+\\\\'", "\"\\d+\\\\\""),
	        CASE("R\"\"\"\\n\"\"\"", "\"\\n\""),
	        CASE("'\\a\\b\\f\\n\\r\\t\\v'", "\"\\07\\08\\0c\\0a\\0d\\09\\0b\""),
	        CASE("'\\\\\\?\\\"\\'\\`'", "\"\\?\\22'`\""),
	        CASE("'\\x41\\X7a\\101\\u0042\\U00000043'", "\"AzABC\""),
	        CASE("'\\xff\\377'", "\"\\c3\\bf\\c3\\bf\""),
	        CASE("'\\u20AC'", "\"\\e2\\82\\ac\""),
	        CASE("'\\U0001F62C'", "\"\\f0\\9f\\98\\ac\""),
	        CASE("'\\ud83d\\ude2c'", "\"\\f0\\9f\\98\\ac\""),
	        CASE("'\\000'", "\"\\00\""),
	        CASE("'\0'", "\"\\00\""),
	        CASE("'\xc3\xa4'", "\"\\c3\\a4\""),
	        CASE("b'\xc3\xa4'", "b\"\\c3\\a4\""),
	        CASE("b'\\xff\\377a'", "b\"\\ff\\ffa\""),
	        CASE("B\"\"\"x\"\"\"", "b\"x\""),
	        CASE("br'\\x'", "b\"\\x\""),
	        CASE("bR\"a\"", "b\"a\""),
	        CASE("b + r", "(_+_ b r)"),
	        CASE("br", "br"),
	        CASE("'// no comment'", "\"// no comment\""),
	};
	ASSERT_TREES(CASES);
}

static void macros_are_expanded(void **state)
{
	(void)state;
	static const struct tree_case CASES[] = {
	        CASE("has(a.b)", "(has.b a)"),
	        CASE("has(a.b.`c-d`)", "(has.c-d (.b a))"),
	        CASE("has({}.?x.y)", "(has.y (.?x {}))"),
	        CASE("a.all(x, x > 1)", "(all x a - (_>_ x 1))"),
	        CASE("a.exists(x, y, x > y)", "(exists x,y a - (_>_ x y))"),
	        CASE("a.exists_one(x, x)", "(exists_one x a - x)"),
	        CASE("a.existsOne(x, x)", "(exists_one x a - x)"),
	        CASE("a.existsOne(i, x, x)", "(exists_one i,x a - x)"),
	        CASE("a.map(x, x + 1)", "(map x a - (_+_ x 1))"),
	        CASE("a.map(x, x > 0, x + 1)", "(map x a (_>_ x 0) (_+_ x 1))"),
	        CASE("a.filter(x, has(x.b))", "(filter x a - (has.b x))"),
	        CASE("a.transformList(i, x, i)", "(transformList i,x a - i)"),
	        CASE("a.transformList(i, x, x, i)", "(transformList i,x a x i)"),
	        CASE("a.transformMap(k, v, v)", "(transformMap k,v a - v)"),
	        CASE("a.transformMap(k, v, k, v)", "(transformMap k,v a k v)"),
	        CASE("a.transformMapEntry(k, v, {v: k})", "(transformMapEntry k,v a - {v:k})"),
	        CASE("a.map(x, x).filter(y, y)", "(filter y (map x a - x) - y)"),
	        CASE("a.all(x, x.all(y, y))", "(all x a - (all y x - y))"),
	        CASE("cel.bind(x, a, x + x)", "(bind x a (_+_ x x))"),
	        CASE("a.?b.optMap(x, x + 1)", "(optMap x (.?b a) (_+_ x 1))"),
	        CASE("a.optFlatMap(x, x.?c)", "(optFlatMap x a (.?c x))"),
	        CASE("all(a, b)", "(all a b)"),
	        CASE("a.has(b)", "(.has a b)"),
	        CASE(".has(a)", "(.has a)"),
	};
	ASSERT_TREES(CASES);
	static const struct parser_options NO_MACROS = {.no_macros = true};
	assert_tree(SPAN("has(a)"), &NO_MACROS, "(has a)");
	assert_tree(SPAN("a.all(1, 2)"), &NO_MACROS, "(.all a 1 2)");
	assert_tree(SPAN("cel.bind(a)"), &NO_MACROS, "(cel.bind a)");
}

static struct ast *expand_changed(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	const struct ast *path = call->args[0];
	if (path->kind != AST_CONST || path->constant.tag != VALUE_STRING) {
		(void)fault_set(fault, source, path->at, NULL, "changed() wants a path in quotes");
		return NULL;
	}
	struct span name = value_text(path->constant);
	return ast_call(arena, call, "_!=_",
	                ast_select(arena, call, ast_ident(arena, call, "old"), name),
	                ast_select(arena, call, ast_ident(arena, call, "new"), name));
}

static struct ast *expand_created(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	(void)source;
	(void)fault;
	struct ast *text = ast_const(arena, call, value_string(SPAN("created")));
	return ast_call(arena, call, "_==_", ast_ident(arena, call, "type"), text);
}

static void the_callers_macros_are_expanded(void **state)
{
	(void)state;
	static const struct ast_macro MACROS[] = {
	        {"changed", false, 1, expand_changed, "it takes a path"},
	        {"created", false, 0, expand_created, NULL},
	        {0},
	};
	static const struct parser_options OPTIONS = {.macros = MACROS};
	assert_tree(SPAN("changed('a') && created()"), &OPTIONS,
	            "(_&&_ (_!=_ (.a old) (.a new)) (_==_ type \"created\"))");
	assert_tree(SPAN("x.changed('a')"), &OPTIONS, "(.changed x \"a\")");
	struct arena arena = {0};
	struct fault fault = {0};
	assert_null(parse_copy(SPAN("a || changed(b)"), &OPTIONS, &arena, &fault));
	assert_string_equal(fault.text, "changed() wants a path in quotes");
	assert_int_equal(fault.at, 13);
	assert_null(parse_copy(SPAN("changed('a', 'b')"), &OPTIONS, &arena, &fault));
	assert_string_equal(fault.text, "changed() does not take 2 arguments");
	assert_string_equal(fault.hint, "it takes a path");
	assert_int_equal(fault.at, 0);
	arena_close(&arena);
}

static void nodes_know_their_place(void **state)
{
	(void)state;
	static const struct parser_options PLAIN = {0};
	struct arena arena = {0};
	struct fault fault = {0};
	struct ast *and = parse_copy(SPAN(" (a || b)  && has(c.d) "), &PLAIN, &arena, &fault);
	assert_non_null(and);
	assert_int_equal(and->at, 11);
	assert_int_equal(and->from, 1);
	assert_int_equal(and->to, 22);
	assert_int_equal(and->height, 3);
	const struct ast * or = and->args[0];
	assert_int_equal(or->at, 4);
	assert_int_equal(or->from, 1);
	assert_int_equal(or->to, 9);
	const struct ast *has = and->args[1];
	assert_int_equal(has->at, 20);
	assert_int_equal(has->from, 14);
	assert_int_equal(has->to, 22);
	arena_close(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(operators_bind_as_the_language_says),
	        cmocka_unit_test(members_calls_and_containers),
	        cmocka_unit_test(literals_have_their_values),
	        cmocka_unit_test(macros_are_expanded),
	        cmocka_unit_test(the_callers_macros_are_expanded),
	        cmocka_unit_test(nodes_know_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
