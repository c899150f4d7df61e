/* This file makes the texts of tokens and what is kept of them: their hashes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/token_text.h"

#include "base/base64.h"
#include "base/id.h"
#include "base/mem.h"
#include <string.h>

static const struct span prefix = {"pawl_", 5};
static const struct span hash_prefix = {"sha256:", 7};

void token_text_make(char out[TOKEN_TEXT_LEN + 1])
{
	uint8_t bytes[32];
	struct buf text = {0};
	id_random(bytes, sizeof bytes);
	base64_encode(span_make((const char *)bytes, sizeof bytes), &text);
	for (size_t i = 0; i < text.len; i++) {
		text.ptr[i] = text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i];
	}
	memcpy(out, prefix.ptr, prefix.len);
	memcpy(out + prefix.len, text.ptr, TOKEN_TEXT_LEN - prefix.len); /* the padding stays */
	out[TOKEN_TEXT_LEN] = '\0';
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text.ptr, text.len);
	buf_free(&text);
}

static bool is_url_digit(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

bool token_text_is_whole(struct span text)
{
	bool is = text.len == TOKEN_TEXT_LEN && span_starts_with(text, prefix);
	for (size_t i = prefix.len; is && i < text.len; i++) {
		is = is_url_digit(text.ptr[i]);
	}
	return is;
}

void token_text_hash(struct span text, uint8_t out[SHA256_LEN])
{
	struct sha256 sha;
	sha256_init(&sha);
	sha256_add(&sha, text.ptr, text.len);
	sha256_end(&sha, out);
}

void token_hash_write(const uint8_t hash[SHA256_LEN], char out[TOKEN_HASH_LEN + 1])
{
	memcpy(out, hash_prefix.ptr, hash_prefix.len);
	id_hex(hash, SHA256_LEN, out + hash_prefix.len);
}

static int digit_of(char byte)
{
	if (byte >= '0' && byte <= '9') {
		return byte - '0';
	}
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool token_hash_read(struct span text, uint8_t out[SHA256_LEN])
{
	uint8_t hash[SHA256_LEN];
	if (text.len != TOKEN_HASH_LEN || !span_starts_with(text, hash_prefix)) {
		return false;
	}
	for (size_t i = 0; i < SHA256_LEN; i++) {
		int high = digit_of(text.ptr[hash_prefix.len + 2 * i]);
		int low = digit_of(text.ptr[hash_prefix.len + 2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		hash[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(out, hash, SHA256_LEN);
	return true;
}

bool token_hash_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN])
{
	unsigned differs = 0;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		differs |= (unsigned)(a[i] ^ b[i]);
	}
	return differs == 0;
}
