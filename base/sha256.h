/* This file computes SHA-256 and HMAC-SHA256. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32 };

struct sha256 {
	uint32_t state[8];
	uint64_t len; /* bytes so far */
	uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t len);
void sha256_end(struct sha256 *sha, uint8_t out[SHA256_LEN]);

/* RFC 2104. The parts are signed as if they were one. */
void sha256_hmac(struct span key, const struct span parts[], size_t count, uint8_t out[SHA256_LEN]);

#endif
