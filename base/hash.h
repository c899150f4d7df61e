/* This file hashes bytes so that no stranger can choose collisions. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 (Aumasson, Bernstein) under a key drawn once per process. Not stable over restarts:
 * for tables in memory only. */
uint64_t hash_bytes(struct span bytes, uint64_t seed);

/* A quicker one under secrets of this process, for where a collision costs time only. */
uint64_t hash_quick(struct span bytes, uint64_t seed);

/* SipHash-2-4 under a fixed key: stable for ever, for identities that are written to disk. */
uint64_t hash_stable(struct span bytes, uint64_t seed);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor where it can. Start with crc 0. */
uint32_t hash_crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
