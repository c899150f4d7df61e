/* This file tests regular expressions: RE2's dialect, its limits, and the sharing of programs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "triggers/expr/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* By the interpreter, by machine code: the answers must be the same. */
static bool found(struct span pattern, struct span subject)
{
	struct regex *regex = NULL;
	struct err err = {0};
	if (regex_new(pattern, &regex, &err) != 0) {
		fail_msg("%.*s: %s", SPAN_ARG(pattern), err.text);
	}
	bool first = false;
	assert_int_equal(regex_matches(regex, subject, &first, &err), 0);
	for (int i = 0; i < 10; i++) {
		bool again = !first;
		assert_int_equal(regex_matches(regex, subject, &again, &err), 0);
		assert_int_equal(again, first);
	}
	regex_drop(regex);
	return first;
}

static void patterns_mean_what_re2_means(void **state)
{
	(void)state;
	static const struct {
		struct span pattern;
		struct span subject;
		bool found;
	} CASES[] = {
#define CASE(pattern, subject, found)                                                              \
	{{pattern, sizeof(pattern) - 1}, {subject, sizeof(subject) - 1}, found}
	        CASE("b", "abc", true),
	        CASE("^b", "abc", false),
	        CASE("", "", true),
	        CASE("a$", "a\n", false),
	        CASE("(?m)a$", "a\n", true),
	        CASE("(?m)^$", "a\n", true),
	        CASE("a.b", "a\nb", false),
	        CASE("a.b", "a\rb", true),
	        CASE("(?s)a.b", "a\nb", true),
	        CASE("(?i)\xc3\x84", "\xc3\xa4", true),
	        CASE("^.$", "\xe6\xbc\xa2", true),
	        CASE("\\s", "\v", false),
	        CASE("\\S", "\v", true),
	        CASE("[\\s]", "\v", false),
	        CASE("[\\S]", "\v", true),
	        CASE("[^\\s]", "\v", true),
	        CASE("[^\\S]", "\v", false),
	        CASE("[^\\S]", " ", true),
	        CASE("^\\S\\S$", "\xc3\xa9\xe6\xbc\xa2", true),
	        CASE("^[\\S]{2}$", "\xc3\xa9\xe6\xbc\xa2", true),
	        CASE("[\\s-z]", "-", true),
	        CASE("[\\s-z]", "a", false),
	        CASE("\\s", " ", true),
	        CASE("\\v", "\v", true),
	        CASE("\\v", "\n", false),
	        CASE("[\\v]", "\n", false),
	        CASE("\\w", "\xc3\xa9", false),
	        CASE("\\d", "\xd9\xa3", false),
	        CASE("\\bfoo\\b", "a foo b", true),
	        CASE("\\Afoo\\z", "foo", true),
	        CASE("^\\Qa.b(?=\\E$", "a.b(?=", true),
	        CASE("\\Qa.b", "axb", false),
	        CASE("\\Q\\s\\E", "\\s", true),
	        CASE("}+", "}}", true),
	        CASE("a{,2}", "a{,2}", true),
	        CASE("a{x}", "a{x}", true),
	        CASE("^a{2,3}?$", "aaa", true),
	        CASE("[[:alpha:](?=]", "(", true),
	        CASE("^[[:^alpha:]]$", "1", true),
	        CASE("[[a]", "[", true),
	        CASE("[:alpha:]", ":", true),
	        CASE("[[.a.]]", ".]", true),
	        CASE("[]a]", "]", true),
	        CASE("[^]a]", "]", false),
	        CASE("[a-]", "-", true),
	        CASE("[a-c-e]", "d", false),
	        CASE("[a-c-e]", "-", true),
	        CASE("[+--]", ",", true),
	        CASE("[\xc3\xa9-\xc3\xab]", "\xc3\xaa", true),
	        CASE("[\\x{e9}-\\x{eb}]", "\xc3\xaa", true),
	        CASE("[\\x41-\\x43]", "B", true),
	        CASE("\\x{1F600}", "\xf0\x9f\x98\x80", true),
	        CASE("\\012", "\n", true),
	        CASE("\\0", "\0", true),
	        CASE("[\\012]", "1", false),
	        CASE("\\pL", "\xc3\xa9", true),
	        CASE("\\p{Greek}", "\xce\xb1", true),
	        CASE("\\p{^Greek}", "\xce\xb1", false),
	        CASE("\\PL", "\xc3\xa9", false),
	        CASE("[\\pL\\d]", "7", true),
	        CASE("(?P<year>\\d{4})-(?P<month>\\d\\d)", "2026-11", true),
	        CASE("(?<year>\\d{4})", "2026", true),
	        CASE("(?i:A)b", "ab", true),
	        CASE("(?i-s:A.)", "a\n", false),
	        CASE("(?U)a+", "a", true),
	        CASE("a*?", "", true),
	        CASE("\\.\\*\\/\\-\\ ", ".*/- ", true),
#undef CASE
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		if (found(CASES[i].pattern, CASES[i].subject) != CASES[i].found) {
			fail_msg("%.*s on '%.*s'", SPAN_ARG(CASES[i].pattern),
			         SPAN_ARG(CASES[i].subject));
		}
	}
}

static void what_re2_has_not_is_refused_with_its_column(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *says;
	} CASES[] = {
	        {"(a)\\1", "column 4: a backreference"},
	        {"(?P<a>b)(?P=a)", "column 9: a backreference"},
	        {"\\k<a>", "a backreference"},
	        {"\\g1", "a backreference"},
	        {"\xc3\xa9(?=b)", "column 2: look-ahead"},
	        {"a(?!b)", "column 2: look-ahead"},
	        {"(?<=a)b", "look-behind"},
	        {"(?<!a)b", "look-behind"},
	        {"(?>a)", "atomic"},
	        {"(?|a|b)", "branch reset"},
	        {"a(?R)?", "recursion"},
	        {"(a)(?1)", "this kind of group"},
	        {"(a)(?+1)", "this kind of group"},
	        {"(?P>a)", "recursion"},
	        {"(?&a)", "recursion"},
	        {"(?(1)a|b)", "a condition"},
	        {"(?C1)a", "a callout"},
	        {"(?#x)a", "a comment"},
	        {"(?x) a", "this kind of group"},
	        {"(?i", "this kind of group"},
	        {"(?-)a", "this kind of group"},
	        {"(?^i)a", "this kind of group"},
	        {"(?'n'a)", "this kind of group"},
	        {"(*UTF)a", "a verb"},
	        {"a(*FAIL)", "column 2: a verb"},
	        {"a++", "column 2: a possessive"},
	        {"a*+", "a possessive"},
	        {"a?+", "a possessive"},
	        {"a{2}+", "column 2: a possessive"},
	        {"a**", "a repetition of a repetition"},
	        {"a{2}{3}", "a repetition of a repetition"},
	        {"a{1001}", "more than 1000"},
	        {"a{1,99999999999}", "more than 1000"},
	        {"a\\Z", "column 2: \\Z"},
	        {"\\C", "\\C (one byte)"},
	        {"\\K", "this escape"},
	        {"\\G", "this escape"},
	        {"\\R", "this escape"},
	        {"\\X", "this escape"},
	        {"\\h", "this escape"},
	        {"\\N", "this escape"},
	        {"\\u0041", "this escape"},
	        {"\\ca", "this escape"},
	        {"\\e", "this escape"},
	        {"\\E", "this escape"},
	        {"\\_", "this escape"},
	        {"[\\b]", "column 2: this escape"},
	        {"[\\Qa\\E]", "this escape"},
	        {"[a-\\d]", "column 3: a range must end"},
	        {"[a", "the set that begins here"},
	        {"x[", "column 2: the set that begins here"},
	        {"a\\", "ends with a backslash"},
	        {"[\\", "ends with a backslash"},
	        {"\\xg", "\\x takes two"},
	        {"\\x4", "\\x takes two"},
	        {"\\x{1234567}", "\\x takes two"},
	        {"\\p{Gr eek}", "\\p takes a letter"},
	        {"\\p", "\\p takes a letter"},
	        {"\xc3\xa9\\s\\p{Nowhere}", "near column 15: "},
	        {"a)", "near column 2: "},
	        {"(a", "near column 3: "},
	        {"*", "near column 1: "},
	        {"[z-a]", "near column 1: "},
	        {"\x80", "UTF-8"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct err err = {0};
		struct regex *regex = NULL;
		if (regex_new(span_of(CASES[i].pattern), &regex, &err) == 0) {
			fail_msg("%s is taken", CASES[i].pattern);
		}
		assert_null(regex);
		assert_string_equal(err.code, "invalid_regex");
		if (strstr(err.text, CASES[i].says) == NULL) {
			fail_msg("%s: %s", CASES[i].pattern, err.text);
		}
	}
}

static void a_pattern_has_a_longest_length(void **state)
{
	(void)state;
	char pattern[REGEX_PATTERN_MAX + 1];
	memset(pattern, 'a', sizeof pattern);
	struct regex *regex = NULL;
	assert_int_equal(regex_new(span_make(pattern, sizeof pattern), &regex, NULL), E_LIMIT);
	assert_int_equal(regex_new(span_make(pattern, REGEX_PATTERN_MAX), &regex, NULL), 0);
	regex_drop(regex);
	assert_int_equal(regex_new(SPAN("(((a{900}){900}){900})"), &regex, NULL), E_INVALID);
}

/* Exponential by backtracking; both ways of running it give up soon, and say so. */
static void too_much_work_is_an_error(void **state)
{
	(void)state;
	struct regex *regex = NULL;
	assert_int_equal(regex_new(SPAN("^(a|a?)+$"), &regex, NULL), 0);
	char subject[200];
	memset(subject, 'a', sizeof subject);
	subject[sizeof subject - 1] = 'b';
	for (int i = 0; i < 20; i++) {
		struct err err = {0};
		bool out = true;
		assert_int_equal(
		        regex_matches(regex, span_make(subject, sizeof subject), &out, &err),
		        E_LIMIT);
		assert_string_equal(err.code, "regex_limit");
		assert_true(out);
	}
	bool out = false;
	assert_int_equal(regex_matches(regex, SPAN("aaa"), &out, NULL), 0);
	assert_true(out);
	regex_drop(regex);
}

static void a_pattern_is_one_program(void **state)
{
	(void)state;
	struct regex *first = NULL;
	struct regex *second = NULL;
	struct regex *other = NULL;
	char *own = mem_text("^user_");
	assert_int_equal(regex_new(span_of(own), &first, NULL), 0);
	mem_free(own);
	assert_int_equal(regex_new(SPAN("^user_"), &second, NULL), 0);
	assert_int_equal(regex_new(SPAN("^User_"), &other, NULL), 0);
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_ptr_equal(regex_take(first), first);
	regex_drop(second);
	regex_drop(first);
	bool out = false;
	assert_int_equal(regex_matches(first, SPAN("user_1"), &out, NULL), 0);
	assert_true(out);
	regex_drop(first);
	regex_drop(other);
	regex_drop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(patterns_mean_what_re2_means),
	        cmocka_unit_test(what_re2_has_not_is_refused_with_its_column),
	        cmocka_unit_test(a_pattern_has_a_longest_length),
	        cmocka_unit_test(too_much_work_is_an_error),
	        cmocka_unit_test(a_pattern_is_one_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
