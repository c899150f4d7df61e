/* This file tests that an arena's pieces are aligned, apart, bounded and cheap to give again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_aligned_and_apart(void **state)
{
	(void)state;
	enum { COUNT = 2000 };
	struct arena arena = {0};
	static char *pieces[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		/* Now and then one that fits in no ordinary block. */
		size_t size = i % 500 == 7 ? 200000 : i % 97;
		pieces[i] = arena_take(&arena, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < COUNT; i++) {
		size_t size = i % 500 == 7 ? 200000 : i % 97;
		for (size_t at = 0; at < size; at++) {
			assert_int_equal((unsigned char)pieces[i][at], i % 251);
		}
	}
	arena_close(&arena);
}

static void a_piece_of_no_bytes_is_a_piece(void **state)
{
	(void)state;
	struct arena arena = {0};
	char *first = arena_take(&arena, 0);
	char *second = arena_take(&arena, 0);
	assert_non_null(first);
	assert_ptr_not_equal(first, second);
	struct span copy = arena_copy(&arena, SPAN(""));
	assert_non_null(copy.ptr);
	assert_int_equal(copy.len, 0);
	arena_close(&arena);
}

static void a_reset_gives_the_first_block_again(void **state)
{
	(void)state;
	struct arena arena = {0};
	char *first = arena_take(&arena, 100);
	for (int i = 0; i < 1000; i++) {
		(void)arena_take(&arena, 1000);
	}
	arena_reset(&arena);
	assert_ptr_equal(arena_take(&arena, 100), first);
	arena_close(&arena);
	arena_reset(&arena); /* harmless when empty, as is another close */
	arena_close(&arena);
	assert_non_null(arena_take(&arena, 1));
	arena_close(&arena);
}

static void a_reset_keeps_no_large_block(void **state)
{
	(void)state;
	struct arena arena = {0};
	assert_non_null(arena_take(&arena, 10 << 20));
	arena_reset(&arena);
	assert_int_equal(arena.used, 0);
	assert_null(arena.blocks);
	arena_close(&arena);
}

static void a_large_piece_leaves_the_block_in_use(void **state)
{
	(void)state;
	struct arena arena = {0};
	char *before = arena_take(&arena, 16);
	assert_non_null(arena_take(&arena, 1 << 20));
	char *after = arena_take(&arena, 16);
	assert_ptr_equal(after, before + 16);
	arena_close(&arena);
}

static void nothing_is_taken_over_the_limit(void **state)
{
	(void)state;
	static const size_t limits[] = {16, 1000, 4096, 5000, 100000, 1000000};
	static const size_t sizes[] = {1, 100, 900, 4000, 70000};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
			struct arena arena = {.limit = limits[i]};
			for (int life = 0; life < 3; life++) {
				size_t taken = 0;
				while (arena_take(&arena, sizes[j]) != NULL) {
					taken += sizes[j];
					assert_true(taken <= limits[i]);
				}
				/* And not much less: a block's end may be too small for a piece. */
				assert_true(arena.used <= limits[i]);
				assert_int_equal(taken != 0, sizes[j] <= (limits[i] & ~15u));
				assert_true(sizes[j] == 1
				                    ? taken * 16 + 16 > limits[i]
				                    : sizes[j] > 1000 || sizes[j] * 8 > limits[i] ||
				                              taken * 4 > limits[i] * 3);
				arena_reset(&arena);
			}
			arena_close(&arena);
			assert_int_equal(arena.limit, limits[i]);
		}
	}
}

static void impossible_sizes_are_refused(void **state)
{
	(void)state;
	struct arena arena = {.limit = 1 << 20};
	assert_null(arena_take(&arena, SIZE_MAX));
	assert_null(arena_take(&arena, SIZE_MAX / 2));
	arena.limit = 0;
	assert_null(arena_take(&arena, SIZE_MAX - 3));
	assert_non_null(arena_take(&arena, 5));
	arena_close(&arena);
}

static void copies_end_with_a_nul(void **state)
{
	(void)state;
	struct arena arena = {.limit = 4096};
	struct span copy = arena_copy(&arena, SPAN("a\0b"));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.ptr, "a\0b", 4);
	static char large[5000];
	assert_null(arena_copy(&arena, span_make(large, sizeof large)).ptr);
	arena_close(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pieces_are_aligned_and_apart),
	        cmocka_unit_test(a_piece_of_no_bytes_is_a_piece),
	        cmocka_unit_test(a_reset_gives_the_first_block_again),
	        cmocka_unit_test(a_reset_keeps_no_large_block),
	        cmocka_unit_test(a_large_piece_leaves_the_block_in_use),
	        cmocka_unit_test(nothing_is_taken_over_the_limit),
	        cmocka_unit_test(impossible_sizes_are_refused),
	        cmocka_unit_test(copies_end_with_a_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
