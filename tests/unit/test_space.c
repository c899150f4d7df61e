/* This file proves that keys sort as their numbers do and that values are read within bounds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/durable/space.h"
#include <string.h>

static void test_numbers_sort(void **state)
{
	(void)state;
	const uint64_t numbers[] = {0, 1, 255, 256, 65535, 1u << 31, UINT64_C(1) << 63, UINT64_MAX};
	char last[SPACE_NUMBER_LEN];
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char bytes[SPACE_NUMBER_LEN];
		space_put_number(bytes, numbers[i]);
		assert_int_equal(space_get_number(bytes), numbers[i]);
		assert_true(i == 0 || memcmp(last, bytes, sizeof bytes) < 0);
		memcpy(last, bytes, sizeof bytes);
	}
}

static void test_keys_come_apart_again(void **state)
{
	(void)state;
	struct space_key room;
	struct err err;
	uint64_t number = 0;
	struct span a, b;
	struct record_key key = space_job(&room, SPAN("t1"), 77);
	assert_int_equal(key.space, SPACE_JOB);
	assert_true(span_is(key.part, "t1"));
	assert_int_equal(space_parse_job(key.key, &number, &err), 0);
	assert_int_equal(number, 77);
	assert_int_equal(space_parse_job(SPAN("short"), &number, &err), E_DAMAGED);

	key = space_dead(&room, 78, SPAN("t1/r1"));
	assert_int_equal(space_get_number(key.key.ptr), 78);
	assert_true(span_is(span_make(key.key.ptr + SPACE_NUMBER_LEN, key.key.len - 8), "t1/r1"));

	key = space_trigger(&room, SPAN("on:x"), 3);
	assert_true(span_is(key.part, ""));
	assert_int_equal(space_parse_trigger(key.key, &a, &number, &err), 0);
	assert_true(span_is(a, "on:x"));
	assert_int_equal(number, 3);
	assert_int_equal(space_parse_trigger(SPAN("xxxxxxxxx"), &a, &number, &err), E_DAMAGED);
	assert_int_equal(space_parse_trigger(SPAN(""), &a, &number, &err), E_DAMAGED);

	key = space_alarm(&room, SPAN("s"), SPAN("k"), SPAN(""));
	assert_int_equal(space_parse_alarm(key.key, &a, &b, &err), 0);
	assert_true(span_is(a, "k") && span_is(b, ""));
	assert_int_equal(space_parse_alarm(SPAN("no nul"), &a, &b, &err), E_DAMAGED);

	key = space_cursor();
	assert_true(span_is(key.key, "cursor") && space_is_cursor(key.key));
	assert_int_equal(space_parse_cursor(key.key, &a, &number, &err), 0);
	assert_null(a.ptr);
	key = space_cursor_of(&room, SPAN("t1"), 9);
	assert_true(space_is_cursor(key.key));
	assert_int_equal(space_parse_cursor(key.key, &a, &number, &err), 0);
	assert_true(span_is(a, "t1"));
	assert_int_equal(number, 9);
	assert_false(space_is_cursor(SPAN("something else")));
}

static void test_values_read_back(void **state)
{
	(void)state;
	const uint64_t varints[] = {0, 1, 127, 128, 16383, 16384, UINT64_MAX};
	struct buf buf = {0};
	space_put_u8(&buf, 1);
	space_put_u8(&buf, 200);
	space_put_u32(&buf, 0xfedcba98u);
	space_put_u64(&buf, UINT64_C(0x0123456789abcdef));
	for (size_t i = 0; i < sizeof varints / sizeof *varints; i++) {
		space_put_varint(&buf, varints[i]);
	}
	space_put_span(&buf, SPAN("text"));
	space_put_span(&buf, SPAN(""));
	space_put_span(&buf, SPAN_NONE);

	struct space_reader reader;
	struct err err;
	assert_int_equal(space_reader_init(&reader, buf_view(&buf), 1, "thing", &err), 0);
	assert_int_equal(space_get_u8(&reader), 200);
	assert_int_equal(space_get_u32(&reader), 0xfedcba98u);
	assert_int_equal(space_get_u64(&reader), UINT64_C(0x0123456789abcdef));
	for (size_t i = 0; i < sizeof varints / sizeof *varints; i++) {
		assert_int_equal(space_get_varint(&reader), varints[i]);
	}
	assert_true(span_is(space_get_span(&reader), "text"));
	struct span empty = space_get_span(&reader);
	assert_true(empty.ptr != NULL && empty.len == 0);
	assert_null(space_get_span(&reader).ptr);
	assert_int_equal(space_reader_end(&reader, "thing", &err), 0);
	buf_free(&buf);
}

/* Every cut of a value is refused, and none is read beyond. */
static void test_damage_is_noticed(void **state)
{
	(void)state;
	struct buf buf = {0};
	struct err err;
	space_put_u8(&buf, 1);
	space_put_varint(&buf, 300);
	space_put_span(&buf, SPAN("some text"));
	space_put_u64(&buf, 5);
	for (size_t len = 0; len <= buf.len + 1; len++) {
		char *copy = mem_copy(buf.ptr, len < buf.len ? len : buf.len);
		struct span value = span_make(copy, len); /* the NUL is one byte too many */
		struct space_reader reader;
		int status = space_reader_init(&reader, value, 1, "thing", &err);
		if (status == 0) {
			(void)space_get_varint(&reader);
			(void)space_get_span(&reader);
			(void)space_get_u64(&reader);
			status = space_reader_end(&reader, "thing", &err);
		}
		assert_int_equal(status, len == buf.len ? 0 : E_DAMAGED);
		mem_free(copy);
	}
	struct space_reader reader;
	assert_int_equal(space_reader_init(&reader, SPAN("\2"), 1, "thing", &err), E_VERSION);
	assert_int_equal(space_reader_init(&reader, SPAN("\0"), 1, "thing", &err), E_DAMAGED);
	assert_int_equal(space_reader_init(&reader, SPAN_NONE, 1, "thing", &err), E_DAMAGED);
	assert_int_equal(space_reader_init(&reader,
	                                   SPAN("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), 1,
	                                   "thing", &err),
	                 0);
	(void)space_get_varint(&reader);
	assert_int_equal(space_reader_end(&reader, "thing", &err), E_DAMAGED);
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_numbers_sort),
	        cmocka_unit_test(test_keys_come_apart_again),
	        cmocka_unit_test(test_values_read_back),
	        cmocka_unit_test(test_damage_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
