/* This file tests the table of pointers that are found by their hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HASHES = 200, TURNS = 20000 };

/* Many hashes have one home, next to the end of the table and over it. */
static uint64_t hash_at(size_t i)
{
	return (uint64_t)(i / 40) * 7 + 5 + ((uint64_t)i << 40);
}

static void test_against_an_array(void **state)
{
	(void)state;
	struct lookup lookup = {0};
	char items[HASHES];
	bool there[HASHES] = {false};
	uint64_t random = 3;
	assert_null(lookup_get(&lookup, 1));
	for (size_t turn = 0; turn < TURNS; turn++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		size_t i = (random >> 33) % HASHES;
		if (there[i]) {
			lookup_remove(&lookup, hash_at(i));
		} else {
			lookup_add(&lookup, hash_at(i), &items[i]);
		}
		there[i] = !there[i];
		for (size_t j = turn % 7; j < HASHES; j += 7) {
			assert_ptr_equal(lookup_get(&lookup, hash_at(j)),
			                 there[j] ? &items[j] : NULL);
		}
	}
	size_t count = 0;
	for (size_t i = 0; i < HASHES; i++) {
		count += there[i];
	}
	assert_int_equal(lookup.count, count);
	lookup_close(&lookup);
	assert_null(lookup_get(&lookup, hash_at(0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_against_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
