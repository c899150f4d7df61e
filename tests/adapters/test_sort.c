/* This file tests the order in which a view gets the operations of many batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/sort.h"

#include "base/id.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BATCHES = 8, OPS = 400, KEY_MOST = 24 };

struct heard {
	struct record_key last;
	uint64_t revs[BATCHES * OPS];
	size_t count;
};

static int compare(struct record_key a, struct record_key b)
{
	if (a.space != b.space) {
		return a.space < b.space ? -1 : 1;
	}
	int order = span_compare(a.part, b.part);
	return order != 0 ? order : span_compare(a.key, b.key);
}

static int hear(void *ctx, const struct batch *batch, const struct batch_op *op, struct err *err)
{
	(void)err;
	struct heard *heard = ctx;
	struct record_key key = batch_op_key(batch, op);
	if (heard->count != 0) {
		assert_true(compare(heard->last, key) < 0);
	}
	heard->last = key;
	heard->revs[heard->count++] = op->rev;
	return 0;
}

/* Few different bytes, zero among them, so that keys repeat and begin with one another. */
static struct span draw_key(char out[KEY_MOST])
{
	static const char bytes[] = {'\0', 'a', (char)0xff};
	unsigned char dice[KEY_MOST];
	id_random(dice, sizeof dice);
	size_t len = dice[0] % 4 == 0 ? dice[1] % KEY_MOST : 10 + dice[1] % 4;
	memcpy(out, "user-000", 8);
	for (size_t i = 8; i < len; i++) {
		out[i] = bytes[dice[i] % 3];
	}
	return span_make(out, len);
}

static void each_key_comes_once_in_order_with_its_newest_operation(void **state)
{
	(void)state;
	static const struct span parts[] = {{"", 0}, {"a", 1}, {"a\0b", 3}};
	struct batch batches[BATCHES] = {0};
	const struct batch *all[BATCHES];
	uint64_t rev = 0;
	for (size_t i = 0; i < BATCHES; i++) {
		for (size_t j = 0; j < OPS; j++) {
			char text[KEY_MOST];
			struct span key = draw_key(text);
			uint64_t number = ++rev;
			batch_delete(&batches[i],
			             (struct record_key){number % 7 ? SPACE_STATE : SPACE_META,
			                                 parts[number % 3], key},
			             number);
		}
		all[i] = &batches[i];
	}
	struct sort sort = {0};
	static struct heard heard;
	assert_int_equal(sort_batches(&sort, all, BATCHES, hear, &heard, NULL), 0);

	size_t newest = 0;
	for (size_t at = 0; at < BATCHES * OPS; at++) {
		const struct batch *batch = all[at / OPS];
		struct record_key key = batch_op_key(batch, &batch->ops[at % OPS]);
		bool is_newest = true;
		for (size_t later = at + 1; is_newest && later < BATCHES * OPS; later++) {
			const struct batch *other = all[later / OPS];
			is_newest =
			        compare(key, batch_op_key(other, &other->ops[later % OPS])) != 0;
		}
		bool was_heard = false;
		for (size_t i = 0; i < heard.count; i++) {
			was_heard |= heard.revs[i] == batch->ops[at % OPS].rev;
		}
		assert_true(was_heard == is_newest);
		newest += is_newest;
	}
	assert_int_equal(heard.count, newest);
	sort_close(&sort);
	for (size_t i = 0; i < BATCHES; i++) {
		batch_close(&batches[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_key_comes_once_in_order_with_its_newest_operation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
