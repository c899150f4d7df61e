/* This file proves every update operation against every way it can end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/update.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct sample {
	const char *old_value; /* NULL: none */
	const char *ops;
	const char *want;   /* byte for byte; "" = none */
	const char *errors; /* "index code, …"; "" = none */
};

static const struct sample samples[] = {
        /* set */
        {NULL, "[]", "", ""},
        {"{\"a\":1}", "[]", "{\"a\":1}", ""},
        {NULL, "[{\"type\":\"set\",\"path\":\"a\",\"value\":1}]", "{\"a\":1}", ""},
        {"{ \"a\" : 1.50, \"b\":[ 1,2 ] }", "[{\"type\":\"set\",\"path\":\"a\",\"value\":2}]",
         "{ \"a\" : 2, \"b\":[ 1,2 ] }", ""},
        {"{\"a.b\":1}", "[{\"type\":\"set\",\"path\":\"a.b\",\"value\":2}]", "{\"a.b\":2}", ""},
        {"[1]", "[{\"type\":\"set\",\"path\":\"\",\"value\":{\"x\":null}}]", "{\"x\":null}", ""},
        {"{\"a\":1}", "[{\"type\":\"set\",\"path\":\"a\"}]", "{\"a\":null}", ""},
        {"[1]", "[{\"type\":\"set\",\"path\":\"a\",\"value\":1}]", "[1]",
         "0 set.target_not_object"},
        {"{\"a\":{\"b\":1,\"z\":9}}", "[{\"type\":\"set\",\"path\":[\"a\",\"b\"],\"value\":2}]",
         "{\"a\":{\"b\":2,\"z\":9}}", ""},
        {"{\"k\":1}", "[{\"type\":\"set\",\"path\":[\"a\",\"b\",\"c\"],\"value\":2}]",
         "{\"k\":1,\"a\":{\"b\":{\"c\":2}}}", ""},
        {"{\"a\":1}", "[{\"type\":\"set\",\"path\":[\"a\",\"b\"],\"value\":2}]", "{\"a\":1}",
         "0 set.target_not_object"},
        {"{\"big\":12345678901234567890123,\"a\":0}",
         "[{\"type\":\"set\",\"path\":\"a\",\"value\":1}]",
         "{\"big\":12345678901234567890123,\"a\":1}", ""},
        {"{\"a\\u0062\":1}", "[{\"type\":\"set\",\"path\":\"a\\u0062\",\"value\":2}]",
         "{\"a\\u0062\":2}", ""},
        /* the bounds of a path */
        {"{}", "[{\"type\":\"set\",\"path\":[\"a\",\"\"],\"value\":1}]", "{}",
         "0 set.path.empty_segment"},
        {"{}", "[{\"type\":\"increment\",\"path\":\"__proto__\",\"by\":1}]", "{}",
         "0 increment.path.proto_polluted"},
        {"{}", "[{\"type\":\"append\",\"path\":[\"a\",\"constructor\"],\"value\":1}]", "{}",
         "0 append.path.proto_polluted"},
        {"{}", "[{\"type\":\"remove\",\"path\":\"prototype\"}]", "{}",
         "0 remove.path.proto_polluted"},
        /* merge */
        {NULL, "[{\"type\":\"merge\",\"value\":{\"a\":1}}]", "{\"a\":1}", ""},
        {"{\"a\":1, \"b\":2}", "[{\"type\":\"merge\",\"value\":{\"b\":3,\"c\":{\"d\":4}}}]",
         "{\"a\":1, \"b\":3,\"c\":{\"d\":4}}", ""},
        {"{\"b\":1,\"a\":2 }", "[{\"type\":\"merge\",\"value\":{\"a\":\"x\",\"b\":\"y\",\"n\":0}}]",
         "{\"b\":\"y\",\"a\":\"x\",\"n\":0 }", ""},
        {"{}", "[{\"type\":\"merge\",\"value\":{\"a\":1,\"a\":2}}]", "{\"a\":2}", ""},
        {"{ }", "[{\"type\":\"merge\",\"value\":{\"a\":1,\"b\":2}}]", "{\"a\":1,\"b\":2 }", ""},
        {"{\"a\":{\"x\":1}}", "[{\"type\":\"merge\",\"path\":\"a\",\"value\":{\"y\":2}}]",
         "{\"a\":{\"x\":1,\"y\":2}}", ""},
        {"{}", "[{\"type\":\"merge\",\"path\":[\"a\",\"b\"],\"value\":{\"y\":2}}]",
         "{\"a\":{\"b\":{\"y\":2}}}", ""},
        {"{\"a\":7}", "[{\"type\":\"merge\",\"path\":[\"a\",\"b\"],\"value\":{\"y\":2}}]",
         "{\"a\":{\"b\":{\"y\":2}}}", ""},
        {"5", "[{\"type\":\"merge\",\"path\":[],\"value\":{\"y\":2}}]", "{\"y\":2}", ""},
        {"{\"a\":1}", "[{\"type\":\"merge\",\"value\":[1]}]", "{\"a\":1}",
         "0 merge.value.not_an_object"},
        {"{\"a\":1}", "[{\"type\":\"merge\",\"value\":{\"__proto__\":{}}}]", "{\"a\":1}",
         "0 merge.value.proto_polluted"},
        {"{}", "[{\"type\":\"merge\",\"value\":{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}}]", "{}",
         "0 merge.value.too_deep"},
        {"{}", "[{\"type\":\"merge\",\"value\":{\"a\":[[[[[[[[[[[[[[[\"[[\"]]]]]]]]]]]]]]]}}]",
         "{\"a\":[[[[[[[[[[[[[[[\"[[\"]]]]]]]]]]]]]]]}", ""},
        /* increment and decrement */
        {"{\"n\":1}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":2}]", "{\"n\":3}", ""},
        {"{\"n\":1}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":2}]", "{\"n\":-1}", ""},
        {NULL, "[{\"type\":\"increment\",\"path\":\"n\",\"by\":2}]", "{\"n\":2}", ""},
        {"{}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":2}]", "{\"n\":-2}", ""},
        {"{\"n\":9007199254740993}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]",
         "{\"n\":9007199254740994}", ""},
        {"{\"n\":1.5}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]", "{\"n\":2.5}", ""},
        {"{\"n\":1.0}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]", "{\"n\":2.0}", ""},
        {"{\"n\":1e2}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":1}]", "{\"n\":99.0}", ""},
        {"{\"n\":9223372036854775807}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]",
         "{\"n\":9223372036854775807}", "0 increment.overflow"},
        {"{\"n\":-9223372036854775808}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":1}]",
         "{\"n\":-9223372036854775808}", "0 decrement.overflow"},
        {"{\"n\":-1}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":-9223372036854775808}]",
         "{\"n\":9223372036854775807}", ""},
        {"{\"n\":0}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":-9223372036854775808}]",
         "{\"n\":0}", "0 decrement.overflow"},
        {"{\"n\":0}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":9223372036854775807}]",
         "{\"n\":-9223372036854775807}", ""},
        {"{\"n\":18446744073709551615}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]",
         "{\"n\":18446744073709551615}", "0 increment.overflow"},
        {"{\"n\":\"1\"}", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]", "{\"n\":\"1\"}",
         "0 increment.not_number"},
        {"{\"n\":null}", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":1}]", "{\"n\":null}",
         "0 decrement.not_number"},
        {"[1]", "[{\"type\":\"increment\",\"path\":\"n\",\"by\":1}]", "[1]",
         "0 increment.target_not_object"},
        {"\"x\"", "[{\"type\":\"decrement\",\"path\":\"n\",\"by\":1}]", "\"x\"",
         "0 decrement.target_not_object"},
        {"41", "[{\"type\":\"increment\",\"path\":\"\",\"by\":1}]", "42", ""},
        {NULL, "[{\"type\":\"increment\",\"path\":\"\",\"by\":1}]", "", "0 increment.not_number"},
        /* append */
        {"{\"l\":[1]}", "[{\"type\":\"append\",\"path\":\"l\",\"value\":[2]}]", "{\"l\":[1,[2]]}",
         ""},
        {"{\"l\":[]}", "[{\"type\":\"append\",\"path\":\"l\",\"value\":2}]", "{\"l\":[2]}", ""},
        {"{\"s\":\"a\\n\"}", "[{\"type\":\"append\",\"path\":\"s\",\"value\":\"\\u0062\"}]",
         "{\"s\":\"a\\n\\u0062\"}", ""},
        {"{}", "[{\"type\":\"append\",\"path\":\"s\",\"value\":\"b\"}]", "{\"s\":\"b\"}", ""},
        {"{}", "[{\"type\":\"append\",\"path\":\"l\",\"value\":{\"a\":1}}]", "{\"l\":[{\"a\":1}]}",
         ""},
        {NULL, "[{\"type\":\"append\",\"value\":1}]", "[1]", ""},
        {NULL, "[{\"type\":\"append\",\"path\":\"\",\"value\":\"x\"}]", "\"x\"", ""},
        {"[1]", "[{\"type\":\"append\",\"path\":null,\"value\":2}]", "[1,2]", ""},
        {"{\"a\":{\"l\":[1]}}", "[{\"type\":\"append\",\"path\":[\"a\",\"l\"],\"value\":2}]",
         "{\"a\":{\"l\":[1,2]}}", ""},
        {"{\"s\":\"a\"}", "[{\"type\":\"append\",\"path\":\"s\",\"value\":1}]", "{\"s\":\"a\"}",
         "0 append.type_mismatch"},
        {"{\"s\":5}", "[{\"type\":\"append\",\"path\":\"s\",\"value\":\"b\"}]", "{\"s\":5}",
         "0 append.type_mismatch"},
        {"{\"s\":{}}", "[{\"type\":\"append\",\"path\":\"s\",\"value\":1}]", "{\"s\":{}}",
         "0 append.type_mismatch"},
        {"3", "[{\"type\":\"append\",\"path\":\"s\",\"value\":1}]", "3",
         "0 append.target_not_object"},
        {"{\"s\":\"a\"}", "[{\"type\":\"append\",\"path\":[\"s\",\"t\"],\"value\":1}]",
         "{\"s\":\"a\"}", "0 append.target_not_object"},
        /* remove */
        {"{\"a\":1,\"b\":2}", "[{\"type\":\"remove\",\"path\":\"a\"}]", "{\"b\":2}", ""},
        {"{\"b\":2}", "[{\"type\":\"remove\",\"path\":\"a\"}]", "{\"b\":2}", ""},
        {"{\"a\":{\"b\":2,\"c\":3}}", "[{\"type\":\"remove\",\"path\":[\"a\",\"b\"]}]",
         "{\"a\":{\"c\":3}}", ""},
        {"{\"b\":2}", "[{\"type\":\"remove\",\"path\":\"\"}]", "null", ""},
        {NULL, "[{\"type\":\"remove\",\"path\":\"a\"}]", "{}", ""},
        {"[1]", "[{\"type\":\"remove\",\"path\":\"a\"}]", "[1]", "0 remove.target_not_object"},
        /* several */
        {NULL,
         "[{\"type\":\"set\",\"path\":\"a\",\"value\":1},"
         "{\"type\":\"increment\",\"path\":\"a\",\"by\":1},"
         "{\"type\":\"append\",\"path\":\"l\",\"value\":2},"
         "{\"type\":\"merge\",\"value\":{\"a\":\"x\"}},{\"type\":\"remove\",\"path\":\"l\"}]",
         "{\"a\":\"x\"}", ""},
        {"{\"s\":\"a\"}",
         "[{\"type\":\"increment\",\"path\":\"s\",\"by\":1},"
         "{\"type\":\"set\",\"path\":\"b\",\"value\":1},"
         "{\"type\":\"append\",\"path\":\"s\",\"value\":[]}]",
         "{\"s\":\"a\",\"b\":1}", "0 increment.not_number, 2 append.type_mismatch"},
};

/* "index code, …" of an array of errors. */
static void error_words(const struct buf *errors, struct buf *out)
{
	static const struct span names[] = {{"op_index", 8}, {"code", 4}, {"message", 7}};
	struct span item;
	if (errors->len != 0) {
		assert_int_equal(json_check(buf_view(errors), NULL, NULL), 0);
		struct json_iter iter = json_iter(buf_view(errors));
		while (json_next_item(&iter, &item)) {
			struct span fields[3];
			json_get_many(item, names, 3, fields);
			buf_format(out, "%s%.*s ", out->len ? ", " : "", SPAN_ARG(fields[0]));
			json_string(fields[1], out);
			assert_true(fields[2].len > 4);
		}
	}
	buf_byte(out, '\0');
}

static void check(const char *old_value, const char *ops, bool atomic, const char *want,
                  const char *want_errors)
{
	/* Buffers of the exact size: a sanitizer sees every byte read past the end. */
	struct span old_copy = old_value ? mem_span(span_of(old_value)) : SPAN_NONE;
	struct span ops_copy = mem_span(span_of(ops));
	struct buf value = {0};
	struct buf errors = {0};
	struct buf words = {0};
	struct err err = {0};
	buf_span(&value, SPAN("what was in it before"));
	buf_span(&errors, SPAN("and here"));
	int status = update_apply(old_copy, ops_copy, atomic, &value, &errors, &err);
	if (status != 0) {
		fail_msg("%s: %s", ops, err.text);
	}
	error_words(&errors, &words);
	buf_byte(&value, '\0');
	assert_string_equal(value.ptr, want);
	assert_string_equal(words.ptr, want_errors);
	buf_free(&value);
	buf_free(&errors);
	buf_free(&words);
	mem_free((char *)old_copy.ptr);
	mem_free((char *)ops_copy.ptr);
}

static void test_every_operation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const struct sample *sample = &samples[i];
		check(sample->old_value, sample->ops, false, sample->want, sample->errors);
	}
}

static void test_atomic_is_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const struct sample *sample = &samples[i];
		const char *old_value = sample->old_value ? sample->old_value : "";
		check(sample->old_value, sample->ops, true,
		      *sample->errors ? old_value : sample->want, sample->errors);
	}
}

static void test_malformed_operations_refuse_the_request(void **state)
{
	(void)state;
	static const char *const malformed[] = {
	        "{}",
	        "[1]",
	        "[{}]",
	        "[{\"type\":\"rename\",\"path\":\"a\"}]",
	        "[{\"type\":7,\"path\":\"a\"}]",
	        "[{\"type\":\"set\",\"value\":1}]",
	        "[{\"type\":\"set\",\"path\":1,\"value\":1}]",
	        "[{\"type\":\"set\",\"path\":[1],\"value\":1}]",
	        "[{\"type\":\"merge\"}]",
	        "[{\"type\":\"append\",\"path\":\"a\"}]",
	        "[{\"type\":\"increment\",\"path\":\"a\"}]",
	        "[{\"type\":\"increment\",\"path\":\"a\",\"by\":1.5}]",
	        "[{\"type\":\"increment\",\"path\":\"a\",\"by\":\"1\"}]",
	        "[{\"type\":\"decrement\",\"path\":\"a\",\"by\":9223372036854775808}]",
	        "[{\"type\":\"increment\",\"by\":1}]",
	        "[{\"type\":\"remove\"}]",
	        "[{\"type\":\"set\",\"path\":\"a\",\"value\":1},{\"type\":\"x\"}]",
	};
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
		struct buf value = {0};
		struct buf errors = {0};
		struct err err = {0};
		int status = update_apply(SPAN("{\"a\":1}"), span_of(malformed[i]), false, &value,
		                          &errors, &err);
		assert_int_equal(status, E_INVALID);
		assert_string_equal(err.code, "invalid_ops");
		assert_int_equal(value.len, 0);
		assert_int_equal(errors.len, 0);
		buf_free(&value);
		buf_free(&errors);
	}
}

static void add_path(struct buf *ops, size_t segments, size_t segment_len)
{
	BUF_LITERAL(ops, "[{\"type\":\"set\",\"path\":[");
	for (size_t i = 0; i < segments; i++) {
		buf_format(ops, "%s\"", i ? "," : "");
		for (size_t n = 0; n < segment_len; n++) {
			buf_byte(ops, 'a');
		}
		buf_byte(ops, '"');
	}
	BUF_LITERAL(ops, "],\"value\":1}]");
	buf_byte(ops, '\0');
}

static void check_path(size_t segments, size_t segment_len, const char *want_errors)
{
	struct buf ops = {0};
	struct buf want = {0};
	add_path(&ops, segments, segment_len);
	for (size_t i = 0; i < segments && *want_errors == '\0'; i++) {
		buf_byte(&want, '{');
		buf_byte(&want, '"');
		for (size_t n = 0; n < segment_len; n++) {
			buf_byte(&want, 'a');
		}
		BUF_LITERAL(&want, "\":");
	}
	buf_format(&want, *want_errors ? "{}" : "1");
	for (size_t i = 0; i < segments && *want_errors == '\0'; i++) {
		buf_byte(&want, '}');
	}
	buf_byte(&want, '\0');
	check("{}", ops.ptr, false, want.ptr, want_errors);
	buf_free(&ops);
	buf_free(&want);
}

static void test_bounds_of_paths(void **state)
{
	(void)state;
	check_path(32, 1, "");
	check_path(33, 1, "0 set.path.too_deep");
	check_path(1, 256, "");
	check_path(1, 257, "0 set.path.segment_too_long");
	check_path(40, 257, "0 set.path.segment_too_long");
}

static void merge_keys(size_t count, const char *want_errors)
{
	struct buf value = {0};
	struct buf ops = {0};
	buf_byte(&value, '{');
	for (size_t i = 0; i < count; i++) {
		buf_format(&value, "%s\"k%zu\":%zu", i ? "," : "", i, i);
	}
	buf_byte(&value, '}');
	buf_format(&ops, "[{\"type\":\"merge\",\"value\":%.*s}]", SPAN_ARG(buf_view(&value)));
	buf_byte(&ops, '\0');
	buf_byte(&value, '\0');
	check("{}", ops.ptr, false, *want_errors ? "{}" : value.ptr, want_errors);
	if (*want_errors == '\0') {
		check(value.ptr, ops.ptr, false, value.ptr, "");
	}
	buf_free(&value);
	buf_free(&ops);
}

static void test_bounds_of_merges(void **state)
{
	(void)state;
	merge_keys(31, "");
	merge_keys(32, "");
	merge_keys(33, "");
	merge_keys(1024, "");
	merge_keys(1025, "0 merge.value.too_many_keys");
}

static void test_a_name_twice_in_a_merge_in_different_chunks(void **state)
{
	(void)state;
	struct buf ops = {0};
	struct buf value = {0};
	struct buf errors = {0};
	buf_format(&ops, "[{\"type\":\"merge\",\"value\":{\"a\":1");
	for (int i = 0; i < 100; i++) {
		buf_format(&ops, ",\"k%d\":%d", i, i);
	}
	buf_format(&ops, ",\"a\":2,\"\\u0061\":3}}]");
	assert_int_equal(update_apply(SPAN("{\"a\":0,\"k50\":{}}"), buf_view(&ops), false, &value,
	                              &errors, NULL),
	                 0);
	assert_true(
	        span_starts_with(buf_view(&value), SPAN("{\"a\":3,\"k50\":50,\"k0\":0,\"k1\"")));
	assert_int_equal(json_check(buf_view(&value), NULL, NULL), 0);
	buf_free(&ops);
	buf_free(&value);
	buf_free(&errors);
}

static void test_too_many_operations(void **state)
{
	(void)state;
	for (int count = UPDATE_OPS_MAX; count <= UPDATE_OPS_MAX + 1; count++) {
		struct buf ops = {0};
		struct buf value = {0};
		struct buf errors = {0};
		struct err err = {0};
		for (int i = 0; i < count; i++) {
			buf_byte(&ops, i == 0 ? '[' : ',');
			BUF_LITERAL(&ops, "{\"type\":\"increment\",\"path\":\"n\",\"by\":1}");
		}
		buf_byte(&ops, ']');
		int status = update_apply(SPAN_NONE, buf_view(&ops), false, &value, &errors, &err);
		if (count == UPDATE_OPS_MAX) {
			assert_int_equal(status, 0);
			assert_true(span_is(buf_view(&value), "{\"n\":1000}"));
		} else {
			assert_int_equal(status, E_LIMIT);
			assert_string_equal(err.code, "too_many_ops");
		}
		buf_free(&ops);
		buf_free(&value);
		buf_free(&errors);
	}
}

static void test_nothing_gets_too_deep_to_be_read(void **state)
{
	(void)state;
	struct buf ops = {0};
	BUF_LITERAL(&ops, "[{\"type\":\"set\",\"path\":[\"a\",\"b\"],\"value\":");
	for (int i = 0; i < UPDATE_VALUE_DEPTH_MAX + 1; i++) {
		buf_byte(&ops, '[');
	}
	for (int i = 0; i < UPDATE_VALUE_DEPTH_MAX + 1; i++) {
		buf_byte(&ops, ']');
	}
	BUF_LITERAL(&ops, "}]");
	buf_byte(&ops, '\0');
	check("{}", ops.ptr, false, "{}", "0 set.value.too_deep");
	buf_free(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_every_operation),
	        cmocka_unit_test(test_atomic_is_all_or_nothing),
	        cmocka_unit_test(test_malformed_operations_refuse_the_request),
	        cmocka_unit_test(test_bounds_of_paths),
	        cmocka_unit_test(test_bounds_of_merges),
	        cmocka_unit_test(test_a_name_twice_in_a_merge_in_different_chunks),
	        cmocka_unit_test(test_too_many_operations),
	        cmocka_unit_test(test_nothing_gets_too_deep_to_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
