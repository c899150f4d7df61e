/* This file computes SHA-256 and HMAC-SHA256. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"
#include <string.h>

/* FIPS 180-4: the first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2};

static uint32_t rotate(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

static void take_block(uint32_t state[8], const uint8_t block[64])
{
	uint32_t w[64];
	for (int i = 0; i < 16; i++) {
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	}
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	uint32_t v[8];
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t one = v[7] + s1 + choice + constants[i] + w[i];
		uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += one;
		v[0] = one + s0 + majority;
	}
	for (int i = 0; i < 8; i++) {
		state[i] += v[i];
	}
}

void sha256_init(struct sha256 *sha)
{
	*sha = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	                                 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t held = sha->len % 64;
	sha->len += len;
	if (held > 0 && held + len >= 64) {
		memcpy(sha->block + held, at, 64 - held);
		take_block(sha->state, sha->block);
		at += 64 - held;
		len -= 64 - held;
		held = 0;
	}
	for (; held == 0 && len >= 64; at += 64, len -= 64) {
		take_block(sha->state, at);
	}
	if (len > 0) {
		memcpy(sha->block + held, at, len);
	}
}

void sha256_end(struct sha256 *sha, uint8_t out[SHA256_LEN])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t bits = sha->len * 8;
	size_t held = sha->len % 64;
	sha256_add(sha, padding, held < 56 ? 56 - held : 120 - held);
	uint8_t length[8];
	for (int i = 0; i < 8; i++) {
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	}
	sha256_add(sha, length, sizeof(length));
	for (int i = 0; i < SHA256_LEN; i++) {
		out[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
	}
}

void sha256_hmac(struct span key, const struct span parts[], size_t count, uint8_t out[SHA256_LEN])
{
	uint8_t padded[64] = {0};
	struct sha256 sha;
	if (key.len > sizeof(padded)) {
		sha256_init(&sha);
		sha256_add(&sha, key.ptr, key.len);
		sha256_end(&sha, padded);
	} else if (key.len > 0) {
		memcpy(padded, key.ptr, key.len);
	}
	for (size_t i = 0; i < sizeof(padded); i++) {
		padded[i] ^= 0x36;
	}
	sha256_init(&sha);
	sha256_add(&sha, padded, sizeof(padded));
	for (size_t i = 0; i < count; i++) {
		sha256_add(&sha, parts[i].ptr, parts[i].len);
	}
	uint8_t inner[SHA256_LEN];
	sha256_end(&sha, inner);
	for (size_t i = 0; i < sizeof(padded); i++) {
		padded[i] ^= 0x36 ^ 0x5c;
	}
	sha256_init(&sha);
	sha256_add(&sha, padded, sizeof(padded));
	sha256_add(&sha, inner, sizeof(inner));
	sha256_end(&sha, out);
}
