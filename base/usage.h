/* This file says what this process takes of the machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_USAGE_H
#define BASE_USAGE_H

#include <stdint.h>

struct usage {
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t cpu_us; /* user and system */
	uint64_t open_fds;
	uint64_t max_fds;
};

/* Reads /proc; what cannot be read stays 0. */
void usage_read(struct usage *out);

#endif
