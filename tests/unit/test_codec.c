/* This file proves SHA-1, base64 and the check of UTF-8 with the vectors of their standards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/id.h"
#include "base/sha1.h"
#include "base/utf8_check.h"

static void expect_sha1(struct span text, const char *wanted)
{
	uint8_t digest[SHA1_LEN];
	char hex[2 * SHA1_LEN + 1];
	sha1(text, digest);
	id_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, wanted);
}

static void sha1_is_that_of_the_standard(void **state)
{
	(void)state;
	expect_sha1(SPAN(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	expect_sha1(SPAN("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	expect_sha1(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	expect_sha1(SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
	                 "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
	            "a49b2446a02c645bf419f995b67091253a04a259");
	struct buf million = {0};
	for (int i = 0; i < 1000000; i++) {
		buf_byte(&million, 'a');
	}
	expect_sha1(buf_view(&million), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	buf_free(&million);
}

static void base64_is_that_of_the_standard(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
	        {"", ""},
	        {"f", "Zg=="},
	        {"fo", "Zm8="},
	        {"foo", "Zm9v"},
	        {"foob", "Zm9vYg=="},
	        {"fooba", "Zm9vYmE="},
	        {"foobar", "Zm9vYmFy"},
	        {"\xff\xfe\xfb\xef", "//777w=="},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = {0};
		base64_encode(span_of(pairs[i][0]), &out);
		assert_true(span_is(buf_view(&out), pairs[i][1]));
		buf_clear(&out);
		assert_true(base64_decode(span_of(pairs[i][1]), &out));
		assert_true(span_is(buf_view(&out), pairs[i][0]));
		buf_free(&out);
	}
}

static void wrong_base64_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"Z",    "Zg",   "Zg=",      "Zg==Zg==", "Zh==", "Zm9=",
	                                    "Z===", "====", "Zm9v Zm9", "Zm-_",     "=m9v"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct buf out = {0};
		BUF_LITERAL(&out, "kept");
		assert_false(base64_decode(span_of(wrong[i]), &out));
		assert_true(span_is(buf_view(&out), "kept"));
		buf_free(&out);
	}
}

static void base64_may_lack_its_padding(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"", ""},      {"f", "Zg"},     {"f", "Zg=="},
	                                       {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = {0};
		assert_true(base64_decode_bare(span_of(pairs[i][1]), &out));
		assert_true(span_is(buf_view(&out), pairs[i][0]));
		buf_free(&out);
	}
	static const char *const wrong[] = {
	        "Z", "Zg=", "Zh", "Zm9=", "Z===", "Zm9vY", "Zg==Zg", "=m9v"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct buf out = {0};
		BUF_LITERAL(&out, "kept");
		assert_false(base64_decode_bare(span_of(wrong[i]), &out));
		assert_true(span_is(buf_view(&out), "kept"));
		buf_free(&out);
	}
}

static bool is_utf8(struct span text, size_t cut)
{
	struct utf8_check check = {0};
	return utf8_check_feed(&check, span_make(text.ptr, cut)) &&
	       utf8_check_feed(&check, SPAN_NONE) &&
	       utf8_check_feed(&check, span_make(text.ptr + cut, text.len - cut)) &&
	       utf8_check_is_whole(&check);
}

static void utf8_is_checked_however_it_is_cut(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_right;
	} cases[] = {
	        {"", true},
	        {"plain text that is longer than a word", true},
	        {"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true},
	        {"01234567\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
	        {"\x80", false},
	        {"\xc0\x80", false},
	        {"\xc1\xbf", false},
	        {"\xc3", false},
	        {"\xc3(", false},
	        {"\xe0\x9f\xbf", false},
	        {"\xed\xa0\x80", false},
	        {"\xe2\x82", false},
	        {"\xe2\x82 ", false},
	        {"\xf0\x8f\xbf\xbf", false},
	        {"\xf4\x90\x80\x80", false},
	        {"\xf5\x80\x80\x80", false},
	        {"01234567\xff", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span text = span_of(cases[i].text);
		for (size_t cut = 0; cut <= text.len; cut++) {
			assert_int_equal(is_utf8(text, cut), cases[i].is_right);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha1_is_that_of_the_standard),
	        cmocka_unit_test(base64_is_that_of_the_standard),
	        cmocka_unit_test(wrong_base64_is_refused),
	        cmocka_unit_test(base64_may_lack_its_padding),
	        cmocka_unit_test(utf8_is_checked_however_it_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
