/* This file computes SHA-1 (FIPS 180-4), which the WebSocket handshake asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha1.h"
#include <string.h>

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static void load_words(const uint8_t block[64], uint32_t w[80])
{
	for (int i = 0; i < 16; i++) {
		const uint8_t *at = block + 4 * i;
		w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	}
	for (int i = 16; i < 80; i++) {
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	}
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round / 20) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default:
		return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void add_block(uint32_t hash[5], const uint8_t block[64])
{
	uint32_t w[80];
	load_words(block, w);
	uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];
	for (int i = 0; i < 80; i++) {
		uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	hash[0] += a;
	hash[1] += b;
	hash[2] += c;
	hash[3] += d;
	hash[4] += e;
}

void sha1(struct span bytes, uint8_t out[SHA1_LEN])
{
	uint32_t hash[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	size_t whole = bytes.len / 64 * 64;
	for (size_t i = 0; i < whole; i += 64) {
		add_block(hash, (const uint8_t *)bytes.ptr + i);
	}

	uint8_t tail[128] = {0};
	size_t left = bytes.len - whole;
	if (left > 0) {
		memcpy(tail, bytes.ptr + whole, left);
	}
	tail[left] = 0x80;
	size_t padded = left < 56 ? 64 : 128;
	uint64_t bits = (uint64_t)bytes.len * 8;
	for (unsigned i = 0; i < 8; i++) {
		tail[padded - 1 - i] = (uint8_t)(bits >> (8 * i));
	}
	for (size_t i = 0; i < padded; i += 64) {
		add_block(hash, tail + i);
	}

	for (size_t i = 0; i < SHA1_LEN; i++) {
		out[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
	}
}
