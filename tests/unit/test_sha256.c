/* This file proves SHA-256 and its HMAC by the vectors of FIPS 180 and RFC 4231. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/sha256.h"

static void assert_hex(const uint8_t sum[SHA256_LEN], const char *wanted)
{
	char hex[2 * SHA256_LEN + 1];
	id_hex(sum, SHA256_LEN, hex);
	assert_string_equal(hex, wanted);
}

static void assert_sum(struct span text, size_t piece, const char *wanted)
{
	struct sha256 sha;
	uint8_t sum[SHA256_LEN];
	sha256_init(&sha);
	for (size_t at = 0; at < text.len; at += piece) {
		size_t len = text.len - at < piece ? text.len - at : piece;
		sha256_add(&sha, text.ptr + at, len);
	}
	sha256_end(&sha, sum);
	assert_hex(sum, wanted);
}

static void sums_are_right(void **state)
{
	(void)state;
	assert_sum(SPAN(""), 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_sum(SPAN("abc"), 1,
	           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_sum(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), 56,
	           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void pieces_make_no_difference(void **state)
{
	(void)state;
	char *million = mem_raw(1000000);
	memset(million, 'a', 1000000);
	static const size_t pieces[] = {1000000, 1, 63, 64, 65, 997};
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		assert_sum(span_make(million, 1000000), pieces[i],
		           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
	mem_free(million);
}

static void signatures_are_right(void **state)
{
	(void)state;
	uint8_t mac[SHA256_LEN];
	struct span parts[] = {SPAN("what do ya want "), SPAN("for nothing?")};
	sha256_hmac(SPAN("Jefe"), parts, 2, mac);
	assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	char long_key[131];
	memset(long_key, 0xaa, sizeof(long_key));
	struct span text = SPAN("Test Using Larger Than Block-Size Key - Hash Key First");
	sha256_hmac(span_make(long_key, sizeof(long_key)), &text, 1, mac);
	assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sums_are_right),
	        cmocka_unit_test(pieces_make_no_difference),
	        cmocka_unit_test(signatures_are_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
