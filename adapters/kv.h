/* This file is the adapter `kv`: records in memory, or in files of one directory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_KV_H
#define ADAPTERS_KV_H

#include "adapters/adapter.h"

/*
 * DESIGN. open reads the config and opens the in-memory store, or segments with a SQLite view. What
 * it gives back has a type of its own: after open, ask the adapter's type, not kv_adapter, for
 * flags and functions.
 */
extern const struct adapter_type kv_adapter;

#endif
