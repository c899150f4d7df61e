/* This file finds the queues that there are. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_QUEUES_H
#define ENGINE_WORK_QUEUES_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/catalog.h"

/* NULL: E_NOT_FOUND "queue_not_found", which lists those that there are. */
struct binding *queues_find(const struct catalog *catalog, struct span name, struct err *err);
size_t queues_count(const struct catalog *catalog);

#endif
