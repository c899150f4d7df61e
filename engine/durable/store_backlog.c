/* This file queues groups for the view and hands them over a few MiB at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_backlog.h"

#include "base/mem.h"

/* Random keys make the view rewrite whole pages: the more changes it gets at once, the fewer pages
 * for each. */
enum { APPLY_BYTES = 16 * 1024 * 1024 };

void store_backlog_init(struct store_backlog *backlog, struct store_groups *owner)
{
	*backlog = (struct store_backlog){.owner = owner};
	list_init(&backlog->groups);
}

void store_backlog_close(struct store_backlog *backlog)
{
	store_backlog_clear(backlog);
	mem_free(backlog->batches);
}

void store_backlog_add(struct store_backlog *backlog, struct store_group *group)
{
	store_group_take(group);
	list_push(&backlog->groups, &group->link);
	backlog->bytes += batch_size(&group->batch);
}

static struct store_group *first_of(const struct store_backlog *backlog)
{
	return LIST_FIRST(&backlog->groups, struct store_group, link);
}

static void remove_first(struct store_backlog *backlog)
{
	struct store_group *group = first_of(backlog);
	backlog->bytes -= batch_size(&group->batch);
	list_remove(&group->link);
	store_group_drop(backlog->owner, group);
}

void store_backlog_clear(struct store_backlog *backlog)
{
	while (!store_backlog_is_empty(backlog)) {
		remove_first(backlog);
	}
}

bool store_backlog_is_empty(const struct store_backlog *backlog)
{
	return list_is_empty(&backlog->groups);
}

bool store_backlog_has_below(const struct store_backlog *backlog, uint64_t seq)
{
	for (const struct list *link = backlog->groups.next; link != &backlog->groups;
	     link = link->next) {
		const struct batch *batch = &MEM_CONTAINER(link, struct store_group, link)->batch;
		if (batch->entry_count != 0) {
			return batch->entries[0].seq < seq;
		}
	}
	return false;
}

static void apply(struct store_job *job)
{
	struct store_backlog *backlog = MEM_CONTAINER(job, struct store_backlog, job);
	backlog->err = (struct err){0};
	backlog->status = backlog->adapter->type->apply(
	        backlog->adapter, backlog->batches, backlog->count, backlog->serial, &backlog->err);
}

static void apply_done(struct store_job *job)
{
	struct store_backlog *backlog = MEM_CONTAINER(job, struct store_backlog, job);
	uint64_t number = 0;
	for (size_t i = 0; backlog->status == 0 && i < backlog->count; i++) {
		number = first_of(backlog)->number;
		remove_first(backlog);
	}
	backlog->count = 0;
	backlog->applied(backlog, backlog->status, number, &backlog->err);
}

struct store_job *store_backlog_next(struct store_backlog *backlog, struct adapter *adapter)
{
	PRE(!store_backlog_is_empty(backlog) && backlog->count == 0);
	size_t bytes = 0;
	for (const struct list *link = backlog->groups.next;
	     link != &backlog->groups && bytes < APPLY_BYTES; link = link->next) {
		const struct store_group *group = MEM_CONTAINER(link, struct store_group, link);
		if (backlog->count == backlog->cap) {
			backlog->cap = backlog->cap ? backlog->cap * 2 : 16;
			backlog->batches =
			        mem_grow(backlog->batches, backlog->cap * sizeof *backlog->batches);
		}
		backlog->batches[backlog->count++] = &group->batch;
		backlog->serial = group->serial;
		bytes += batch_size(&group->batch);
	}
	backlog->adapter = adapter;
	backlog->job.work = apply;
	backlog->job.done = apply_done;
	return &backlog->job;
}
