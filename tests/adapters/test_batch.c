/* This file tests that a batch gives back what was put into it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct record_key key_of(const char *part, const char *key)
{
	return (struct record_key){SPACE_STATE, span_of(part), span_of(key)};
}

static void gives_back_what_was_put(void **state)
{
	(void)state;
	struct batch batch = {0};
	assert_true(batch_is_empty(&batch));
	uint32_t at = batch_entry_begin(&batch);
	buf_span(&batch.bytes, SPAN("event {\"a\":1}"));
	batch_entry_end(&batch, at, 7);
	struct record record = {{NULL, 7}, 7, 99, 3};
	batch_put_at(&batch, key_of("users", "ann"), &record, at + 6);
	record = (struct record){SPAN("copied"), 8, 0, 0};
	batch_put(&batch, key_of("users", "bob"), &record);
	batch_delete(&batch, key_of("", ""), 9);
	batch_delete_range(&batch, SPACE_JOB, SPAN("p"), SPAN("a"), SPAN("b"));
	assert_false(batch_is_empty(&batch));

	assert_int_equal(batch.entry_count, 1);
	assert_int_equal(batch.entries[0].seq, 7);
	assert_true(span_is(batch_entry_bytes(&batch, &batch.entries[0]), "event {\"a\":1}"));
	assert_int_equal(batch.op_count, 4);
	assert_true(span_is(batch_op_value(&batch, &batch.ops[0]), "{\"a\":1}"));
	assert_int_equal(batch.ops[0].expires_at_ms, 99);
	assert_int_equal(batch.ops[0].flags, 3);
	assert_true(span_is(batch_op_key(&batch, &batch.ops[1]).part, "users"));
	assert_true(span_is(batch_op_key(&batch, &batch.ops[1]).key, "bob"));
	assert_true(span_is(batch_op_value(&batch, &batch.ops[1]), "copied"));
	assert_int_equal(batch.ops[1].part_at, batch.ops[0].part_at);
	assert_int_equal(batch.ops[2].kind, BATCH_DELETE);
	assert_int_equal(batch.ops[2].part_len, 0);
	assert_int_equal(batch.ops[3].kind, BATCH_DELETE_RANGE);
	assert_true(span_is(batch_op_key(&batch, &batch.ops[3]).key, "a"));
	assert_true(span_is(batch_op_value(&batch, &batch.ops[3]), "b"));

	batch_clear(&batch);
	assert_true(batch_is_empty(&batch));
	batch_close(&batch);
}

static void only_empty_names_still_have_an_address(void **state)
{
	(void)state;
	struct batch batch = {0};
	batch_delete(&batch, (struct record_key){SPACE_META, SPAN_NONE, SPAN_NONE}, 0);
	assert_non_null(batch_op_key(&batch, &batch.ops[0]).part.ptr);
	batch_close(&batch);
}

static void spaces_have_names(void **state)
{
	(void)state;
	assert_string_equal(space_name(SPACE_STATE), "state");
	assert_string_equal(space_name(SPACE_META), "meta");
	assert_null(space_name(SPACE_END));
	assert_null(space_name((enum space)0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_back_what_was_put),
	        cmocka_unit_test(only_empty_names_still_have_an_address),
	        cmocka_unit_test(spaces_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
