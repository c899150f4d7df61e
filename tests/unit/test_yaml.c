/* This file tests the YAML tree: places, limits, aliases, merges, and the step to JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include "base/buf.h"
#include "base/yaml_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct yaml *parse(const char *text)
{
	struct yaml *yaml = NULL;
	struct err err = {0};
	if (yaml_parse(span_of(text), "t.yaml", &yaml, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return yaml;
}

static void expect_refused(struct span text, int number, const char *sentence)
{
	struct yaml *yaml = NULL;
	struct err err = {0};
	assert_int_equal(yaml_parse(text, "t.yaml", &yaml, &err), number);
	assert_null(yaml);
	if (strstr(err.text, sentence) == NULL) {
		fail_msg("'%s' is not in '%s'", sentence, err.text);
	}
}

static void expect_json(const char *text, const char *json)
{
	struct yaml *yaml = parse(text);
	struct report report = {0};
	struct buf out = {0};
	yaml_to_json(yaml_root(yaml), &out, &report);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, json);
	assert_int_equal(report.count, 0);
	buf_free(&out);
	yaml_close(yaml);
}

static void test_every_node_knows_its_place(void **state)
{
	(void)state;
	struct yaml *yaml = parse("a: 1\nlist:\n  - x\n  - 'y'\n");
	const struct yaml_node *root = yaml_root(yaml);
	assert_int_equal(root->kind, YAML_MAPPING);
	assert_int_equal(root->count, 2);
	const struct yaml_entry *list = yaml_find(root, SPAN("list"));
	assert_int_equal(list->line, 2);
	assert_int_equal(list->column, 1);
	assert_int_equal(list->value->kind, YAML_SEQUENCE);
	const struct yaml_node *second = list->value->items[1];
	assert_int_equal(second->line, 4);
	assert_int_equal(second->column, 5);
	assert_true(second->quoted);
	assert_false(list->value->items[0]->quoted);
	assert_true(span_is(second->text, "y"));
	assert_null(yaml_find(root, SPAN("b")));
	assert_null(yaml_find(second, SPAN("b")));
	yaml_close(yaml);
}

static void test_an_empty_document_is_an_empty_mapping(void **state)
{
	(void)state;
	expect_json("", "{}");
	expect_json("# only words\n", "{}");
}

static void test_what_is_wrong_is_named_with_its_place(void **state)
{
	(void)state;
	expect_refused(SPAN("a: 1\nb: 2\na: 3\n"), E_INVALID,
	               "t.yaml:3:1: 'a' stands in line 1 already");
	expect_refused(SPAN("a: 1\n---\nb: 1\n"), E_INVALID, "t.yaml:2:1: a second document");
	expect_refused(SPAN("a: [1\nb: 2\n"), E_INVALID, "t.yaml:2:2: ");
	expect_refused(SPAN("? [a]\n: b\n"), E_INVALID, "t.yaml:1:3: a key must be plain text");
	expect_refused(SPAN("a: !!int 5\n"), E_INVALID, "t.yaml:1:4: tags");
	expect_refused(SPAN("a: !!map {}\n"), E_INVALID, "tags");
	expect_refused(SPAN("a: !b.c\n"), E_INVALID, "begins with !");
	expect_refused(SPAN("a: \"b\" == c\n"), E_INVALID,
	               "t.yaml:1:8: did not find expected key; put");
	expect_refused(SPAN("a: b ? c : d\n"), E_INVALID, "into quotes");
	expect_refused(SPAN("a: \xff\n"), E_INVALID, "t.yaml: ");
	expect_refused(SPAN("a: *b\n"), E_INVALID, "t.yaml:1:4: this alias names no anchor");
	expect_refused(SPAN("a: &b [*b]\n"), E_INVALID, "this alias names no anchor");
}

static void test_aliases_are_shared_nodes(void **state)
{
	(void)state;
	expect_json("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n",
	            "{\"a\":[1,2],\"b\":[1,2],\"c\":3,\"d\":3}");
	struct yaml *yaml = parse("a: &x [1, 2]\nb: *x\n");
	assert_ptr_equal(yaml_find(yaml_root(yaml), SPAN("a"))->value,
	                 yaml_find(yaml_root(yaml), SPAN("b"))->value);
	yaml_close(yaml);
}

static void test_merge_keys_give_way_to_what_is_said(void **state)
{
	(void)state;
	expect_json("base: &b {x: 1, y: 2}\nnew: {y: 3, <<: *b}\n",
	            "{\"base\":{\"x\":1,\"y\":2},\"new\":{\"y\":3,\"x\":1}}");
	expect_json("- &a {x: 1}\n- &b {x: 2, z: 2}\n- <<: [*a, *b]\n  w: 0\n",
	            "[{\"x\":1},{\"x\":2,\"z\":2},{\"w\":0,\"x\":1,\"z\":2}]");
	expect_json("{\"<<\": 5}\n", "{\"<<\":5}");
	expect_refused(SPAN("a: {<<: 5}\n"), E_INVALID, "must name a mapping");
	expect_refused(SPAN("<<: {a: 1}\n<<: {b: 1}\n"), E_INVALID, "twice");
	expect_refused(SPAN("<<: {a: 1}\nb: 1\nb: 2\n"), E_INVALID, "'b' stands in line 2");
}

static void test_sizes_and_depths_are_bounded(void **state)
{
	(void)state;
	struct buf text = {0};
	for (int i = 0; i < YAML_DEPTH_MAX + 1; i++) {
		buf_byte(&text, '[');
	}
	expect_refused(buf_view(&text), E_LIMIT, "t.yaml:1:65: nested too deeply");

	buf_clear(&text);
	for (int i = 0; i <= YAML_ANCHORS_MAX; i++) {
		buf_format(&text, "- &n%d x\n", i);
	}
	expect_refused(buf_view(&text), E_LIMIT, "too many anchors");

	buf_clear(&text);
	memset(buf_reserve(&text, YAML_SIZE_MAX + 1), ' ', YAML_SIZE_MAX + 1);
	text.len = YAML_SIZE_MAX + 1;
	expect_refused(buf_view(&text), E_LIMIT, "t.yaml: over 4 MiB");
	buf_free(&text);
}

static void test_aliases_cannot_multiply_without_end(void **state)
{
	(void)state;
	struct buf text = {0};
	BUF_LITERAL(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		buf_format(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++) {
			buf_format(&text, "%s*a%d", j ? ", " : "", i - 1);
		}
		BUF_LITERAL(&text, "]\n");
	}
	expect_refused(buf_view(&text), E_LIMIT, "aliases counted as copies");

	buf_clear(&text);
	BUF_LITERAL(&text, "- &n0 x\n");
	for (int i = 1; i <= YAML_DEPTH_MAX; i++) {
		buf_format(&text, "- &n%d [*n%d]\n", i, i - 1);
	}
	expect_refused(buf_view(&text), E_LIMIT, "nested too deeply");

	buf_clear(&text);
	BUF_LITERAL(&text, "- &long ");
	for (int i = 0; i < 1000000; i++) {
		buf_byte(&text, 'x');
	}
	for (int i = 0; i < 100; i++) {
		BUF_LITERAL(&text, "\n- *long");
	}
	expect_refused(buf_view(&text), E_LIMIT, "aliases counted as copies");
	buf_free(&text);
}

static void test_plain_scalars_get_the_types_of_the_core_schema(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	        {"null", "null"},
	        {"~", "null"},
	        {"a:", "{\"a\":null}"},
	        {"true", "true"},
	        {"FALSE", "false"},
	        {"yes", "\"yes\""},
	        {"'true'", "\"true\""},
	        {"\"5\"", "\"5\""},
	        {"!!str 5", "\"5\""},
	        {"! 5", "\"5\""},
	        {"|\n  5\n", "\"5\\n\""},
	        {"0", "0"},
	        {"-12", "-12"},
	        {"+12", "12"},
	        {"007", "7"},
	        {"9007199254740993123456789", "9007199254740993123456789"},
	        {"0x1F", "31"},
	        {"0xffffffffffffffff", "18446744073709551615"},
	        {"0o17", "15"},
	        {"0o18", "\"0o18\""},
	        {"0x", "\"0x\""},
	        {"1.50", "1.50"},
	        {"1.", "1.0"},
	        {".5", "0.5"},
	        {"-.5e3", "-0.5e3"},
	        {"1e+5", "1e+5"},
	        {"1e", "\"1e\""},
	        {".", "\".\""},
	        {"-x", "\"-x\""},
	        {"1_000", "\"1_000\""},
	        {"12:30", "\"12:30\""},
	        {"2001-01-02", "\"2001-01-02\""},
	        {"{\"a\": [1, \"b\\n\", {}]}", "{\"a\":[1,\"b\\n\",{}]}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		expect_json(cases[i][0], cases[i][1]);
	}
}

static void test_numbers_that_json_lacks_are_reported(void **state)
{
	(void)state;
	struct yaml *yaml = parse("- .inf\n- -.INF\n- .nan\n- 0x10000000000000000\n");
	struct report report = {0};
	struct buf out = {0};
	yaml_to_json(yaml_root(yaml), &out, &report);
	assert_int_equal(report.count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(report.items[i].line, i + 1);
		assert_int_equal(report.items[i].column, 3);
	}
	report_close(&report);
	buf_free(&out);
	yaml_close(yaml);
}

static void test_the_environment_is_put_into_values(void **state)
{
	(void)state;
	assert_int_equal(setenv("PAWL_TEST_A", "7", 1), 0);
	assert_int_equal(setenv("PAWL_TEST_EMPTY", "", 1), 0);
	assert_int_equal(unsetenv("PAWL_TEST_NONE"), 0);
	struct yaml *yaml = parse("${PAWL_TEST_A}: ${PAWL_TEST_A}\n"
	                          "b: \"x${PAWL_TEST_A}y${PAWL_TEST_NONE:a:b}z\"\n"
	                          "c: '${PAWL_TEST_EMPTY:d}'\n"
	                          "d: $${PAWL_TEST_A} $5 {} ${{ key }}\n"
	                          "e: ${PAWL_TEST_NONE:}\n");
	struct report report = {0};
	struct buf out = {0};
	yaml_expand(yaml, &report);
	assert_int_equal(report.count, 0);
	assert_true(yaml_root(yaml)->entries[0].value->expanded);
	assert_false(yaml_root(yaml)->entries[3].value->expanded);
	yaml_to_json(yaml_root(yaml), &out, &report);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, "{\"${PAWL_TEST_A}\":7,\"b\":\"x7ya:bz\",\"c\":\"\","
	                             "\"d\":\"${PAWL_TEST_A} $5 {} ${{ key }}\",\"e\":null}");
	buf_free(&out);
	yaml_close(yaml);
}

static void test_bad_references_are_reported(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("PAWL_TEST_NONE"), 0);
	struct yaml *yaml = parse("a: ${PAWL_TEST_NONE}\nb: ${1}\nc: ${X\nd: ${}\ne: ${X-y}\n");
	struct report report = {0};
	struct err err = {0};
	yaml_expand(yaml, &report);
	assert_int_equal(report_finish(&report, "t.yaml", &err), E_INVALID);
	assert_int_equal(report.count, 5);
	assert_string_equal(err.code, "missing_variable");
	assert_string_equal(err.text, "t.yaml:1:4: the environment variable PAWL_TEST_NONE is not "
	                              "set, and ${PAWL_TEST_NONE} has no default (and 4 more)");
	for (uint32_t i = 1; i < 5; i++) {
		assert_int_equal(report.items[i].line, i + 1);
		assert_string_equal(report.items[i].code, "invalid_variable");
	}
	report_close(&report);
	yaml_close(yaml);
}

static void test_a_file_that_cannot_be_read(void **state)
{
	(void)state;
	struct yaml *yaml = NULL;
	struct err err = {0};
	assert_int_equal(yaml_load("/nonexistent/x.yaml", &yaml, &err), E_NOT_FOUND);
	assert_string_equal(err.code, "file_unreadable");
	assert_int_equal(yaml_load("/", &yaml, &err), E_IO);
	assert_null(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_every_node_knows_its_place),
	        cmocka_unit_test(test_an_empty_document_is_an_empty_mapping),
	        cmocka_unit_test(test_what_is_wrong_is_named_with_its_place),
	        cmocka_unit_test(test_aliases_are_shared_nodes),
	        cmocka_unit_test(test_merge_keys_give_way_to_what_is_said),
	        cmocka_unit_test(test_sizes_and_depths_are_bounded),
	        cmocka_unit_test(test_aliases_cannot_multiply_without_end),
	        cmocka_unit_test(test_plain_scalars_get_the_types_of_the_core_schema),
	        cmocka_unit_test(test_numbers_that_json_lacks_are_reported),
	        cmocka_unit_test(test_the_environment_is_put_into_values),
	        cmocka_unit_test(test_bad_references_are_reported),
	        cmocka_unit_test(test_a_file_that_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
