/* This file tests glob patterns: what they match, and which are refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "triggers/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void patterns_match_whole_keys(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *text;
		bool matches;
	} CASES[] = {
	        {"*", "", true},
	        {"*", "a/b:c", true},
	        {"user_*", "user_1", true},
	        {"user_*", "user_", true},
	        {"user_*", "auser_1", false},
	        {"*_user", "a_user_user", true},
	        {"*_user", "a_user_", false},
	        {"a*b*c", "a-b-b-c", true},
	        {"a*b*c", "a-b-b-d", false},
	        {"**", "x", true},
	        {"?", "", false},
	        {"?", "\xc3\xa9", true},
	        {"??", "\xc3\xa9", false},
	        {"?", "ab", false},
	        {"*?", "\xe6\xbc\xa2", true},
	        {"*??", "\xe6\xbc\xa2", false},
	        {"[a-c]x", "bx", true},
	        {"[a-c]x", "dx", false},
	        {"[!a-c]x", "dx", true},
	        {"[^a-c]x", "ax", false},
	        {"[!a]", "\xc3\xa9", true},
	        {"[a-]", "-", true},
	        {"[-a]", "-", true},
	        {"[\\]]", "]", true},
	        {"[\\]-a]", "^", true},
	        {"[a-\\]]", "a", false},
	        {"[a!]", "!", true},
	        {"\\*", "*", true},
	        {"\\*", "a", false},
	        {"a\\", "a", false},
	        {"x]", "x]", true},
	        {"*[0-9][0-9]", "order:2024", true},
	        {"*[0-9][0-9]", "order:202x", false},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct span pattern = span_of(CASES[i].pattern);
		if (glob_check(pattern, NULL) != 0) {
			assert_false(CASES[i].matches);
			continue;
		}
		if (glob_matches(pattern, span_of(CASES[i].text)) != CASES[i].matches) {
			fail_msg("%s on %s", CASES[i].pattern, CASES[i].text);
		}
	}
}

static void wrong_patterns_are_refused_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *says;
	} CASES[] = {
	        {"ab\\", "byte 3: "},     {"a[b", "byte 2: the set has no ]"},
	        {"[]", "set is empty"},   {"[!]", "set is empty"},
	        {"[a\\", "within a set"}, {"x[z-a]", "byte 3: the range runs backwards"},
	        {"[", "has no ]"},        {"[\xc3\xa9]", "ASCII"},
	        {"[a-", "has no ]"},      {"[a-\\", "within a set"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct err err = {0};
		assert_int_equal(glob_check(span_of(CASES[i].pattern), &err), E_INVALID);
		assert_string_equal(err.code, "invalid_glob");
		if (strstr(err.text, CASES[i].says) == NULL) {
			fail_msg("%s: %s", CASES[i].pattern, err.text);
		}
	}
	char longest[GLOB_PATTERN_MAX + 1];
	memset(longest, 'a', sizeof longest);
	assert_int_equal(glob_check(span_make(longest, sizeof longest), NULL), 0);
	longest[0] = '*';
	assert_int_equal(glob_check(span_make(longest, sizeof longest), NULL), E_LIMIT);
	assert_int_equal(glob_check(span_make(longest, sizeof longest - 1), NULL), 0);
}

static void an_escaped_text_is_no_pattern(void **state)
{
	(void)state;
	assert_true(glob_is_pattern(SPAN("a*")));
	assert_true(glob_is_pattern(SPAN("\\\\?")));
	assert_false(glob_is_pattern(SPAN("a\\*\\[\\?")));
	assert_false(glob_is_pattern(SPAN("a]")));
	struct buf out = {0};
	glob_unescape(SPAN("a\\*\\\\b"), &out);
	assert_true(span_is(buf_view(&out), "a*\\b"));
	buf_free(&out);
	assert_true(span_is(glob_prefix(SPAN("user:1*")), "user:1"));
	assert_true(span_is(glob_prefix(SPAN("a\\*b*")), "a"));
	assert_true(span_is(glob_prefix(SPAN("*a")), ""));
}

/* The definition, word for word, exponential as it is. */
static bool naive(const char *pattern, const char *text)
{
	if (*pattern == '\0') {
		return *text == '\0';
	}
	if (*pattern == '*') {
		return naive(pattern + 1, text) || (*text != '\0' && naive(pattern, text + 1));
	}
	return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
	       naive(pattern + 1, text + 1);
}

static void stars_agree_with_the_definition(void **state)
{
	(void)state;
	uint64_t seed = 0;
	id_random(&seed, sizeof seed);
	print_message("seed %llx\n", (unsigned long long)seed);
	for (int round = 0; round < 200000; round++) {
		char pattern[9] = {0};
		char text[11] = {0};
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t bits = seed >> 5;
		size_t pattern_len = bits % 9;
		size_t text_len = bits / 9 % 11;
		bits = seed >> 20;
		for (size_t i = 0; i < pattern_len; i++, bits >>= 2) {
			pattern[i] = "ab*?"[bits & 3];
		}
		for (size_t i = 0; i < text_len; i++, bits >>= 1) {
			text[i] = "ab"[bits & 1];
		}
		if (glob_matches(span_of(pattern), span_of(text)) != naive(pattern, text)) {
			fail_msg("%s on %s", pattern, text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(patterns_match_whole_keys),
	        cmocka_unit_test(wrong_patterns_are_refused_with_their_place),
	        cmocka_unit_test(an_escaped_text_is_no_pattern),
	        cmocka_unit_test(stars_agree_with_the_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
