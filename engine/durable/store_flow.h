/* This file is the life of a store: its turns on the loop, reopening, closing. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_FLOW_H
#define ENGINE_DURABLE_STORE_FLOW_H

#include "base/err.h"

struct store;

/* `loop` and `options` are set, all else is zero. The store is freed on failure. */
int store_flow_open(struct store *store, struct err *err);
/* Flushes, closes the adapter and the handles, then calls store->closed and frees the store. */
void store_flow_close(struct store *store);

#endif
