/* This file keeps on disk when a trigger may start deliveries again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/throttle_store.h"

#include "base/mem.h"
#include "engine/core/throttle.h"
#include "engine/durable/space.h"

enum { PACE_FORMAT = 1 };

static void put_pace(struct store *store, const struct binding *binding, struct pace *pace)
{
	struct space_key room;
	struct buf value = {0};
	space_put_u8(&value, PACE_FORMAT);
	space_put_u64(&value, (uint64_t)pace->next_us);
	const struct record record = {.value = buf_view(&value)};
	store_put(store, space_pace(&room, binding->id, binding->version, pace->node.hash),
	          &record);
	buf_free(&value);
	pace->is_put = true;
	list_remove(&pace->in_dirty);
}

static void delete_pace(struct store *store, const struct binding *binding, uint64_t group)
{
	struct space_key room;
	store_delete(store, space_pace(&room, binding->id, binding->version, group), 0);
}

void throttle_store_put_dirty(struct store *store, struct binding *binding)
{
	struct throttle *throttle = binding->throttle;
	if (throttle == NULL) {
		return;
	}
	while (!list_is_empty(&throttle->dirty)) {
		struct pace *pace = LIST_FIRST(&throttle->dirty, struct pace, in_dirty);
		if (pace->is_gone) {
			delete_pace(store, binding, pace->node.hash);
			throttle_forget(pace);
		} else {
			put_pace(store, binding, pace);
		}
	}
}

void throttle_store_put_all(struct store *store, struct binding *binding)
{
	if (binding->throttle == NULL) {
		return;
	}
	MAP_EACH(&binding->throttle->paces, node)
	{
		struct pace *pace = MEM_CONTAINER(node, struct pace, node);
		if (pace->is_put) {
			put_pace(store, binding, pace);
		}
	}
}

bool throttle_store_is_at_rest(const struct binding *binding)
{
	return binding->throttle == NULL || list_is_empty(&binding->throttle->dirty);
}

void throttle_store_drop_all(struct store *store, struct binding *binding, bool keep_records)
{
	if (binding->throttle == NULL) {
		return;
	}
	MAP_EACH(&binding->throttle->paces, node)
	{
		const struct pace *pace = MEM_CONTAINER(node, struct pace, node);
		if (pace->is_put && !keep_records) {
			delete_pace(store, binding, node->hash);
		}
	}
	throttle_free(binding->throttle);
	binding->throttle = NULL;
}

int throttle_store_read(struct binding *binding, uint64_t group, struct span value, struct err *err)
{
	struct space_reader reader;
	int status = space_reader_init(&reader, value, PACE_FORMAT, "pace", err);
	if (status != 0) {
		return status;
	}
	int64_t next_us = (int64_t)space_get_u64(&reader);
	status = space_reader_end(&reader, "pace", err);
	if (status == 0) {
		throttle_adopt(binding->throttle, group, next_us);
	}
	return status;
}
