/* This file keeps everything in memory: fast, and gone with the process. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_MEMORY_H
#define ADAPTERS_MEMORY_H

#include "adapters/adapter.h"

/* A whole store, INLINE. The journal holds at most MEMORY_JOURNAL_MAX bytes; the oldest entries go
 * first. */
enum { MEMORY_JOURNAL_MAX = 64 << 20 };

extern const struct adapter_type memory_adapter;

#endif
