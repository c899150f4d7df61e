/* This file brings an alarm and its object into memory and waits until they are durable. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_sight.h"

#include "base/json.h"
#include "base/mem.h"

static struct record_key object_of(const struct alarm_sight *sight)
{
	return (struct record_key){SPACE_STATE, sight->visit.address.scope,
	                           sight->visit.address.key};
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct alarm_sight *sight = MEM_CONTAINER(waiter, struct alarm_sight, waiter);
	sight->done(sight, status, err);
}

static uint64_t look_at_object(struct alarm_sight *sight)
{
	struct store_look look;
	buf_clear(&sight->value);
	if (sight->visit.address.key.len == 0) {
		return 0;
	}
	enum store_state state = store_look(sight->store, object_of(sight), &look);
	int64_t ends_ms = state == STORE_FOUND ? look.record.expires_at_ms : 0;
	if (state == STORE_FOUND && (ends_ms == 0 || ends_ms > store_time_ms(sight->store))) {
		buf_span(&sight->value, look.record.value);
	}
	return look.group;
}

/* Both are in memory. */
static void look(struct alarm_sight *sight)
{
	struct alarm_found found = {0};
	struct err err;
	uint64_t group = look_at_object(sight);
	int status = alarm_store_look(sight->store, &sight->visit.address, &found, &err);
	sight->runs = status == 0 && found.is_there && found.record.running_seq == sight->seq;
	group = found.group > group ? found.group : group;
	alarm_found_close(&found);
	if (status != 0) {
		sight->done(sight, status, &err);
	} else if (store_wait(sight->store, group, &sight->waiter)) {
		sight->done(sight, 0, NULL);
	}
}

static void object_came(struct store_fetch *fetch, int status, const struct err *err)
{
	struct alarm_sight *sight = MEM_CONTAINER(fetch, struct alarm_sight, fetch);
	if (status != 0) {
		sight->done(sight, status, err);
	} else {
		/* What was brought before may have been evicted again. */
		alarm_visit_start(sight->store, &sight->visit);
	}
}

static void record_came(struct alarm_visit *visit, int status, const struct err *err)
{
	struct alarm_sight *sight = MEM_CONTAINER(visit, struct alarm_sight, visit);
	struct store_look seen;
	if (status != 0) {
		sight->done(sight, status, err);
		return;
	}
	const struct record_key object = object_of(sight);
	if (visit->address.key.len != 0 &&
	    store_look(sight->store, object, &seen) == STORE_UNKNOWN) {
		sight->fetch.done = object_came;
		store_fetch_start(sight->store, &sight->fetch, &object, 1);
		return;
	}
	look(sight);
}

void alarm_sight_start(struct store *store, struct alarm_sight *sight, const struct event *event)
{
	struct span value;
	struct buf name = {0};
	struct alarm_address address = {.scope = event->scope, .key = event->key};
	if (event->new_value.ptr != NULL && json_get(event->new_value, SPAN("name"), &value)) {
		address.name = json_copy_text(value, &name);
	}
	sight->store = store;
	sight->seq = event->seq;
	sight->visit.done = record_came;
	sight->waiter.done = is_durable;
	list_init(&sight->waiter.link);
	alarm_visit_aim(&sight->visit, &address);
	buf_free(&name);
	alarm_visit_start(store, &sight->visit);
}

void alarm_sight_close(struct alarm_sight *sight)
{
	alarm_visit_close(&sight->visit);
	buf_free(&sight->value);
}
