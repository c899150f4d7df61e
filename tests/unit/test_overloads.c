/* This file tests the functions of expressions over numbers, lists and optionals, row by row. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "overload_call.h"

static void arithmetic_is_checked(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"i:1", "i:2"}, "i:3"},
	        {"_+_", {"i:9223372036854775807", "i:1"}, "overflow"},
	        {"_+_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_-_", {"i:-9223372036854775808", "i:1"}, "overflow"},
	        {"_*_", {"i:4294967296", "i:4294967296"}, "overflow"},
	        {"_*_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_/_", {"i:7", "i:-2"}, "i:-3"},
	        {"_/_", {"i:7", "i:0"}, "divide_by_zero"},
	        {"_/_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"_%_", {"i:-7", "i:2"}, "i:-1"},
	        {"_%_", {"i:7", "i:0"}, "divide_by_zero"},
	        {"_%_", {"i:-9223372036854775808", "i:-1"}, "overflow"},
	        {"-_", {"i:-9223372036854775808"}, "overflow"},
	        {"-_", {"i:5"}, "i:-5"},
	        {"-_", {"u:5"}, "no_such_overload"},
	        {"_+_", {"u:18446744073709551615", "u:1"}, "overflow"},
	        {"_-_", {"u:1", "u:2"}, "overflow"},
	        {"_*_", {"u:18446744073709551615", "u:2"}, "overflow"},
	        {"_/_", {"u:7", "u:0"}, "divide_by_zero"},
	        {"_%_", {"u:7", "u:0"}, "divide_by_zero"},
	        {"_%_", {"u:7", "u:4"}, "u:3"},
	        {"_+_", {"i:1", "u:2"}, "no_such_overload"},
	        {"_/_", {"d:1", "d:0"}, "d:inf"},
	        {"_%_", {"d:5", "d:2"}, "no_such_overload"},
	        {"-_", {"d:0"}, "d:-0"},
	};
	CHECK(CASES);
}

static void a_double_makes_the_other_side_one(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"d:1.5", "i:1"}, "d:2.5"},
	        {"_-_", {"i:1", "d:0.5"}, "d:0.5"},
	        {"_*_", {"u:2", "d:1.5"}, "d:3"},
	        {"_/_", {"j:5", "i:2"}, "d:2.5"},
	        {"_+_", {"j:5", "j:6"}, "d:11"},
	        {"_+_", {"j:18446744073709551615", "i:0"}, "d:1.8446744073709552e+19"},
	        {"_%_", {"j:5", "i:2"}, "no_such_overload"},
	        {"-_", {"j:5"}, "d:-5"},
	};
	CHECK(CASES);
}

static void plus_joins(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_+_", {"s:", "s:"}, "s:"},
	        {"_+_", {"s:ab", "s:c"}, "s:abc"},
	        {"_+_", {"b:ab", "b:c"}, "b:abc"},
	        {"_+_", {"s:ab", "b:c"}, "no_such_overload"},
	        {"_+_", {"j:[1]", "j:[\"x\", null]"}, "[d:1!, s:x, n]"},
	        {"_+_", {"j:[]", "j:[]"}, "[]"},
	        {"_+_", {"j:[]", "j:[true]"}, "[t]"},
	};
	CHECK(CASES);
}

static void order_crosses_the_kinds_of_numbers(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"_<_", {"i:1", "i:2"}, "t"},
	        {"_<_", {"i:-1", "u:0"}, "t"},
	        {"_<_", {"d:nan", "i:0"}, "f"},
	        {"_>=_", {"d:nan", "d:nan"}, "f"},
	        {"_>_", {"j:9007199254740993", "i:9007199254740992"}, "t"},
	        {"_<_", {"i:9223372036854775807", "d:9223372036854775808"}, "t"},
	        {"_<=_", {"u:5", "d:5"}, "t"},
	        {"_<_", {"s:a", "s:\xc3\xa4"}, "t"},
	        {"_>_", {"s:ab", "s:a"}, "t"},
	        {"_<_", {"b:a", "b:b"}, "t"},
	        {"_<_", {"f", "t"}, "t"},
	        {"_>=_", {"T:1.5", "T:1.4"}, "t"},
	        {"_<_", {"D:-1.5", "D:0"}, "t"},
	        {"_<_", {"s:a", "i:1"}, "no_such_overload"},
	        {"_<_", {"T:1", "D:1"}, "no_such_overload"},
	        {"_<_", {"j:[]", "j:[]"}, "no_such_overload"},
	        {"@in", {"i:2", "j:[1, 2.0]"}, "t"},
	        {"@in", {"s:2", "j:[1, 2.0]"}, "f"},
	        {"@in", {"s:a", "j:{\"a\": 1}"}, "t"},
	        {"@in", {"n", "j:{\"a\": 1}"}, "f"},
	        {"@in", {"s:a", "s:abc"}, "no_such_overload"},
	};
	CHECK(CASES);
}

static void conversions_keep_or_refuse(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"int", {"d:-7.9"}, "i:-7"},
	        {"int", {"d:9223372036854775807"}, "overflow"},
	        {"int", {"d:-9223372036854775808"}, "overflow"},
	        {"int", {"d:9223372036854774784"}, "i:9223372036854774784"},
	        {"int", {"d:nan"}, "overflow"},
	        {"int", {"j:9007199254740993"}, "i:9007199254740993"},
	        {"int", {"j:-9223372036854775808"}, "i:-9223372036854775808"},
	        {"int", {"j:9223372036854775808"}, "overflow"},
	        {"int", {"u:9223372036854775808"}, "overflow"},
	        {"int", {"s:-9223372036854775808"}, "i:-9223372036854775808"},
	        {"int", {"s:9223372036854775808"}, "overflow"},
	        {"int", {"s:+7"}, "i:7"},
	        {"int", {"s:"}, "invalid_argument"},
	        {"int", {"s:-"}, "invalid_argument"},
	        {"int", {"s: 1"}, "invalid_argument"},
	        {"int", {"s:1.0"}, "invalid_argument"},
	        {"int", {"T:5.9"}, "i:5"},
	        {"int", {"D:-2.500000000"}, "i:-1500000000"},
	        {"int", {"t"}, "no_such_overload"},
	        {"uint", {"d:1.9"}, "u:1"},
	        {"uint", {"d:-1"}, "overflow"},
	        {"uint", {"d:18446744073709551616"}, "overflow"},
	        {"uint", {"j:18446744073709551615"}, "u:18446744073709551615"},
	        {"uint", {"j:-1"}, "overflow"},
	        {"uint", {"i:-1"}, "overflow"},
	        {"uint", {"s:18446744073709551615"}, "u:18446744073709551615"},
	        {"uint", {"s:18446744073709551616"}, "overflow"},
	        {"uint", {"s:+1"}, "invalid_argument"},
	        {"double", {"i:-3"}, "d:-3"},
	        {"double", {"u:18446744073709551615"}, "d:1.8446744073709552e+19"},
	        {"double", {"s:-0.0"}, "d:-0"},
	        {"double", {"s:6.02214e23"}, "d:6.0221399999999997e+23"},
	        {"double", {"s:.5"}, "d:0.5"},
	        {"double", {"s:+5."}, "d:5"},
	        {"double", {"s:007"}, "d:7"},
	        {"double", {"s:-Infinity"}, "d:-inf"},
	        {"double", {"s:+inf"}, "d:inf"},
	        {"double", {"s:NaN"}, "d:nan"},
	        {"double", {"s:1e400"}, "overflow"},
	        {"double", {"s:1e"}, "invalid_argument"},
	        {"double", {"s:."}, "invalid_argument"},
	        {"double", {"s:0x10"}, "invalid_argument"},
	        {"double", {"s:1 "}, "invalid_argument"},
	        {"bool", {"s:True"}, "t"},
	        {"bool", {"s:F"}, "f"},
	        {"bool", {"s:TrUe"}, "invalid_argument"},
	        {"bool", {"i:1"}, "no_such_overload"},
	        {"bytes", {"s:\xc3\xbf"}, "b:\xc3\xbf"},
	        {"type", {"i:1"}, "type:int"},
	        {"type", {"j:1"}, "type:double"},
	        {"type", {"none"}, "type:optional_type"},
	        {"type", {"type:int"}, "type:type"},
	        {"dyn", {"j:9007199254740993"}, "d:9007199254740992!"},
	};
	CHECK(CASES);
}

static void strings_of_values(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"string", {"i:-456"}, "s:-456"},
	        {"string", {"u:18446744073709551615"}, "s:18446744073709551615"},
	        {"string", {"d:-0.0045"}, "s:-0.0045"},
	        {"string", {"d:123456"}, "s:123456"},
	        {"string", {"d:1000000"}, "s:1e+06"},
	        {"string", {"d:1234567.5"}, "s:1.2345675e+06"},
	        {"string", {"d:0.0001"}, "s:0.0001"},
	        {"string", {"d:0.00001"}, "s:1e-05"},
	        {"string", {"d:5e-324"}, "s:5e-324"},
	        {"string", {"d:1.7976931348623157e308"}, "s:1.7976931348623157e+308"},
	        {"string", {"d:5.684341886080802e-14"}, "s:5.684341886080802e-14"},
	        {"string", {"d:0.1"}, "s:0.1"},
	        {"string", {"d:-0"}, "s:-0"},
	        {"string", {"d:nan"}, "s:NaN"},
	        {"string", {"d:-inf"}, "s:-Inf"},
	        {"string", {"j:9007199254740993"}, "s:9007199254740993"},
	        {"string", {"t"}, "s:true"},
	        {"string", {"b:\xc3\xbf"}, "s:\xc3\xbf"},
	        {"string", {"b:\xff"}, "invalid_argument"},
	        {"string", {"T:1234567890"}, "s:2009-02-13T23:31:30Z"},
	        {"string", {"D:100"}, "s:100s"},
	        {"string", {"n"}, "no_such_overload"},
	};
	CHECK(CASES);
}

static void sizes(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"size", {"s:\xf0\x9f\x90\xb1\xc3\xa4x"}, "i:3"},
	        {".size", {"s:"}, "i:0"},
	        {"size", {"b:\xc3\xa4"}, "i:2"},
	        {".size", {"j:[1, [2, 3]]"}, "i:2"},
	        {"size", {"j:{\"a\": {\"b\": 1}}"}, "i:1"},
	        {"size", {"i:1"}, "no_such_overload"},
	};
	CHECK(CASES);
}

static void lists(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {".slice", {"j:[1,2,3]", "i:1", "i:3"}, "[d:2!, d:3!]"},
	        {".slice", {"j:[1,2,3]", "i:0", "i:0"}, "[]"},
	        {".slice", {"j:[1,2,3]", "i:2", "i:4"}, "out_of_bounds"},
	        {".slice", {"j:[1,2,3]", "i:2", "i:1"}, "out_of_bounds"},
	        {".slice", {"j:[1,2,3]", "i:-1", "i:1"}, "out_of_bounds"},
	        {".reverse", {"j:[1,2]"}, "[d:2!, d:1!]"},
	        {".reverse", {"j:[]"}, "[]"},
	        {".distinct", {"j:[1,\"1\",1.0,[2],[2]]"}, "[d:1!, s:1, [d:2!]]"},
	        {".sort", {"j:[3,1,2]"}, "[d:1!, d:2!, d:3!]"},
	        {".sort", {"j:[\"b\",\"a\"]"}, "[s:a, s:b]"},
	        {".sort", {"j:[]"}, "[]"},
	        {".sort", {"j:[1,\"a\"]"}, "invalid_argument"},
	        {".sort", {"j:[[1]]"}, "invalid_argument"},
	        {".flatten", {"j:[1,[2,[3]]]"}, "[d:1!, d:2!, [d:3!]]"},
	        {".flatten", {"j:[1,[2,[3]]]", "i:2"}, "[d:1!, d:2!, d:3!]"},
	        {".flatten", {"j:[[]]", "i:0"}, "[[]]"},
	        {".flatten", {"j:[[]]", "i:-1"}, "invalid_argument"},
	        {"lists.range", {"i:3"}, "[i:0, i:1, i:2]"},
	        {"lists.range", {"i:0"}, "[]"},
	};
	CHECK(CASES);
}

static void mathematics(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"math.greatest", {"i:1"}, "i:1"},
	        {"math.greatest", {"i:1", "d:1"}, "i:1"},
	        {"math.greatest",
	         {"d:5.4", "i:10", "u:3", "d:-5", "i:9223372036854775807"},
	         "i:9223372036854775807"},
	        {"math.greatest",
	         {"j:[1, 9007199254740993, 9007199254740992]"},
	         "d:9007199254740992!"},
	        {"math.greatest", {"j:[]"}, "invalid_argument"},
	        {"math.greatest", {"j:[1, \"a\"]"}, "no_such_overload"},
	        {"math.greatest", {"i:1", "s:a"}, "no_such_overload"},
	        {"math.greatest", {NULL}, "no_such_overload"},
	        {"math.least", {"i:-1", "u:0", "d:-1"}, "i:-1"},
	        {"math.least", {"j:[2, 1.5]"}, "d:1.5"},
	        {"math.ceil", {"d:-1.2"}, "d:-1"},
	        {"math.floor", {"d:-1.2"}, "d:-2"},
	        {"math.floor", {"i:1"}, "no_such_overload"},
	        {"math.round", {"d:-1.5"}, "d:-2"},
	        {"math.round", {"d:0.49999999999999994"}, "d:0"},
	        {"math.trunc", {"d:-1.9"}, "d:-1"},
	        {"math.trunc", {"j:9007199254740993"}, "d:9007199254740992!"},
	        {"math.sqrt", {"i:81"}, "d:9"},
	        {"math.abs", {"i:-9223372036854775808"}, "overflow"},
	        {"math.abs", {"i:-1"}, "i:1"},
	        {"math.abs", {"u:1"}, "u:1"},
	        {"math.abs", {"j:-3"}, "d:3"},
	        {"math.sign", {"i:-11"}, "i:-1"},
	        {"math.sign", {"u:0"}, "u:0"},
	        {"math.sign", {"d:-32"}, "d:-1"},
	        {"math.sign", {"d:0"}, "d:0"},
	        {"math.isNaN", {"d:nan"}, "t"},
	        {"math.isInf", {"d:-inf"}, "t"},
	        {"math.isInf", {"d:nan"}, "f"},
	        {"math.isFinite", {"j:1"}, "t"},
	        {"math.isFinite", {"t"}, "no_such_overload"},
	        {"math.bitAnd", {"i:1", "i:-1"}, "i:1"},
	        {"math.bitAnd", {"i:1", "u:1"}, "no_such_overload"},
	        {"math.bitOr", {"i:4", "i:-2"}, "i:-2"},
	        {"math.bitXor", {"u:1", "u:3"}, "u:2"},
	        {"math.bitNot", {"u:1"}, "u:18446744073709551614"},
	        {"math.bitNot", {"i:0"}, "i:-1"},
	        {"math.bitShiftLeft", {"i:1", "i:2"}, "i:4"},
	        {"math.bitShiftLeft", {"i:-1", "i:200"}, "i:0"},
	        {"math.bitShiftLeft", {"u:1", "i:-1"}, "invalid_argument"},
	        {"math.bitShiftRight", {"i:-1024", "i:3"}, "i:2305843009213693824"},
	        {"math.bitShiftRight", {"u:1024", "i:64"}, "u:0"},
	        {"math.bitShiftRight", {"i:1", "i:-1"}, "invalid_argument"},
	};
	CHECK(CASES);
}

static void optionals(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"optional.of", {"n"}, "some:n"},
	        {"optional.none", {NULL}, "none"},
	        {"optional.ofNonZeroValue", {"n"}, "none"},
	        {"optional.ofNonZeroValue", {"f"}, "none"},
	        {"optional.ofNonZeroValue", {"j:0"}, "none"},
	        {"optional.ofNonZeroValue", {"j:0.5"}, "some:d:0.5"},
	        {"optional.ofNonZeroValue", {"s:"}, "none"},
	        {"optional.ofNonZeroValue", {"j:[]"}, "none"},
	        {"optional.ofNonZeroValue", {"j:[0]"}, "some:[d:0!]"},
	        {"optional.ofNonZeroValue", {"j:{}"}, "none"},
	        {"optional.ofNonZeroValue", {"D:0"}, "none"},
	        {"optional.ofNonZeroValue", {"T:0"}, "some:google.protobuf.Timestamp"},
	        {".hasValue", {"none"}, "f"},
	        {".hasValue", {"some:n"}, "t"},
	        {".hasValue", {"n"}, "no_such_overload"},
	        {".value", {"some:i:1"}, "i:1"},
	        {".value", {"none"}, "no_value"},
	        {".or", {"none", "some:i:1"}, "some:i:1"},
	        {".or", {"some:i:2", "some:i:1"}, "some:i:2"},
	        {".or", {"none", "i:1"}, "no_such_overload"},
	        {".orValue", {"none", "i:1"}, "i:1"},
	        {".orValue", {"some:i:2", "i:1"}, "i:2"},
	        {".first", {"j:[1,2]"}, "some:d:1!"},
	        {".last", {"j:[1,2]"}, "some:d:2!"},
	        {".last", {"j:[]"}, "none"},
	        {".unwrapOpt", {"j:[]"}, "[]"},
	        {"optional.unwrap", {"j:[1]"}, "no_such_overload"},
	};
	CHECK(CASES);
	struct value items[3] = {read_value("none"), read_value("some:i:1"), read_value("none")};
	struct value list = value_of_list(&allowance, items, 3);
	struct value kept = call("optional.unwrap", &list, 1);
	assert_int_equal(value_list(&allowance, &kept)->count, 1);
	assert_int_equal(value_list(&allowance, &kept)->items[0].as.i, 1);
}

static void base64(void **state)
{
	(void)state;
	static const struct call_case CASES[] = {
	        {"base64.encode", {"b:hello"}, "s:aGVsbG8="},
	        {"base64.encode", {"b:"}, "s:"},
	        {"base64.decode", {"s:aGVsbG8="}, "b:hello"},
	        {"base64.decode", {"s:aGVsbG8"}, "b:hello"},
	        {"base64.decode", {"s:aGVsbA"}, "b:hell"},
	        {"base64.decode", {"s:"}, "b:"},
	        {"base64.decode", {"s:a"}, "invalid_argument"},
	        {"base64.decode", {"s:aGVsbA="}, "invalid_argument"},
	        {"base64.decode", {"s:aGV!bG8="}, "invalid_argument"},
	        {"base64.encode", {"s:hello"}, "no_such_overload"},
	};
	CHECK(CASES);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        TEST(arithmetic_is_checked),
	        TEST(a_double_makes_the_other_side_one),
	        TEST(plus_joins),
	        TEST(order_crosses_the_kinds_of_numbers),
	        TEST(conversions_keep_or_refuse),
	        TEST(strings_of_values),
	        TEST(sizes),
	        TEST(lists),
	        TEST(mathematics),
	        TEST(optionals),
	        TEST(base64),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
