/* This file applies durable groups to the adapter's view, many in one transaction. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_BACKLOG_H
#define ENGINE_DURABLE_STORE_BACKLOG_H

#include "adapters/adapter.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/durable/store_group.h"
#include "engine/durable/store_job.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_backlog {
	struct list groups; /* store_group.link: durable and not applied, oldest first */
	size_t bytes;
	struct store_groups *owner;
	/* what is out */
	struct store_job job;
	struct adapter *adapter;
	const struct batch **batches;
	size_t count, cap;
	uint64_t serial;
	int status;
	struct err err;
	/* Called when it is back; with status 0 the groups up to `number` are applied and gone. */
	void (*applied)(struct store_backlog *backlog, int status, uint64_t number,
	                const struct err *err);
};

void store_backlog_init(struct store_backlog *backlog, struct store_groups *owner);
void store_backlog_close(struct store_backlog *backlog);

void store_backlog_add(struct store_backlog *backlog, struct store_group *group);
void store_backlog_clear(struct store_backlog *backlog);
bool store_backlog_is_empty(const struct store_backlog *backlog);
/* Whether an entry below `seq` is in it. */
bool store_backlog_has_below(const struct store_backlog *backlog, uint64_t seq);
/* The oldest groups as a job for the view thread. It is idle and there are some. */
struct store_job *store_backlog_next(struct store_backlog *backlog, struct adapter *adapter);

#endif
