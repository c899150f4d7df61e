/* This file tests the validation of JSON against the public suite of parsing tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char suite_dir[] = VECTORS_DIR "/json-suite/test_parsing";

/* The files on which the standard leaves the choice. docs/json.md gives the same reasons. */
struct choice {
	const char *name;
	bool accept;
	const char *reason;
};

static const char kept[] = "numbers stay text, of any size";
static const char half[] = "an escape of half a pair is legal and read as U+FFFD";
static const char utf8[] = "strings are strict UTF-8";
static const char utf16[] = "only UTF-8";

static const struct choice choices[] = {
        {"i_number_double_huge_neg_exp.json", true, kept},
        {"i_number_huge_exp.json", true, kept},
        {"i_number_neg_int_huge_exp.json", true, kept},
        {"i_number_pos_double_huge_exp.json", true, kept},
        {"i_number_real_neg_overflow.json", true, kept},
        {"i_number_real_pos_overflow.json", true, kept},
        {"i_number_real_underflow.json", true, kept},
        {"i_number_too_big_neg_int.json", true, kept},
        {"i_number_too_big_pos_int.json", true, kept},
        {"i_number_very_big_negative_int.json", true, kept},
        {"i_object_key_lone_2nd_surrogate.json", true, half},
        {"i_string_1st_surrogate_but_2nd_missing.json", true, half},
        {"i_string_1st_valid_surrogate_2nd_invalid.json", true, half},
        {"i_string_UTF-16LE_with_BOM.json", false, utf16},
        {"i_string_UTF-8_invalid_sequence.json", false, utf8},
        {"i_string_UTF8_surrogate_U+D800.json", false, utf8},
        {"i_string_incomplete_surrogate_and_escape_valid.json", true, half},
        {"i_string_incomplete_surrogate_pair.json", true, half},
        {"i_string_incomplete_surrogates_escape_valid.json", true, half},
        {"i_string_invalid_lonely_surrogate.json", true, half},
        {"i_string_invalid_surrogate.json", true, half},
        {"i_string_invalid_utf-8.json", false, utf8},
        {"i_string_inverted_surrogates_U+1D11E.json", true, half},
        {"i_string_iso_latin_1.json", false, utf8},
        {"i_string_lone_second_surrogate.json", true, half},
        {"i_string_lone_utf8_continuation_byte.json", false, utf8},
        {"i_string_not_in_unicode_range.json", false, utf8},
        {"i_string_overlong_sequence_2_bytes.json", false, utf8},
        {"i_string_overlong_sequence_6_bytes.json", false, utf8},
        {"i_string_overlong_sequence_6_bytes_null.json", false, utf8},
        {"i_string_truncated-utf-8.json", false, utf8},
        {"i_string_utf16BE_no_BOM.json", false, utf16},
        {"i_string_utf16LE_no_BOM.json", false, utf16},
        {"i_structure_500_nested_arrays.json", true, "512 levels are allowed"},
        {"i_structure_UTF-8_BOM_empty_object.json", false, "no byte order mark"},
};

enum { CHOICE_COUNT = sizeof choices / sizeof *choices };

static const struct choice *find_choice(const char *name)
{
	for (size_t i = 0; i < CHOICE_COUNT; i++) {
		if (strcmp(choices[i].name, name) == 0) {
			return &choices[i];
		}
	}
	fail_msg("no decision on %s", name);
	return NULL;
}

/* The file in memory of exactly its size, so that a sanitizer sees a read past its end. */
static struct span read_whole(const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", suite_dir, name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	static char bytes[1 << 20];
	size_t len = fread(bytes, 1, sizeof bytes, file);
	assert_true(len < sizeof bytes);
	(void)fclose(file);
	char *exact = malloc(len ? len : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	return (struct span){exact, len};
}

static bool is_accepted(struct span text)
{
	struct err err = {0};
	struct span value = SPAN_NONE;
	int result = json_check(text, &value, &err);
	if (result != 0) {
		assert_int_equal(result, E_INVALID);
		assert_string_equal(err.code, "invalid_json");
		return false;
	}
	/* What is accepted can be read: its compact form is valid and has the same value. */
	struct buf compact = {0};
	json_compact(value, &compact);
	struct span again = SPAN_NONE;
	assert_int_equal(json_check(buf_view(&compact), &again, NULL), 0);
	assert_true(json_same_text(value, again));
	assert_true(json_equal(value, again));
	buf_free(&compact);
	return true;
}

static void judges_every_file_of_the_suite(void **state)
{
	(void)state;
	DIR *dir = opendir(suite_dir);
	assert_non_null(dir);
	size_t count = 0;
	size_t chosen = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *name = entry->d_name;
		if (name[0] == '.') {
			continue;
		}
		bool expected = name[0] == 'y';
		if (name[0] == 'i') {
			expected = find_choice(name)->accept;
			chosen++;
		}
		struct span text = read_whole(name);
		if (is_accepted(text) != expected) {
			fail_msg("%s must be %s", name, expected ? "accepted" : "refused");
		}
		free((char *)text.ptr);
		count++;
	}
	(void)closedir(dir);
	assert_int_equal(chosen, CHOICE_COUNT);
	assert_true(count > 300);
}

int main(void)
{
	DIR *dir = opendir(suite_dir);
	if (dir == NULL) {
		fprintf(stderr, "\n*** SKIPPED: %s is not there, JSON was NOT tested ***\n\n",
		        suite_dir);
		return 77;
	}
	(void)closedir(dir);
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges_every_file_of_the_suite)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
