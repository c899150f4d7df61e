/* This file tests the small containers and helpers of the ground floor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/span.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* ---- span and memory ---- */

static void spans_compare_by_bytes(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
	assert_true(span_equal(SPAN_NONE, SPAN("")));
	assert_true(span_is(SPAN("abc"), "abc"));
	assert_true(span_compare(SPAN("ab"), SPAN("abc")) < 0);
	assert_true(span_compare(SPAN("b"), SPAN("abc")) > 0);
	assert_true(span_compare(SPAN("\xff"), SPAN("a")) > 0);
	assert_int_equal(span_compare(SPAN(""), SPAN_NONE), 0);
	assert_true(span_starts_with(SPAN("abc"), SPAN("ab")));
	assert_true(span_starts_with(SPAN("abc"), SPAN("")));
	assert_false(span_starts_with(SPAN("ab"), SPAN("abc")));
	assert_null(span_of(NULL).ptr);
}

static void memory_is_zeroed_or_copied(void **state)
{
	(void)state;
	uint64_t *numbers = MEM_ARRAY(uint64_t, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_true(numbers[i] == 0);
	}
	mem_free(numbers);
	char *copy = mem_copy("a\0b", 3);
	assert_memory_equal(copy, "a\0b", 4);
	mem_free(copy);
	assert_null(mem_text(NULL));
	struct span span = mem_span(SPAN_NONE);
	assert_non_null(span.ptr);
	assert_int_equal(span.len, 0);
	mem_free((char *)span.ptr);
	mem_free(NULL);
}

static void a_buffer_grows_and_shrinks(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_non_null(buf_view(&buf).ptr);
	buf_uint(&buf, 0);
	buf_byte(&buf, ' ');
	buf_uint(&buf, UINT64_MAX);
	buf_byte(&buf, ' ');
	buf_int(&buf, INT64_MIN);
	buf_byte(&buf, ' ');
	buf_int(&buf, INT64_MAX);
	BUF_LITERAL(&buf, " ");
	buf_format(&buf, "%s=%d", "x", 7);
	assert_true(span_is(buf_view(&buf), "0 18446744073709551615 -9223372036854775808 "
	                                    "9223372036854775807 x=7"));
	buf_remove_front(&buf, 2);
	assert_true(span_starts_with(buf_view(&buf), SPAN("18446744073709551615 ")));
	buf_clear(&buf);
	for (int i = 0; i < 10000; i++) {
		buf_byte(&buf, (char)('a' + i % 26));
	}
	assert_int_equal(buf.len, 10000);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(buf.ptr[i], 'a' + i % 26);
	}
	buf_shrink(&buf, 100); /* it holds more than that */
	assert_true(buf.cap >= 10000);
	buf_clear(&buf);
	buf_shrink(&buf, 100);
	assert_int_equal(buf.cap, 100);
	buf_free(&buf);
	assert_null(buf.ptr);
	buf_free(&buf);
}

/* ---- list ---- */

struct row {
	struct list link;
	int number;
};

static void assert_rows(const struct list *list, const char *expected)
{
	struct buf text = {0};
	LIST_EACH((struct list *)list, link)
	{
		buf_int(&text, MEM_CONTAINER(link, struct row, link)->number);
	}
	assert_true(span_is(buf_view(&text), expected));
	buf_free(&text);
}

static void a_list_keeps_its_order(void **state)
{
	(void)state;
	struct list list;
	struct list other;
	list_init(&list);
	list_init(&other);
	assert_true(list_is_empty(&list));
	assert_null(LIST_FIRST(&list, struct row, link));
	struct row rows[5];
	for (int i = 0; i < 5; i++) {
		rows[i].number = i;
	}
	list_push(&list, &rows[1].link);
	list_push(&list, &rows[2].link);
	list_push_front(&list, &rows[0].link);
	assert_rows(&list, "012");
	list_insert(&rows[3].link, &rows[1].link);
	assert_rows(&list, "0312");
	assert_ptr_equal(LIST_FIRST(&list, struct row, link), &rows[0]);

	list_remove(&rows[3].link);
	list_remove(&rows[3].link);
	assert_rows(&list, "012");
	list_move(&other, &list); /* nothing on it */
	assert_rows(&list, "012");
	list_push(&other, &rows[4].link);
	list_move(&list, &other);
	assert_true(list_is_empty(&list));
	assert_rows(&other, "4012");

	LIST_EACH(&other, link)
	{
		list_remove(link);
	}
	assert_true(list_is_empty(&other));
}

/* ---- map ---- */

struct entry {
	struct map_node node;
	int number;
};

static bool has_number(const struct map_node *node, const void *key)
{
	return MEM_CONTAINER(node, struct entry, node)->number == *(const int *)key;
}

static bool is_odd(const struct map_node *node, const void *key)
{
	(void)key;
	return MEM_CONTAINER(node, struct entry, node)->number % 2 != 0;
}

/* Few hashes for many entries, so that slots and whole hashes collide. */
static uint64_t poor_hash(int number)
{
	return (uint64_t)(number % 7);
}

static void a_map_finds_what_was_added(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	struct map map = {0};
	struct entry *entries = MEM_ARRAY(struct entry, COUNT);
	int missing = COUNT;
	assert_null(map_get(&map, 0, &missing, has_number));
	assert_null(map_first(&map, &(size_t){0}));
	for (int i = 0; i < COUNT; i++) {
		entries[i].number = i;
		map_add(&map, &entries[i].node, poor_hash(i));
	}
	assert_int_equal(map.count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_ptr_equal(map_get(&map, poor_hash(i), &i, has_number), &entries[i].node);
	}
	assert_null(map_get(&map, poor_hash(missing), &missing, has_number));
	size_t odd = 0;
	for (struct map_node *same = map_get(&map, poor_hash(3), NULL, is_odd); same != NULL;
	     same = map_get_next(same, NULL, is_odd)) {
		assert_int_equal(poor_hash(MEM_CONTAINER(same, struct entry, node)->number), 3);
		odd++;
	}
	assert_int_equal(odd, (COUNT - 3 + 13) / 14); /* 3, 17, 31, ... */

	size_t seen = 0;
	MAP_EACH(&map, node)
	{
		seen++;
		if (MEM_CONTAINER(node, struct entry, node)->number % 2 != 0) {
			map_remove(&map, node);
		}
	}
	assert_int_equal(seen, COUNT);
	assert_int_equal(map.count, COUNT / 2);
	for (int i = 0; i < COUNT; i++) {
		struct map_node *found = map_get(&map, poor_hash(i), &i, has_number);
		assert_ptr_equal(found, i % 2 != 0 ? NULL : &entries[i].node);
	}
	map_close(&map);
	map_close(&map);
	mem_free(entries);
}

/* ---- heap ---- */

struct waiter {
	struct heap_node node;
	int number;
};

static void a_heap_gives_the_least_first_and_equals_in_order(void **state)
{
	(void)state;
	enum { COUNT = 500 };
	struct heap heap = {0};
	assert_null(heap_first(&heap));
	struct waiter *waiters = MEM_ARRAY(struct waiter, COUNT);
	for (int i = 0; i < COUNT; i++) {
		waiters[i].number = i;
		heap_add(&heap, &waiters[i].node, i * 7919 % 50 - 25);
	}
	for (int i = 0; i < COUNT; i += 3) {
		assert_true(heap_holds(&waiters[i].node));
		heap_remove(&heap, &waiters[i].node);
		heap_remove(&heap, &waiters[i].node);
		assert_false(heap_holds(&waiters[i].node));
	}
	size_t below = 0;
	for (int i = 0; i < COUNT; i++) {
		below += heap_holds(&waiters[i].node) && waiters[i].node.rank < -7;
	}
	assert_int_equal(heap_count_below(&heap, -7), below);
	assert_int_equal(heap_count_below(&heap, INT64_MIN), 0);
	assert_int_equal(heap_count_below(&heap, INT64_MAX), heap.count);
	size_t seen = 0;
	int64_t last_rank = INT64_MIN;
	int last_number = -1;
	for (struct heap_node *first; (first = heap_first(&heap)) != NULL; seen++) {
		int number = MEM_CONTAINER(first, struct waiter, node)->number;
		assert_true(first->rank >= last_rank);
		assert_true(first->rank > last_rank || number > last_number);
		assert_true(number % 3 != 0);
		last_rank = first->rank;
		last_number = number;
		heap_remove(&heap, first);
	}
	assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
	heap_close(&heap);
	mem_free(waiters);
}

/* ---- id ---- */

static void a_uuid_is_version_4_and_new_each_time(void **state)
{
	(void)state;
	char before[ID_UUID_LEN + 1] = "";
	for (int i = 0; i < 1000; i++) { /* more than one pool of random bytes */
		char uuid[ID_UUID_LEN + 1];
		id_uuid(uuid);
		assert_int_equal(strlen(uuid), ID_UUID_LEN);
		assert_int_equal(strspn(uuid, "0123456789abcdef-"), ID_UUID_LEN);
		assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' &&
		            uuid[23] == '-');
		assert_int_equal(uuid[14], '4');
		assert_non_null(strchr("89ab", uuid[19]));
		assert_string_not_equal(uuid, before);
		memcpy(before, uuid, sizeof uuid);
	}
	char hex[9];
	id_hex("\x00\x7f\x80\xff", 4, hex);
	assert_string_equal(hex, "007f80ff");
}

static void an_unsigned_decimal_is_whole_or_refused(void **state)
{
	(void)state;
	uint64_t value = 7;
	assert_true(id_parse_uint(SPAN("0"), &value));
	assert_true(value == 0);
	assert_true(id_parse_uint(SPAN("18446744073709551615"), &value));
	assert_true(value == UINT64_MAX);
	static const char *const bad[] = {"",
	                                  "00",
	                                  "01",
	                                  "-1",
	                                  "+1",
	                                  "1 ",
	                                  "1a",
	                                  "18446744073709551616",
	                                  "99999999999999999999",
	                                  "100000000000000000000"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(id_parse_uint(span_of(bad[i]), &value));
	}
	assert_true(value == UINT64_MAX);
}

/* ---- hash ---- */

static void crc32c_matches_the_published_vectors(void **state)
{
	(void)state;
	assert_int_equal(hash_crc32c(0, "", 0), 0);
	assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283u);
	/* RFC 3720, B.4 */
	unsigned char bytes[32] = {0};
	assert_int_equal(hash_crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(hash_crc32c(0, bytes, 32), 0x62a8ab43u);
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = (unsigned char)i;
	}
	assert_int_equal(hash_crc32c(0, bytes, 32), 0x46dd794eu);
	/* In parts it is the same as at once. */
	for (size_t cut = 0; cut <= 32; cut++) {
		uint32_t crc = hash_crc32c(0, bytes, cut);
		assert_int_equal(hash_crc32c(crc, bytes + cut, 32 - cut), 0x46dd794eu);
	}
}

static void hashes_tell_inputs_and_seeds_apart(void **state)
{
	(void)state;
	struct span text = SPAN("the same text, longer than a word");
	assert_true(hash_bytes(text, 1) == hash_bytes(text, 1));
	assert_true(hash_bytes(text, 1) != hash_bytes(text, 2));
	assert_true(hash_stable(text, 1) != hash_stable(text, 2));
	assert_true(hash_bytes(text, 1) != hash_stable(text, 1));
	char zeros[40] = {0};
	for (size_t len = 1; len <= sizeof zeros; len++) { /* the length counts as well */
		assert_true(hash_stable(span_make(zeros, len), 0) !=
		            hash_stable(span_make(zeros, len - 1), 0));
	}
	assert_true(hash_stable(SPAN_NONE, 0) == hash_stable(SPAN(""), 0));
}

/* These values are on disk, so they must never change. They come from another implementation of
 * SipHash-2-4, one that agrees with the vectors of its authors, under our fixed key. */
static void the_stable_hash_is_stable(void **state)
{
	(void)state;
	static const struct {
		struct span text;
		uint64_t seed;
		uint64_t hash;
	} cases[] = {
	        {SPAN(""), 0, UINT64_C(0x00e59090339722f2)},
	        {SPAN("a"), 0, UINT64_C(0xa30b2eb3142fd7b1)},
	        {SPAN("01234567"), 0, UINT64_C(0xc550f754bd20ec06)},
	        {SPAN("state on_state users"), 0, UINT64_C(0xc299a9553702ae17)},
	        {SPAN("state on_state users"), 42, UINT64_C(0x16b662cc8dad6035)},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(hash_stable(cases[i].text, cases[i].seed) == cases[i].hash);
	}
}

/* ---- clock ---- */

static void times_are_spelled_in_rfc_3339(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
	        {0, "1970-01-01T00:00:00.000Z"},
	        {1, "1970-01-01T00:00:00.001Z"},
	        {-1, "1969-12-31T23:59:59.999Z"},
	        {1767323045678, "2026-01-02T03:04:05.678Z"},
	        {951782399999, "2000-02-28T23:59:59.999Z"},
	        {951782400000, "2000-02-29T00:00:00.000Z"},
	        {253402300799999, "9999-12-31T23:59:59.999Z"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[CLOCK_TEXT_LEN + 1];
		clock_format(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Every 97 hours from the year 1000 to the year 9999. */
static void times_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t ms = -30610224000000; ms <= 253402300799999; ms += 97 * 3600000 + 61001) {
		char text[CLOCK_TEXT_LEN + 1];
		char wanted[CLOCK_TEXT_LEN + 1];
		int64_t part = (ms % 1000 + 1000) % 1000;
		time_t seconds = (time_t)((ms - part) / 1000);
		struct tm parts;
		assert_non_null(gmtime_r(&seconds, &parts));
		assert_int_equal(strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &parts), 19);
		clock_format(ms, text);
		assert_memory_equal(text, wanted, 19);
		assert_int_equal(atoi(text + 20), part);
	}
}

/* The last test of the clock: from here on it stands still. */
static void a_manual_clock_moves_by_hand_only(void **state)
{
	(void)state;
	assert_false(clock_is_manual());
	assert_true(clock_wall_ms() > 1600000000000);
	int64_t before = clock_mono_us();
	assert_true(clock_mono_us() >= before);
	clock_set_virtual(4000);
	assert_true(clock_is_manual() && clock_is_virtual());
	clock_advance(50);
	assert_int_equal(clock_wall_ms(), 4050);
	assert_true(clock_real_wall_ms() > 1600000000000);
	assert_true(clock_real_ms() >= before / 1000);
	clock_set_manual(5000);
	assert_true(clock_is_manual() && !clock_is_virtual());
	assert_int_equal(clock_wall_ms(), 5000);
	int64_t mono = clock_mono_ms();
	clock_advance(250);
	assert_int_equal(clock_wall_ms(), 5250);
	assert_int_equal(clock_mono_ms(), mono + 250);
	assert_int_equal(clock_real_ms(), mono + 250);
	assert_int_equal(clock_real_wall_ms(), 5250);
	clock_advance(0);
	assert_int_equal(clock_wall_ms(), 5250);
}

/* ---- err ---- */

static void an_error_is_set_once_and_wrapped_on_the_way_up(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(err_set(&err, E_CONFLICT, "rev_mismatch", "rev is %d", 7), E_CONFLICT);
	assert_int_equal(err.number, E_CONFLICT);
	assert_string_equal(err.code, "rev_mismatch");
	assert_string_equal(err.text, "rev is 7");
	assert_int_equal(err_wrap(&err, "key %s", "users/1"), E_CONFLICT);
	assert_string_equal(err.code, "rev_mismatch");
	assert_string_equal(err.text, "key users/1: rev is 7");
	assert_int_equal(err_set(NULL, E_LIMIT, "too_large", "x"), E_LIMIT);
}

static void a_long_error_is_cut_not_overrun(void **state)
{
	(void)state;
	char longer[ERR_TEXT_MAX + 100];
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	struct err err = {0};
	(void)err_set(&err, E_INVALID, "invalid", "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	(void)err_wrap(&err, "outer");
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_true(span_starts_with(span_of(err.text), SPAN("outer: xxx")));
	(void)err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void system_errors_become_ours(void **state)
{
	(void)state;
	static const struct {
		int system;
		int number;
		const char *code;
	} cases[] = {
	        {ENOSPC, E_FULL, "disk_full"},
	        {EDQUOT, E_FULL, "disk_full"},
	        {EADDRINUSE, E_BUSY, "busy"},
	        {EIO, E_IO, "io_error"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {0};
		assert_int_equal(err_errno(&err, cases[i].system, "open %s", "f"), cases[i].number);
		assert_string_equal(err.code, cases[i].code);
		assert_true(span_starts_with(span_of(err.text), SPAN("open f: ")));
	}
	assert_string_equal(err_number_text(E_FULL), "no space is left");
	assert_string_equal(err_number_text(1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(spans_compare_by_bytes),
	        cmocka_unit_test(memory_is_zeroed_or_copied),
	        cmocka_unit_test(a_buffer_grows_and_shrinks),
	        cmocka_unit_test(a_list_keeps_its_order),
	        cmocka_unit_test(a_map_finds_what_was_added),
	        cmocka_unit_test(a_heap_gives_the_least_first_and_equals_in_order),
	        cmocka_unit_test(a_uuid_is_version_4_and_new_each_time),
	        cmocka_unit_test(an_unsigned_decimal_is_whole_or_refused),
	        cmocka_unit_test(crc32c_matches_the_published_vectors),
	        cmocka_unit_test(hashes_tell_inputs_and_seeds_apart),
	        cmocka_unit_test(the_stable_hash_is_stable),
	        cmocka_unit_test(times_are_spelled_in_rfc_3339),
	        cmocka_unit_test(times_agree_with_the_c_library),
	        cmocka_unit_test(a_manual_clock_moves_by_hand_only),
	        cmocka_unit_test(an_error_is_set_once_and_wrapped_on_the_way_up),
	        cmocka_unit_test(a_long_error_is_cut_not_overrun),
	        cmocka_unit_test(system_errors_become_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
