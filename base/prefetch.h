/* This file asks the processor for memory that will be read soon. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PREFETCH_H
#define BASE_PREFETCH_H

#include <stddef.h>

enum { PREFETCH_LINE = 64 };

/* Harmless wherever it points. */
static inline void prefetch(const void *at, size_t size)
{
	for (size_t i = 0; i < size; i += PREFETCH_LINE) {
		__builtin_prefetch((const char *)at + i);
	}
}

#endif
