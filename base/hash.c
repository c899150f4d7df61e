/* This file computes SipHash and CRC-32C. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/id.h"
#include <stdbool.h>

static uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline uint64_t sip_hash(struct span in, const uint64_t key[2], int rounds, int last_rounds)
{
	struct sip s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
	                key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
	const char *at = in.ptr;
	size_t left = in.len;
	for (; left >= 8; at += 8, left -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		s.v3 ^= word;
		for (int i = 0; i < rounds; i++) {
			sip_round(&s);
		}
		s.v0 ^= word;
	}
	uint64_t tail = 0;
	if (left != 0) {
		memcpy(&tail, at, left);
	}
	tail |= (uint64_t)in.len << 56;
	s.v3 ^= tail;
	for (int i = 0; i < rounds; i++) {
		sip_round(&s);
	}
	s.v0 ^= tail;
	s.v2 ^= 0xff;
	for (int i = 0; i < last_rounds; i++) {
		sip_round(&s);
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* Drawn before main, so that threads only ever read it. */
static uint64_t process_key[2];

__attribute__((constructor)) static void draw_process_key(void)
{
	id_random(process_key, sizeof process_key);
}

uint64_t hash_bytes(struct span bytes, uint64_t seed)
{
	uint64_t key[2] = {process_key[0] ^ seed, process_key[1]};
	return sip_hash(bytes, key, 1, 3);
}

static inline uint64_t load(const char *at, size_t size)
{
	uint64_t word = 0;
	memcpy(&word, at, size);
	return word;
}

/* Two secret factors with a turn between them: where two words differ the difference depends on
 * both. */
static inline uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * (process_key[0] | 1);
	hash = (hash << 32 | hash >> 32) * (process_key[1] | 1);
	return hash ^ hash >> 29;
}

uint64_t hash_quick(struct span bytes, uint64_t seed)
{
	uint64_t hash = mix(seed, bytes.len);
	const char *at = bytes.ptr;
	size_t left = bytes.len;
	if (left >= 8) {
		for (; left > 8; left -= 8, at += 8) {
			hash = mix(hash, load(at, 8));
		}
		return mix(hash, load(bytes.ptr + bytes.len - 8, 8));
	}
	if (left >= 4) {
		return mix(hash, load(at, 4) << 32 | load(at + left - 4, 4));
	}
	if (left != 0) {
		uint64_t middle = (unsigned char)at[left / 2];
		uint64_t last = (unsigned char)at[left - 1];
		return mix(hash, (unsigned char)at[0] | middle << 8 | last << 16);
	}
	return hash;
}

uint64_t hash_stable(struct span bytes, uint64_t seed)
{
	uint64_t key[2] = {0x7061776c2d696400u ^ seed, 0x0706050403020100u};
	return sip_hash(bytes, key, 2, 4);
}

static uint32_t crc_table[256];
static bool crc_in_hardware;

__attribute__((constructor)) static void build_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
		}
		crc_table[i] = crc;
	}
#if defined(__x86_64__)
	crc_in_hardware = __builtin_cpu_supports("sse4.2");
#endif
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t crc, const char *at,
                                                               size_t len)
{
	uint64_t wide = crc;
	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len != 0; at++, len--) {
		crc = __builtin_ia32_crc32qi(crc, (unsigned char)*at);
	}
	return crc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *bytes, size_t len)
{
	const char *at = bytes;
	crc = ~crc;
#if defined(__x86_64__)
	if (crc_in_hardware) {
		return ~crc_hardware(crc, at, len);
	}
#endif
	for (; len != 0; at++, len--) {
		crc = (crc >> 8) ^ crc_table[(crc ^ (unsigned char)*at) & 0xff];
	}
	return ~crc;
}
