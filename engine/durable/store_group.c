/* This file counts who needs a group, recycles its memory and finds recent entries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_group.h"

#include "base/err.h"
#include "base/mem.h"

enum {
	SPARE_MAX = 2,
	SPARE_BYTES = 256 * 1024, /* a spare group keeps no more than this */
	SPARE_ROWS = 4096,
	USUAL_BYTES_MAX = 64 * 1024,
	SLACK_BYTES = 1024, /* room that a kept group may waste before it is cut */
};

void store_groups_init(struct store_groups *groups, size_t recent_max_bytes)
{
	*groups = (struct store_groups){.recent_max_bytes = recent_max_bytes};
	list_init(&groups->spare);
}

static void group_free(struct store_group *group)
{
	batch_close(&group->batch);
	mem_free(group);
}

void store_groups_close(struct store_groups *groups)
{
	store_groups_forget(groups);
	LIST_EACH(&groups->spare, link)
	{
		list_remove(link);
		group_free(MEM_CONTAINER(link, struct store_group, link));
	}
	mem_free(groups->recent);
	*groups = (struct store_groups){0};
}

struct store_group *store_group_new(struct store_groups *groups)
{
	struct store_group *group = LIST_FIRST(&groups->spare, struct store_group, link);
	if (group == NULL) {
		group = MEM_NEW(struct store_group);
		list_init(&group->link);
	} else {
		list_remove(&group->link);
		groups->spare_count--;
	}
	(void)buf_reserve(&group->batch.bytes, groups->usual_bytes);
	list_init(&group->waiters);
	group->number = 0;
	group->serial = 0;
	group->asked_at_us = 0;
	group->refs = 1;
	return group;
}

void store_group_take(struct store_group *group)
{
	group->refs++;
}

static bool is_worth_keeping(const struct batch *batch)
{
	return batch->bytes.cap <= SPARE_BYTES && batch->entry_cap <= SPARE_ROWS &&
	       batch->op_cap <= SPARE_ROWS;
}

void store_group_drop(struct store_groups *groups, struct store_group *group)
{
	PRE(group->refs > 0);
	if (--group->refs != 0) {
		return;
	}
	PRE(list_is_empty(&group->link) && list_is_empty(&group->waiters));
	if (groups->spare_count == SPARE_MAX || !is_worth_keeping(&group->batch)) {
		group_free(group);
		return;
	}
	batch_clear(&group->batch);
	list_push(&groups->spare, &group->link);
	groups->spare_count++;
}

/* ---- recent entries ---- */

static struct store_group *at(const struct store_groups *groups, size_t index)
{
	return groups->recent[(groups->first + index) % groups->cap];
}

static uint64_t first_seq(const struct store_group *group)
{
	return group->batch.entries[0].seq;
}

static uint64_t end_seq(const struct store_group *group)
{
	return first_seq(group) + group->batch.entry_count;
}

static size_t footprint(const struct batch *batch)
{
	return batch->bytes.cap + batch->entry_cap * sizeof *batch->entries +
	       batch->op_cap * sizeof *batch->ops + sizeof(struct store_group);
}

static void forget_oldest(struct store_groups *groups)
{
	struct store_group *oldest = at(groups, 0);
	groups->first = (groups->first + 1) % groups->cap;
	groups->count--;
	groups->recent_bytes -= footprint(&oldest->batch);
	store_group_drop(groups, oldest);
}

void store_groups_forget(struct store_groups *groups)
{
	while (groups->count != 0) {
		forget_oldest(groups);
	}
}

static void grow(struct store_groups *groups)
{
	size_t cap = groups->cap ? groups->cap * 2 : 16;
	struct store_group **ring = MEM_ARRAY(struct store_group *, cap);
	for (size_t i = 0; i < groups->count; i++) {
		ring[i] = at(groups, i);
	}
	mem_free(groups->recent);
	groups->recent = ring;
	groups->cap = cap;
	groups->first = 0;
}

/* A small group in the memory of a large one would crowd out its neighbours. Nobody but the loop
 * may hold it, so that nothing moves under a thread. */
static void cut(struct store_group *group)
{
	struct batch *batch = &group->batch;
	if (group->refs != 1 || footprint(batch) <= 2 * batch_size(batch) + SLACK_BYTES) {
		return;
	}
	buf_shrink(&batch->bytes, batch->bytes.len ? batch->bytes.len : 1);
	if (batch->op_count != 0) {
		batch->ops = mem_grow(batch->ops, batch->op_count * sizeof *batch->ops);
		batch->op_cap = batch->op_count;
	}
	batch->entries = mem_grow(batch->entries, batch->entry_count * sizeof *batch->entries);
	batch->entry_cap = batch->entry_count;
}

void store_groups_keep(struct store_groups *groups, struct store_group *group)
{
	PRE(group->batch.entry_count != 0);
	if (groups->count != 0 && end_seq(at(groups, groups->count - 1)) != first_seq(group)) {
		store_groups_forget(groups);
	}
	if (groups->count == groups->cap) {
		grow(groups);
	}
	size_t len = group->batch.bytes.len;
	groups->usual_bytes = len < USUAL_BYTES_MAX ? len : USUAL_BYTES_MAX;
	cut(group);
	store_group_take(group);
	groups->recent[(groups->first + groups->count) % groups->cap] = group;
	groups->count++;
	groups->recent_bytes += footprint(&group->batch);
	while (groups->recent_bytes > groups->recent_max_bytes && groups->count > 1) {
		forget_oldest(groups);
	}
}

bool store_groups_find(const struct store_groups *groups, uint64_t seq, struct span *out)
{
	size_t low = 0;
	size_t high = groups->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (end_seq(at(groups, middle)) <= seq) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == groups->count || first_seq(at(groups, low)) > seq) {
		return false;
	}
	const struct batch *batch = &at(groups, low)->batch;
	*out = batch_entry_bytes(batch, &batch->entries[seq - first_seq(at(groups, low))]);
	return true;
}
