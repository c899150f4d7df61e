/* This file tests option tables: reading, judging, freeing and printing by one table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include "base/field_print.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct inner {
	int64_t depth;
	char *label;
};

struct sample {
	bool on;
	int64_t count;
	int64_t size;
	int64_t wait;
	int mode;
	char *name;
	char *note;
	struct field_strings hosts;
	struct field_map env;
	struct inner inner;
};

static const char *const modes[] = {"slow", "fast", NULL};
static const char *const modes_later[] = {"warp", NULL};

#define ROW(member, row_kind)                                                                      \
	.name = #member, .kind = (row_kind), .offset = offsetof(struct sample, member)

static const struct field inner_fields[] = {
        {.name = "depth",
         .kind = FIELD_INT,
         .offset = offsetof(struct inner, depth),
         .otherwise = "3",
         .help = "How deep."},
        {.name = "label",
         .kind = FIELD_STRING,
         .offset = offsetof(struct inner, label),
         .help = "What it is called."},
        {.name = NULL},
};

static const struct field fields[] = {
        {ROW(on, FIELD_BOOL), .otherwise = "true", .help = "Whether."},
        {ROW(count, FIELD_INT), .otherwise = "5", .min = 1, .max = 10, .unit = "things",
         .help = "How many."},
        {ROW(size, FIELD_SIZE), .otherwise = "16m", .min = 1024, .max = 1 << 30,
         .help = "How large."},
        {ROW(wait, FIELD_DURATION), .otherwise = "90s", .help = "How long."},
        {ROW(mode, FIELD_ENUM), .otherwise = "fast", .words = modes, .later = modes_later,
         .help = "How."},
        {ROW(name, FIELD_STRING), .otherwise = "pawl", .min = 1, .max = 8, .help = "Who."},
        {ROW(note, FIELD_STRING), .help = "A note."},
        {ROW(hosts, FIELD_STRINGS), .max = 3, .help = "Where."},
        {ROW(env, FIELD_MAP), .help = "With what."},
        {ROW(inner, FIELD_SECTION), .fields = inner_fields, .help = "What is inside."},
        {.name = "extra", .kind = FIELD_OTHER, .help = "read elsewhere"},
        {.name = "ttl", .kind = FIELD_RESERVED, .help = "expiry of things"},
        {.name = NULL},
};

static void read_text(const char *text, struct sample *sample, struct report *report)
{
	struct yaml *yaml = NULL;
	struct err err = {0};
	if (yaml_parse(span_of(text), "t.yaml", &yaml, &err) != 0) {
		fail_msg("%s", err.text);
	}
	yaml_expand(yaml, report);
	field_read(fields, yaml_root(yaml), sample, report);
	yaml_close(yaml);
}

static struct sample accept_text(const char *text)
{
	struct sample sample = {0};
	struct report report = {0};
	read_text(text, &sample, &report);
	if (report.count != 0) {
		fail_msg("%s", report.items[0].text);
	}
	return sample;
}

/* Exactly one fault, of that code and in that line, whose sentence contains `part`. */
static void refuse_text(const char *text, const char *code, uint32_t line, const char *part)
{
	struct sample sample = {0};
	struct report report = {0};
	read_text(text, &sample, &report);
	assert_int_equal(report.count, 1);
	assert_string_equal(report.items[0].code, code);
	assert_int_equal(report.items[0].line, line);
	if (strstr(report.items[0].text, part) == NULL) {
		fail_msg("'%s' is not in '%s'", part, report.items[0].text);
	}
	report_close(&report);
	field_free(fields, &sample);
}

static void test_absent_options_take_their_defaults(void **state)
{
	(void)state;
	struct sample sample = accept_text("inner:\nhosts:\nenv:\nextra: [anything]\n");
	assert_true(sample.on);
	assert_int_equal(sample.count, 5);
	assert_int_equal(sample.size, 16 << 20);
	assert_int_equal(sample.wait, 90000);
	assert_int_equal(sample.mode, 1);
	assert_string_equal(sample.name, "pawl");
	assert_null(sample.note);
	assert_int_equal(sample.hosts.count, 0);
	assert_int_equal(sample.inner.depth, 3);
	field_free(fields, &sample);
	assert_null(sample.name);
}

static void test_every_kind_is_read(void **state)
{
	(void)state;
	struct sample sample = accept_text("on: false\ncount: 10\nsize: 2k\nwait: 7d\nmode: slow\n"
	                                   "name: \"x\"\nnote: 5\nhosts: [a, 'b']\n"
	                                   "env: {A: 1, B: two}\ninner: {depth: -7, label: y}\n");
	assert_false(sample.on);
	assert_int_equal(sample.count, 10);
	assert_int_equal(sample.size, 2048);
	assert_int_equal(sample.wait, 7 * 86400000LL);
	assert_int_equal(sample.mode, 0);
	assert_string_equal(sample.name, "x");
	assert_string_equal(sample.note, "5");
	assert_int_equal(sample.hosts.count, 2);
	assert_string_equal(sample.hosts.items[1], "b");
	assert_int_equal(sample.env.count, 2);
	assert_string_equal(sample.env.pairs[0].name, "A");
	assert_string_equal(sample.env.pairs[0].value, "1");
	assert_int_equal(sample.inner.depth, -7);
	assert_string_equal(sample.inner.label, "y");
	field_free(fields, &sample);
}

static void test_amounts_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t size;
		int64_t wait;
	} cases[] = {
	        {"{size: 1024, wait: 0ms}", 1024, 0},
	        {"{size: 3K, wait: 5ms}", 3072, 5},
	        {"{size: 4KiB, wait: 2s}", 4096, 2000},
	        {"{size: 2m, wait: 3m}", 2 << 20, 180000},
	        {"{size: 2MiB, wait: 1h}", 2 << 20, 3600000},
	        {"{size: 1g, wait: 1d}", 1 << 30, 86400000},
	        {"{size: 1GiB, wait: '1s'}", 1 << 30, 1000},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sample sample = accept_text(cases[i].text);
		assert_int_equal(sample.size, cases[i].size);
		assert_int_equal(sample.wait, cases[i].wait);
		field_free(fields, &sample);
	}
}

static void test_wrong_values_are_refused_where_they_stand(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t line;
		const char *part;
	} cases[] = {
	        {"\non: yes\n", 2, "'on' must be true or false, not 'yes'"},
	        {"count: 11", 1, "an integer (things) from 1 to 10, not '11'"},
	        {"count: 1.0", 1, "not '1.0'"},
	        {"count: 99999999999999999999", 1, "not '9"},
	        {"count: ''", 1, "'count'"},
	        {"count: '-'", 1, "'count'"},
	        {"count: [1]", 1, "not a list"},
	        {"count: {}", 1, "not a mapping"},
	        {"count:", 1, "has no value"},
	        {"size: 1023", 1, "from 1k to 1g"},
	        {"size: 9999999999g", 1, "'size'"},
	        {"size: 5x", 1, "'size'"},
	        {"wait: 30", 1, "a duration such as"},
	        {"wait: -1s", 1, "not '-1s'"},
	        {"wait: 1.5s", 1, "not '1.5s'"},
	        {"mode: quick", 1, "'mode' must be slow or fast, not 'quick'"},
	        {"name: ''", 1, "text of 1 to 8 bytes"},
	        {"name: 123456789", 1, "text of 1 to 8 bytes"},
	        {"name: \"a\\0b\"", 1, "'name'"},
	        {"hosts: a", 1, "a list of 0 to 3 texts, not 'a'"},
	        {"hosts: [a, b, c, d]", 1, "0 to 3"},
	        {"hosts:\n- a\n- [b]\n", 3, "an item of 'hosts'"},
	        {"env: [a]", 1, "'env' must be a mapping"},
	        {"env:\n  A: [b]\n", 2, "an item of 'env'"},
	        {"inner: 5", 1, "'inner' must be a mapping, not '5'"},
	        {"inner:\n  depth: x\n", 2, "'depth' must be an integer, not 'x'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		refuse_text(cases[i].text, "invalid_value", cases[i].line, cases[i].part);
	}
}

static void test_unknown_and_reserved_names_are_told_apart(void **state)
{
	(void)state;
	refuse_text("on: true\ncuont: 5\n", "unknown_key", 2, "'cuont' here; do you mean 'count'?");
	refuse_text("inner: {dept: 5}\n", "unknown_key", 1, "do you mean 'depth'?");
	refuse_text("zzzzzz: 5\n", "unknown_key", 1, "there is no option 'zzzzzz' here");
	refuse_text("\n\nttl: 5s\n", "not_available", 3,
	            "'ttl' is not available yet (expiry of things)");
	refuse_text("mode: warp\n", "not_available", 1, "'mode: warp' is not available yet");
}

static void test_all_faults_are_found_at_once(void **state)
{
	(void)state;
	struct sample sample = {0};
	struct report report = {0};
	struct err err = {0};
	read_text("zip: 1\nwait: x\ncount: 0\ninner: {depth: y}\n", &sample, &report);
	assert_int_equal(report_finish(&report, "t.yaml", &err), E_INVALID);
	assert_int_equal(report.count, 4);
	assert_string_equal(err.code, "unknown_key");
	assert_non_null(strstr(err.text, "t.yaml:1:1: there is no option 'zip' here"));
	assert_non_null(strstr(err.text, " (and 3 more)"));
	assert_int_equal(report.items[3].line, 4);
	assert_int_equal(report.items[3].column, 16);
	assert_int_equal(sample.count, 5);
	report_close(&report);
	field_free(fields, &sample);
}

static void test_what_the_environment_said_is_not_repeated(void **state)
{
	(void)state;
	assert_int_equal(setenv("PAWL_TEST_SECRET", "hunter2", 1), 0);
	struct sample sample = {0};
	struct report report = {0};
	read_text("count: ${PAWL_TEST_SECRET}\nmode: ${PAWL_TEST_SECRET}\n", &sample, &report);
	assert_int_equal(report.count, 2);
	assert_null(strstr(report.items[0].text, "hunter2"));
	assert_null(strstr(report.items[1].text, "hunter2"));
	report_close(&report);
	field_free(fields, &sample);
}

static void test_required_options_are_missed(void **state)
{
	(void)state;
	static const struct field needed[] = {
	        {.name = "label",
	         .kind = FIELD_STRING,
	         .offset = offsetof(struct inner, label),
	         .required = true,
	         .help = "Its name."},
	        {.name = NULL},
	};
	struct yaml *yaml = NULL;
	struct report report = {0};
	struct inner inner = {0};
	assert_int_equal(yaml_parse(SPAN("\n{}\n"), "t", &yaml, NULL), 0);
	field_read(needed, yaml_root(yaml), &inner, &report);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.items[0].line, 2);
	assert_string_equal(report.items[0].code, "missing_key");
	assert_string_equal(report.items[0].text, "'label' is missing");
	report_close(&report);
	yaml_close(yaml);
}

static void test_the_printed_yaml_is_the_defaults(void **state)
{
	(void)state;
	struct buf out = {0};
	field_print_yaml(fields, 0, &out);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, "\n# Whether.\non: true\n"
	                             "\n# How many. From 1 to 10 things.\ncount: 5\n"
	                             "\n# How large. From 1k to 1g.\nsize: 16m\n"
	                             "\n# How long.\nwait: 90s\n"
	                             "\n# How. One of: slow, fast.\nmode: fast\n"
	                             "\n# Who.\nname: pawl\n"
	                             "\n# A note.\n#note:\n"
	                             "\n# Where.\nhosts: []\n"
	                             "\n# With what.\nenv: {}\n"
	                             "\n# What is inside.\ninner:\n"
	                             "  # How deep.\n  depth: 3\n"
	                             "  # What it is called.\n  #label:\n");
	struct sample sample = accept_text(out.ptr);
	assert_int_equal(sample.wait, 90000);
	field_free(fields, &sample);
	buf_free(&out);
}

static void test_the_printed_text_names_the_whole_path(void **state)
{
	(void)state;
	struct buf out = {0};
	field_print_text(fields, "x.", &out);
	buf_byte(&out, 0);
	assert_non_null(strstr(out.ptr, "x.count: 5\n    How many. From 1 to 10 things.\n"));
	assert_non_null(strstr(out.ptr, "x.inner.depth: 3\n    How deep.\n"));
	assert_non_null(strstr(out.ptr, "x.note\n    A note.\n"));
	assert_null(strstr(out.ptr, "ttl"));
	buf_free(&out);
}

static void test_values_are_written_as_json(void **state)
{
	(void)state;
	struct sample sample =
	        accept_text("hosts: [a, b]\nenv: {\"q\\\"\": v}\ninner: {label: l}\n");
	struct buf out = {0};
	field_write_json(fields, &sample, &out);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr,
	                    "{\"on\":true,\"count\":5,\"size\":16777216,\"wait\":90000,"
	                    "\"mode\":\"fast\",\"name\":\"pawl\",\"hosts\":[\"a\",\"b\"],"
	                    "\"env\":{\"q\\\"\":\"v\"},\"inner\":{\"depth\":3,\"label\":\"l\"}}");
	buf_free(&out);
	field_free(fields, &sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_absent_options_take_their_defaults),
	        cmocka_unit_test(test_every_kind_is_read),
	        cmocka_unit_test(test_amounts_have_units),
	        cmocka_unit_test(test_wrong_values_are_refused_where_they_stand),
	        cmocka_unit_test(test_unknown_and_reserved_names_are_told_apart),
	        cmocka_unit_test(test_all_faults_are_found_at_once),
	        cmocka_unit_test(test_what_the_environment_said_is_not_repeated),
	        cmocka_unit_test(test_required_options_are_missed),
	        cmocka_unit_test(test_the_printed_yaml_is_the_defaults),
	        cmocka_unit_test(test_the_printed_text_names_the_whole_path),
	        cmocka_unit_test(test_values_are_written_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
