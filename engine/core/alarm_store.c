/* This file brings the records of alarms into memory, takes them apart and puts them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_store.h"

#include "base/mem.h"
#include "engine/durable/space.h"

static struct span keep(struct buf *text, struct span from)
{
	size_t at = text->len;
	buf_span(text, from);
	return span_make(text->ptr + at, from.len);
}

static void visit_fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	struct alarm_visit *visit = MEM_CONTAINER(fetch, struct alarm_visit, fetch);
	visit->done(visit, status, err);
}

void alarm_visit_aim(struct alarm_visit *visit, const struct alarm_address *address)
{
	struct buf text = {0};
	/* With a byte to spare, so that no span is without an address. */
	(void)buf_reserve(&text, address->scope.len + address->key.len + address->name.len + 1);
	visit->address.scope = keep(&text, address->scope);
	visit->address.key = keep(&text, address->key);
	visit->address.name = keep(&text, address->name);
	buf_free(&visit->text);
	visit->text = text;
}

void alarm_visit_start(struct store *store, struct alarm_visit *visit)
{
	struct space_key room;
	struct store_look look;
	const struct record_key key = alarm_record_key(&room, &visit->address);
	if (store_look(store, key, &look) != STORE_UNKNOWN) {
		visit->done(visit, 0, NULL);
		return;
	}
	visit->fetch.done = visit_fetched;
	store_fetch_start(store, &visit->fetch, &key, 1);
}

void alarm_visit_close(struct alarm_visit *visit)
{
	buf_free(&visit->text);
}

int alarm_store_look(struct store *store, const struct alarm_address *address,
                     struct alarm_found *out, struct err *err)
{
	struct space_key room;
	struct store_look look;
	enum store_state state = store_look(store, alarm_record_key(&room, address), &look);
	PRE(state != STORE_UNKNOWN);
	out->group = look.group;
	out->is_there = state == STORE_FOUND;
	out->record = (struct alarm_record){0};
	if (!out->is_there) {
		return 0;
	}
	buf_clear(&out->value);
	buf_clear(&out->texts);
	buf_span(&out->value, look.record.value);
	return alarm_record_decode(buf_view(&out->value), &out->record, &out->texts, err);
}

void alarm_found_close(struct alarm_found *found)
{
	buf_free(&found->value);
	buf_free(&found->texts);
}

void alarm_store_put(const struct alarm_store *alarms, const struct alarm_address *address,
                     const struct alarm_record *record)
{
	struct space_key room;
	struct buf value = {0};
	const struct record_key key = alarm_record_key(&room, address);
	alarm_record_encode(record, &value);
	const struct record whole = {.value = buf_view(&value),
	                             .expires_at_ms = alarm_record_expires_ms(record)};
	store_put(alarms->store, key, &whole);
	buf_free(&value);
	alarm_traces_add(alarms->traces, address->scope, address->key);
	if (record->running_seq == 0 && record->next_ms != 0) {
		alarms->due(alarms->ctx, key, record->next_ms);
	}
}

void alarm_store_remove(const struct alarm_store *alarms, const struct alarm_address *address)
{
	struct space_key room;
	store_delete(alarms->store, alarm_record_key(&room, address), 0);
}
